//! The query of `GET /events` as the parameters of `events.subscribe`.
//!
//! It becomes JSON and is read as such, so what is allowed, and how a mistake is told, is the same
//! as for the method.

use agentchatd_client::RpcError;
use agentchatd_client::api::EventsSubscribe;
use agentchatd_client::params::parse_params;
use agentchatd_client::types::EventsSubscribeParams;
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::rpc::errors;

/// Reads a query.
///
/// # Errors
/// -32602 with the place in `params` that the query stands for.
pub(super) fn subscription(query: &str) -> Result<EventsSubscribeParams, RpcError> {
    let (mut params, mut filter) = (Map::new(), Map::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        // As a form sends what was left empty.
        if value.is_empty() {
            continue;
        }
        let (place, value) = match &*name {
            "consumer" | "ack" | "mode" => (&mut params, text(&value)),
            "from" => (&mut params, start(&value)),
            "max_in_flight" => (&mut params, number(&value)),
            "replace_filter" | "takeover" => (&mut params, truth(&value)),
            "types" | "conversations" | "senders" => {
                extend(&mut filter, &name, &value);
                continue;
            }
            "mentions_me" | "include_own" => (&mut filter, truth(&value)),
            _ => return Err(errors::invalid_params(&format!("/{name}"), "it is unknown")),
        };
        if place.insert(name.to_string(), value).is_some() {
            return Err(errors::invalid_params(
                &format!("/{name}"),
                "it stands twice",
            ));
        }
    }
    if !filter.is_empty() {
        params.insert("filter".into(), filter.into());
    }
    let params = Value::Object(params).to_string();
    Ok(parse_params::<EventsSubscribe>(Some(&params))?)
}

/// Whether a query says where to begin.
pub(super) fn says_from(query: &str) -> bool {
    let mut parameters = form_urlencoded::parse(query.as_bytes());
    parameters.any(|(name, value)| name == "from" && !value.is_empty())
}

/// Adds to a list: names divided by commas, and the parameter as often as one likes.
fn extend(filter: &mut Map<String, Value>, name: &str, value: &str) {
    let list = filter
        .entry(name)
        .or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(list) = list {
        list.extend(value.split(',').filter(|one| !one.is_empty()).map(text));
    }
}

fn text(value: &str) -> Value {
    value.into()
}

/// `now`, `earliest`, an offset, or a point in time.
fn start(value: &str) -> Value {
    let one = |name: &str, value| Value::Object(Map::from_iter([(name.to_owned(), value)]));
    match value {
        "now" | "earliest" => text(value),
        _ if value.bytes().all(|byte| byte.is_ascii_digit()) => one("offset", number(value)),
        // A plus that was not escaped is read as a space.
        _ => one("time", text(&value.replace(' ', "+"))),
    }
}

/// A number; what is none is refused as text where a number should be.
fn number(value: &str) -> Value {
    value
        .parse::<u64>()
        .map_or_else(|_| text(value), Value::from)
}

/// True or false; what is neither is refused as text where it should be one of them.
fn truth(value: &str) -> Value {
    match value {
        "true" | "1" => true.into(),
        "false" | "0" => false.into(),
        _ => text(value),
    }
}
