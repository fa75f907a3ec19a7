//! `outbox.*`: what waits to be sent, and what became of it.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{At, only_one};

use super::common::{null_default, ranged};
use super::text::{ClientMsgId, Text};
use super::time::Timestamp;

/// Where an outbox entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OutboxState {
    /// Waits for its turn or for the time of its next attempt.
    Queued,
    /// An attempt is under way.
    Sending,
    /// AgentChat took it.
    Sent,
    /// It will not be sent.
    Failed,
    /// Its time ran out before AgentChat took it.
    Expired,
    /// The daemon cannot tell whether it landed.
    Unknown,
    /// Taken back by a caller.
    Cancelled,
}

impl OutboxState {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Unknown => "unknown",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Parameters of `outbox.list`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OutboxListParams {
    /// Only entries in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<OutboxState>,
    /// How many at most.
    #[serde(default, deserialize_with = "null_default")]
    pub limit: OutboxListLimit,
    /// A `next_after` of an earlier page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
}

ranged! {
    /// How many outbox entries a page holds.
    OutboxListLimit(u32), 1, 1_000, default 100
}

/// Parameters of `outbox.get`, `outbox.retry` and `outbox.cancel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "FlatOutboxKey", into = "FlatOutboxKey")]
pub struct OutboxEntryParams {
    /// Which entry.
    pub of: OutboxKey,
}

/// By what an outbox entry is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutboxKey {
    /// The daemon's name for it.
    OutboxId(Text),
    /// The sender's name for it.
    ClientMsgId(ClientMsgId),
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = crate::schema::exactly_one_of("outbox_id client_msg_id")))]
#[serde(deny_unknown_fields)]
struct FlatOutboxKey {
    /// The daemon's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outbox_id: Option<Text>,
    /// The sender's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_msg_id: Option<ClientMsgId>,
}

impl TryFrom<FlatOutboxKey> for OutboxEntryParams {
    type Error = At;

    fn try_from(flat: FlatOutboxKey) -> Result<Self, At> {
        let of = only_one([
            ("outbox_id", flat.outbox_id.map(OutboxKey::OutboxId)),
            (
                "client_msg_id",
                flat.client_msg_id.map(OutboxKey::ClientMsgId),
            ),
        ])?;
        Ok(Self { of })
    }
}

impl From<OutboxEntryParams> for FlatOutboxKey {
    fn from(params: OutboxEntryParams) -> Self {
        let (outbox_id, client_msg_id) = match params.of {
            OutboxKey::OutboxId(id) => (Some(id), None),
            OutboxKey::ClientMsgId(id) => (None, Some(id)),
        };
        Self {
            outbox_id,
            client_msg_id,
        }
    }
}

/// Result of `outbox.list`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OutboxPage {
    /// In the order in which they were accepted.
    pub entries: Vec<OutboxEntry>,
    /// Where the next page begins; `null` where this one was the last.
    pub next_after: Option<u64>,
}

/// One message that was given to the daemon.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OutboxEntry {
    /// The daemon's name for it.
    pub outbox_id: String,
    /// The sender's name for it.
    pub client_msg_id: ClientMsgId,
    /// Where it stands.
    pub state: OutboxState,
    /// The handle that it goes to, where it was addressed so.
    pub to: Option<String>,
    /// The conversation that it goes to, where it was addressed so or AgentChat told.
    pub conversation_id: Option<String>,
    /// Attempts made.
    pub attempts: u64,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it is tried next, where it waits.
    pub next_attempt_at: Option<Timestamp>,
    /// When it will be given up.
    pub expires_at: Option<Timestamp>,
    /// What the last attempt ended with: an error object as a caller would have seen it.
    pub last_error: Option<Box<RawValue>>,
    /// The message as AgentChat gave it back; `null` until it is sent.
    #[cfg_attr(feature = "schema", schemars(extend("anyOf" = crate::schema::message_or_null())))]
    pub message: Option<Box<RawValue>>,
}
