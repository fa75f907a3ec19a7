//! AgentChat's own JSON, which the daemon passes on unchanged: schemas that tell its shape without
//! insisting on it. A newer AgentChat may leave members out or add some, so hardly any is required.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::schemas::reference;

/// What is known of AgentChat's answers.
#[derive(Debug, Deserialize)]
pub(super) struct Platform {
    /// The components.
    pub(super) schemas: Map<String, Value>,
    /// The result of a method in short form: a name, `[item]`, or an object of such.
    results: Map<String, Value>,
}

impl Platform {
    pub(super) fn known() -> Self {
        serde_json::from_str(include_str!("platform.json"))
            .expect("the file is part of this program and read by its tests")
    }

    /// The schema of a method's result, where it is AgentChat's.
    pub(super) fn result(&self, method: &str) -> Option<Value> {
        self.results.get(method).map(expand)
    }
}

fn expand(short: &Value) -> Value {
    match short {
        Value::String(name) => reference(name),
        Value::Array(items) => json!({ "type": "array", "items": items.first().map(expand) }),
        Value::Object(members) => {
            let properties: Map<_, _> = members
                .iter()
                .map(|(name, short)| (name.clone(), expand(short)))
                .collect();
            json!({ "type": "object", "properties": properties })
        }
        _ => json!(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_a_result_uses_has_a_schema() {
        let platform = Platform::known();
        for method in platform.results.keys() {
            let schema = platform.result(method).unwrap().to_string();
            for name in schema.split("schemas/").skip(1) {
                let name = name.split('"').next().unwrap();
                assert!(platform.schemas.contains_key(name), "{method}: {name}");
            }
        }
    }
}
