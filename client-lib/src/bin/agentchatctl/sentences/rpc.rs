//! The daemon's own errors, by code.

use agentchatd_client::error::{
    ConflictData, ConsumerConflictData, ConsumerConflictReason, ErrorCode, ExpiredData,
    InvalidParamsData, NotFoundData, OverloadedData, PermissionDeniedData, RpcError,
    StorageErrorData, UpstreamUnavailableData,
};
use serde::Deserialize;

use super::platform;

/// The sentence for an error of this method.
pub(super) fn sentence(method: &str, error: &RpcError) -> String {
    let message = error.message.as_str();
    let Some(code) = error.kind() else {
        return format!(
            "the daemon answered with an error that this version does not know: {message} \
             ({}); update agentchatctl",
            error.code
        );
    };
    match code {
        ErrorCode::ParseError | ErrorCode::InvalidRequest => format!(
            "the daemon cannot read the request: {message}; make it smaller, or compare \
             `agentchatctl --version` with `agentchatctl call daemon.version`"
        ),
        ErrorCode::MethodNotFound => format!(
            "this daemon has no method {method}; check the name, or update agentchatd \
             (`agentchatctl call daemon.version` tells its version)"
        ),
        ErrorCode::InvalidParams => invalid_params(error),
        ErrorCode::InternalError => {
            format!("the daemon has a fault: {message}; its log says more")
        }
        ErrorCode::ApiError => platform::sentence(method, &data(error), message),
        ErrorCode::UpstreamUnavailable => unavailable(&data(error)),
        ErrorCode::NotConfigured => {
            "the daemon has no API key; make or recover one with `agentchatctl login`, or give it \
             one with `api_key_file` in its configuration and `agentchatctl call daemon.reload`"
                .to_owned()
        }
        ErrorCode::PermissionDenied => denied(method, error),
        ErrorCode::ConsumerConflict => conflict(error),
        ErrorCode::NotFound => not_found(error),
        ErrorCode::StorageError => {
            let StorageErrorData { reason } = data(error);
            format!(
                "the daemon cannot write to its disk: {}; nothing was accepted, make room where \
                 `agentchatctl status` says the database is",
                or(&reason, message)
            )
        }
        ErrorCode::Overloaded => {
            let OverloadedData {
                limit,
                retry_after_ms,
            } = data(error);
            format!(
                "the daemon is at its limit of {}; {}",
                or(&limit, message),
                later(retry_after_ms)
            )
        }
        ErrorCode::ShuttingDown => "the daemon is stopping; try again when it is back".to_owned(),
        ErrorCode::Conflict => {
            let id = error
                .data_as::<ConflictData>()
                .map(|data| data.client_msg_id);
            format!(
                "another message was sent as {} before; leave --client-msg-id out, or take a new \
                 one",
                id.unwrap_or_else(|_| "that id".to_owned())
            )
        }
        ErrorCode::Expired => {
            let ExpiredData { outbox_id, .. } = data(error);
            format!(
                "the message's time ran out before AgentChat took it, so it was not sent; send it \
                 again with a longer --expires-in (its entry is {outbox_id})"
            )
        }
    }
}

fn invalid_params(error: &RpcError) -> String {
    let InvalidParamsData { path, reason } = data(error);
    let words = error.message.as_str();
    match reason.as_str() {
        "over" => return format!("{words}; nothing is left to be done"),
        "under_way" => return format!("{words}; try again in a moment"),
        "may_have_landed" => {
            return format!(
                "{words}; wait until the daemon knows, `agentchatctl outbox get` tells"
            );
        }
        _ => {}
    }
    let reason = or(&reason, &error.message).to_owned();
    let place = path.trim_start_matches('/').replace('/', ".");
    if place.is_empty() {
        format!("the daemon refuses the parameters: {reason}; correct them")
    } else {
        format!("the daemon refuses `{place}`: {reason}; correct it")
    }
}

fn unavailable(data: &UpstreamUnavailableData) -> String {
    let reason = or(&data.reason, "no answer");
    if data.state.as_deref() == Some("cancelled") {
        return "the message was taken back while it waited; send it anew if that was not meant"
            .to_owned();
    }
    match &data.outbox_id {
        Some(id) => format!(
            "AgentChat has not answered yet ({reason}), but the message is on disk and goes on by \
             itself; look at it with `agentchatctl outbox get {id}`"
        ),
        None => format!(
            "AgentChat cannot be reached ({reason}); check the network, {}",
            later(data.retry_after_ms)
        ),
    }
}

fn denied(method: &str, error: &RpcError) -> String {
    match error.data_as::<PermissionDeniedData>() {
        Ok(PermissionDeniedData {
            scope_needed, uid, ..
        }) => format!(
            "{method} needs the scope `{}`, which user {uid} does not have; give it in [access] of \
             the daemon's configuration, or run this as the daemon's user",
            scope_needed.as_str()
        ),
        Err(_) => format!(
            "the daemon does not let you do this: {}; run this as the daemon's user",
            error.message
        ),
    }
}

fn conflict(error: &RpcError) -> String {
    let Ok(data) = error.data_as::<ConsumerConflictData>() else {
        return format!("{}; take another name with --consumer", error.message);
    };
    let name = &data.consumer;
    match data.reason {
        ConsumerConflictReason::Attached => {
            let holder = data.holder_pid.map(|pid| format!(" by process {pid}"));
            format!(
                "the consumer {name} is in use{}; take another name, or take it over with \
                 `tail --takeover`",
                holder.unwrap_or_default()
            )
        }
        ConsumerConflictReason::FilterDiffers => format!(
            "the consumer {name} is known with another filter; leave --filter out to use that one, \
             or replace it with `tail --replace-filter`"
        ),
    }
}

fn not_found(error: &RpcError) -> String {
    let NotFoundData { what, id } = data(error);
    let list = match what.as_str() {
        "consumer" => "`agentchatctl consumers list` shows those that are there",
        "outbox_entry" => "`agentchatctl outbox list` shows those that are there",
        _ => "check the name",
    };
    if what.is_empty() {
        return format!("{}; {list}", error.message);
    }
    format!(
        "the daemon knows no {} {id}; {list}",
        what.replace('_', " ")
    )
}

/// When to come back.
pub(super) fn later(retry_after_ms: Option<u64>) -> String {
    match retry_after_ms {
        None | Some(0) => "try again later".to_owned(),
        Some(ms) => format!("try again in {} s", ms.div_ceil(1000)),
    }
}

fn or<'t>(text: &'t str, otherwise: &'t str) -> &'t str {
    if text.is_empty() { otherwise } else { text }
}

/// The data, or what there is of it.
fn data<T: Default + for<'de> Deserialize<'de>>(error: &RpcError) -> T {
    error.data_as::<T>().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(code: ErrorCode, data: &serde_json::Value) -> String {
        sentence("some.method", &RpcError::new(code, "words").with_data(data))
    }

    #[test]
    fn every_code_has_a_sentence_with_a_mend_even_without_data() {
        for &code in ErrorCode::ALL {
            for data in [json!(null), json!({})] {
                let sentence = of(code, &data);
                let (what, mend) = sentence.split_once(';').expect("a mend");
                assert!(!what.is_empty() && mend.len() > 10, "{code:?}: {sentence}");
                assert!(!sentence.ends_with('.'), "{sentence}");
            }
        }
        let unknown = RpcError {
            code: -1,
            message: "words".into(),
            data: None,
        };
        assert!(sentence("m", &unknown).contains("update"));
    }

    #[test]
    fn the_place_of_a_wrong_parameter_is_named() {
        let data = json!({"path": "/filter/types/0", "reason": "is no text"});
        let sentence = of(ErrorCode::InvalidParams, &data);
        assert!(
            sentence.contains("`filter.types.0`: is no text"),
            "{sentence}"
        );
    }

    #[test]
    fn a_send_that_goes_on_says_where_to_look() {
        let data = json!({"reason": "timed out", "attempts": 1, "outbox_id": "obx_7"});
        let sentence = of(ErrorCode::UpstreamUnavailable, &data);
        assert!(sentence.contains("outbox get obx_7"), "{sentence}");
    }

    #[test]
    fn an_entry_of_the_outbox_that_stays_as_it_is_says_why() {
        for reason in ["over", "under_way", "may_have_landed"] {
            let data = json!({"path": "/outbox_id", "reason": reason, "state": "sent"});
            let sentence = of(ErrorCode::InvalidParams, &data);
            assert!(sentence.starts_with("words; "), "{sentence}");
            assert!(!sentence.contains("outbox_id"), "{sentence}");
        }
        let data = json!({"reason": "x", "outbox_id": "7", "state": "cancelled"});
        assert!(of(ErrorCode::UpstreamUnavailable, &data).contains("taken back"));
    }

    #[test]
    fn a_consumer_in_use_names_its_holder() {
        let data = json!({"consumer": "c", "reason": "attached", "holder_pid": 12});
        assert!(of(ErrorCode::ConsumerConflict, &data).contains("process 12"));
        let data = json!({"consumer": "c", "reason": "filter_differs"});
        assert!(of(ErrorCode::ConsumerConflict, &data).contains("--replace-filter"));
    }
}
