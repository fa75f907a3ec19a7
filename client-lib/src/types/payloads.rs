//! Payloads of the events that the daemon itself makes. All other payloads are AgentChat's own.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::daemon::ConnectionState;
use super::outbox::OutboxState;

/// Payload of `message.failed`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MessageFailed {
    /// The sender's name for the message.
    pub client_msg_id: String,
    /// The daemon's name for it.
    pub outbox_id: String,
    /// Where it ended: `failed`, `expired`, `unknown` or `cancelled`.
    pub state: OutboxState,
    /// An error object as a caller would have seen it.
    pub error: Option<Box<RawValue>>,
}

/// Payload of `sequence.gap`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SequenceGap {
    /// The conversation.
    pub conversation_id: String,
    /// The first seq that was missing.
    pub expected_seq: u64,
    /// The lowest seq that waited behind the hole.
    pub buffered_seq: u64,
    /// What is still missing, as ranges from the first to the last seq.
    pub missing: Vec<(u64, u64)>,
    /// How long the hole stood open.
    pub gap_ms: u64,
    /// Whether nothing is missing any more.
    pub recovered: bool,
    /// How it ended.
    pub reason: GapReason,
}

/// How a hole in a conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// Every missing message came from history.
    GapFilled,
    /// History proved that the missing messages are not to be had.
    AbsentUpstream,
    /// History could not be read; it is asked again later.
    GapFillFailed,
    /// Too many messages waited behind the hole.
    BufferOverflow,
    /// A way that this version does not know.
    #[serde(other)]
    Unknown,
}

/// Payload of `log.truncated`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LogTruncated {
    /// The first offset that was removed unacknowledged.
    pub first_offset: u64,
    /// The last one.
    pub last_offset: u64,
    /// The durable consumers that had not acknowledged all of them; the first hundred.
    pub consumers: Vec<String>,
}

/// Payload of `connection.state`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConnectionChange {
    /// Where the connection stands now.
    pub state: ConnectionState,
    /// Why.
    pub reason: String,
    /// The close code or HTTP status, where there was one.
    pub code: Option<u16>,
    /// Attempts since it was last stable.
    pub attempt: u64,
    /// When the next attempt is made, where one is.
    pub retry_in_ms: Option<u64>,
}
