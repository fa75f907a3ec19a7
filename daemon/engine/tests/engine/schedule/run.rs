//! Runs a schedule: steps, faults and crashes, then calm, then the oracle.

use agentchatd_engine::{Input, Lane};

use crate::world::{
    Chances, Dice, Status, World,
    oracle::{self, Beginning},
    platform::ME,
    runner::Happening,
};

use super::odd;
use super::step::{PLACES, SPAN_MS, Step, chances, step};

/// One schedule.
pub(crate) struct Schedule {
    pub(crate) world: World,
    dice: Dice,
    steps: Vec<Step>,
    /// Points passed before the faults ended.
    pub(crate) hostile_points: u64,
}

/// Runs what these bytes say, for a fuzzer: the first chooses the kind of schedule.
///
/// # Panics
/// Where something does not hold that must.
pub(crate) fn of_bytes(bytes: &[u8]) {
    match bytes.split_first() {
        None => {}
        Some((kind, rest)) if kind.is_multiple_of(2) => Schedule::of_bytes(rest, false).run(),
        Some((_, rest)) => odd::run(rest),
    }
}

/// What makes a schedule; all else follows from it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    seed: u64,
    /// Few steps, and no crash but the one named.
    small: bool,
    crash: Option<u64>,
}

impl Plan {
    pub(crate) fn large(seed: u64) -> Self {
        Self {
            seed,
            small: false,
            crash: None,
        }
    }

    pub(crate) fn small(seed: u64, crash: Option<u64>) -> Self {
        Self {
            seed,
            small: true,
            crash,
        }
    }
}

impl Schedule {
    pub(crate) fn new(plan: Plan, traced: bool) -> Self {
        let dice = Dice::new(plan.seed ^ 0x5eed_5eed);
        Self::with(plan, dice, Dice::new(plan.seed), traced)
    }

    /// A schedule whose every chance is taken from bytes: of the steps first, of the world behind.
    fn of_bytes(bytes: &[u8], traced: bool) -> Self {
        let (steps, world) = bytes.split_at(bytes.len().min(STEP_BYTES));
        let plan = Plan::large(1);
        Self::with(plan, Dice::of_bytes(steps), Dice::of_bytes(world), traced)
    }

    fn with(plan: Plan, mut dice: Dice, chance: Dice, traced: bool) -> Self {
        let ack_mode = dice.chance(50);
        let mut world = World::new(ack_mode, plan.seed, chances(&mut dice));
        world.dice = chance;
        world.settings.header_auth = dice.chance(20);
        world.may_park = false;
        world.trace = traced.then(Vec::new);
        let count = if plan.small {
            dice.between(1, 4)
        } else {
            dice.between(3, 25)
        };
        let steps: Vec<Step> = (0..count).map(|_| step(&mut dice)).collect();
        for number in 0..steps.len() {
            let at = dice.between(0, SPAN_MS);
            world.later(at, Happening::Step(number));
        }
        world.crashes.extend(plan.crash);
        if !plan.small && dice.chance(60) {
            for _ in 0..dice.between(1, 3) {
                world.crashes.insert(dice.between(1, 250));
            }
        }
        let mut schedule = Self {
            world,
            dice,
            steps,
            hostile_points: 0,
        };
        schedule.write_the_past();
        schedule
    }

    /// What was there before the daemon: older messages, some of them still waiting.
    fn write_the_past(&mut self) {
        const YEAR_US: i64 = 365 * 24 * 3_600 * 1_000_000;
        for place in PLACES {
            if self.dice.chance(50) {
                continue;
            }
            let count = self.dice.between(1, 12);
            let delivered = self.dice.between(0, count);
            for number in 0..count {
                let own = self.dice.chance(20);
                let sender = if own { ME } else { "peer" };
                let age = YEAR_US - i64::try_from(number).expect("few") * 1_000_000;
                let message = self.world.platform.make(place, sender, age);
                if number < delivered && message.status == Status::Stored {
                    message.status = Status::Delivered;
                }
            }
        }
    }

    pub(crate) fn run(&mut self) {
        let beginning = Beginning::of(&self.world);
        self.world.start();
        loop {
            while let Some(number) = self.world.steps_due.pop_front() {
                let step = self.steps[number].clone();
                self.world.note(|| format!("## {step:?}"));
                self.take(step);
            }
            if !self.world.run_once(SPAN_MS) && self.world.steps_due.is_empty() {
                break;
            }
        }
        self.hostile_points = self.world.points;
        self.calm_down();
        oracle::check(&self.world, &beginning);
        self.check_quiet();
    }

    /// The faults end, and everything has time to come right.
    fn calm_down(&mut self) {
        self.world.note(|| "## the faults end".to_owned());
        let delay_ms = self.world.chances.delay_ms;
        self.world.chances = Chances {
            delay_ms,
            ..Chances::default()
        };
        self.world.crashes.clear();
        for conversation in self.world.platform.conversations.values_mut() {
            for message in &mut conversation.messages {
                message.poisoned = false;
            }
        }
        let calm_ms = 3 * self.world.settings.reconcile_interval_ms + 1_000_000;
        self.world.run_for(calm_ms);
    }

    /// Timers that come round are all that is left.
    fn check_quiet(&mut self) {
        let before = self.world.inputs;
        let interval = self.world.settings.reconcile_interval_ms;
        self.world.run_for(interval);
        let inputs = self.world.inputs - before;
        // Every minute a sync and every 45 s a ping, each with its timer; one comparison.
        assert!(inputs < 150, "{inputs} inputs although nothing happens");
    }

    fn take(&mut self, step: Step) {
        let world = &mut self.world;
        match step {
            Step::Write { to, count } => {
                let ids: Vec<_> = (0..count).map(|_| self.dice_message(to, "peer")).collect();
                for id in ids {
                    self.push(to, &id);
                }
            }
            Step::WriteElsewhere { to } => {
                self.dice_message(to, ME);
            }
            Step::Send {
                to,
                body,
                expires_ms,
            } => {
                let number = world.points + world.inputs;
                let lane = match to.strip_prefix("conv_") {
                    Some(peer) => Lane::To(peer.into()),
                    None => Lane::Conversation(to.into()),
                };
                let expires_us =
                    world.platform.now_us + i64::try_from(expires_ms).expect("short") * 1_000;
                world.submit_until(number, lane, &format!("cmid_{number}"), body, expires_us);
            }
            Step::Retry { which, expires_ms } => {
                if let Some(id) = world.some_entry(which) {
                    let expires_ms = i64::try_from(expires_ms).expect("short");
                    world.retry(id, expires_ms);
                }
            }
            Step::Cancel { which } => {
                if let Some(id) = world.some_entry(which) {
                    world.cancel(id);
                }
            }
            Step::Hide { what } => world.platform.hide(what),
            Step::HideOne { of } => {
                let messages = &mut world.platform.conversation(of).messages;
                if let Some(last) = messages.last_mut() {
                    last.hidden = true;
                    // Hiding a message settles its envelope as well (`wire.md` 3.1).
                    if last.status == Status::Stored {
                        last.status = Status::Delivered;
                    }
                }
            }
            Step::Mute { what } => {
                let conversation = world.platform.conversation(what);
                conversation.muted = !conversation.muted;
            }
            Step::Kick { from } => world.platform.kick(from),
            Step::Join { what } => world.platform.join(what),
            Step::Cut { code, loses } => world.cut(code, "cut", loses),
            Step::HalfOpen => world.half_open(),
            Step::DrainNow => world.input(Input::DrainNow { ticket: 7 }),
            Step::NewKey => world.input(Input::Credential),
            Step::Rotate { .. } if world.replacing => {}
            Step::Rotate { dies_ms, comes_ms } => {
                world.replaces_key(30_000);
                world.later(dies_ms, Happening::KeyDies);
                world.later(dies_ms + comes_ms, Happening::KeyComes);
            }
            Step::Crash => world.crash(),
        }
    }

    fn dice_message(&mut self, place: &str, sender: &str) -> std::sync::Arc<str> {
        let chances = self.world.chances;
        let late = self.dice.chance(chances.commit_late);
        let age_us = if late { 5_000_000 } else { 20_000 };
        let age = self.dice.between(0, age_us);
        let (poisoned, null_id) = (
            self.dice.chance(chances.poisoned),
            self.dice.chance(chances.null_id),
        );
        let skipped = place.starts_with("grp_") && self.dice.chance(chances.skipped);
        let age = i64::try_from(age).expect("short");
        let message = self.world.platform.make(place, sender, age);
        message.poisoned = poisoned;
        message.null_id = null_id;
        if skipped {
            message.status = Status::None;
        }
        message.row.message_id.clone()
    }

    fn push(&mut self, place: &str, id: &str) {
        let conversation = self.world.platform.conversation(place);
        let is_open = conversation.member && !conversation.muted;
        let has_envelope = self
            .world
            .platform
            .message_mut(id)
            .is_some_and(|message| message.status != Status::None);
        if is_open && has_envelope {
            self.world.push(id);
        }
    }
}

/// How many of a fuzzer's bytes are for the steps.
const STEP_BYTES: usize = 192;
