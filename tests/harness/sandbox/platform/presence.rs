//! Presence (wire.md 1.11), enough that clients are content.

use super::answer::{Answer, Effect, Outcome};
use super::model::{AgentNo, Platform};
use super::time::Stamp;
use super::validate::{Problems, object};
use serde_json::{Value, json};

const BATCH_HANDLES: usize = 100;

impl Platform {
    /// The first socket of an agent came or its last one went.
    pub(crate) fn set_online(&mut self, agent: AgentNo, online: bool, now: Stamp) -> Vec<Effect> {
        let status = if online { "online" } else { "offline" };
        self.set_presence(agent, status, None, now)
    }

    /// `PUT /v1/presence`, and the frame of the same meaning.
    pub(crate) fn put_presence(
        &mut self,
        caller: AgentNo,
        body: &[u8],
        now: Stamp,
    ) -> Result<Outcome, Answer> {
        let map = object(body)?;
        let mut problems = Problems::default();
        let status = problems.text(&map, "status", 1..=20);
        let custom = problems.optional_text(&map, "custom_message", 0..=200);
        let known = ["online", "offline", "busy"];
        if status
            .as_deref()
            .is_some_and(|status| !known.contains(&status))
        {
            problems.add(
                "status",
                "Invalid enum value. Expected 'online' | 'offline' | 'busy'",
            );
        }
        problems.finish()?;
        let status = status.unwrap_or_default();
        let effects = self.set_presence(caller, &status, custom, now);
        let agent = &self.agents[caller.index()];
        let body = json!({
            "handle": agent.handle,
            "status": status,
            "custom_message": agent.presence.custom_message,
        });
        Ok(Outcome::with(Answer::value(200, &body), effects))
    }

    /// `GET /v1/presence/:handle`: contacts only.
    pub(crate) fn presence_of(&self, caller: AgentNo, handle: &str) -> Answer {
        let known = self.by_handle.get(handle);
        match known.filter(|agent| self.agents[caller.index()].contacts.contains_key(agent)) {
            Some(agent) => Answer::value(200, &self.presence_view(*agent)),
            None => Answer::error(404, "NOT_FOUND", "Presence not found"),
        }
    }

    /// `POST /v1/presence/batch`: no contact check.
    pub(crate) fn presence_batch(&self, body: &[u8]) -> Result<Answer, Answer> {
        let map = object(body)?;
        let handles = map.get("handles").and_then(Value::as_array);
        let Some(handles) = handles.filter(|all| (1..=BATCH_HANDLES).contains(&all.len())) else {
            return Err(Answer::invalid(&[], &[("handles", "Required")]));
        };
        let views: Vec<Value> = handles
            .iter()
            .filter_map(Value::as_str)
            .filter_map(|handle| self.by_handle.get(handle))
            .map(|agent| self.presence_view(*agent))
            .collect();
        Ok(Answer::value(200, &json!({ "presences": views })))
    }

    fn set_presence(
        &mut self,
        agent: AgentNo,
        status: &str,
        custom: Option<String>,
        now: Stamp,
    ) -> Vec<Effect> {
        let row = &mut self.agents[agent.index()];
        row.presence.status = Some(status.to_owned());
        row.presence.custom_message = custom;
        row.presence.last_seen = Some(now.millis());
        let payload = json!({
            "handle": row.handle,
            "status": status,
            "custom_message": row.presence.custom_message,
        });
        let frame = json!({ "type": "presence.update", "payload": payload }).to_string();
        self.agents
            .iter()
            .enumerate()
            .filter(|(_, other)| other.contacts.contains_key(&agent))
            .map(|(number, _)| Effect::Frame {
                agent: AgentNo(u32::try_from(number).unwrap_or(u32::MAX)),
                frame: frame.clone(),
            })
            .collect()
    }

    fn presence_view(&self, agent: AgentNo) -> Value {
        let agent = &self.agents[agent.index()];
        json!({
            "handle": agent.handle,
            "status": agent.presence.status.as_deref().unwrap_or("offline"),
            "custom_message": agent.presence.custom_message,
            "last_seen": agent.presence.last_seen.map(|at| at.to_string()),
        })
    }
}
