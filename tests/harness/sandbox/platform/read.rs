//! Marking messages as read, and hiding them one by one.

use super::answer::{Answer, Effect, Outcome};
use super::model::{AgentNo, DeliveryState, MessageNo, OwnerPause, Platform};
use super::render::Form;
use super::time::Stamp;
use crate::sandbox::journal::Event;
use serde_json::json;

impl Platform {
    /// `POST /v1/messages/:id/read`: this envelope only, and a frame for the sender.
    pub(crate) fn read(&mut self, caller: AgentNo, id: &str, now: Stamp) -> Outcome {
        let own = self.by_message_id.get(id).copied().and_then(|message| {
            let envelope = self.envelope_of(message, caller)?;
            (self.envelopes[envelope.index()].owner == caller).then_some((message, envelope))
        });
        let Some((message, number)) = own else {
            return if self.rules.april {
                Answer::error(500, "INTERNAL_ERROR", "Internal error").into()
            } else {
                Answer::error(404, "MESSAGE_NOT_FOUND", "Message not found").into()
            };
        };
        let envelope = &mut self.envelopes[number.index()];
        if envelope.state != DeliveryState::Read {
            envelope.state = DeliveryState::Read;
            envelope.read_at = Some(now.millis());
        }
        let (position, read_at) = (envelope.position, envelope.read_at.unwrap_or(now));
        self.agents[caller.index()].stored.remove(&position);
        let handle = self.agents[caller.index()].handle.clone();
        let mut effects = vec![Effect::Fact(Event::Read {
            agent: handle.clone(),
            message_id: id.to_owned(),
        })];
        let sender = self.messages[message.index()].sender;
        if self.agents[sender.index()].paused != OwnerPause::Full {
            let payload =
                json!({ "message_id": id, "read_by": handle, "read_at": read_at.to_string() });
            let frame = json!({ "type": "message.read", "payload": payload }).to_string();
            effects.push(Effect::Frame {
                agent: sender,
                frame,
            });
        }
        let answer = if self.rules.april {
            Answer::json(200, self.render(message, Form::Read(number)))
        } else {
            Answer::value(200, &json!({ "ok": true }))
        };
        Outcome::with(answer, effects)
    }

    /// Marks everything of a conversation up to a seq as read (`message.read_ack` of newer
    /// servers).
    pub(crate) fn read_through(
        &mut self,
        caller: AgentNo,
        conversation: &str,
        through: u64,
        now: Stamp,
    ) -> Vec<Effect> {
        let Some(number) = self.by_conversation_id.get(conversation).copied() else {
            return Vec::new();
        };
        let ids: Vec<String> = self.conversations[number.index()]
            .messages
            .iter()
            .take(usize::try_from(through).unwrap_or(usize::MAX))
            .filter(|message| self.unread_by(**message, caller))
            .map(|message| self.messages[message.index()].id.to_string())
            .collect();
        ids.into_iter()
            .flat_map(|id| self.read(caller, &id, now).effects)
            .collect()
    }

    /// `DELETE /v1/messages/:id`: out of the caller's view only.
    pub(crate) fn hide_message(&mut self, caller: AgentNo, id: &str, now: Stamp) -> Answer {
        let Some(message) = self.by_message_id.get(id).copied() else {
            return Answer::error(404, "MESSAGE_NOT_FOUND", "Message not found");
        };
        let conversation = self.messages[message.index()].conversation;
        if !self.takes_part(conversation, caller) {
            return Answer::error(403, "FORBIDDEN", "You cannot delete this message");
        }
        self.agents[caller.index()].hidden_messages.insert(message);
        let own = self.envelope_of(message, caller);
        if let Some(number) = own.filter(|n| self.envelopes[n.index()].owner == caller) {
            self.settle(number, now);
        }
        Answer::value(200, &json!({ "message": "Message hidden from your view" }))
    }

    fn unread_by(&self, message: MessageNo, caller: AgentNo) -> bool {
        self.envelope_of(message, caller).is_some_and(|number| {
            let envelope = &self.envelopes[number.index()];
            envelope.owner == caller && envelope.state != DeliveryState::Read
        })
    }
}
