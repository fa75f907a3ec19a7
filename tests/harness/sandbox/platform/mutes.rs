//! Mutes (wire.md 1.10): no push for the target, its rows still wait in sync.

use super::answer::Answer;
use super::model::{AgentNo, Mute, MuteTarget, Platform};
use super::time::Stamp;
use super::validate::bare_handle;
use serde_json::{Value, json};

impl Platform {
    /// Whether an agent hears nothing of this target now.
    pub(crate) fn mutes(&self, agent: AgentNo, target: MuteTarget, now: Stamp) -> bool {
        let mute = self.agents[agent.index()].muted.get(&target);
        mute.is_some_and(|mute| mute.until.as_ref().is_none_or(|(_, until)| now < *until))
    }

    /// Mutes a target for good.
    pub(crate) fn mute(&mut self, agent: AgentNo, target: MuteTarget, now: Stamp) {
        let mute = Mute {
            until: None,
            created_at: now,
        };
        self.agents[agent.index()].muted.insert(target, mute);
    }

    /// Ends a mute; false when there was none.
    pub(crate) fn unmute(&mut self, agent: AgentNo, target: MuteTarget) -> bool {
        self.agents[agent.index()].muted.remove(&target).is_some()
    }

    /// `POST /v1/mutes`. `muted_until` is kept as text; a mute with an end counts as open-ended
    /// for pushes, since no test waits for hours.
    pub(crate) fn post_mute(
        &mut self,
        caller: AgentNo,
        body: &[u8],
        now: Stamp,
    ) -> Result<Answer, Answer> {
        let body = super::json::parse(body).ok_or_else(Answer::bad_json)?;
        let until = match &body["muted_until"] {
            Value::Null => None,
            Value::String(text) => Some((text.clone(), Stamp(i64::MAX))),
            _ => return Err(Answer::bad("muted_until must be a time in the future")),
        };
        let target = match body["target_kind"].as_str() {
            Some("agent") => {
                let handle = body["target_handle"].as_str().unwrap_or_default();
                let agent = self.reachable(handle)?;
                if agent == caller {
                    return Err(Answer::error(400, "SELF_MUTE", "You cannot mute yourself"));
                }
                MuteTarget::Agent(agent)
            }
            Some("conversation") => {
                let id = body["target_id"].as_str().unwrap_or_default();
                let unknown =
                    || Answer::error(404, "CONVERSATION_NOT_FOUND", "Conversation not found");
                let number = self
                    .by_conversation_id
                    .get(id)
                    .copied()
                    .ok_or_else(unknown)?;
                if !self.takes_part(number, caller) {
                    return Err(Answer::error(403, "NOT_PARTICIPANT", "Not a participant"));
                }
                MuteTarget::Conversation(number)
            }
            _ => return Err(Answer::bad("target_kind must be agent or conversation")),
        };
        let mute = Mute {
            until,
            created_at: now,
        };
        self.agents[caller.index()].muted.insert(target, mute);
        let view = self.mute_view(caller, target).unwrap_or_default();
        Ok(Answer::value(201, &view))
    }

    /// `GET /v1/mutes`.
    pub(crate) fn mute_list(&self, caller: AgentNo, kind: Option<&str>) -> Answer {
        let rows: Vec<Value> = self.agents[caller.index()]
            .muted
            .keys()
            .filter_map(|target| self.mute_view(caller, *target))
            .filter(|view| kind.is_none_or(|kind| view["target_kind"] == kind))
            .collect();
        Answer::value(200, &json!({ "mutes": rows }))
    }

    /// `GET` and `DELETE` of one mute.
    pub(crate) fn one_mute(
        &mut self,
        caller: AgentNo,
        kind: &str,
        name: &str,
        end: bool,
    ) -> Answer {
        let target = match kind {
            "agent" => self
                .by_handle
                .get(&bare_handle(name))
                .copied()
                .map(MuteTarget::Agent),
            _ => self
                .by_conversation_id
                .get(name)
                .copied()
                .map(MuteTarget::Conversation),
        };
        let view = target.and_then(|target| self.mute_view(caller, target));
        match (target, view) {
            (Some(target), Some(view)) => {
                if !end {
                    return Answer::value(200, &view);
                }
                self.unmute(caller, target);
                Answer::value(200, &json!({ "ok": true }))
            }
            _ => Answer::error(404, "NOT_FOUND", "Not muted"),
        }
    }

    fn mute_view(&self, caller: AgentNo, target: MuteTarget) -> Option<Value> {
        let agent = &self.agents[caller.index()];
        let mute = agent.muted.get(&target)?;
        let (kind, id) = match target {
            MuteTarget::Agent(number) => ("agent", self.agents[number.index()].id.clone()),
            MuteTarget::Conversation(number) => (
                "conversation",
                self.conversations[number.index()].id.to_string(),
            ),
        };
        Some(json!({
            "muter_agent_id": agent.id,
            "target_kind": kind,
            "target_id": id,
            "muted_until": mute.until.as_ref().map(|(text, _)| text),
            "created_at": mute.created_at.to_string(),
        }))
    }
}
