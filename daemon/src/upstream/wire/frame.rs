//! One WebSocket frame of the server (`wire.md` 2.5).

use std::sync::Arc;

use agentchatd_engine::Row;
use serde_json::value::RawValue;

use super::fields::{self, members};
use super::row;

/// What a frame of the server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// `message.new` with a readable message.
    Message(Row),
    /// The hello was taken.
    HelloOk {
        /// True where the server will wait for acknowledgements (`wire.md` 2.7).
        ack: bool,
    },
    /// Every other type, those that nobody knows yet included.
    Event(Event),
    /// No frame of this protocol. It is reported and passed over, never a reason to disconnect.
    Unreadable {
        /// What was expected; says nothing of the content.
        reason: Arc<str>,
    },
}

/// A frame that carries no message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The frame's `type`.
    pub kind: Arc<str>,
    /// `conversation_id` of the payload, or its `group_id`.
    pub conversation_id: Option<Arc<str>>,
    /// `message_id` of the payload.
    pub message_id: Option<Arc<str>>,
    /// The payload's own JSON; `null` where there is none.
    pub payload: Arc<str>,
}

/// Reads the text of one frame. Never fails: what cannot be read is [`Frame::Unreadable`].
#[must_use]
pub fn frame(json: &str) -> Frame {
    let Ok([kind, payload, capabilities]) = members(json, &["type", "payload", "capabilities"])
    else {
        return unreadable("a frame is no JSON object");
    };
    let Some(kind) = kind.and_then(fields::id) else {
        return unreadable("a frame has no usable `type`");
    };
    match &*kind {
        "hello.ok" => Frame::HelloOk {
            ack: capabilities.is_some_and(has_ack),
        },
        "message.new" => message(payload),
        _ => Frame::Event(event(kind, payload)),
    }
}

fn message(payload: Option<&RawValue>) -> Frame {
    match payload.map(row) {
        Some(Ok(row)) => Frame::Message(row),
        Some(Err(unreadable)) => Frame::Unreadable {
            reason: unreadable.reason,
        },
        None => unreadable("a message frame has no `payload`"),
    }
}

fn event(kind: Arc<str>, payload: Option<&RawValue>) -> Event {
    const NAMES: [&str; 3] = ["conversation_id", "group_id", "message_id"];
    let [conversation, group, message] = payload
        .and_then(|raw| members(raw.get(), &NAMES).ok())
        .unwrap_or_default();
    Event {
        kind,
        conversation_id: conversation
            .and_then(fields::id)
            .or_else(|| group.and_then(fields::id)),
        message_id: message.and_then(fields::id),
        payload: Arc::from(payload.map_or("null", RawValue::get)),
    }
}

fn has_ack(capabilities: &RawValue) -> bool {
    serde_json::from_str::<Vec<&RawValue>>(capabilities.get()).is_ok_and(|list| {
        list.into_iter()
            .filter_map(fields::text)
            .any(|name| name == "ack")
    })
}

fn unreadable(reason: &str) -> Frame {
    Frame::Unreadable {
        reason: Arc::from(reason),
    }
}
