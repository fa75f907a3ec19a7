//! A failure of the platform as the record of an outbox entry, and back.

use std::sync::Arc;

use agentchatd_client::error::ApiErrorData;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use crate::{command::CallFailure, upstream::ApiFailure};

/// The failure as local callers are told of it, as JSON text: `{code, message, data}` like a
/// JSON-RPC error.
pub(super) fn record(failure: &ApiFailure) -> Arc<str> {
    let value = match failure {
        ApiFailure::Api(error) => json!({
            "code": API_ERROR,
            "message": error.message,
            "data": serde_json::to_value(error).unwrap_or_default(),
        }),
        other => json!({
            "code": UNAVAILABLE,
            "message": other.to_string(),
            "data": { "reason": other.to_string(), "attempts": 1, "retry_after_ms": null },
        }),
    };
    value.to_string().into()
}

/// The record of a send whose id turned out to name another message upstream.
pub(super) fn record_conflict(client_msg_id: &str, message: &str) -> Arc<str> {
    let message: Option<&RawValue> = serde_json::from_str(message).ok();
    json!({
        "code": CONFLICT,
        "message": "the client_msg_id was used before for another message",
        "data": { "client_msg_id": client_msg_id, "message": message },
    })
    .to_string()
    .into()
}

/// What a record says, for an answer.
#[derive(Debug)]
pub(super) enum Record {
    Failed(CallFailure),
    Conflict { message: Option<Arc<str>> },
}

/// Reads a record back; a caller that asks again gets the same answer, also after a restart.
pub(super) fn read(record: Option<&str>) -> Record {
    let Some(Read { code, data }) = record.and_then(|text| serde_json::from_str(text).ok()) else {
        return Record::Failed(unavailable("no attempt was made", 0));
    };
    match code {
        CONFLICT => {
            let message = data.get("message").filter(|message| !message.is_null());
            Record::Conflict {
                message: message.map(|message| message.to_string().into()),
            }
        }
        API_ERROR => match told(data) {
            Some(told) => Record::Failed(CallFailure::Api(Box::new(told))),
            None => Record::Failed(unavailable("the record cannot be read", 0)),
        },
        _ => {
            let reason = data
                .get("reason")
                .and_then(Value::as_str)
                .unwrap_or("no answer");
            let attempts = data.get("attempts").and_then(Value::as_u64).unwrap_or(0);
            Record::Failed(unavailable(reason, attempts))
        }
    }
}

/// A failure as an answer to a passed-on call.
pub(super) fn call_failure(failure: &ApiFailure) -> CallFailure {
    match failure {
        ApiFailure::Api(error) => match serde_json::to_value(error).map(told) {
            Ok(Some(told)) => CallFailure::Api(Box::new(told)),
            Ok(None) | Err(_) => unavailable(&error.message, 1),
        },
        ApiFailure::Unavailable(away) => CallFailure::Unavailable {
            reason: away.reason.clone(),
            attempts: away.attempts.into(),
            retry_after_ms: away.retry_after_ms,
        },
        other @ (ApiFailure::Shape { .. } | ApiFailure::Unsendable { .. }) => {
            unavailable(&other.to_string(), 1)
        }
    }
}

/// Both sides name the members as the contract does.
fn told(data: Value) -> Option<ApiErrorData> {
    serde_json::from_value(data).ok()
}

fn unavailable(reason: &str, attempts: u64) -> CallFailure {
    CallFailure::Unavailable {
        reason: reason.to_owned(),
        attempts,
        retry_after_ms: None,
    }
}

#[derive(Deserialize)]
struct Read {
    code: i64,
    #[serde(default)]
    data: Value,
}

// The contract's numbers (`local-api.md` 2).
const API_ERROR: i64 = -32001;
const UNAVAILABLE: i64 = -32002;
const CONFLICT: i64 = -32010;
