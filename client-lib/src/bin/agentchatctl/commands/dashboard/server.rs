//! Connections: how many, how long, how much of a head, and how patient.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::answer::closing;
use super::site::{Inside, Site};
use super::wire::Wire;

/// Serves until it is given up; connections end with it.
pub(super) async fn serve(listener: TcpListener, site: Arc<Site>) -> Infallible {
    let mut connections = JoinSet::new();
    let mut strangers = Strangers::default();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of files, for example: some will be closed in a moment.
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        strangers.make_room();
        while connections.try_join_next().is_some() {}
        // Those that made room are gone in a moment. So many that show a session are one person's, who waits for
        // one of them to end.
        while connections.len() >= MAX_STRANGERS + MAX_INSIDE {
            connections.join_next().await;
        }
        let inside = Arc::new(AtomicBool::new(false));
        let served = connection(stream, Arc::clone(&site), Arc::clone(&inside));
        let handle = connections.spawn(async move {
            // An error is the other side's: a head that is none, or one that went away.
            let _over = served.await;
        });
        strangers.0.push_back((handle, inside));
    }
}

/// Connections on which no request had a session yet, the oldest first. Any user of the machine can
/// open some; the oldest goes for a new one, so that they keep nobody out who shows a session at once.
#[derive(Debug, Default)]
struct Strangers(VecDeque<(AbortHandle, Arc<AtomicBool>)>);

impl Strangers {
    fn make_room(&mut self) {
        self.0
            .retain(|(handle, inside)| !handle.is_finished() && !inside.load(Ordering::Relaxed));
        while self.0.len() >= MAX_STRANGERS {
            if let Some((oldest, _)) = self.0.pop_front() {
                oldest.abort();
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    site: Arc<Site>,
    inside: Arc<AtomicBool>,
) -> Result<(), hyper::Error> {
    let service = service_fn(move |request: Request<Incoming>| {
        let (site, inside) = (Arc::clone(&site), Arc::clone(&inside));
        async move {
            let answer = site.answer(request).await;
            if answer.extensions().get::<Inside>().is_some() {
                inside.store(true, Ordering::Relaxed);
            }
            // A stranger's connection has one answer.
            let stays = inside.load(Ordering::Relaxed);
            Ok::<_, io::Error>(if stays { answer } else { closing(answer) })
        }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_PATIENCE)
            .max_headers(MAX_HEADERS)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(TokioIo::new(Wire::new(stream, READER_PATIENCE)), service)
    );
    if let Ok(over) = timeout(MAX_AGE, connection.as_mut()).await {
        return over;
    }
    // A browser comes back by itself; one that reads a byte now and then keeps no place.
    connection.as_mut().graceful_shutdown();
    timeout(READER_PATIENCE, connection).await.unwrap_or(Ok(()))
}

/// Connections at a time that have shown no session.
const MAX_STRANGERS: usize = 64;
/// And that have. A browser has six.
const MAX_INSIDE: usize = 64;
/// How long the head of a request may take, and a connection be idle.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// How long a reader may take nothing of an answer.
const READER_PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection may live.
const MAX_AGE: Duration = Duration::from_secs(300);
/// After a connection that could not be taken.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How many headers a request may have.
const MAX_HEADERS: usize = 64;
/// How large the head of a request may be.
const HEAD_BYTES: usize = 16 << 10;
