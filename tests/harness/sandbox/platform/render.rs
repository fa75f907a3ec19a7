//! Message objects as JSON text (wire.md 4.1).

use super::ids::delivery_text;
use super::json::push_text;
use super::model::{
    AgentNo, ConversationKind, DeliveryState, Envelope, EnvelopeNo, MessageNo, Platform,
};
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write as _;

/// A stored message, for tests to compare with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Message {
    /// Message id.
    pub id: String,
    /// Conversation id.
    pub conversation_id: String,
    /// Place in the conversation, from 1.
    pub seq: u64,
    /// Handle of the sender.
    pub sender: String,
    /// The sender's id.
    pub client_msg_id: String,
    /// Type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Content.
    pub content: Value,
    /// Metadata.
    pub metadata: Value,
    /// Creation time as on the wire.
    pub created_at: String,
}

/// The forms of a message object.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    /// Answer of a send, live push: no delivery members.
    Fresh,
    /// History, sync, drain. `None`: the caller has no envelope of it.
    Delivery(Option<EnvelopeNo>),
    /// Delivery form with its delivery id blanked.
    NullId(EnvelopeNo),
    /// Answer of a read, and messages of the 1.0.3 sync form: state without delivery id.
    Read(EnvelopeNo),
}

/// Writes the members of an object and remembers where each begins.
struct Members {
    out: String,
    starts: Vec<usize>,
}

impl Members {
    fn key(&mut self, key: &str) -> &mut String {
        self.begin();
        self.out.push('"');
        self.out.push_str(key);
        self.out.push_str("\":");
        &mut self.out
    }

    /// The next member begins here.
    fn begin(&mut self) {
        self.out
            .push(if self.starts.is_empty() { '{' } else { ',' });
        self.starts.push(self.out.len());
    }

    fn text(&mut self, key: &str, value: &str) {
        push_text(self.key(key), value);
    }

    fn raw(&mut self, key: &str, value: &str) {
        self.key(key).push_str(value);
    }

    fn time(&mut self, key: &str, value: Option<super::time::Stamp>) {
        let out = self.key(key);
        match value {
            Some(stamp) => {
                let _infallible = write!(out, "\"{stamp}\"");
            }
            None => out.push_str("null"),
        }
    }

    /// The object as it was written, or with its members in reverse order.
    fn object(mut self, reversed: bool) -> String {
        if !reversed {
            self.out.push('}');
            return self.out;
        }
        let ends = self
            .starts
            .iter()
            .skip(1)
            .map(|start| start - 1)
            .chain([self.out.len()]);
        let mut members: Vec<&str> = self
            .starts
            .iter()
            .zip(ends)
            .map(|(from, to)| &self.out[*from..to])
            .collect();
        members.reverse();
        format!("{{{}}}", members.join(","))
    }
}

impl Platform {
    /// A message object in one of its forms.
    pub(crate) fn render(&self, number: MessageNo, form: Form) -> String {
        const USUAL_SIZE: usize = 512;
        const MEMBERS: usize = 16;
        let message = &self.messages[number.index()];
        let conversation = &self.conversations[message.conversation.index()];
        let mut members = Members {
            out: String::with_capacity(USUAL_SIZE + message.content.len()),
            starts: Vec::with_capacity(MEMBERS),
        };
        members.text("id", &message.id);
        members.text("conversation_id", &conversation.id);
        if !self.dress.bare {
            members.text("client_msg_id", &message.client_msg_id);
        }
        let _infallible = write!(members.key("seq"), "{}", message.seq);
        members.text("type", message.kind);
        members.raw("content", &message.content);
        if !self.dress.bare {
            members.raw("metadata", &message.metadata);
            members.time("created_at", Some(message.created_at));
        }
        self.render_delivery(&mut members, form);
        members.text("sender", &self.agents[message.sender.index()].handle);
        if self.rules.context && !self.dress.bare {
            self.write_context(members.key("context"), number);
        }
        if let Some(extra) = &self.dress.extra {
            members.begin();
            members.out.push_str(extra);
        }
        members.object(self.dress.reversed)
    }

    /// The message as a whole frame.
    pub(crate) fn render_push(&self, number: MessageNo, form: Form) -> String {
        let message = self.render(number, form);
        let mut frame = String::with_capacity(message.len() + 40);
        frame.push_str(r#"{"type":"message.new","payload":"#);
        frame.push_str(&message);
        frame.push('}');
        frame
    }

    /// The message for a test to compare with.
    pub(crate) fn view(&self, number: MessageNo) -> Message {
        let message = &self.messages[number.index()];
        let parsed = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
        Message {
            id: message.id.to_string(),
            conversation_id: self.conversations[message.conversation.index()]
                .id
                .to_string(),
            seq: message.seq,
            sender: self.agents[message.sender.index()].handle.clone(),
            client_msg_id: message.client_msg_id.to_string(),
            kind: message.kind.to_owned(),
            content: parsed(&message.content),
            metadata: parsed(&message.metadata),
            created_at: message.created_at.to_string(),
        }
    }

    /// The caller's envelope of a message: the shared one in direct conversations, its own in
    /// groups.
    pub(crate) fn envelope_of(&self, message: MessageNo, caller: AgentNo) -> Option<EnvelopeNo> {
        let row = &self.messages[message.index()];
        let (first, count) = row.envelopes;
        let direct = matches!(
            self.conversations[row.conversation.index()].kind,
            ConversationKind::Direct { .. }
        );
        if direct {
            return (count > 0).then_some(first);
        }
        (first.0..first.0 + count)
            .map(EnvelopeNo)
            .find(|number| self.envelopes[number.index()].owner == caller)
    }

    fn render_delivery(&self, members: &mut Members, form: Form) {
        let envelope = match form {
            Form::Fresh => return,
            Form::Delivery(None) => {
                members.raw("delivery_id", "null");
                members.text("status", "stored");
                members.time("delivered_at", None);
                members.time("read_at", None);
                return;
            }
            Form::Delivery(Some(number)) => {
                let envelope = &self.envelopes[number.index()];
                members.text("delivery_id", &delivery_text(envelope.delivery));
                envelope
            }
            Form::NullId(number) => {
                members.raw("delivery_id", "null");
                &self.envelopes[number.index()]
            }
            Form::Read(number) => &self.envelopes[number.index()],
        };
        members.text("status", status_name(envelope));
        members.time("delivered_at", envelope.delivered_at);
        members.time("read_at", envelope.read_at);
    }

    /// The block that newer servers write (wire.md 4.2).
    fn write_context(&self, out: &mut String, number: MessageNo) {
        let message = &self.messages[number.index()];
        let sender = &self.agents[message.sender.index()];
        let kind = if sender.handle == super::accounts::SYSTEM_AGENT {
            "system"
        } else {
            "agent"
        };
        out.push_str(r#"{"sender":{"handle":"#);
        push_text(out, &sender.handle);
        out.push_str(r#","display_name":"#);
        match &sender.display_name {
            Some(name) => push_text(out, name),
            None => out.push_str("null"),
        }
        let _infallible = write!(out, r#","kind":"{kind}"}},"conversation":"#);
        match &self.conversations[message.conversation.index()].kind {
            ConversationKind::Direct { .. } => {
                out.push_str(r#"{"type":"direct","group_name":null,"member_count":null}"#);
            }
            ConversationKind::Group(group) => {
                out.push_str(r#"{"type":"group","group_name":"#);
                push_text(out, &group.name);
                let _infallible = write!(out, r#","member_count":{}}}"#, group.present().count());
            }
        }
        out.push_str(r#","mentions":["#);
        for (at, handle) in mentions(&message.content).iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            let _infallible = write!(out, r#"{comma}"{handle}""#);
        }
        out.push_str("]}");
    }
}

fn status_name(envelope: &Envelope) -> &'static str {
    match envelope.state {
        DeliveryState::Stored => "stored",
        DeliveryState::Delivered | DeliveryState::Flushed => "delivered",
        DeliveryState::Read => "read",
    }
}

/// Handles written as `@handle` in the raw content.
fn mentions(content: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (at, _) in content.match_indices('@') {
        let handle: String = content[at + 1..]
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '-')
            .collect::<String>()
            .to_ascii_lowercase();
        let handle = handle.trim_end_matches('-').to_owned();
        if super::validate::is_handle(&handle) && !found.contains(&handle) {
            found.push(handle);
        }
    }
    found
}
