//! The driver as a model: carries effects out, brings answers back, moves time, crashes.
//!
//! All that takes time stands in one queue ordered by time. Where no chances are set everything
//! takes no time at all and happens in the order in which it was asked for.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use agentchatd_engine::{
    Draft, Effect, Engine, Input, Lane, Millis, Now, Op, OutboxSettings, Phase, Report, Settings,
    Token, Warning,
};

use super::{
    Chances, Dice, Platform, Store,
    platform::{EPOCH_US, Position, SYNC_LIMIT},
    requests::Request,
    wire::{Frame, Wire},
};

/// Something that will happen.
#[derive(Debug, Clone)]
pub(crate) enum Happening {
    /// A request of this incarnation, made with this key, reaches the platform.
    Request(u64, u64, Request),
    /// Its answer reaches the driver.
    Answer(u64, Box<Input>),
    /// The commit that is under way ends.
    CommitEnds(u64),
    /// The upgrade reaches the platform.
    Dial(u64),
    /// The driver's patience with this upgrade is over.
    DialEnds(u64),
    /// The platform takes the hello of this socket.
    Hello(u64),
    /// Something reaches our end of this socket.
    Frame(u64, Box<Frame>),
    /// An acknowledgement reaches the platform.
    Ack(u64, Arc<str>),
    /// The platform pings this socket.
    Ping(u64),
    /// The platform notices that this socket is dead.
    Unregister(u64),
    /// The platform replaces the key.
    KeyDies,
    /// The answer with the new key is here.
    KeyComes,
    /// A step of a schedule, by number.
    Step(usize),
}

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) store: Store,
    pub(crate) platform: Platform,
    pub(crate) wire: Wire,
    pub(crate) dice: Dice,
    pub(crate) chances: Chances,
    pub(crate) settings: Settings,
    /// Which key the platform knows, and which the driver holds.
    pub(crate) valid_key: u64,
    pub(crate) held_key: u64,
    /// True while the key is being replaced, whether or not the engine knows of it.
    pub(crate) replacing: bool,
    /// True once it died in between: it knows nothing of the key's end.
    pub(crate) may_park: bool,
    /// Whose key the driver holds.
    pub(crate) key: Arc<str>,
    pub(crate) now_ms: u64,
    pub(crate) incarnation: u64,
    /// Effects carried out, where they are kept.
    pub(crate) effects: Vec<Effect>,
    pub(crate) keeps_effects: bool,
    pub(crate) trace: Option<Vec<String>>,
    /// Points at which the daemon dies.
    pub(crate) crashes: BTreeSet<u64>,
    /// Points passed: before each effect, and after each commit.
    pub(crate) points: u64,
    /// Rows of sync pages that reached this incarnation.
    pub(crate) shown: BTreeMap<Position, Arc<str>>,
    pub(crate) warnings: Vec<Warning>,
    /// True while answers are kept back, and those that are.
    pub(crate) holds_answers: bool,
    pub(crate) held: Vec<Input>,
    pub(crate) steps_due: VecDeque<usize>,
    pub(crate) inputs: u64,
    /// The platform's newest seq of each conversation when its record was first committed.
    pub(crate) met: BTreeMap<Arc<str>, u64>,
    /// Entries of whose cancellation a caller was told.
    pub(crate) told_cancelled: BTreeSet<u64>,
    queue: BTreeMap<(u64, u64), Happening>,
    order: u64,
    commits: Vec<(Token, Vec<Op>)>,
    ticks_at: (u64, u32),
}

impl World {
    pub(crate) fn new(ack_mode: bool, seed: u64, chances: Chances) -> Self {
        let settings = settings(seed);
        let mut store = Store::default();
        store.now_us = EPOCH_US;
        let engine = engine(&settings, &store, 0);
        Self {
            engine,
            store,
            platform: Platform::new(ack_mode),
            wire: Wire::default(),
            dice: Dice::new(seed),
            chances,
            settings,
            valid_key: 1,
            held_key: 1,
            replacing: false,
            may_park: true,
            key: "".into(),
            now_ms: 0,
            incarnation: 1,
            effects: Vec::new(),
            keeps_effects: false,
            trace: None,
            crashes: BTreeSet::new(),
            points: 0,
            shown: BTreeMap::new(),
            warnings: Vec::new(),
            holds_answers: false,
            held: Vec::new(),
            steps_due: VecDeque::new(),
            inputs: 0,
            met: BTreeMap::new(),
            told_cancelled: BTreeSet::new(),
            queue: BTreeMap::new(),
            order: 0,
            commits: Vec::new(),
            ticks_at: (0, 0),
        }
    }

    /// A world where nothing goes wrong by itself, for named cases.
    pub(crate) fn calm(ack_mode: bool) -> Self {
        let mut world = Self::new(ack_mode, 1, Chances::default());
        world.keeps_effects = true;
        world
    }

    /// Starts the daemon.
    pub(crate) fn start(&mut self) {
        self.input(Input::Credential);
    }

    /// Starts the daemon and lets it become ready.
    pub(crate) fn started(ack_mode: bool) -> Self {
        let mut world = Self::calm(ack_mode);
        world.start();
        world.run_for(1);
        assert_eq!(world.phase(), Phase::Ready);
        world
    }

    pub(crate) fn phase(&self) -> Phase {
        self.engine.stats().link.phase
    }

    /// Lets this much time pass.
    pub(crate) fn run_for(&mut self, ms: u64) {
        let until = self.now_ms + ms;
        while let Some(at) = self.next_at().filter(|at| *at <= until) {
            self.advance(at);
            if !self.steps_due.is_empty() {
                return;
            }
        }
        self.set_time(until);
    }

    /// Carries out the next thing that happens; false where nothing will.
    pub(crate) fn run_once(&mut self, until: u64) -> bool {
        let Some(at) = self.next_at().filter(|at| *at <= until) else {
            self.set_time(until);
            return false;
        };
        self.advance(at);
        true
    }

    fn next_at(&self) -> Option<u64> {
        let queued = self.queue.first_key_value().map(|((at, _), _)| *at);
        let timer = self
            .engine
            .next_timeout()
            .map(|Millis(at)| at.max(self.now_ms));
        queued.into_iter().chain(timer).min()
    }

    fn set_time(&mut self, at: u64) {
        self.now_ms = self.now_ms.max(at);
        self.platform.now_us = now(self.now_ms).wall_us;
        self.store.now_us = self.platform.now_us;
    }

    fn advance(&mut self, at: u64) {
        self.set_time(at);
        if self
            .queue
            .first_key_value()
            .is_some_and(|((due, _), _)| *due <= at)
        {
            let (_, happening) = self.queue.pop_first().expect("just looked at");
            return self.happen(happening);
        }
        self.ticks_at = match self.ticks_at {
            (last, count) if last == at => (at, count + 1),
            _ => (at, 0),
        };
        assert!(self.ticks_at.1 < 1_000, "timers fire for ever at {at} ms");
        self.input(Input::Tick);
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Request(incarnation, key, request) => {
                self.on_request(incarnation, key, request);
            }
            Happening::Answer(incarnation, input) if incarnation == self.incarnation => {
                if self.holds_answers {
                    self.held.push(*input);
                } else {
                    self.answered(*input);
                }
            }
            Happening::CommitEnds(incarnation) if incarnation == self.incarnation => {
                self.commit_ends();
            }
            Happening::Answer(..) | Happening::CommitEnds(_) => {}
            Happening::Dial(socket) => self.on_dial(socket),
            Happening::DialEnds(socket) => self.on_dial_ends(socket),
            Happening::Hello(socket) => self.on_hello(socket),
            Happening::Frame(socket, frame) => self.on_frame(socket, *frame),
            Happening::Ack(socket, id) => self.on_ack(socket, &id),
            Happening::Ping(socket) => self.on_ping(socket),
            Happening::Unregister(socket) => self.wire.unregister(socket),
            Happening::KeyDies => self.key_dies(),
            Happening::KeyComes => self.key_comes(),
            Happening::Step(number) => self.steps_due.push_back(number),
        }
    }

    /// Puts something in line, `wait_ms` from now.
    pub(crate) fn later(&mut self, wait_ms: u64, happening: Happening) {
        self.order += 1;
        let key = (self.now_ms + wait_ms, self.order);
        self.queue.insert(key, happening);
    }

    /// A time on the wire.
    pub(crate) fn delay(&mut self) -> u64 {
        match self.chances.delay_ms {
            0 => 0,
            most => self.dice.between(0, most),
        }
    }

    /// Hands an input in and carries out what comes of it.
    pub(crate) fn input(&mut self, input: Input) {
        self.inputs += 1;
        assert!(self.inputs < MOST_INPUTS, "there is no end of it");
        if input == Input::Credential {
            self.key = Arc::clone(&self.platform.handle);
            self.held_key = self.valid_key;
        }
        self.note(|| format!("<- {input:?}"));
        let incarnation = self.incarnation;
        let effects = self.engine.handle(input, now(self.now_ms));
        for effect in effects {
            if self.passes_crash() {
                return;
            }
            self.note(|| format!("-> {effect:?}"));
            if self.keeps_effects {
                self.effects.push(effect.clone());
            }
            self.carry_out(effect);
            debug_assert_eq!(incarnation, self.incarnation, "effects do not crash");
        }
    }

    /// Counts a point at which the daemon may die; true where it does.
    fn passes_crash(&mut self) -> bool {
        self.points += 1;
        let dies = self.crashes.contains(&self.points);
        if dies {
            self.crash();
        }
        dies
    }

    pub(crate) fn commit(&mut self, token: Token, ops: Vec<Op>) {
        if self.commits.is_empty() {
            let wait = match self.chances.commit_ms {
                0 => 0,
                most => self.dice.between(0, most),
            };
            self.later(wait, Happening::CommitEnds(self.incarnation));
        }
        self.commits.push((token, ops));
    }

    /// Group commit: all that waits goes to disk together, then it is told, one by one.
    fn commit_ends(&mut self) {
        let group = std::mem::take(&mut self.commits);
        let applied: Vec<(Token, Report)> = group
            .into_iter()
            .map(|(token, ops)| (token, self.store.apply(&ops)))
            .collect();
        for id in self.store.conversations.keys() {
            if !self.met.contains_key(id) {
                let known = self.platform.conversations.get(id);
                let newest = known.map_or(0, |conversation| conversation.messages.len() as u64);
                self.met.insert(Arc::clone(id), newest);
            }
        }
        let incarnation = self.incarnation;
        for (token, report) in applied {
            if self.passes_crash() {
                return;
            }
            self.input(Input::Committed(token, report));
            if incarnation != self.incarnation {
                return;
            }
        }
    }

    /// The daemon dies and starts again; what was not committed is gone.
    pub(crate) fn crash(&mut self) {
        self.note(|| "== crash".to_owned());
        self.incarnation += 1;
        self.commits.clear();
        self.shown.clear();
        self.held.clear();
        self.may_park |= self.replacing;
        let flying = std::mem::take(&mut self.queue);
        for (key, happening) in flying {
            match happening {
                // What is on the way arrives at once or never.
                Happening::Request(_, key, request) => {
                    if key == self.valid_key && self.dice.chance(50) {
                        self.execute(&request);
                    }
                }
                Happening::Answer(..) | Happening::CommitEnds(_) => {}
                other => {
                    self.queue.insert(key, other);
                }
            }
        }
        self.lose_socket();
        self.engine = engine(&self.settings, &self.store, self.now_ms);
        self.input(Input::Credential);
    }

    /// A local program sends.
    pub(crate) fn submit(&mut self, ticket: u64, lane: Lane, id: &str, body: &str) {
        self.submit_until(ticket, lane, id, body, i64::MAX);
    }

    pub(crate) fn submit_until(
        &mut self,
        ticket: u64,
        lane: Lane,
        id: &str,
        body: &str,
        expires_us: i64,
    ) {
        let draft = Draft {
            client_msg_id: id.into(),
            lane,
            body: body.into(),
            fingerprint: body.into(),
            expires_us,
        };
        self.input(Input::Submit { ticket, draft });
    }

    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>8} {}", self.now_ms, line()));
        }
    }

    /// The effects kept since the last call.
    pub(crate) fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }
}

/// More than any schedule needs: past it something goes in circles.
const MOST_INPUTS: u64 = 200_000;

fn engine(settings: &Settings, store: &Store, now_ms: u64) -> Engine {
    let engine = Engine::new(settings.clone(), store.snapshot(), now(now_ms));
    engine.with_sync_limit(SYNC_LIMIT as u64)
}

/// The present at this time of the world.
pub(crate) fn now(ms: u64) -> Now {
    Now {
        mono: Millis(ms),
        wall_us: EPOCH_US + i64::try_from(ms).expect("virtual time is short") * 1_000,
    }
}

fn settings(seed: u64) -> Settings {
    Settings {
        hello_timeout_ms: 4_000,
        header_auth: false,
        gap_window_ms: 2_000,
        backoff_min_ms: 500,
        backoff_max_ms: 30_000,
        stable_after_ms: 30_000,
        liveness_ms: 100_000,
        sync_interval_ms: 60_000,
        reconcile_interval_ms: 600_000,
        outbox: OutboxSettings {
            concurrency: 4,
            rate_per_second: 50,
            base_delay_ms: 500,
            max_delay_ms: 30_000,
        },
        seed,
    }
}
