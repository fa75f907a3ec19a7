//! The daemon's errors as JSON-RPC errors; the one place that words them.

use agentchatd_client::error::{
    ApiErrorData, BadConfigData, BatchLimitData, ConflictData, ConsumerConflictData,
    ConsumerConflictReason, ExpiredData, InvalidParamsData, LimitData, NotConfiguredData,
    NotFoundData, OutboxStateData, OverloadedData, PermissionDeniedData, StorageErrorData,
    UpstreamUnavailableData,
};
use agentchatd_client::{ErrorCode, RpcError, Scope};
use jsonrpsee::types::ErrorObjectOwned;
use serde_json::value::RawValue;

use crate::command::{CallFailure, Hindrance, Refusal};
use crate::config::ConfigError;
use crate::feed::{AttachError, Holder};
use crate::rpc::peer::Caller;
use crate::store::StoreError;

/// The form in which jsonrpsee takes an error.
pub(crate) fn object(error: RpcError) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(error.code, error.message, error.data)
}

/// -32700.
pub(crate) fn not_json(reason: &str) -> RpcError {
    RpcError::new(ErrorCode::ParseError, format!("not JSON: {reason}"))
}

/// -32600.
pub(crate) fn invalid_request(reason: &str) -> RpcError {
    RpcError::new(
        ErrorCode::InvalidRequest,
        format!("invalid request: {reason}"),
    )
}

/// -32600 for a request over the limit.
pub(crate) fn too_long(limit_bytes: usize) -> RpcError {
    RpcError::new(ErrorCode::InvalidRequest, "the request is too long").with_data(&LimitData {
        limit_bytes: limit_bytes as u64,
    })
}

/// -32600 for a batch of too many requests.
pub(crate) fn too_many(limit_entries: usize) -> RpcError {
    let text = format!("the batch has more than {limit_entries} entries");
    RpcError::new(ErrorCode::InvalidRequest, text).with_data(&BatchLimitData {
        limit_entries: limit_entries as u64,
    })
}

/// -32600 for a subscription where nothing but one answer can be sent.
pub(crate) fn no_stream() -> RpcError {
    invalid_request(
        "events.subscribe needs a connection that streams: NDJSON, a WebSocket, or GET /events",
    )
}

/// -32601.
pub(crate) fn no_such_method(name: &str) -> RpcError {
    // The name came from the client: a long one is not thrown back whole.
    let name: String = name.chars().take(ECHO_CHARS).collect();
    RpcError::new(ErrorCode::MethodNotFound, format!("no such method: {name}"))
}

/// -32601 for a path that HTTP is not served at.
pub(crate) fn no_such_path(path: &str) -> RpcError {
    let path: String = path.chars().take(ECHO_CHARS).collect();
    RpcError::new(ErrorCode::MethodNotFound, format!("no such path: {path}"))
}

/// -32602 at a place in `params`.
pub(crate) fn invalid_params(path: &str, reason: impl Into<String>) -> RpcError {
    let reason = reason.into();
    RpcError::new(
        ErrorCode::InvalidParams,
        format!("invalid params at {path}: {reason}"),
    )
    .with_data(&InvalidParamsData {
        path: path.into(),
        reason,
    })
}

/// -32602 of a reload: what the daemon was given to read is wrong, though no parameter is.
pub(crate) fn bad_config(error: &ConfigError) -> RpcError {
    let text = format!("the configuration is left as it was: {error}");
    RpcError::new(ErrorCode::InvalidParams, text).with_data(&BadConfigData {
        path: String::new(),
        reason: "bad_config".into(),
        problems: error.problems.iter().map(ToString::to_string).collect(),
    })
}

/// -32602 for a webhook that is not AgentChat's; `reason` is one of the contract's words.
pub(crate) fn webhook(path: &str, reason: &str, words: &str) -> RpcError {
    RpcError::new(ErrorCode::InvalidParams, words).with_data(&InvalidParamsData {
        path: path.into(),
        reason: reason.into(),
    })
}

/// -32602 for an outbox entry of which this cannot be asked.
pub(crate) fn hindered(
    path: &str,
    entry: Entry<'_>,
    hindrance: Hindrance,
    asked: &str,
) -> RpcError {
    let (reason, why) = match hindrance {
        Hindrance::UnderWay => ("under_way", "an attempt is under way"),
        Hindrance::MayHaveLanded => ("may_have_landed", "an earlier attempt may have landed"),
        Hindrance::Over => ("over", "that stays"),
    };
    let text = format!(
        "the message cannot be {asked}: it is `{}`, and {why}",
        entry.state
    );
    RpcError::new(ErrorCode::InvalidParams, text).with_data(&OutboxStateData {
        path: path.into(),
        reason: reason.into(),
        state: entry.state.into(),
        outbox_id: entry.outbox_id.into(),
    })
}

/// -32603.
pub(crate) fn internal(reason: &str) -> RpcError {
    RpcError::new(
        ErrorCode::InternalError,
        format!("internal error: {reason}"),
    )
}

/// -32004.
pub(crate) fn permission_denied(caller: &Caller, scope_needed: Scope) -> RpcError {
    let message = format!("the scope `{}` is needed", scope_needed.as_str());
    RpcError::new(ErrorCode::PermissionDenied, message).with_data(&PermissionDeniedData {
        scope_needed,
        uid: caller.peer.uid,
        hint: None,
    })
}

/// -32004 for a file that the daemon does not open for this caller.
pub(crate) fn no_files(caller: &Caller) -> RpcError {
    let hint = "files are opened for the daemon's own user only; send the bytes (`data_base64`, \
                or PUT and GET /attachments), and fetch them from the address of \
                `attachments.download_url`";
    RpcError::new(
        ErrorCode::PermissionDenied,
        format!("the path of another user's file: {hint}"),
    )
    .with_data(&PermissionDeniedData {
        scope_needed: caller.scope.unwrap_or(Scope::Read),
        uid: caller.peer.uid,
        hint: Some(hint.into()),
    })
}

/// -32006.
pub(crate) fn not_found(what: &str, id: &str) -> RpcError {
    let id: String = id.chars().take(ECHO_CHARS).collect();
    RpcError::new(ErrorCode::NotFound, format!("no such {what}: {id}")).with_data(&NotFoundData {
        what: what.into(),
        id,
    })
}

/// -32007.
pub(crate) fn storage(error: &StoreError) -> RpcError {
    storage_reason(error.to_string())
}

/// -32007 for a file that is no database's.
pub(crate) fn disk(reason: &str) -> RpcError {
    RpcError::new(ErrorCode::StorageError, reason).with_data(&StorageErrorData {
        reason: reason.into(),
    })
}

/// -32008.
pub(crate) fn overloaded(limit: &str, retry_after_ms: Option<u64>) -> RpcError {
    RpcError::new(
        ErrorCode::Overloaded,
        format!("a local limit is hit: {limit}"),
    )
    .with_data(&OverloadedData {
        limit: limit.into(),
        retry_after_ms,
    })
}

/// -32009.
pub(crate) fn shutting_down() -> RpcError {
    RpcError::new(ErrorCode::ShuttingDown, "the daemon is stopping")
}

/// -32003.
pub(crate) fn not_configured() -> RpcError {
    let hint = "put the API key in a file with mode 0600 and name it with --api-key-file, or set \
                AGENTCHAT_API_KEY; or register an agent with agents.register and agents.verify";
    RpcError::new(
        ErrorCode::NotConfigured,
        "no API key is known to the daemon",
    )
    .with_data(&NotConfiguredData { hint: hint.into() })
}

/// -32010.
pub(crate) fn conflict(client_msg_id: &str, message: Option<&str>) -> RpcError {
    let message = message.and_then(|json| RawValue::from_string(json.to_owned()).ok());
    let text = "the client_msg_id was used before with another content or address";
    RpcError::new(ErrorCode::Conflict, text).with_data(&ConflictData {
        client_msg_id: client_msg_id.into(),
        message,
    })
}

/// -32011.
pub(crate) fn expired(client_msg_id: &str, outbox_id: &str) -> RpcError {
    RpcError::new(
        ErrorCode::Expired,
        "the message's time ran out before AgentChat took it",
    )
    .with_data(&ExpiredData {
        client_msg_id: client_msg_id.into(),
        outbox_id: outbox_id.into(),
    })
}

/// An entry of the outbox that an error is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    /// Its id.
    pub(crate) outbox_id: &'a str,
    /// Where it stands.
    pub(crate) state: &'a str,
}

/// -32002.
pub(crate) fn unavailable(
    reason: &str,
    attempts: u64,
    retry_after_ms: Option<u64>,
    entry: Option<Entry<'_>>,
) -> RpcError {
    let data = UpstreamUnavailableData {
        reason: reason.into(),
        attempts,
        retry_after_ms,
        outbox_id: entry.map(|entry| entry.outbox_id.to_owned()),
        state: entry.map(|entry| entry.state.to_owned()),
    };
    RpcError::new(
        ErrorCode::UpstreamUnavailable,
        format!("no answer from AgentChat: {reason}"),
    )
    .with_data(&data)
}

/// A call to the platform that failed; `entry` where a send goes on all the same.
pub(crate) fn call_failure(failure: CallFailure, entry: Option<Entry<'_>>) -> RpcError {
    match failure {
        CallFailure::Api(data) => {
            let data = ApiErrorData {
                outbox_id: entry.map(|entry| entry.outbox_id.to_owned()),
                state: entry.map(|entry| entry.state.to_owned()),
                ..*data
            };
            let message = if data.message.is_empty() {
                format!("AgentChat answered with status {}", data.status)
            } else {
                data.message.clone()
            };
            RpcError::new(ErrorCode::ApiError, message).with_data(&data)
        }
        CallFailure::Unavailable {
            reason,
            attempts,
            retry_after_ms,
        } => unavailable(&reason, attempts, retry_after_ms, entry),
        CallFailure::NotConfigured => not_configured(),
        CallFailure::ShuttingDown => shutting_down(),
        CallFailure::Storage { reason } => storage_reason(reason),
    }
}

/// A send that was not accepted.
pub(crate) fn refusal(refusal: Refusal, client_msg_id: &str) -> RpcError {
    match refusal {
        Refusal::Conflict { message } => conflict(client_msg_id, message.as_deref()),
        Refusal::Overloaded {
            limit,
            retry_after_ms,
        } => overloaded(limit, retry_after_ms),
        Refusal::Storage { reason } => storage_reason(reason),
        Refusal::ShuttingDown => shutting_down(),
        Refusal::NotConfigured => not_configured(),
    }
}

/// A consumer that cannot be had.
pub(crate) fn attach(error: AttachError, consumer: &str) -> RpcError {
    match error {
        AttachError::Held(holder) => {
            consumer_conflict(consumer, ConsumerConflictReason::Attached, Some(&holder))
        }
        AttachError::FilterDiffers(holder) => consumer_conflict(
            consumer,
            ConsumerConflictReason::FilterDiffers,
            holder.as_ref(),
        ),
        AttachError::Gone => not_found("consumer", consumer),
        AttachError::TooMany => overloaded("consumers", None),
    }
}

fn consumer_conflict(
    consumer: &str,
    reason: ConsumerConflictReason,
    holder: Option<&Holder>,
) -> RpcError {
    let message = match reason {
        ConsumerConflictReason::Attached => "the consumer is attached elsewhere",
        ConsumerConflictReason::FilterDiffers => "the consumer is known with another filter",
    };
    RpcError::new(ErrorCode::ConsumerConflict, message).with_data(&ConsumerConflictData {
        consumer: consumer.into(),
        reason,
        holder_pid: holder.and_then(|holder| holder.pid),
        holder_uid: holder.map(|holder| holder.uid),
    })
}

fn storage_reason(reason: String) -> RpcError {
    RpcError::new(
        ErrorCode::StorageError,
        format!("the database refused: {reason}"),
    )
    .with_data(&StorageErrorData { reason })
}

/// How much of a client's own text an error repeats.
const ECHO_CHARS: usize = 128;
