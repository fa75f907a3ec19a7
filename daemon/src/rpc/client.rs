//! What the server knows of all connections, and of one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use agentchatd_client::RpcError;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::event::now_us;
use crate::feed::{Position, Track};
use crate::files::Known;
use crate::hub::Hub;
use crate::rpc::desk::Desk;
use crate::rpc::errors;
use crate::rpc::outgoing::Outgoing;
use crate::rpc::peer::{Access, Caller};
use crate::rpc::turn::TURNS;

/// The limits of the local API.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The longest request, in bytes.
    pub max_request_bytes: usize,
    /// Connections at a time.
    pub max_connections: usize,
    /// Subscriptions of one connection.
    pub max_subscriptions: usize,
    /// How long requests that are under way may go on once the daemon stops.
    pub drain: Duration,
    /// How long a change of the key may: its answer comes once. The rest of the time to stop is
    /// the driver's.
    pub key_drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_request_bytes: 8 << 20,
            max_connections: 1024,
            max_subscriptions: 256,
            drain: Duration::from_secs(5),
            key_drain: Duration::from_secs(9),
        }
    }
}

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) hub: Hub,
    pub(crate) limits: Limits,
    pub(crate) access: Access,
    /// The daemon's own user, for whom alone it opens files.
    pub(crate) own_uid: u32,
    /// What is known of files that went up.
    pub(crate) known: Known,
    /// The room on the disk for bodies that are files.
    pub(crate) spools: Semaphore,
    /// The daemon stops: no new requests, those under way are finished.
    pub(crate) stopping: CancellationToken,
    /// The time for that is over.
    pub(crate) kill: CancellationToken,
    /// All tasks of the local API but those of the next field.
    pub(crate) tasks: TaskTracker,
    /// Changes of the key, which outlive the calls that began them.
    pub(crate) key_changes: TaskTracker,
    /// What changes of the key know of each other.
    pub(crate) desk: Desk,
    pub(crate) clients: AtomicUsize,
    pub(crate) subscriptions: AtomicUsize,
    /// Since when a consumer is far behind, as far as anybody asked.
    pub(crate) far_behind: FarBehind,
    // Distinguishes this run's subscriptions from those of an earlier one.
    born_us: i64,
    next_subscription: AtomicU64,
}

impl Shared {
    pub(crate) fn new(
        hub: Hub,
        limits: Limits,
        access: Access,
        own_uid: u32,
        stopping: CancellationToken,
    ) -> Self {
        Self {
            hub,
            limits,
            access,
            own_uid,
            known: Known::default(),
            spools: Semaphore::new(MAX_SPOOLS),
            stopping,
            kill: CancellationToken::new(),
            tasks: TaskTracker::new(),
            key_changes: TaskTracker::new(),
            desk: Desk::default(),
            clients: AtomicUsize::new(0),
            subscriptions: AtomicUsize::new(0),
            far_behind: FarBehind::default(),
            born_us: now_us(),
            next_subscription: AtomicU64::new(1),
        }
    }
}

/// How many bodies may lie on the disk at a time, each as large as AgentChat takes.
const MAX_SPOOLS: usize = 8;

/// Remembers when a consumer was first found to be far behind.
#[derive(Debug, Default)]
pub(crate) struct FarBehind(Mutex<Option<i64>>);

impl FarBehind {
    /// Since when one is, where one is now.
    pub(crate) fn since(&self, is: bool, now_us: i64) -> i64 {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !is {
            *since = None;
            return now_us;
        }
        *since.get_or_insert(now_us)
    }
}

/// Counts a connection for as long as it is there.
#[derive(Debug)]
pub(crate) struct Present(Arc<Shared>);

impl Present {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        shared.clients.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(shared))
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.0.clients.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One connection, as its requests see it; over HTTP, one request.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) shared: Arc<Shared>,
    pub(crate) caller: Caller,
    pub(crate) outgoing: Outgoing,
    /// The connection is gone or going.
    pub(crate) closing: CancellationToken,
    /// Notifications can reach it, so it may subscribe.
    pub(crate) streams: bool,
    /// Large answers are made in turns.
    pub(crate) turns: Arc<Semaphore>,
    subscriptions: Mutex<BTreeMap<Arc<str>, Entry>>,
}

/// A subscription of this connection.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) track: Arc<Track>,
    pub(crate) position: Arc<Position>,
}

impl Client {
    pub(crate) fn new(shared: Arc<Shared>, caller: Caller, outgoing: Outgoing) -> Self {
        Self {
            shared,
            caller,
            outgoing,
            closing: CancellationToken::new(),
            streams: true,
            turns: Arc::new(Semaphore::new(TURNS)),
            subscriptions: Mutex::default(),
        }
    }

    /// One that gets a single answer and nothing else.
    pub(crate) fn of_one_answer(shared: Arc<Shared>, caller: Caller, outgoing: Outgoing) -> Self {
        Self {
            streams: false,
            ..Self::new(shared, caller, outgoing)
        }
    }

    /// Whether the daemon opens files for this client: it would do so with its own rights, so only
    /// for its own user.
    pub(crate) fn may_name_files(&self) -> Result<(), RpcError> {
        if self.caller.peer.uid == self.shared.own_uid {
            Ok(())
        } else {
            Err(errors::no_files(&self.caller))
        }
    }

    /// Takes a subscription in and names it; `None` where there are too many.
    pub(crate) fn enter(&self, entry: Entry) -> Option<Arc<str>> {
        let mut subscriptions = self.lock();
        if subscriptions.len() >= self.shared.limits.max_subscriptions {
            return None;
        }
        let number = self
            .shared
            .next_subscription
            .fetch_add(1, Ordering::Relaxed);
        let id: Arc<str> = format!("{:x}-{number}", self.shared.born_us).into();
        subscriptions.insert(Arc::clone(&id), entry);
        self.shared.subscriptions.fetch_add(1, Ordering::Relaxed);
        Some(id)
    }

    /// True where one more subscription is allowed.
    pub(crate) fn has_room(&self) -> bool {
        self.lock().len() < self.shared.limits.max_subscriptions
    }

    /// The subscription of this name.
    pub(crate) fn find(&self, id: &str) -> Option<Entry> {
        self.lock().get(id).cloned()
    }

    /// Forgets a subscription.
    pub(crate) fn leave(&self, id: &str) -> Option<Entry> {
        let entry = self.lock().remove(id);
        if entry.is_some() {
            self.shared.subscriptions.fetch_sub(1, Ordering::Relaxed);
        }
        entry
    }

    /// How many subscriptions the connection has.
    pub(crate) fn subscriptions(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Entry>> {
        self.subscriptions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
