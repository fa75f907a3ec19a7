//! The examples of a method, from the protocol page.

use serde_json::{Value, json};

use super::guide::{Answer, Exchange, Guide};
use super::sample::fill;
use super::schemas::Components;
use crate::api::MethodInfo;

/// The examples of a method, in the order of the page; `name` ends with their place
/// there.
pub(super) fn of(
    method: &MethodInfo,
    guide: &Guide,
    params: &Value,
    result: &Value,
    errors: &Value,
    all: &Components,
) -> Vec<Value> {
    let of_method = guide.examples.iter();
    of_method
        .filter(|exchange| exchange.method == method.name)
        .map(|exchange| example(exchange, method, params, result, errors, all))
        .collect()
}

fn example(
    exchange: &Exchange,
    method: &MethodInfo,
    params: &Value,
    result: &Value,
    errors: &Value,
    all: &Components,
) -> Value {
    let name = format!("{} {}", exchange.method, exchange.place);
    let mut example = json!({
        "name": name,
        "params": members(&exchange.params, method, params, all),
    });
    match &exchange.answer {
        Answer::Result(shown) => {
            example["result"] = json!({ "name": "result", "value": fill(shown, result, all) });
        }
        Answer::Error(shown) => {
            let mut known = errors.as_object().into_iter().flatten();
            let error = known.find(|(_, error)| error["code"] == shown["code"]);
            let data = error.map_or(&Value::Null, |(_, error)| &error["data"]);
            let message = error.map_or(&Value::Null, |(_, error)| &error["message"]);
            example["x-error"] = json!({
                "code": shown["code"],
                "message": message,
                "data": fill(&shown["data"], data, all),
            });
        }
    }
    example
}

/// The parameters of an example, by name.
fn members(shown: &Value, method: &MethodInfo, schema: &Value, all: &Components) -> Vec<Value> {
    let by_name = match (shown, method.positional) {
        (Value::Array(values), Some(member)) => json!({ member: values.first() }),
        (shown, _) => shown.clone(),
    };
    let properties = &all.resolve(schema)["properties"];
    let members = by_name.as_object().into_iter().flatten();
    members
        .map(|(name, shown)| json!({ "name": name, "value": fill(shown, &properties[name], all) }))
        .collect()
}

/// One value of the page, filled in.
pub(super) fn value(shown: &Value, schema: &Value, all: &Components) -> Value {
    fill(shown, schema, all)
}
