//! Lists of the platform: history and conversations (`wire.md` 1.6, 1.7).
//!
//! Unlike sync, nothing is acknowledged by position here, so an unreadable entry is counted and
//! passed over; the rows behind it are as good as those before it.

use std::sync::Arc;

use agentchatd_engine::{Failure, Row};
use serde_json::value::RawValue;

use super::fields::{self, members};
use super::row;

/// The readable entries of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// In the server's order.
    pub items: Vec<T>,
    /// How many entries could not be read.
    pub unreadable: usize,
}

/// One conversation of the agent's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationItem {
    /// The conversation's id.
    pub id: Arc<str>,
    /// `direct`, `group` or whatever else the server says.
    pub kind: Option<Arc<str>>,
    /// When its last message was made, in microseconds since the Unix epoch.
    pub last_message_at_us: Option<i64>,
    /// The highest seq that waits unread, where the server tells it.
    pub newest_unread_seq: Option<u64>,
    /// The server's own JSON.
    pub raw: Arc<str>,
}

/// Reads a page of history.
///
/// # Errors
/// [`Failure::Shape`] where the text is no JSON array.
pub fn history(json: &str) -> Result<Page<Row>, Failure> {
    page(json, "history", |raw| row(raw).ok())
}

/// Reads the list of conversations.
///
/// # Errors
/// [`Failure::Shape`] where the text is no JSON array.
pub fn conversations(json: &str) -> Result<Page<ConversationItem>, Failure> {
    page(json, "the conversation list", conversation)
}

fn conversation(raw: &RawValue) -> Option<ConversationItem> {
    const NAMES: [&str; 4] = ["id", "type", "last_message_at", "newest_unread_seq"];
    let [id, kind, last, newest] = members(raw.get(), &NAMES).ok()?;
    Some(ConversationItem {
        id: fields::id(id?)?,
        kind: kind.and_then(fields::id),
        last_message_at_us: last.and_then(fields::micros),
        newest_unread_seq: newest.and_then(fields::seq),
        raw: Arc::from(raw.get()),
    })
}

fn page<T>(
    json: &str,
    what: &str,
    read: impl Fn(&RawValue) -> Option<T>,
) -> Result<Page<T>, Failure> {
    let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(json) else {
        return Err(Failure::Shape {
            reason: format!("an array was expected from {what}").into(),
        });
    };
    let total = elements.len();
    let items: Vec<T> = elements.into_iter().filter_map(read).collect();
    let unreadable = total - items.len();
    Ok(Page { items, unreadable })
}
