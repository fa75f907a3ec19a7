//! The HTTP side: reads requests, lets faults and rules answer, writes answers.

use super::control;
use super::faults::HttpFault;
use super::journal::Event;
use super::platform::{Answer, Body, Key, Outcome, Request as RuleRequest};
use super::shared::Shared;
use super::slow;
use super::storage::journalled;
use super::upgrade;
use super::wire::{Fuse, Wire};
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// A request body at most; the platform swallows large ones.
const BODY_LIMIT: usize = 8 << 20;
/// How much of a request's body the journal keeps.
const JOURNAL_BODY_BYTES: usize = 64 << 10;
const REQUEST_ID_CHARS: usize = 128;
/// How long an answer waits for the sockets that it closes.
const GOODBYES: Duration = Duration::from_secs(1);
/// Pause after a failed accept, for example when file descriptors ran out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// The body type of all answers.
pub(crate) type Reply = UnsyncBoxBody<Bytes, Aborted>;

/// The connection is to end without a (whole) answer.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("connection ended on purpose")]
pub(crate) struct Aborted;

/// Accepts connections until the sandbox stops.
pub(crate) async fn listen(shared: Arc<Shared>, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((tcp, _peer)) => {
                let connection = serve(Arc::clone(&shared), tcp);
                shared.tasks.spawn(connection);
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn serve(shared: Arc<Shared>, tcp: TcpStream) {
    let _best_effort = tcp.set_nodelay(true);
    let wire = Wire::new(tcp);
    let fuse = wire.fuse();
    let service = service_fn(move |request| {
        let (shared, fuse) = (Arc::clone(&shared), fuse.clone());
        async move { answer(&shared, request, fuse).await }
    });
    // Errors are the client's business, or were ordered.
    let _ended = http1::Builder::new()
        .serve_connection(TokioIo::new(wire), service)
        .with_upgrades()
        .await;
}

/// An answer with a body and nothing else.
pub(crate) fn reply(status: StatusCode, body: String) -> Response<Reply> {
    let mut response = Response::new(whole(Bytes::from(body)));
    *response.status_mut() = status;
    response
}

fn whole(body: Bytes) -> Reply {
    Full::new(body)
        .map_err(|never| match never {})
        .boxed_unsync()
}

async fn answer(
    shared: &Arc<Shared>,
    request: Request<Incoming>,
    fuse: Fuse,
) -> Result<Response<Reply>, Aborted> {
    if upgrade::is_upgrade(&request) {
        return upgrade::upgrade(shared, request, fuse).await;
    }
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let body = Limited::new(body, BODY_LIMIT)
        .collect()
        .await
        .map_err(|_too_long| Aborted)?;
    let body = body.to_bytes();
    if path.starts_with(control::PREFIX) {
        let answer = control::answer(shared, head.method.as_str(), &path, &body);
        return Ok(render(shared, &answer, None));
    }
    let query = head.uri.query().unwrap_or_default();
    let parsed = parse_query(query);
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let mut rule_request = RuleRequest {
        method: head.method.as_str(),
        path: &path,
        query: &parsed,
        authorization: header("authorization"),
        idempotency_key: header("idempotency-key"),
        body: &body,
        now: shared.now(),
    };
    let (agent, fault) = prepare(shared, &rule_request);
    let mut instead = fault.as_ref().and_then(instead_of_execution);
    let mut running = Running { shared, key: None };
    if instead.is_none() && !matches!(fault, Some(HttpFault::DropBefore)) {
        match shared.lock().platform.begin_keyed(&rule_request) {
            Ok(key) => running.key = key,
            Err(answer) => instead = Some(answer),
        }
    }
    tokio::time::sleep(shared.options.rest_latency).await;
    if let Some(HttpFault::Delay(time)) = &fault {
        tokio::time::sleep(*time).await;
    }
    let before = matches!(fault, Some(HttpFault::DropBefore));
    let lost = before || matches!(fault, Some(HttpFault::DropAfter));
    let answer = match instead {
        Some(answer) => Some(answer),
        None if before => None,
        None => {
            // Faults may have held the request up.
            rule_request.now = shared.now();
            Some(execute(shared, &rule_request).await)
        }
    };
    note(
        shared,
        agent,
        &rule_request,
        &head,
        answer.as_ref().filter(|_| !lost),
    );
    if let Some(HttpFault::DelayAnswer(time)) = &fault {
        tokio::time::sleep(*time).await;
    }
    let Some(answer) = answer.filter(|_| !lost) else {
        return Err(Aborted);
    };
    Ok(render_with(
        shared,
        &answer,
        header("x-request-id"),
        fault.as_ref(),
    ))
}

/// The note that a call with an `Idempotency-Key` is under way; it goes with the call, however that
/// ends.
struct Running<'a> {
    shared: &'a Shared,
    key: Option<Key>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(key) = &self.key {
            self.shared.lock().platform.running.remove(key);
        }
    }
}

/// Who asks, and what is to go wrong.
fn prepare(shared: &Shared, request: &RuleRequest<'_>) -> (Option<String>, Option<HttpFault>) {
    let mut state = shared.lock();
    let state = &mut *state;
    let caller = state.platform.identify(request.authorization).ok();
    let handle = caller.map(|agent| state.platform.agents[agent.index()].handle.clone());
    let ruled = state.faults.take_http(request.method, request.path);
    let dice = &mut state.hub.dice;
    let chaos = state.faults.chaos.as_ref();
    (
        handle,
        ruled.or_else(|| chaos.and_then(|chaos| dice.http(chaos))),
    )
}

/// Lets the rules answer and applies what follows, under one lock. The answer goes out after the
/// goodbyes to sockets that it closes (wire.md 1.4).
async fn execute(shared: &Arc<Shared>, request: &RuleRequest<'_>) -> Answer {
    let (answer, closing) = {
        let mut state = shared.lock();
        let Outcome { answer, effects } = state.platform.handle(request);
        (answer, shared.apply(&mut state, effects))
    };
    let goodbyes = async {
        for link in closing {
            link.farewell().await;
        }
    };
    let _one_does_not_read = tokio::time::timeout(GOODBYES, goodbyes).await;
    answer
}

fn note(
    shared: &Shared,
    agent: Option<String>,
    request: &RuleRequest<'_>,
    head: &Parts,
    answer: Option<&Answer>,
) {
    let body = request.body;
    let kept = &body[..body.len().min(JOURNAL_BODY_BYTES)];
    shared.journal.write(Event::Http {
        agent,
        method: request.method.to_owned(),
        path: request.path.to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        status: answer.map_or(0, |answer| answer.status),
        headers: journalled(&head.headers),
        body: String::from_utf8_lossy(kept).into_owned(),
    });
}

/// The answer that a fault gives in place of the rules.
fn instead_of_execution(fault: &HttpFault) -> Option<Answer> {
    match fault {
        HttpFault::Error {
            status,
            code,
            retry_after,
            details,
            extra,
        } => {
            let mut body = Map::new();
            body.insert("code".to_owned(), Value::from(code.as_str()));
            body.insert(
                "message".to_owned(),
                Value::from("Ordered by a fault switch"),
            );
            if let Some(details) = details {
                body.insert("details".to_owned(), details.clone());
            }
            body.extend(extra.clone().unwrap_or_default());
            let answer = Answer::value(*status, &Value::Object(body));
            Some(match retry_after {
                Some(value) => answer.with_header("retry-after", value.clone()),
                None => answer,
            })
        }
        HttpFault::Html(status) => Some(Answer {
            status: *status,
            body: Body::Html(format!("<html><body><h1>{status}</h1></body></html>")),
            headers: Vec::new(),
            request_id: false,
        }),
        HttpFault::Empty500 => Some(Answer::empty_500()),
        HttpFault::Body { status, body } | HttpFault::Exactly { status, body, .. } => {
            Some(Answer::json(*status, body.clone()))
        }
        HttpFault::DropBefore
        | HttpFault::DropAfter
        | HttpFault::CutBody
        | HttpFault::Delay(_)
        | HttpFault::DelayAnswer(_)
        | HttpFault::SlowBody { .. } => None,
    }
}

fn render(shared: &Shared, answer: &Answer, request_id: Option<&str>) -> Response<Reply> {
    render_with(shared, answer, request_id, None)
}

fn render_with(
    shared: &Shared,
    answer: &Answer,
    request_id: Option<&str>,
    fault: Option<&HttpFault>,
) -> Response<Reply> {
    let (content_type, text) = match &answer.body {
        Body::Json(text) => ("application/json", text),
        Body::Text(text) => ("text/plain; charset=UTF-8", text),
        Body::Html(text) => ("text/html", text),
    };
    let body = Bytes::from(text.clone());
    let length = body.len();
    let body = match fault {
        Some(HttpFault::SlowBody { bytes, pause }) => slow::trickle(body, *bytes, *pause),
        Some(HttpFault::CutBody) => slow::half(&body),
        _ => whole(body),
    };
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(HttpFault::Exactly { headers: own, .. }) = fault {
        for (name, value) in own {
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
                headers.insert(name, value);
            }
        }
        return response;
    }
    if matches!(fault, Some(HttpFault::CutBody)) {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    for (name, value) in &answer.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    if answer.request_id {
        let own = request_id
            .filter(|id| id.len() <= REQUEST_ID_CHARS)
            .map(str::to_owned);
        let id = own.unwrap_or_else(|| shared.request_id());
        if let Ok(value) = HeaderValue::from_str(&id) {
            headers.insert(HeaderName::from_static("x-request-id"), value);
        }
    }
    response
}

fn parse_query(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_encoding::percent_decode_str(&spaced)
            .decode_utf8_lossy()
            .into_owned()
    };
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}
