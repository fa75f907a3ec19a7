//! One HTTP connection, from its first byte to its last.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use hyper::Request;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jsonrpsee::Methods;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{Instant, sleep, sleep_until};

use crate::rpc::client::Shared;
use crate::rpc::connection::{hung_up, linger};
use crate::rpc::http::router;
use crate::rpc::http::visit::Visit;
use crate::rpc::http::websocket;
use crate::rpc::http::wire::{Flow, Wire};
use crate::rpc::peer::Caller;
use crate::rpc::session::HANGUP_CHECK;

/// Serves a connection to its end; `head` was read from it before.
pub(crate) async fn serve(
    read: OwnedReadHalf,
    write: OwnedWriteHalf,
    head: &[u8],
    shared: Arc<Shared>,
    caller: Caller,
    methods: Methods,
) {
    let read = Arc::new(read);
    let flow = Flow::new(head);
    let wire = Wire::new(Arc::clone(&read), write, Arc::clone(&flow));
    let visit = Visit {
        shared: Arc::clone(&shared),
        methods,
        caller,
        flow: Arc::clone(&flow),
        upgrade: Arc::default(),
    };
    let handled = visit.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let visit = handled.clone();
        // At once: what follows the head is hyper's next step.
        let under_way = visit.flow.enter(request.body().size_hint().exact());
        async move { Ok::<_, Infallible>(router::answer(&visit, request, under_way).await) }
    });
    // A client that closes its side still gets its answer; that it is gone for good is seen below.
    let mut connection = pin!(
        http1::Builder::new()
            .half_close(true)
            .header_read_timeout(None)
            .max_headers(MAX_HEADERS)
            .max_buf_size(BUFFER_BYTES)
            .serve_connection(TokioIo::new(wire), service)
            .with_upgrades()
    );
    let mut stopping = false;
    loop {
        if flow.ended() && hung_up(&read) {
            return;
        }
        tokio::select! {
            biased;
            () = shared.kill.cancelled() => return,
            // An error is the client's: a head that is none, or a connection that went away. What
            // can be answered to it was answered.
            _ = connection.as_mut() => break,
            () = shared.stopping.cancelled(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            () = flow.changed() => {}
            () = flow.look_ahead(&read), if flow.looks_ahead() => {}
            () = past(flow.deadline()) => return,
            () = sleep(HANGUP_CHECK), if flow.ended() => {}
        }
    }
    if let Some(upgrade) = visit.became() {
        tokio::select! {
            () = shared.kill.cancelled() => {}
            () = websocket::serve(upgrade, &visit) => {}
        }
    } else if !flow.ended() {
        linger(&read).await;
    }
}

async fn past(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// How many headers a request may have.
const MAX_HEADERS: usize = 64;

/// How large the head of a request may be, and about how much of an answer waits in memory.
const BUFFER_BYTES: usize = 64 << 10;
