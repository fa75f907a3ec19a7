//! The `Idempotency-Key` header (wire.md 5.2), for the routes that honour it.

use super::answer::{Answer, Body};
use super::model::AgentNo;
use super::model::Platform;
use super::routes::Request;

const KEY_LENGTHS: std::ops::RangeInclusive<usize> = 8..=128;

/// A finished answer under its key.
#[derive(Debug)]
pub(crate) struct Kept {
    fingerprint: String,
    status: u16,
    body: String,
}

impl Platform {
    /// The answer of an earlier call with the same key, or the refusal of the key.
    pub(crate) fn kept_answer(&self, caller: AgentNo, request: &Request<'_>) -> Option<Answer> {
        let key = request.idempotency_key?;
        let fine = KEY_LENGTHS.contains(&key.len())
            && key
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if !fine {
            return Some(Answer::error(
                400,
                "IDEMPOTENCY_KEY_INVALID",
                "Invalid Idempotency-Key",
            ));
        }
        let kept = self.idempotent.get(&(caller, key.to_owned()))?;
        if kept.fingerprint != fingerprint(request) {
            let text = "This Idempotency-Key was used for another request";
            return Some(Answer::error(422, "IDEMPOTENCY_KEY_CONFLICT", text));
        }
        let answer = Answer::json(kept.status, kept.body.clone());
        Some(answer.with_header("idempotent-replay", "true".to_owned()))
    }

    /// Keeps an answer for later calls, unless it is a 5xx.
    pub(crate) fn keep_answer(&mut self, caller: AgentNo, request: &Request<'_>, answer: &Answer) {
        let (Some(key), Body::Json(body)) = (request.idempotency_key, &answer.body) else {
            return;
        };
        if answer.status < 500 {
            let kept = Kept {
                fingerprint: fingerprint(request),
                status: answer.status,
                body: body.clone(),
            };
            self.idempotent.insert((caller, key.to_owned()), kept);
        }
    }
}

fn fingerprint(request: &Request<'_>) -> String {
    let body = String::from_utf8_lossy(request.body);
    format!("{} {}\n{body}", request.method, request.path)
}
