//! The upgrade of `/v1/ws`: refused, hung, or answered with 101 and handed to `socket`.

use super::faults::ConnectFault;
use super::http::{Aborted, Reply, reply};
use super::journal::Event;
use super::shared::Shared;
use super::socket::{Auth, Socket};
use super::wire::{Fuse, Wire};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

/// The socket's path.
pub(crate) const PATH: &str = "/v1/ws";

/// Whether a request asks for a WebSocket at the socket's path.
pub(crate) fn is_upgrade(request: &Request<Incoming>) -> bool {
    let asks = |name, word: &str| {
        let value = text(request.headers(), name).unwrap_or_default();
        value.to_ascii_lowercase().contains(word)
    };
    request.uri().path() == PATH
        && request.method() == hyper::Method::GET
        && asks(header::UPGRADE, "websocket")
        && request.headers().contains_key(header::SEC_WEBSOCKET_KEY)
}

/// Answers an upgrade.
pub(crate) async fn upgrade(
    shared: &Arc<Shared>,
    mut request: Request<Incoming>,
    fuse: Fuse,
) -> Result<Response<Reply>, Aborted> {
    let number = shared.next_socket();
    // Anything but `Bearer <something>` counts as absent.
    let key = text(request.headers(), header::AUTHORIZATION)
        .and_then(|value| value.strip_prefix("Bearer "))
        .filter(|key| !key.is_empty())
        .map(str::to_owned);
    shared.journal.write(Event::Connect {
        socket: number,
        header: key.is_some(),
    });
    let fault = shared.lock().faults.connect.pop_front();
    let refused = |status| {
        shared.journal.write(Event::Refused {
            socket: number,
            status,
        })
    };
    match &fault {
        Some(ConnectFault::Refuse {
            status,
            retry_after,
        }) => {
            refused(*status);
            return Ok(refusal(*status, retry_after.as_deref()));
        }
        Some(ConnectFault::ResetUpgrade) => {
            refused(0);
            fuse.reset();
            return Err(Aborted);
        }
        Some(ConnectFault::HangUpgrade) => {
            refused(0);
            shared.tasks.stopped().await;
            return Err(Aborted);
        }
        _ => {}
    }
    let auth = match key {
        None => Auth::Hello,
        Some(key) => {
            // On this path the key is looked up before the upgrade is answered.
            let time = match fault {
                Some(ConnectFault::SlowLookup(time)) => time,
                _ => shared.options.key_lookup,
            };
            tokio::time::sleep(time).await;
            let agent = shared.lock().platform.owner_of_key(&key);
            if agent.is_none() && shared.options.refuse_bad_header {
                refused(StatusCode::UNAUTHORIZED.as_u16());
                return Ok(refusal(StatusCode::UNAUTHORIZED.as_u16(), None));
            }
            let capabilities = request.headers().get("x-agentchat-capabilities");
            let ack = capabilities
                .and_then(|value| value.to_str().ok())
                .is_some_and(|all| all.split(',').any(|one| one.trim() == "ack"));
            Auth::Header { agent, ack }
        }
    };
    let accept = request
        .headers()
        .get(header::SEC_WEBSOCKET_KEY)
        .map(|key| derive_accept_key(key.as_bytes()))
        .unwrap_or_default();
    let upgraded = hyper::upgrade::on(&mut request);
    let task = Arc::clone(shared);
    shared.tasks.spawn_watching(async move {
        let Ok(upgraded) = upgraded.await else { return };
        let Ok(parts) = upgraded.downcast::<TokioIo<Wire>>() else {
            return;
        };
        let wire = parts.io.into_inner();
        let early = parts.read_buf.to_vec();
        let ws = WebSocketStream::from_partially_read(wire, early, Role::Server, None).await;
        Socket {
            shared: task,
            number,
            ws,
            fuse,
            fault,
        }
        .run(auth)
        .await;
    });
    let mut response = reply(StatusCode::SWITCHING_PROTOCOLS, String::new());
    let headers = response.headers_mut();
    headers.insert(
        header::CONNECTION,
        header::HeaderValue::from_static("Upgrade"),
    );
    headers.insert(
        header::UPGRADE,
        header::HeaderValue::from_static("websocket"),
    );
    if let Ok(value) = accept.parse() {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, value);
    }
    Ok(response)
}

fn refusal(status: u16, retry_after: Option<&str>) -> Response<Reply> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let code = match status.as_u16() {
        401 => "UNAUTHORIZED",
        403 => "FORBIDDEN",
        429 => "RATE_LIMITED",
        _ => "INTERNAL_ERROR",
    };
    let body = serde_json::json!({ "code": code, "message": "Upgrade refused" }).to_string();
    let mut response = reply(status, body);
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    if let Some(value) = retry_after.and_then(|text| text.parse().ok()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
