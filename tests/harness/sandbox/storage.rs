//! The storage host: a second listener with presigned addresses, as the platform's attachments have
//! (wire.md 9). It asks for no key, and the journal holds every header that it is sent, so a test
//! can prove that none arrives.

use super::faults::StorageFault;
use super::http::{Aborted, Reply, reply};
use super::journal::Event;
use super::platform::Refusal;
use super::shared::Shared;
use super::slow;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// Pause after a failed accept, for example when file descriptors ran out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
/// What the journal shows in place of a credential.
const HIDDEN: &str = "***";

/// Accepts connections until the sandbox stops.
pub(crate) async fn listen(shared: Arc<Shared>, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((tcp, _peer)) => shared.tasks.spawn(serve(Arc::clone(&shared), tcp)),
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn serve(shared: Arc<Shared>, tcp: TcpStream) {
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { answer(&shared, request).await }
    });
    // Errors are the client's business, or were ordered.
    let _ended = http1::Builder::new()
        .serve_connection(TokioIo::new(tcp), service)
        .await;
}

async fn answer(
    shared: &Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Reply>, Aborted> {
    let fault = shared.lock().faults.storage.pop_front();
    let (head, body) = request.into_parts();
    let mut seen = Seen {
        method: head.method.to_string(),
        target: head.uri.to_string(),
        headers: journalled(&head.headers),
        bytes: 0,
    };
    let target = (head.uri.path(), token(head.uri.query()));
    let response = match &fault {
        Some(StorageFault::Status(status)) => Ok(plain(*status)),
        Some(StorageFault::Redirect(to)) => Ok(redirect(to)),
        Some(StorageFault::Hang) => {
            seen.note(shared, 0);
            std::future::pending().await
        }
        _ if head.method == Method::PUT => {
            put(
                shared,
                &head.headers,
                target,
                body,
                fault.as_ref(),
                &mut seen,
            )
            .await
        }
        _ if head.method == Method::GET => get(shared, target, fault.as_ref()),
        _ => Ok(plain(405)),
    };
    let status = response
        .as_ref()
        .map_or(0, |response| response.status().as_u16());
    seen.note(shared, status);
    response
}

async fn put(
    shared: &Shared,
    headers: &HeaderMap,
    target: (&str, &str),
    mut body: Incoming,
    fault: Option<&StorageFault>,
    seen: &mut Seen,
) -> Result<Response<Reply>, Aborted> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let length = text(CONTENT_LENGTH).and_then(|length| length.parse().ok());
    let admitted =
        shared
            .lock()
            .platform
            .storage
            .admit(target, text(CONTENT_TYPE), length, shared.now());
    let id = match admitted {
        Ok(id) => id,
        Err(refusal) => return Ok(refused(refusal)),
    };
    let half = length.unwrap_or_default() / 2;
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_cut_off| Aborted)?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        bytes.extend_from_slice(&data);
        seen.bytes += data.len() as u64;
        match fault {
            Some(StorageFault::Cut) if seen.bytes >= half => return Err(Aborted),
            Some(StorageFault::Slow { pause, .. }) => tokio::time::sleep(*pause).await,
            _ => {}
        }
    }
    let stored = shared.lock().platform.storage.put(&id, bytes.freeze());
    Ok(match stored {
        Ok(()) => reply(StatusCode::OK, format!("{{\"Key\":\"attachments/{id}\"}}")),
        Err(refusal) => refused(refusal),
    })
}

fn get(
    shared: &Shared,
    target: (&str, &str),
    fault: Option<&StorageFault>,
) -> Result<Response<Reply>, Aborted> {
    let file = shared.lock().platform.storage.get(target, shared.now());
    let file = match file {
        Ok(file) => file,
        Err(refusal) => return Ok(refused(refusal)),
    };
    let bytes = match fault {
        Some(StorageFault::Corrupt) => corrupt(&file.bytes),
        Some(StorageFault::WrongSize) => file.bytes.slice(..file.bytes.len().saturating_sub(1)),
        _ => file.bytes,
    };
    let length = bytes.len();
    let body = match fault {
        Some(StorageFault::Slow {
            bytes: piece,
            pause,
        }) => slow::trickle(bytes, *piece, *pause),
        Some(StorageFault::Cut) => slow::half(&bytes),
        _ => Full::new(bytes)
            .map_err(|never| match never {})
            .boxed_unsync(),
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    if let Ok(value) = HeaderValue::from_str(&file.content_type) {
        headers.insert(CONTENT_TYPE, value);
    }
    Ok(response)
}

/// The same bytes but for one in the middle.
fn corrupt(bytes: &Bytes) -> Bytes {
    let mut bytes = bytes.to_vec();
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    bytes.into()
}

fn refused(refusal: Refusal) -> Response<Reply> {
    let (status, what) = match refusal {
        Refusal::Forbidden => (StatusCode::FORBIDDEN, "signature"),
        Refusal::Unfit(what) => (StatusCode::BAD_REQUEST, what),
        Refusal::Missing => (StatusCode::NOT_FOUND, "object"),
    };
    reply(status, format!("<Error>{what}</Error>"))
}

fn plain(status: u16) -> Response<Reply> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply(status, format!("<Error>{status}</Error>"))
}

fn redirect(to: &str) -> Response<Reply> {
    let mut response = plain(307);
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(LOCATION, to);
    }
    response
}

fn token(query: Option<&str>) -> &str {
    let pairs = query.unwrap_or_default().split('&');
    pairs
        .filter_map(|pair| pair.strip_prefix("token="))
        .next()
        .unwrap_or_default()
}

/// Headers as the journal has them.
pub(crate) fn journalled(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            let value = match name.as_str() {
                "authorization" => HIDDEN.to_owned(),
                _ => String::from_utf8_lossy(value.as_bytes()).into_owned(),
            };
            (name.to_string(), value)
        })
        .collect()
}

/// A request as the journal will have it.
struct Seen {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    bytes: u64,
}

impl Seen {
    fn note(&self, shared: &Shared, status: u16) {
        shared.journal.write(Event::Storage {
            method: self.method.clone(),
            target: self.target.clone(),
            headers: self.headers.clone(),
            bytes: self.bytes,
            status,
        });
    }
}
