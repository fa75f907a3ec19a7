//! `conversations.list`, `sync.peek` and `sync.drain`.

use serde::{Deserialize, Serialize};

use super::common::{TimeoutMs, null_default, ranged};
use super::text::Id;

/// Parameters of `conversations.list`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConversationsListParams {
    /// How many at most; AgentChat decides where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// How many to pass over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u32>,
    /// How long the call may take; 30 s by default.
    #[serde(default, deserialize_with = "null_default")]
    pub timeout_ms: TimeoutMs,
}

/// Parameters of `sync.peek`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SyncPeekParams {
    /// How many rows at most; AgentChat decides where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<SyncPeekLimit>,
    /// The delivery id after which to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Id>,
    /// How long the call may take; 30 s by default.
    #[serde(default, deserialize_with = "null_default")]
    pub timeout_ms: TimeoutMs,
}

ranged! {
    /// How many undelivered rows to look at.
    SyncPeekLimit(u32), 1, 500, default 200
}

/// Result of `sync.drain`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SyncDrained {
    /// Rows that came in by this drain.
    pub drained: u64,
    /// Rows of which AgentChat says that they are delivered by its acknowledgements.
    pub acked: u64,
}
