//! Accepting connections, and the orderly end.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, interval, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::hub::Hub;
use crate::rpc::client::{Limits, Shared};
use crate::rpc::connection;
use crate::rpc::listener::Listener;
use crate::rpc::methods;
use crate::rpc::peer::Access;

/// Serves the local API until `shutdown` is cancelled and what is under way is finished, or
/// `limits.drain` is over, for a change of the key `limits.key_drain`. Then the positions of all consumers are exact on disk, and no task of
/// the local API runs any more.
pub async fn serve(
    listener: Listener,
    hub: Hub,
    limits: Limits,
    access: Access,
    shutdown: CancellationToken,
) {
    let own_uid = listener.own_uid();
    serve_as(own_uid, listener, hub, limits, access, shutdown).await;
}

/// The same for a user whose files the daemon opens.
pub(super) async fn serve_as(
    own_uid: u32,
    mut listener: Listener,
    hub: Hub,
    limits: Limits,
    access: Access,
    shutdown: CancellationToken,
) {
    let shared = Shared::new(hub, limits, access, own_uid, shutdown.clone());
    let shared = Arc::new(shared);
    let methods = methods::table();
    let places = Arc::new(Semaphore::new(limits.max_connections));
    until(&shutdown, async {
        let mut look = interval(FILE_CHECK);
        let mut refusals = Refusals::default();
        loop {
            // At the bound, connections wait in the system's queue.
            let place = Arc::clone(&places).acquire_owned().await;
            let Ok(place) = place else { break };
            let accepted = tokio::select! {
                // First, so that nobody waits at a socket that is given up for a new one.
                biased;
                accepted = listener.socket.accept() => accepted,
                _ = look.tick() => {
                    listener.look_after_file();
                    continue;
                }
            };
            match accepted {
                Ok((stream, _)) => {
                    let served = connection::serve(stream, Arc::clone(&shared), methods.clone());
                    shared.tasks.spawn(async move {
                        served.await;
                        drop(place);
                    });
                }
                Err(error) if is_the_peers_doing(&error) => {}
                // Others have to close some files first. Nothing is lost, the connection stays in
                // the queue.
                Err(error) => {
                    refusals.tell(&error);
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    })
    .await;
    // The file goes first, so that nobody connects to a socket that is served no more.
    drop(listener);
    let last_key = Instant::now() + limits.key_drain;
    shared.tasks.close();
    if timeout(limits.drain, shared.tasks.wait()).await.is_err() {
        tracing::warn!(
            tasks = shared.tasks.len(),
            "requests cut off, the time to stop is over"
        );
        shared.kill.cancel();
        // What is left only writes the positions of consumers.
        let _ = timeout(LAST_SAVES, shared.tasks.wait()).await;
    }
    // What is cut off here says so itself.
    shared.key_changes.close();
    let _ = timeout_at(last_key, shared.key_changes.wait()).await;
}

async fn until(shutdown: &CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        biased;
        () = shutdown.cancelled() => {}
        () = work => {}
    }
}

/// What the system says to those who accept, told once however often it says it.
#[derive(Debug, Default)]
struct Refusals {
    last: Option<Instant>,
}

impl Refusals {
    fn tell(&mut self, error: &io::Error) {
        let last = self.last.replace(Instant::now());
        if last.is_none_or(|last| last.elapsed() > QUIET) {
            tracing::warn!(
                %error,
                "no connections are accepted until others end; where too many files are open, \
                 raise the limit: LimitNOFILE= of the service, or ulimit -Hn"
            );
        }
    }
}

/// Errors of `accept` that concern one connection only.
fn is_the_peers_doing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

/// How long nothing is accepted after the system refused.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// After so long without a refusal the next one is told again.
const QUIET: Duration = Duration::from_secs(60);

/// How often it is looked whether the socket's file is still there.
const FILE_CHECK: Duration = Duration::from_secs(5);

/// How long the last commits may take once the time to stop is over.
const LAST_SAVES: Duration = Duration::from_secs(1);
