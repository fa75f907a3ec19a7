//! One HTTP exchange: the recorded request is sent, the answer is held against the recording.

use super::compare::Memory;
use super::fixture::Step;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A request that is ready to be sent.
#[derive(Debug)]
pub(crate) struct Request {
    builder: reqwest::RequestBuilder,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// Headers of the answer.
    pub(crate) headers: HeaderMap,
    /// Body as text.
    pub(crate) text: String,
    /// Body as JSON, null where it is none.
    pub(crate) body: Value,
}

impl Request {
    /// Fills the markers of a recorded request in.
    pub(crate) fn new(client: &reqwest::Client, base: &str, step: &Step, memory: &Memory) -> Self {
        let target = memory.fill_text(step.text("target"));
        let method = step
            .text("method")
            .parse()
            .expect("a recorded method is one");
        let mut builder = client.request(method, format!("{base}{target}"));
        if let Some(headers) = step.fields["headers"].as_object() {
            for (name, value) in headers {
                let value = memory.fill_text(value.as_str().expect("headers are texts"));
                let name = HeaderName::from_bytes(name.as_bytes()).expect("a recorded name is one");
                builder =
                    builder.header(name, HeaderValue::from_str(&value).expect("header value"));
            }
        } else if let Some(actor) = step.fields["actor"].as_str() {
            builder = builder.header(
                "authorization",
                memory.fill_text(&format!("Bearer <key {actor}>")),
            );
        }
        let body = match (step.fields.get("body"), step.fields["raw"].as_str()) {
            (Some(body), _) => Some(memory.fill(body).to_string()),
            (None, Some(raw)) => Some(memory.fill_text(raw)),
            (None, None) => None,
        };
        if let Some(body) = body {
            builder = builder
                .header("content-type", "application/json")
                .body(body);
        }
        Self { builder }
    }

    /// Sends it and reads the answer to its end.
    pub(crate) async fn send(self) -> Answer {
        let answer = self
            .builder
            .send()
            .await
            .expect("the sandbox answers every request");
        let status = answer.status().as_u16();
        let headers = answer.headers().clone();
        let bytes = answer
            .bytes()
            .await
            .expect("the sandbox sends whole bodies");
        let text = String::from_utf8(bytes.to_vec()).expect("bodies are UTF-8");
        let body = serde_json::from_str(&text).unwrap_or_default();
        Answer {
            status,
            headers,
            text,
            body,
        }
    }
}

/// Holds an answer against the recorded one; what differs is told in `out`.
pub(crate) fn compare(step: &Step, answer: &Answer, memory: &Memory, out: &mut Vec<String>) {
    if u64::from(answer.status) != step.number("status") {
        out.push(format!(
            "status {}, not {}: {}",
            answer.status,
            step.number("status"),
            answer.text
        ));
    }
    let header = |name: &str| {
        answer
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let media = header("content-type").map_or("", |value| value.split(';').next().unwrap_or(value));
    if media != step.text("type") {
        out.push(format!(
            "content-type {media:?}, not {:?}",
            step.text("type")
        ));
    }
    let sent = step.fields["headers"]["x-request-id"].as_str();
    let given = header("x-request-id");
    let origin = match given {
        None => "absent",
        Some(id) if Some(id) == sent => "echo",
        Some(_) => "minted",
    };
    if origin != step.text("request_id") {
        out.push(format!(
            "x-request-id is {origin}, not {}",
            step.text("request_id")
        ));
    }
    for name in ["retry-after", "x-backlog-warning", "idempotent-replay"] {
        let wanted = step.fields["answer_headers"][name].as_str();
        if header(name) != wanted {
            out.push(format!("{name} {:?}, not {wanted:?}", header(name)));
        }
    }
    match &step.fields["answer"] {
        Value::String(text) if *text == answer.text => {}
        Value::String(text) => out.push(format!("body {:?}, not {text:?}", answer.text)),
        template => memory.compare(template, &answer.body, "", out),
    }
}

/// Keeps sends below the platform's bounds a second, as the slower recorded run did by itself.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    sent: HashMap<String, (u64, u32)>,
}

impl Pace {
    /// Sends that one agent, or all of them to one group, may make in a second of the clock. The
    /// platform's own bounds are 60 and 20; the rest is for requests that straddle two seconds.
    const PER_AGENT: u32 = 50;
    const PER_GROUP: u32 = 15;

    /// Waits for the next second where this step would come too close to a bound.
    pub(crate) async fn wait(&mut self, step: &Step) {
        if step.text("method") != "POST" || step.text("target") != "/v1/messages" {
            return;
        }
        let group = step.fields["body"]["conversation_id"].as_str();
        let actor = step.fields["actor"].as_str().unwrap_or_default();
        for (name, bound) in [(Some(actor), Self::PER_AGENT), (group, Self::PER_GROUP)] {
            let Some(name) = name else { continue };
            let entry = self.sent.entry(name.to_owned()).or_default();
            if entry.0 == second() && entry.1 >= bound {
                next_second().await;
            }
            let now = second();
            *entry = if entry.0 == now {
                (now, entry.1 + 1)
            } else {
                (now, 1)
            };
        }
    }
}

fn since_epoch() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("the clock stands after 1970")
}

/// The running second of the clock.
pub(crate) fn second() -> u64 {
    since_epoch().as_secs()
}

/// Waits until the next second of the clock begins.
pub(crate) async fn next_second() {
    let begun = second();
    while second() == begun {
        let left = Duration::from_secs(1)
            .saturating_sub(Duration::from_nanos(since_epoch().subsec_nanos().into()));
        tokio::time::sleep(left).await;
    }
}
