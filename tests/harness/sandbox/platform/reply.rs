//! Reply coordination of newer servers (wire.md 1.14): which of several repliers of one agent answers
//! a message. Known from clients only.

use super::answer::Answer;
use super::model::{AgentNo, Platform};
use super::time::Stamp;
use super::validate::{Problems, object};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::time::Duration;

/// How long a lease runs that names no time.
const LEASE: Duration = Duration::from_secs(60);

/// Leases and claims of all agents.
#[derive(Debug, Default)]
pub(crate) struct Replies {
    /// Session of an agent -> the end of its lease. The older form names no session.
    leases: HashMap<(AgentNo, Option<String>), Stamp>,
    /// Message of an agent -> who answers it.
    claims: HashMap<(AgentNo, String), String>,
}

impl Platform {
    /// `PUT /v1/reply/active`.
    pub(crate) fn put_active(
        &mut self,
        caller: AgentNo,
        body: &[u8],
        now: Stamp,
    ) -> Result<Answer, Answer> {
        let (map, session) = session(body)?;
        let time = map.get("ttl_seconds").and_then(Value::as_u64);
        let end = now.after(time.map_or(LEASE, Duration::from_secs));
        self.replies.leases.insert((caller, session), end);
        Ok(Answer::value(200, &json!({ "ok": true })))
    }

    /// `DELETE /v1/reply/active`.
    pub(crate) fn delete_active(&mut self, caller: AgentNo, body: &[u8]) -> Result<Answer, Answer> {
        let (_map, session) = session(body)?;
        self.replies.leases.remove(&(caller, session));
        Ok(Answer::value(200, &json!({ "ok": true })))
    }

    /// `GET /v1/reply/active`.
    pub(crate) fn active(&self, caller: AgentNo, now: Stamp) -> Answer {
        Answer::value(200, &json!({ "active": self.is_replying(caller, now) }))
    }

    /// `POST /v1/reply/claim`.
    pub(crate) fn claim(
        &mut self,
        caller: AgentNo,
        body: &[u8],
        now: Stamp,
    ) -> Result<Answer, Answer> {
        let map = object(body)?;
        let mut problems = Problems::default();
        let message = problems.text(&map, "message_id", 1..=usize::MAX);
        let holder = problems.text(&map, "holder", 1..=usize::MAX);
        problems.finish()?;
        if self.defers(caller, &map, now) {
            return Ok(Answer::value(
                200,
                &json!({ "claimed": false, "deferred": true }),
            ));
        }
        let (message, holder) = (message.unwrap_or_default(), holder.unwrap_or_default());
        let claimed = self.take(caller, message, &holder);
        Ok(Answer::value(200, &json!({ "claimed": claimed })))
    }

    /// `POST /v1/reply/claim-batch`: how many of the first ones in a row.
    pub(crate) fn claim_batch(
        &mut self,
        caller: AgentNo,
        body: &[u8],
        now: Stamp,
    ) -> Result<Answer, Answer> {
        let map = object(body)?;
        let mut problems = Problems::default();
        let holder = problems.text(&map, "holder", 1..=usize::MAX);
        let messages = map.get("message_ids").and_then(Value::as_array);
        if messages.is_none() {
            problems.add("message_ids", "Required");
        }
        problems.finish()?;
        if self.defers(caller, &map, now) {
            return Ok(Answer::value(
                200,
                &json!({ "claimed_count": 0, "deferred": true }),
            ));
        }
        let holder = holder.unwrap_or_default();
        let count = messages
            .into_iter()
            .flatten()
            .map_while(Value::as_str)
            .take_while(|message| self.take(caller, (*message).to_owned(), &holder))
            .count();
        Ok(Answer::value(200, &json!({ "claimed_count": count })))
    }

    /// The first one to ask holds a message; to ask again is fine.
    fn take(&mut self, caller: AgentNo, message: String, holder: &str) -> bool {
        let claims = &mut self.replies.claims;
        let held = claims.entry((caller, message));
        held.or_insert_with(|| holder.to_owned()) == holder
    }

    fn defers(&self, caller: AgentNo, map: &Map<String, Value>, now: Stamp) -> bool {
        map.get("defer_if_active") == Some(&Value::Bool(true)) && self.is_replying(caller, now)
    }

    fn is_replying(&self, caller: AgentNo, now: Stamp) -> bool {
        let mut leases = self.replies.leases.iter();
        leases.any(|((agent, _), end)| *agent == caller && now < *end)
    }
}

/// The object of a body that may be missing, and the session in it.
fn session(body: &[u8]) -> Result<(Map<String, Value>, Option<String>), Answer> {
    if body.is_empty() {
        return Ok((Map::new(), None));
    }
    let map = object(body)?;
    let mut problems = Problems::default();
    let session = problems.optional_text(&map, "session_id", 1..=usize::MAX);
    problems.finish()?;
    Ok((map, session))
}
