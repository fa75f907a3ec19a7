//! Connections: how many, how long, how much of a head, and how patient.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::site::Site;
use super::wire::Wire;

/// Serves until it is given up; connections end with it.
pub(super) async fn serve(listener: TcpListener, site: Arc<Site>) -> Infallible {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of files, for example: some will be closed in a moment.
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        // Whoever comes on top of that is turned away, and no answer is owed.
        if let Ok(place) = Arc::clone(&room).try_acquire_owned() {
            let site = Arc::clone(&site);
            connections.spawn(async move {
                // An error is the other side's: a head that is none, or one that went away.
                let _over = connection(stream, site).await;
                drop(place);
            });
        }
    }
}

async fn connection(stream: TcpStream, site: Arc<Site>) -> Result<(), hyper::Error> {
    let service = service_fn(move |request: Request<Incoming>| {
        let site = Arc::clone(&site);
        async move { Ok::<_, io::Error>(site.answer(request).await) }
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

/// Connections at a time. A browser has six.
const MAX_CONNECTIONS: usize = 64;
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
