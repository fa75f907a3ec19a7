//! One message object into a [`Row`] (`wire.md` 4.1).
//!
//! A row needs its two ids and nothing else. The body is the slice of JSON that came, so what goes
//! out to a local client later is the server's own text.

use std::sync::Arc;

use agentchatd_engine::Row;
use serde_json::value::RawValue;

use super::Cursor;
use super::fields::{self, members};

/// Why something is no message; says nothing of its content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unreadable {
    /// What was expected.
    pub reason: Arc<str>,
}

impl Unreadable {
    pub(super) fn new(reason: impl Into<Arc<str>>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}

const NAMES: [&str; 12] = [
    "id",
    "conversation_id",
    "seq",
    "sender",
    "sender_handle",
    "client_msg_id",
    "created_at",
    "status",
    "type",
    "content",
    "context",
    "delivery_id",
];

/// Reads a message object.
///
/// # Errors
/// Where it is no object, or one of the two ids is missing, empty, too long or no string.
pub fn row(raw: &RawValue) -> Result<Row, Unreadable> {
    row_and_delivery(raw).map(|(row, _)| row)
}

/// Reads a message object, and its `delivery_id` as sync rows have it.
pub(super) fn row_and_delivery(raw: &RawValue) -> Result<(Row, Option<Cursor>), Unreadable> {
    let [
        id,
        conversation,
        seq,
        sender,
        sender_handle,
        client_id,
        created,
        status,
        kind,
        content,
        context,
        delivery_id,
    ] = members(raw.get(), &NAMES).map_err(|_| Unreadable::new("a message is no JSON object"))?;
    let needed = |member: Option<&RawValue>, name: &str| {
        member.and_then(fields::id).ok_or_else(|| {
            Unreadable::new(format!(
                "a message has no usable `{name}` (1 to 256 bytes of text)"
            ))
        })
    };
    let is = |member: Option<&RawValue>, wanted: &str| {
        member
            .and_then(fields::text)
            .is_some_and(|text| text == wanted)
    };
    let message_id = needed(id, "id")?;
    let client_msg_id = client_id.and_then(fields::id);
    let is_notice = is(kind, "system")
        && (is_minted(&message_id, client_msg_id.as_deref()) || context.is_some_and(is_of_system));
    let row = Row {
        message_id,
        conversation_id: needed(conversation, "conversation_id")?,
        seq: seq.and_then(fields::seq),
        sender: sender
            .and_then(fields::handle)
            .or_else(|| sender_handle.and_then(fields::handle)),
        client_msg_id,
        created_at: created.and_then(fields::micros),
        undelivered: is(status, "stored"),
        joined: content.filter(|_| is_notice).and_then(joined),
        body: Arc::from(raw.get()),
    };
    Ok((row, delivery_id.and_then(Cursor::from_raw)))
}

/// Reads a message object from text, for instance the body of an answer.
///
/// # Errors
/// As [`row`], and where the text is no JSON.
pub fn row_from_json(json: &str) -> Result<Row, Unreadable> {
    let raw = serde_json::from_str::<&RawValue>(json)
        .map_err(|_| Unreadable::new("a message is no JSON"))?;
    row(raw)
}

/// True where the platform made the message: its `client_msg_id` is made of its id, which no sender
/// knows beforehand. The type alone proves nothing, since servers of old let agents send any
/// (`wire.md` 4.1, 11.47).
fn is_minted(id: &str, client_msg_id: Option<&str>) -> bool {
    client_msg_id.and_then(|minted| minted.strip_prefix("sys_")) == Some(id)
}

/// True where the platform's own block says that the system speaks (`wire.md` 4.2).
fn is_of_system(context: &RawValue) -> bool {
    let kind = || {
        let [sender] = members(context.get(), &["sender"]).ok()?;
        let [kind] = members(sender?.get(), &["kind"]).ok()?;
        fields::text(kind?)
    };
    kind().is_some_and(|kind| kind == "system")
}

/// The one who joined, where `content` is that of a `member_joined` notice (`wire.md` 4.3).
fn joined(content: &RawValue) -> Option<Arc<str>> {
    let [data] = members(content.get(), &["data"]).ok()?;
    let [event, agent] = members(data?.get(), &["event", "agent_handle"]).ok()?;
    (fields::text(event?)? == "member_joined")
        .then(|| fields::handle(agent?))
        .flatten()
}
