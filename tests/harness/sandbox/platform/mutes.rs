//! Mutes (wire.md 1.10): no push for the target, its rows still wait in sync.

use super::answer::Answer;
use super::model::{AgentNo, Mute, MuteTarget, Platform};
use super::send::within;
use super::time::Stamp;
use super::validate::bare_handle;
use serde_json::{Value, json};

impl Mute {
    /// Whether it is not over yet.
    pub(crate) fn runs(&self, now: Stamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Platform {
    /// Whether an agent hears nothing of this target now.
    pub(crate) fn mutes(&self, agent: AgentNo, target: MuteTarget, now: Stamp) -> bool {
        let mute = self.agents[agent.index()].muted.get(&target);
        mute.is_some_and(|mute| mute.runs(now))
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

    /// Counts a change of mutes (wire.md 1.10): the wait stands at the top of the body, not in a
    /// header.
    pub(crate) fn count_mute(&mut self, caller: AgentNo, now: Stamp) -> Result<(), Answer> {
        let limit = self.rules.mutes_per_second;
        if within(&mut self.agents[caller.index()].mute_window, limit, now) {
            return Ok(());
        }
        let body = json!({
            "code": "RATE_LIMITED",
            "message": "Too many mute changes per second",
            "retry_after_ms": now.millis_left_of_second(),
        });
        Err(Answer::value(429, &body))
    }

    /// `POST /v1/mutes`.
    pub(crate) fn post_mute(
        &mut self,
        caller: AgentNo,
        body: &[u8],
        now: Stamp,
    ) -> Result<Answer, Answer> {
        self.count_mute(caller, now)?;
        let body = super::json::parse(body).ok_or_else(Answer::bad_json)?;
        let until = match &body["muted_until"] {
            Value::Null => None,
            value => {
                let time = value.as_str().and_then(Stamp::parse);
                let text = "muted_until must be a time in the future";
                Some(
                    time.filter(|time| *time > now)
                        .ok_or_else(|| Answer::bad(text))?,
                )
            }
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

    /// `GET /v1/mutes`: those that run.
    pub(crate) fn mute_list(&self, caller: AgentNo, kind: Option<&str>, now: Stamp) -> Answer {
        if kind.is_some_and(|kind| !matches!(kind, "agent" | "conversation")) {
            return Answer::bad("kind must be agent or conversation");
        }
        let rows: Vec<Value> = self.agents[caller.index()]
            .muted
            .iter()
            .filter(|(_, mute)| mute.runs(now))
            .filter_map(|(target, _)| self.mute_view(caller, *target))
            .filter(|view| kind.is_none_or(|kind| view["target_kind"] == kind))
            .collect();
        Answer::value(200, &json!({ "mutes": rows }))
    }

    /// `GET` of one mute: one that is over counts as none.
    pub(crate) fn one_mute(&self, caller: AgentNo, kind: &str, name: &str, now: Stamp) -> Answer {
        let target = self.mute_target(kind, name);
        let running = target.filter(|target| self.mutes(caller, *target, now));
        match running.and_then(|target| self.mute_view(caller, target)) {
            Some(view) => Answer::value(200, &view),
            None => Answer::error(404, "NOT_FOUND", "Not muted"),
        }
    }

    /// `DELETE` of one mute: one that is over can still be taken away.
    pub(crate) fn end_mute(
        &mut self,
        caller: AgentNo,
        kind: &str,
        name: &str,
        now: Stamp,
    ) -> Result<Answer, Answer> {
        self.count_mute(caller, now)?;
        let target = self.mute_target(kind, name);
        if target.is_some_and(|target| self.unmute(caller, target)) {
            return Ok(Answer::value(200, &json!({ "ok": true })));
        }
        Err(Answer::error(404, "NOT_FOUND", "Not muted"))
    }

    fn mute_target(&self, kind: &str, name: &str) -> Option<MuteTarget> {
        if kind == "agent" {
            let agent = self.by_handle.get(&bare_handle(name));
            return agent.copied().map(MuteTarget::Agent);
        }
        let conversation = self.by_conversation_id.get(name);
        conversation.copied().map(MuteTarget::Conversation)
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
            "muted_until": mute.until.map(|until| until.to_string()),
            "created_at": mute.created_at.to_string(),
        }))
    }
}
