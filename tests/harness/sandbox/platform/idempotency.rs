//! The `Idempotency-Key` header (wire.md 5.2), for the routes that honour it.

use super::answer::{Answer, Body};
use super::model::AgentNo;
use super::model::Platform;
use super::routes::{Request, honours_idempotency, route_of};
use std::time::Duration;

/// How long a call under way keeps others with its key out.
const LOCK: Duration = Duration::from_secs(60);
const KEY_LENGTHS: std::ops::RangeInclusive<usize> = 8..=128;

/// Whose key it is, and the key.
pub(crate) type Key = (AgentNo, String);

/// A finished answer under its key.
#[derive(Debug)]
pub(crate) struct Kept {
    fingerprint: String,
    status: u16,
    body: String,
}

impl Platform {
    /// Notes that a call with a key has begun, and gives the note, which goes with the call. A second
    /// one that begins before the first one has ended is refused.
    pub(crate) fn begin_keyed(&mut self, request: &Request<'_>) -> Result<Option<Key>, Answer> {
        let Some(place) = self.keyed(request) else {
            return Ok(None);
        };
        let begun = self.running.get(&place);
        if begun.is_some_and(|begun| request.now.since(*begun) < LOCK) {
            let text = "A request with this Idempotency-Key is under way";
            return Err(Answer::error(409, "IDEMPOTENT_IN_PROGRESS", text));
        }
        self.running.insert(place.clone(), request.now);
        Ok(Some(place))
    }

    fn keyed(&self, request: &Request<'_>) -> Option<Key> {
        let key = request.idempotency_key?;
        let decoded = route_of(request.path);
        let parts: Vec<&str> = decoded.iter().map(String::as_str).collect();
        let rest = parts.strip_prefix(&["v1"])?;
        if !honours_idempotency(request.method, rest) {
            return None;
        }
        let caller = self.identify(request.authorization).ok()?;
        Some((caller, key.to_owned()))
    }

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
