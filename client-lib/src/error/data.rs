//! What stands in `error.data`, one type for each code that has data.
//!
//! Readers are lenient: a member that is missing or new does no harm.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::api::Scope;

/// -32602: which part of `params` is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InvalidParamsData {
    /// A JSON Pointer into `params`; a missing member is pointed at where it should be.
    pub path: String,
    /// What is wrong there.
    #[serde(default)]
    pub reason: String,
}

/// -32602 of `daemon.reload`: the configuration on disk or in the environment cannot be used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BadConfigData {
    /// Always empty: no parameter is wrong.
    pub path: String,
    /// Always `bad_config`.
    pub reason: String,
    /// Each thing that is wrong: the place, the key and what is allowed.
    pub problems: Vec<String>,
}

/// -32602 of `outbox.retry` and `outbox.cancel`: the entry is not one of which this can be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OutboxStateData {
    /// The parameter that names the entry.
    pub path: String,
    /// `under_way`, `may_have_landed` or `over`.
    pub reason: String,
    /// The entry's state.
    pub state: String,
    /// The daemon's name for it.
    pub outbox_id: String,
}

/// -32600 for a request over the size limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LimitData {
    /// The limit.
    pub limit_bytes: u64,
}

/// -32600 for a batch of too many requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BatchLimitData {
    /// How many are allowed.
    pub limit_entries: u64,
}

/// -32001: AgentChat's answer. The members from `recipient_handle` on belong to single classes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ApiErrorData {
    /// AgentChat's own string, never replaced; `null` where it gave none.
    pub code: Option<String>,
    /// The HTTP status.
    pub status: u16,
    /// The SDK's class of error, without its prefix.
    pub class: String,
    /// AgentChat's words.
    pub message: String,
    /// AgentChat's name for the request.
    pub request_id: Option<String>,
    /// When it makes sense to try again.
    pub retry_after_ms: Option<u64>,
    /// AgentChat's details, unchanged.
    pub details: Option<Box<RawValue>>,
    /// `RecipientBackloggedError`, `AwaitingReplyError`: who.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient_handle: Option<String>,
    /// `RecipientBackloggedError`: how many wait there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undelivered_count: Option<u64>,
    /// `AwaitingReplyError`: since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<String>,
    /// `GroupDeletedError`: which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_id: Option<String>,
    /// `GroupDeletedError`: by whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_by_handle: Option<String>,
    /// `GroupDeletedError`: when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<String>,
    /// `EmailLimitReachedError`, `EmailExhaustedError`: the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// `HandleRequiredError`: which ones there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handles: Option<Vec<String>>,
    /// A send that goes on although the caller's time ran out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbox_id: Option<String>,
    /// Where that send stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// -32002: no HTTP answer at all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct UpstreamUnavailableData {
    /// What went wrong.
    pub reason: String,
    /// Attempts made.
    pub attempts: u64,
    /// When it makes sense to try again.
    pub retry_after_ms: Option<u64>,
    /// A send that goes on although the caller's time ran out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbox_id: Option<String>,
    /// Where that send stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// -32003: no API key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NotConfiguredData {
    /// What to do.
    pub hint: String,
}

/// -32004: the peer may not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PermissionDeniedData {
    /// The scope that would do.
    pub scope_needed: Scope,
    /// Who asked.
    pub uid: u32,
    /// What to do instead, where it is not the scope that is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// -32005: why a consumer cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConsumerConflictData {
    /// Which consumer.
    pub consumer: String,
    /// Why.
    pub reason: ConsumerConflictReason,
    /// The process that holds it.
    pub holder_pid: Option<i32>,
    /// The user that holds it.
    pub holder_uid: Option<u32>,
}

/// Why a consumer cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConsumerConflictReason {
    /// Another subscription has it.
    Attached,
    /// It is known with another filter.
    FilterDiffers,
}

/// -32006: what is not here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NotFoundData {
    /// The kind of thing: `consumer`, `subscription`, `outbox_entry`.
    pub what: String,
    /// Its name.
    pub id: String,
}

/// -32007: why the disk or the database refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StorageErrorData {
    /// Why.
    pub reason: String,
}

/// -32008: which local limit is hit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OverloadedData {
    /// The limit's name in the configuration, or the thing that it bounds.
    pub limit: String,
    /// When it makes sense to try again.
    #[serde(default)]
    pub retry_after_ms: Option<u64>,
}

/// -32010: the message that has the id.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConflictData {
    /// The id.
    pub client_msg_id: String,
    /// The message that was sent under it, where it is known.
    #[cfg_attr(feature = "schema", schemars(extend("anyOf" = crate::schema::message_or_null())))]
    pub message: Option<Box<RawValue>>,
}

/// -32011: the message that was given up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExpiredData {
    /// The sender's name for it.
    pub client_msg_id: String,
    /// The daemon's name for it.
    pub outbox_id: String,
}
