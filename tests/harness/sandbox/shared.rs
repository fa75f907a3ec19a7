//! What all tasks of one sandbox share.

use super::chaos::Dice;
use super::faults::Faults;
use super::hub::Hub;
use super::journal::Journal;
use super::options::Options;
use super::platform::{Draft, Late, Message, Platform, Stamp, To};
use super::tasks::Tasks;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The state behind the one lock. It is held for single steps only, never over an await.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) platform: Platform,
    pub(crate) faults: Faults,
    pub(crate) hub: Hub,
}

/// Everything shared.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) journal: Journal,
    pub(crate) tasks: Tasks,
    state: Mutex<State>,
    sockets: AtomicU64,
    requests: AtomicU64,
    /// Microseconds that tests have let pass beyond the wall clock.
    ahead: AtomicU64,
}

impl Shared {
    pub(crate) fn new(options: Options) -> Arc<Self> {
        let platform = Platform::new(options.rules(), options.seed, Stamp::now());
        Arc::new(Self {
            journal: Journal::new(),
            tasks: Tasks::new(),
            state: Mutex::new(State {
                platform,
                faults: Faults::default(),
                hub: Hub::new(options.seed),
            }),
            options,
            sockets: AtomicU64::new(1),
            requests: AtomicU64::new(1),
            ahead: AtomicU64::new(0),
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The platform's clock.
    pub(crate) fn now(&self) -> Stamp {
        Stamp::now().after(Duration::from_micros(self.ahead.load(Ordering::Relaxed)))
    }

    /// Moves the platform's clock on.
    pub(crate) fn pass(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.ahead.fetch_add(micros, Ordering::Relaxed);
    }

    pub(crate) fn next_socket(&self) -> u64 {
        self.sockets.fetch_add(1, Ordering::Relaxed)
    }

    /// The agent with this handle and its key; made with the key given when there is none.
    pub(crate) fn agent(&self, handle: &str, key: &str) -> (String, String) {
        let mut state = self.lock();
        let known = state.platform.by_handle.get(handle).copied();
        let number = known.unwrap_or_else(|| {
            let email = format!("{handle}@example.test");
            state.platform.add_agent(handle, key, &email, self.now())
        });
        let row = &state.platform.agents[number.index()];
        (row.handle.clone(), row.key.clone().unwrap_or_default())
    }

    /// Sends without HTTP and without gates; `None` when sender or target is unknown.
    pub(crate) fn send(self: &Arc<Self>, from: &str, to: To<'_>, draft: &Draft) -> Option<Message> {
        let mut state = self.lock();
        let (message, effects) = state.platform.inject(from, to, draft, self.now())?;
        self.apply(&mut state, effects);
        Some(state.platform.view(message))
    }

    /// The same for many, without a look at what was stored; how many were sent.
    pub(crate) fn flood(
        self: &Arc<Self>,
        from: &str,
        to: To<'_>,
        drafts: impl Iterator<Item = Draft>,
    ) -> Option<usize> {
        let mut count = 0;
        for draft in drafts {
            let mut state = self.lock();
            let (_, effects) = state.platform.inject(from, to, &draft, self.now())?;
            self.apply(&mut state, effects);
            count += 1;
        }
        Some(count)
    }

    /// Commits the rows that wait for [`Late::OnRelease`].
    pub(crate) fn release_held(self: &Arc<Self>) {
        let mut state = self.lock();
        let effects = state.platform.release(Late::OnRelease, None);
        self.apply(&mut state, effects);
    }

    /// Lets a change look at all switches at once.
    pub(crate) fn faults<T>(&self, change: impl FnOnce(&mut Faults) -> T) -> T {
        let mut state = self.lock();
        state.gather_faults();
        let result = change(&mut state.faults);
        state.spread_faults();
        result
    }

    /// A request id in the form of a UUID.
    pub(crate) fn request_id(&self) -> String {
        let n = self.requests.fetch_add(1, Ordering::Relaxed);
        format!("00000000-0000-4000-8000-{n:012x}")
    }
}

impl State {
    /// Hands switches that the rules themselves look at over to the platform.
    fn spread_faults(&mut self) {
        self.platform.sync_faults = std::mem::take(&mut self.faults.sync);
        self.platform.history_faults = std::mem::take(&mut self.faults.history);
        self.platform.dress = self.faults.dress.clone();
        let seed = self.faults.chaos.as_ref().map(|chaos| chaos.seed);
        if seed != self.hub.chaos_seed {
            self.hub.chaos_seed = seed;
            self.hub.dice = Dice::new(seed.unwrap_or_default());
        }
    }

    /// Takes them back, with what was used up missing.
    fn gather_faults(&mut self) {
        self.faults.sync = std::mem::take(&mut self.platform.sync_faults);
        self.faults.history = std::mem::take(&mut self.platform.history_faults);
    }
}
