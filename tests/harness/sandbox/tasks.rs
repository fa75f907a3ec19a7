//! The tasks of a sandbox: all tracked, all told to stop.

use std::future::Future;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Spawns tasks and ends them.
#[derive(Clone, Debug)]
pub(crate) struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

/// How long tasks may take to end.
const STOP_DEADLINE: Duration = Duration::from_secs(3);

impl Tasks {
    pub(crate) fn new() -> Self {
        Self {
            tracker: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    /// Starts a task that is dropped at the stop signal at the latest, unless it watches
    /// [`Tasks::stopped`] by itself and is spawned with [`Tasks::spawn_watching`].
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.spawn_watching(async move {
            stop.run_until_cancelled(task).await;
        });
    }

    /// Starts a task that ends by itself soon after the stop signal.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place of the harness that spawns, tracked and told to stop"
    )]
    pub(crate) fn spawn_watching(&self, task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(self.tracker.track_future(task));
    }

    /// Resolves when the sandbox is to stop.
    pub(crate) async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// Tells all tasks to stop.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
        self.tracker.close();
    }

    /// Tells all tasks to stop and waits for them, within limits.
    pub(crate) async fn finish(&self) {
        self.stop();
        let _late = tokio::time::timeout(STOP_DEADLINE, self.tracker.wait()).await;
    }
}
