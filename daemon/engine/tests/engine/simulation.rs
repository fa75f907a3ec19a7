//! Seeded schedules against a hostile platform, the daemon dying at any point.
//!
//! `AGENTCHATD_SIM_SCHEDULES` sets how many schedules run, `AGENTCHATD_SIM_SEED` runs one of them
//! alone and prints its trace. Equal seeds give equal traces.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU64, Ordering},
};

use agentchatd_engine::{Input, Lane};

use crate::world::{
    Chances, Dice, Status, World,
    oracle::{self, Beginning},
    platform::ME,
    runner::Happening,
};

/// Something that a schedule does to the world.
#[derive(Debug, Clone)]
enum Step {
    /// A peer writes, so many messages at once.
    Write {
        to: &'static str,
        count: u64,
    },
    /// Another client of ours writes.
    WriteElsewhere {
        to: &'static str,
    },
    Send {
        to: &'static str,
        body: &'static str,
        expires_ms: u64,
    },
    /// A caller wants one of the entries tried again.
    Retry {
        which: u64,
        expires_ms: u64,
    },
    /// A caller takes one of the entries back.
    Cancel {
        which: u64,
    },
    Hide {
        what: &'static str,
    },
    HideOne {
        of: &'static str,
    },
    Mute {
        what: &'static str,
    },
    Kick {
        from: &'static str,
    },
    Join {
        what: &'static str,
    },
    Cut {
        code: Option<u16>,
        loses: bool,
    },
    HalfOpen,
    DrainNow,
    NewKey,
    /// The key is replaced; the new one comes after so many milliseconds more.
    Rotate {
        dies_ms: u64,
        comes_ms: u64,
    },
    Crash,
}

const PLACES: [&str; 5] = ["conv_ann", "conv_bob", "conv_cid", "grp_one", "grp_two"];
const SPAN_MS: u64 = 120_000;

/// One schedule.
struct Schedule {
    world: World,
    dice: Dice,
    steps: Vec<Step>,
    /// Points passed before the faults ended.
    hostile_points: u64,
}

/// What makes a schedule; all else follows from it.
#[derive(Debug, Clone, Copy)]
struct Plan {
    seed: u64,
    /// Few steps, and no crash but the one named.
    small: bool,
    crash: Option<u64>,
}

impl Plan {
    fn large(seed: u64) -> Self {
        Self {
            seed,
            small: false,
            crash: None,
        }
    }

    fn small(seed: u64, crash: Option<u64>) -> Self {
        Self {
            seed,
            small: true,
            crash,
        }
    }
}

impl Schedule {
    fn new(plan: Plan, traced: bool) -> Self {
        let seed = plan.seed;
        let mut dice = Dice::new(seed ^ 0x5eed_5eed);
        let ack_mode = dice.chance(50);
        let mut world = World::new(ack_mode, seed, chances(&mut dice));
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

    fn run(&mut self) {
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

fn chances(dice: &mut Dice) -> Chances {
    let mut some = |most: u64| {
        let on = dice.chance(50);
        if on { dice.between(0, most) } else { 0 }
    };
    Chances {
        delay_ms: some(1_500),
        commit_ms: some(400),
        push_dropped: some(30),
        push_repeated: some(40),
        push_late: some(40),
        drain_repeated: some(60),
        refused: some(35),
        answer_lost: some(30),
        dial_refused: some(40),
        hello_late: some(40),
        commit_late: some(50),
        poisoned: some(4),
        null_id: some(10),
        skipped: some(20),
    }
}

fn step(dice: &mut Dice) -> Step {
    let place = dice.pick(&PLACES);
    let group = dice.pick(&PLACES[3..]);
    match dice.between(0, 99) {
        0..34 => Step::Write {
            to: place,
            count: match dice.between(0, 199) {
                // Holes over a page, and more rows than may wait behind one.
                0 => dice.between(150, 600),
                _ => dice.between(1, 6),
            },
        },
        34..38 => Step::Retry {
            which: dice.between(0, 99),
            expires_ms: dice.between(10_000, 400_000),
        },
        38..41 => Step::Cancel {
            which: dice.between(0, 99),
        },
        41..47 => Step::WriteElsewhere { to: place },
        47..62 => Step::Send {
            to: place,
            body: dice.pick(&["text", "text", "text", "once", "refused"]),
            expires_ms: dice.between(10_000, 400_000),
        },
        62..64 => Step::Hide { what: place },
        64..68 => Step::HideOne { of: place },
        68..70 => Step::Mute { what: place },
        70..72 => Step::Kick { from: group },
        72..74 => Step::Join { what: group },
        74..82 => Step::Cut {
            code: dice.pick(&[None, Some(1001), Some(1013), Some(1000)]),
            loses: dice.chance(50),
        },
        82..90 => Step::HalfOpen,
        90..93 => Step::DrainNow,
        93..94 => Step::NewKey,
        94..97 => Step::Rotate {
            dies_ms: dice.between(0, 3_000),
            comes_ms: dice.between(0, 3_000),
        },
        _ => Step::Crash,
    }
}

/// Runs one schedule; what was wrong, if anything.
fn outcome(plan: Plan) -> Result<u64, String> {
    let run = catch_unwind(AssertUnwindSafe(|| {
        let mut schedule = Schedule::new(plan, false);
        schedule.run();
        schedule.hostile_points
    }));
    run.map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.unwrap_or_else(|| "panicked".to_owned())
    })
}

/// The trace of a schedule, up to where it fails.
fn trace(plan: Plan) -> Vec<String> {
    let mut schedule = Schedule::new(plan, true);
    // Only the trace is wanted here; a failure shows in it as its end.
    let failed = catch_unwind(AssertUnwindSafe(|| schedule.run())).is_err();
    let mut lines = schedule.world.trace.take().unwrap_or_default();
    if failed {
        lines.push("== failed here".to_owned());
    }
    lines
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn no_schedule_loses_repeats_or_disorders_a_message() {
    if let Some(seed) = from_environment("AGENTCHATD_SIM_SEED") {
        let lines = trace(Plan::large(seed));
        println!("{}", lines.join("\n"));
        assert_eq!(outcome(Plan::large(seed)).err(), None, "seed {seed}");
        return;
    }
    let count = from_environment("AGENTCHATD_SIM_SCHEDULES").unwrap_or(SCHEDULES);
    let next = AtomicU64::new(0);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= count {
                return None;
            }
            if let Err(text) = outcome(Plan::large(seed)) {
                next.store(count, Ordering::Relaxed);
                return Some((seed, text));
            }
        }
    };
    let failure = std::thread::scope(|scope| {
        let other = scope.spawn(work);
        let mine = work();
        mine.or_else(|| other.join().expect("panics are caught"))
    });
    if let Some((seed, text)) = failure {
        println!("{}", trace(Plan::large(seed)).join("\n"));
        panic!("AGENTCHATD_SIM_SEED={seed} fails: {text}");
    }
}

#[test]
fn a_crash_at_any_point_of_a_small_schedule_breaks_nothing() {
    let mut crashes = 0;
    for seed in 0..SMALL_SCHEDULES {
        let points = outcome(Plan::small(seed, None)).expect("it runs without a crash");
        for crash in 1..=points {
            let plan = Plan::small(seed, Some(crash));
            if let Err(text) = outcome(plan) {
                println!("{}", trace(plan).join("\n"));
                panic!("{plan:?} fails: {text}");
            }
        }
        crashes += points;
    }
    assert!(
        crashes > 20 * SMALL_SCHEDULES,
        "schedules do something: {crashes}"
    );
}

#[test]
fn equal_seeds_give_equal_traces() {
    for seed in 0..20 {
        let (first, second) = (trace(Plan::large(seed)), trace(Plan::large(seed)));
        assert!(first.len() > 20, "the schedule does something");
        assert_eq!(first, second);
    }
}

/// Small schedules, each run once for every point at which the daemon may die.
const SMALL_SCHEDULES: u64 = 60;

/// Schedules of an ordinary run.
const SCHEDULES: u64 = 10_000;
