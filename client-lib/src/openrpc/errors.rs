//! Which errors there are, what their data looks like, and which method can give which.

use serde_json::{Map, Value, json};

use super::guide::Guide;
use super::schemas::Schemas;
use crate::api::MethodInfo;
use crate::error::{
    ApiErrorData, BadConfigData, BatchLimitData, ConflictData, ConsumerConflictData, ErrorCode,
    ExpiredData, InvalidParamsData, LimitData, NotConfiguredData, NotFoundData, OutboxStateData,
    OverloadedData, PermissionDeniedData, StorageErrorData, UpstreamUnavailableData,
};

/// All errors, by name; `data` is the schema of what stands there.
pub(super) fn components(schemas: &mut Schemas, guide: &Guide) -> Map<String, Value> {
    ErrorCode::ALL
        .iter()
        .map(|&code| {
            let when = guide.errors.get(&code.number()).cloned();
            let mut error = json!({
                "code": code.number(),
                "message": when.unwrap_or_else(|| code.name().to_owned()),
            });
            if let Some(data) = data(code, schemas) {
                error["data"] = data;
            }
            (code.name().to_owned(), error)
        })
        .collect()
}

/// The errors that a call of a method can end with, by their place in the components.
pub(super) fn references(method: &MethodInfo) -> Vec<Value> {
    of(method)
        .map(|code| json!({ "$ref": format!("#/components/errors/{}", code.name()) }))
        .collect()
}

fn of(method: &MethodInfo) -> impl Iterator<Item = ErrorCode> {
    let upstream: &[ErrorCode] = match method.upstream {
        // Nobody answers a frame.
        true if FRAMES.contains(&method.name) => &UPSTREAM[1..],
        true => UPSTREAM,
        false => &[],
    };
    let local = LOCAL
        .iter()
        .find(|(name, _)| *name == method.name)
        .map_or(&[] as &[_], |(_, codes)| *codes);
    let parts = [EVERY, upstream, local].concat();
    let is_keyless = KEYLESS.contains(&method.name);
    let in_order = ErrorCode::ALL.iter().copied();
    in_order.filter(move |code| {
        parts.contains(code) && !(is_keyless && *code == ErrorCode::NotConfigured)
    })
}

/// The schema of an error's data; `None` where it has none.
fn data(code: ErrorCode, schemas: &mut Schemas) -> Option<Value> {
    Some(match code {
        ErrorCode::ParseError
        | ErrorCode::MethodNotFound
        | ErrorCode::InternalError
        | ErrorCode::ShuttingDown => return None,
        ErrorCode::InvalidRequest => {
            let limits = [schemas.of::<LimitData>(), schemas.of::<BatchLimitData>()];
            json!({ "anyOf": limits })
        }
        ErrorCode::InvalidParams => {
            let forms = [
                schemas.of::<InvalidParamsData>(),
                schemas.of::<BadConfigData>(),
                schemas.of::<OutboxStateData>(),
            ];
            json!({ "anyOf": forms })
        }
        ErrorCode::ApiError => schemas.of::<ApiErrorData>(),
        ErrorCode::UpstreamUnavailable => schemas.of::<UpstreamUnavailableData>(),
        ErrorCode::NotConfigured => schemas.of::<NotConfiguredData>(),
        ErrorCode::PermissionDenied => schemas.of::<PermissionDeniedData>(),
        ErrorCode::ConsumerConflict => schemas.of::<ConsumerConflictData>(),
        ErrorCode::NotFound => schemas.of::<NotFoundData>(),
        ErrorCode::StorageError => schemas.of::<StorageErrorData>(),
        ErrorCode::Overloaded => schemas.of::<OverloadedData>(),
        ErrorCode::Conflict => schemas.of::<ConflictData>(),
        ErrorCode::Expired => schemas.of::<ExpiredData>(),
    })
}

/// What any call can end with.
const EVERY: &[ErrorCode] = &[
    ErrorCode::InvalidParams,
    ErrorCode::InternalError,
    ErrorCode::PermissionDenied,
    ErrorCode::ShuttingDown,
];

/// The calls that are a frame over the socket.
const FRAMES: &[&str] = &["typing.start", "typing.stop", "realtime.send"];

/// What a call that asks AgentChat can end with; an answer of it first.
const UPSTREAM: &[ErrorCode] = &[
    ErrorCode::ApiError,
    ErrorCode::UpstreamUnavailable,
    ErrorCode::NotConfigured,
];

/// What asks AgentChat without a key, and does not miss one.
const KEYLESS: &[&str] = &[
    "agents.register",
    "agents.verify",
    "agents.recover",
    "agents.recover_verify",
];

/// What single methods can end with beside that.
const LOCAL: &[(&str, &[ErrorCode])] = {
    use ErrorCode::{
        Conflict, ConsumerConflict, Expired, NotConfigured, NotFound, Overloaded, StorageError,
    };
    &[
        (
            "events.subscribe",
            &[ConsumerConflict, StorageError, Overloaded],
        ),
        ("agents.verify", &[Overloaded]),
        ("agents.recover_verify", &[Overloaded]),
        ("agents.rotate_key_verify", &[Overloaded]),
        ("events.ack", &[NotFound, StorageError]),
        ("events.fetch", &[ConsumerConflict, StorageError]),
        ("events.unsubscribe", &[NotFound]),
        ("consumers.delete", &[NotFound, StorageError]),
        ("consumers.seek", &[NotFound, StorageError]),
        ("attachments.download", &[StorageError]),
        (
            "messages.send",
            &[StorageError, Overloaded, Conflict, Expired],
        ),
        ("typing.start", &[Overloaded]),
        ("typing.stop", &[Overloaded]),
        ("realtime.send", &[Overloaded]),
        ("outbox.get", &[NotFound, StorageError]),
        (
            "outbox.retry",
            &[NotConfigured, NotFound, StorageError, Overloaded],
        ),
        ("outbox.cancel", &[NotFound, StorageError]),
    ]
};
