//! Rows: storing a message with its envelopes, and moving envelopes forward.

use super::draft::{Content, Draft};
use super::json::normalised;
use super::model::{
    AgentNo, ConversationNo, DeliveryState, Envelope, EnvelopeNo, MessageNo, MuteTarget,
    OwnerPause, Platform, StoredMessage,
};
use super::render::Form;
use super::time::Stamp;

/// A message that is about to become a row.
#[derive(Debug)]
pub(crate) struct NewMessage {
    pub(crate) kind: &'static str,
    pub(crate) client_msg_id: Option<String>,
    pub(crate) content: String,
    pub(crate) metadata: String,
    pub(crate) created_at: Stamp,
}

impl NewMessage {
    pub(crate) fn from_draft(draft: &Draft, created_at: Stamp) -> Self {
        let text = |content: &Content| match content {
            Content::Value(value) => normalised(value),
            Content::Raw(raw) => raw.clone(),
        };
        Self {
            kind: draft.kind,
            client_msg_id: draft.client_msg_id.clone(),
            content: text(&draft.content),
            metadata: text(&draft.metadata),
            created_at,
        }
    }
}

/// A row to be handed to a socket at connect.
#[derive(Debug)]
pub(crate) struct DrainRow {
    pub(crate) message: MessageNo,
    pub(crate) envelope: EnvelopeNo,
    pub(crate) frame: String,
}

/// What an acknowledgement by message id did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// The row was stored and is delivered now.
    Yes,
    /// Unknown, foreign, or settled before.
    No,
}

impl Platform {
    /// The creation time of a row that begins now: later than all before.
    pub(crate) fn stamp(&mut self, now: Stamp) -> Stamp {
        let stamp = if now > self.last_stamp {
            now
        } else {
            Stamp(self.last_stamp.0 + 1)
        };
        self.last_stamp = stamp;
        stamp
    }

    /// Stores a message at the end of a conversation, with one envelope for each recipient.
    pub(crate) fn insert(
        &mut self,
        conversation: ConversationNo,
        sender: AgentNo,
        new: NewMessage,
        recipients: &[AgentNo],
    ) -> MessageNo {
        let number = MessageNo::next(&self.messages);
        let id: Box<str> = self.ids.mint("msg").into();
        let client_msg_id: Box<str> = new
            .client_msg_id
            .unwrap_or_else(|| format!("sys_{id}"))
            .into();
        let first = EnvelopeNo::next(&self.envelopes);
        for owner in recipients {
            self.add_envelope(number, *owner, new.created_at);
        }
        let row = &mut self.conversations[conversation.index()];
        row.messages.push(number);
        row.updated_at = row.updated_at.max(new.created_at);
        row.out_of_list.clear();
        let seq = row.messages.len() as u64;
        self.by_message_id.insert(id.clone(), number);
        self.by_client_msg_id
            .entry((sender, client_msg_id.clone()))
            .or_insert(number);
        self.messages.push(StoredMessage {
            id,
            conversation,
            seq,
            sender,
            client_msg_id,
            kind: new.kind,
            content: new.content.into(),
            metadata: new.metadata.into(),
            created_at: new.created_at,
            envelopes: (first, u32::try_from(recipients.len()).unwrap_or(u32::MAX)),
            purged: false,
        });
        number
    }

    /// Moves an envelope from `stored` to `delivered`; false when it was further already.
    pub(crate) fn settle(&mut self, number: EnvelopeNo, now: Stamp) -> bool {
        let envelope = &mut self.envelopes[number.index()];
        if envelope.state != DeliveryState::Stored {
            return false;
        }
        envelope.state = DeliveryState::Delivered;
        envelope.delivered_at = Some(now.millis());
        let (owner, position) = (envelope.owner, envelope.position);
        self.agents[owner.index()].stored.remove(&position);
        true
    }

    /// An acknowledgement of one message by its recipient's socket.
    pub(crate) fn ack_message(&mut self, agent: AgentNo, id: &str, now: Stamp) -> Settled {
        let Some(message) = self.by_message_id.get(id).copied() else {
            return Settled::No;
        };
        let own = self
            .envelope_of(message, agent)
            .filter(|number| self.envelopes[number.index()].owner == agent);
        match own {
            Some(number) if self.settle(number, now) => Settled::Yes,
            Some(_) | None => Settled::No,
        }
    }

    /// Throws away what still waits for an agent in a conversation.
    pub(crate) fn flush(&mut self, agent: AgentNo, conversation: ConversationNo) {
        let waiting: Vec<_> = self.agents[agent.index()]
            .stored
            .iter()
            .filter(|(_, number)| {
                let message = self.envelopes[number.index()].message;
                self.messages[message.index()].conversation == conversation
            })
            .map(|(position, number)| (*position, *number))
            .collect();
        for (position, number) in waiting {
            self.agents[agent.index()].stored.remove(&position);
            self.envelopes[number.index()].state = DeliveryState::Flushed;
        }
    }

    /// Whether a live push of this message may go to this agent: not muted, not paused `full`.
    pub(crate) fn may_push(&self, message: MessageNo, agent: AgentNo, now: Stamp) -> bool {
        let row = &self.messages[message.index()];
        if self.agents[agent.index()].paused == OwnerPause::Full {
            return false;
        }
        // The notice of a group's deletion reaches members who muted the group.
        let deletion = row.kind == "system" && row.content.contains(r#""event":"group_deleted""#);
        deletion
            || !(self.mutes(agent, MuteTarget::Agent(row.sender), now)
                || self.mutes(agent, MuteTarget::Conversation(row.conversation), now))
    }

    /// The rows of one batch of the connect drain: stored, oldest first, behind a position.
    pub(crate) fn drain_batch(
        &self,
        agent: AgentNo,
        behind: Option<(Stamp, u32)>,
        limit: usize,
    ) -> Vec<DrainRow> {
        use std::ops::Bound::{Excluded, Unbounded};
        let row = &self.agents[agent.index()];
        if row.paused == OwnerPause::Full {
            return Vec::new();
        }
        let from = behind.map_or(Unbounded, Excluded);
        row.stored
            .range((from, Unbounded))
            .take(limit)
            .map(|(_, number)| {
                let message = self.envelopes[number.index()].message;
                let frame = self.render_push(message, Form::Delivery(Some(*number)));
                DrainRow {
                    message,
                    envelope: *number,
                    frame,
                }
            })
            .collect()
    }

    fn add_envelope(&mut self, message: MessageNo, owner: AgentNo, created_at: Stamp) {
        let number = EnvelopeNo::next(&self.envelopes);
        let delivery = self.ids.delivery();
        let position = (created_at, number.0);
        let agent = &mut self.agents[owner.index()];
        agent.envelope_count += 1;
        agent.stored.insert(position, number);
        let envelope = Envelope {
            message,
            owner,
            delivery,
            position,
            state: DeliveryState::Stored,
            delivered_at: None,
            read_at: None,
            number: agent.envelope_count,
        };
        self.by_delivery.insert(delivery, number);
        self.envelopes.push(envelope);
    }
}
