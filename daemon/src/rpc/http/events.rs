//! `GET /events`: a subscription as server-sent events.
//!
//! Events are unnamed, so that `onmessage` of an EventSource sees each of them; their `id` is the
//! offset. What `events.subscribe` tells by other notifications has their names as the event's.

use std::io;
use std::sync::Arc;

use agentchatd_client::types::{GoingAway, Start, notification};
use agentchatd_client::{RpcError, Scope};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Request, Response};
use tokio::sync::oneshot;

use crate::rpc::client::Client;
use crate::rpc::errors;
use crate::rpc::http::answer::{self, Answer};
use crate::rpc::http::query;
use crate::rpc::http::stream::{self, EventBody};
use crate::rpc::http::visit::Visit;
use crate::rpc::methods::events::{Opened, open};
use crate::rpc::outgoing::{self, Frame};
use crate::rpc::session::RETRY_IN_MS;

/// Begins a stream, or tells why not.
pub(super) async fn answer(visit: &Visit, request: &Request<Incoming>) -> Answer {
    let query = request.uri().query().unwrap_or_default();
    match begin(visit, query, request.headers()).await {
        Ok(body) => {
            let mut answer = Response::new(body.map_err(|error: io::Error| error).boxed_unsync());
            let headers = answer.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            answer
        }
        Err(error) => answer::error(&error),
    }
}

async fn begin(visit: &Visit, query: &str, headers: &HeaderMap) -> Result<EventBody, RpcError> {
    visit.needs(Scope::Read)?;
    let shared = &visit.shared;
    if shared.stopping.is_cancelled() {
        return Err(errors::shutting_down());
    }
    let mut params = query::subscription(query)?;
    let told = last_seen(headers)?;
    // An id past the log's end is another log's, and says nothing of what was seen of this one.
    let seen = told.filter(|seen| *seen <= shared.hub.feed.last_offset());
    if let Some(seen) = seen {
        params.from = Start::Offset(seen + 1);
    } else if told.is_some() && !query::says_from(query) {
        params.from = Start::Earliest;
    }
    let (outgoing, queue) = outgoing::queue();
    let client = Arc::new(Client::new(Arc::clone(shared), visit.caller, outgoing));
    let opened = open(&params, &client).await?;
    if let Some(seen) = seen {
        pass_over(&opened, seen);
    }
    let (stream, body) = stream::pair(&visit.flow, client.closing.clone());
    let track = Arc::clone(&opened.track);
    let (told, answered) = oneshot::channel::<()>();
    opened.begin(async { answered.await.is_ok() }).await?;
    drop(queue.write_to(stream, &client));
    // From here on the stream lives by itself: until the subscription ends, the client goes, or
    // the daemon stops.
    shared.tasks.spawn(async move {
        tokio::select! {
            _ = track.ended() => return,
            () = client.closing.cancelled() => return,
            () = client.shared.stopping.cancelled() => {}
        }
        let going = GoingAway {
            reason: "shutdown".into(),
            retry_in_ms: RETRY_IN_MS,
        };
        client
            .outgoing
            .push_now(Frame::notice(notification::GOING_AWAY, &going));
        client.closing.cancel();
    });
    // The subscription waits for it, and cannot be gone.
    let _ = told.send(());
    Ok(body)
}

/// What a consumer was given and the client has seen does not come again on this stream; it counts
/// as acknowledged no more than before.
fn pass_over(opened: &Opened, seen: u64) {
    let position = &opened.position;
    if position.name().is_some() {
        let (_, epoch, _) = position.next();
        position.pass(seen.min(position.given()), epoch);
    }
}

/// The id of the last event that the client has seen on an earlier stream.
fn last_seen(headers: &HeaderMap) -> Result<Option<u64>, RpcError> {
    let Some(value) = headers.get(LAST_EVENT_ID) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or(LAST_EVENT_ID).trim();
    if text.is_empty() {
        return Ok(None);
    }
    let seen = text.parse().map(Some);
    seen.map_err(|_| errors::invalid_params("/last-event-id", "it is no offset"))
}

/// The header with which an EventSource resumes.
const LAST_EVENT_ID: &str = "last-event-id";
