//! What all tasks of one sandbox share.

use super::faults::Faults;
use super::hub::Hub;
use super::journal::Journal;
use super::options::Options;
use super::platform::{Platform, Stamp};
use super::tasks::Tasks;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn next_socket(&self) -> u64 {
        self.sockets.fetch_add(1, Ordering::Relaxed)
    }

    /// A request id in the form of a UUID.
    pub(crate) fn request_id(&self) -> String {
        let n = self.requests.fetch_add(1, Ordering::Relaxed);
        format!("00000000-0000-4000-8000-{n:012x}")
    }
}

impl State {
    /// Hands switches that the rules themselves look at over to the platform.
    pub(crate) fn spread_faults(&mut self) {
        self.platform.sync_faults = std::mem::take(&mut self.faults.sync);
        self.platform.history_faults = std::mem::take(&mut self.faults.history);
        self.platform.dress = self.faults.dress.clone();
    }

    /// Takes them back, with what was used up missing.
    pub(crate) fn gather_faults(&mut self) {
        self.faults.sync = std::mem::take(&mut self.platform.sync_faults);
        self.faults.history = std::mem::take(&mut self.platform.history_faults);
    }
}
