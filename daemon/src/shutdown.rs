//! How the daemon is told to stop, and how it makes sure that it did: signals, tracked tasks, a
//! deadline.
//!
//! Every task of the daemon is started through [`Tasks::spawn`], the only way to start one. So a
//! stop reaches all of them, and [`Tasks::close_and_wait`] knows by name which did not come to an
//! end.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};
use tokio_util::task::TaskTracker;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM or SIGINT: finish what is under way, then end.
    Stop,
    /// The second of them: end at once.
    StopNow,
    /// SIGHUP: read configuration and key again.
    Reload,
}

/// The signals of this process, from the moment of [`Signals::listen`].
pub struct Signals {
    incoming: signal_hook_tokio::Signals,
    stopping: bool,
}

impl Signals {
    /// Starts to listen. Must be called inside the runtime.
    ///
    /// # Errors
    /// The system gave no handler or no pipe.
    pub fn listen() -> io::Result<Self> {
        let incoming = signal_hook_tokio::Signals::new([SIGTERM, SIGINT, SIGHUP])?;
        Ok(Self {
            incoming,
            stopping: false,
        })
    }

    /// The next request. Cancel-safe: a signal that arrives while nobody waits is kept, though
    /// several of one kind may count as one.
    pub async fn next(&mut self) -> Signal {
        loop {
            match self.incoming.next().await {
                Some(number) => {
                    if let Some(signal) = on_number(number, &mut self.stopping) {
                        return signal;
                    }
                }
                None => std::future::pending().await,
            }
        }
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signals")
            .field("stopping", &self.stopping)
            .finish_non_exhaustive()
    }
}

fn on_number(number: i32, stopping: &mut bool) -> Option<Signal> {
    match number {
        SIGHUP => Some(Signal::Reload),
        SIGTERM | SIGINT if *stopping => Some(Signal::StopNow),
        SIGTERM | SIGINT => {
            *stopping = true;
            Some(Signal::Stop)
        }
        _ => None,
    }
}

/// All tasks of the daemon. Clones stand for the same set.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    tracker: TaskTracker,
    stop: CancellationToken,
    running: Mutex<BTreeMap<u64, &'static str>>,
    next_id: AtomicU64,
    failed: OnceLock<&'static str>,
}

impl Tasks {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a task that the daemon can do without, such as one connection of a client. A panic
    /// in it is logged and ends nothing else.
    pub fn spawn<F>(&self, name: &'static str, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        self.start(name, false, future)
    }

    /// Starts a task that the daemon cannot do without. A panic in it stops the daemon in order,
    /// and [`Tasks::failed`] names it: better a restart than a hub that looks alive.
    pub fn spawn_essential<F>(&self, name: &'static str, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        self.start(name, true, future)
    }

    /// Ends when the daemon is to stop. Every task waits for this beside its work.
    pub fn cancelled(&self) -> WaitForCancellationFuture<'_> {
        self.shared.stop.cancelled()
    }

    /// True once the daemon is to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.shared.stop.is_cancelled()
    }

    /// The same as a token, for code that should not know this set.
    #[must_use]
    pub fn token(&self) -> CancellationToken {
        self.shared.stop.clone()
    }

    /// Tells all tasks to stop.
    pub fn cancel(&self) {
        self.shared.stop.cancel();
    }

    /// The essential task that panicked, if one did.
    #[must_use]
    pub fn failed(&self) -> Option<&'static str> {
        self.shared.failed.get().copied()
    }

    /// Tells all tasks to stop and waits until they ended, `deadline` at most.
    ///
    /// # Errors
    /// The names of the tasks that were still running then.
    pub async fn close_and_wait(&self, deadline: Duration) -> Result<(), Unfinished> {
        self.cancel();
        self.shared.tracker.close();
        match tokio::time::timeout(deadline, self.shared.tracker.wait()).await {
            Ok(()) => Ok(()),
            Err(_) => Err(Unfinished {
                tasks: self.shared.names(),
            }),
        }
    }

    fn start<F>(&self, name: &'static str, essential: bool, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let entry = Entry::new(Arc::clone(&self.shared), name, essential);
        self.shared.tracker.spawn(async move {
            // A local of the task, so that it is dropped while a panic unwinds.
            let _entry = entry;
            future.await
        })
    }
}

impl Shared {
    fn names(&self) -> Vec<&'static str> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.values().copied().collect()
    }
}

/// Keeps a task in the list of names for as long as it lives.
struct Entry {
    shared: Arc<Shared>,
    id: u64,
    name: &'static str,
    essential: bool,
}

impl Entry {
    fn new(shared: Arc<Shared>, name: &'static str, essential: bool) -> Self {
        let id = shared.next_id.fetch_add(1, Ordering::Relaxed);
        shared
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, name);
        Self {
            shared,
            id,
            name,
            essential,
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.shared
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.id);
        if std::thread::panicking() {
            tracing::error!(
                task = self.name,
                essential = self.essential,
                "a task panicked"
            );
            if self.essential {
                self.shared.failed.get_or_init(|| self.name);
                self.shared.stop.cancel();
            }
        }
    }
}

/// Tasks that did not end in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("did not stop in time: {}", .tasks.join(", "))]
pub struct Unfinished {
    /// Their names, in the order in which they were started.
    pub tasks: Vec<&'static str>,
}

#[cfg(test)]
mod tests {
    use signal_hook::low_level::raise;

    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn the_second_request_to_stop_means_at_once_and_a_hangup_means_reload() {
        let mut signals = Signals::listen().unwrap();
        for (number, expected) in [
            (SIGHUP, Signal::Reload),
            (SIGTERM, Signal::Stop),
            (SIGHUP, Signal::Reload),
            (SIGINT, Signal::StopNow),
        ] {
            raise(number).unwrap();
            let got = tokio::time::timeout(Duration::from_secs(5), signals.next()).await;
            assert_eq!(got.unwrap(), expected);
        }
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn closing_waits_for_tasks_that_listen() {
        let tasks = Tasks::new();
        let inner = tasks.clone();
        let handle = tasks.spawn("listener", async move {
            inner.cancelled().await;
            tokio::time::sleep(Duration::from_secs(3)).await;
            7
        });
        assert_eq!(tasks.close_and_wait(Duration::from_secs(10)).await, Ok(()));
        assert_eq!(handle.await.unwrap(), 7);
        assert_eq!(tasks.shared.names(), [""; 0]);
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn tasks_that_do_not_listen_are_named_at_the_deadline() {
        let tasks = Tasks::new();
        tasks.spawn("deaf", std::future::pending::<()>());
        tasks.spawn("done", async {});
        tasks.spawn("dumb", std::future::pending::<()>());
        let begun = tokio::time::Instant::now();
        let error = tasks
            .close_and_wait(Duration::from_secs(10))
            .await
            .unwrap_err();
        assert_eq!(error.tasks, ["deaf", "dumb"]);
        assert_eq!(begun.elapsed(), Duration::from_secs(10));
        assert_eq!(error.to_string(), "did not stop in time: deaf, dumb");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_panic_ends_the_daemon_only_where_the_task_is_essential() {
        let tasks = Tasks::new();
        let handle = tasks.spawn("client", async { panic!("on purpose") });
        assert!(handle.await.unwrap_err().is_panic());
        assert_eq!((tasks.is_cancelled(), tasks.failed()), (false, None));
        let handle = tasks.spawn_essential("driver", async { panic!("on purpose") });
        assert!(handle.await.unwrap_err().is_panic());
        assert_eq!(
            (tasks.is_cancelled(), tasks.failed()),
            (true, Some("driver"))
        );
    }
}
