//! Rows that others see: consumers and outbox entries.

use std::sync::Arc;

/// A durable consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerRow {
    /// Its name.
    pub name: String,
    /// Its filter, as JSON text.
    pub filter: Option<String>,
    /// Every event up to this offset is done with.
    pub acked: u64,
    /// No event above this offset was ever written to it.
    pub given: u64,
    /// How many unacknowledged events it takes.
    pub max_in_flight: u32,
    /// When it was made, microseconds since the epoch.
    pub created_at_us: i64,
    /// When it was last attached, microseconds since the epoch.
    pub last_seen_at_us: i64,
}

/// An entry of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its id, rising.
    pub outbox_id: u64,
    /// The caller's id of the message.
    pub client_msg_id: String,
    /// `queued`, `sending`, `sent`, `failed`, `expired`, `unknown` or `cancelled`.
    pub state: String,
    /// The recipient, where it goes to an agent.
    pub to: Option<String>,
    /// The group, where it goes to one.
    pub conversation_id: Option<String>,
    /// Attempts made.
    pub attempts: u32,
    /// When it was accepted, microseconds since the epoch.
    pub created_at_us: i64,
    /// When the next attempt is due.
    pub next_attempt_at_us: Option<i64>,
    /// When it expires.
    pub expires_at_us: Option<i64>,
    /// The last error, as JSON text.
    pub last_error: Option<String>,
    /// The platform's message, as JSON text.
    pub message: Option<Arc<str>>,
}

/// By what somebody names an entry of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutboxName {
    /// The daemon's id of it.
    Id(u64),
    /// The sender's id of the message.
    ClientMsgId(String),
}

/// What an attempt needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The caller's id of the message.
    pub client_msg_id: String,
    /// The body to post.
    pub body: Arc<str>,
    /// When it was accepted, microseconds since the epoch.
    pub created_at_us: i64,
}

/// What is on record for an entry that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The entry as others see it.
    pub row: OutboxRow,
    /// True where the platform answered with a message that it had before.
    pub replayed: bool,
    /// The `backlog.warning` that came with it, as JSON text.
    pub backlog: Option<Arc<str>>,
    /// Where the message stands in the log.
    pub offset: Option<u64>,
}

/// Figures for `daemon.status`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// The first offset kept, 0 where there is none.
    pub first_offset: u64,
    /// The last offset given out.
    pub last_offset: u64,
    /// Bytes of the log: bodies, and 160 for the rest of each event.
    pub log_bytes: u64,
    /// Bytes of the database and its WAL.
    pub bytes: u64,
    /// Outbox entries that wait.
    pub queued: u64,
    /// Outbox entries with an attempt under way.
    pub in_flight: u64,
    /// Outbox entries that failed.
    pub failed: u64,
    /// Outbox entries that wait after an attempt that failed.
    pub failing: u64,
    /// When the oldest waiting entry was accepted, microseconds since the epoch.
    pub oldest_queued_us: Option<i64>,
}
