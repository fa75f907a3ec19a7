//! The document as the tests read it: methods by name, values held against schemas.

use agentchatd_client::openrpc;
use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

/// A document.
pub(crate) struct Described {
    /// All of it.
    pub(crate) document: Value,
}

impl Described {
    /// The document of this build.
    pub(crate) fn new() -> Self {
        let document = openrpc::document("0.0.0", include_str!("../../docs/protocol.md"));
        Self::read(document.get())
    }

    /// The document that a text holds.
    pub(crate) fn read(text: &str) -> Self {
        let document = serde_json::from_str(text).expect("the document is JSON");
        Self { document }
    }

    /// Its methods, in its order.
    pub(crate) fn methods(&self) -> &[Value] {
        self.document["methods"].as_array().expect("a list")
    }

    /// The names of all methods.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.methods().iter().map(name).collect()
    }

    /// What checks values against a schema of the document.
    pub(crate) fn validator(&self, schema: &Value) -> Validator {
        let whole = json!({ "components": self.document["components"], "allOf": [schema] });
        jsonschema::options()
            .with_draft(Draft::Draft7)
            .should_validate_formats(true)
            .build(&whole)
            .unwrap_or_else(|error| panic!("{error}: {schema}"))
    }

    /// Holds a value against a schema of the document.
    pub(crate) fn fits(&self, what: &str, schema: &Value, value: &Value) {
        let validator = self.validator(schema);
        let errors: Vec<_> = validator
            .iter_errors(value)
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{what}: {errors:?} in {value}");
    }

    /// The schema of an error's data, by the error's code; `null` where it has none.
    pub(crate) fn error_data(&self, code: &Value) -> &Value {
        let errors = self.document["components"]["errors"].as_object();
        let mut errors = errors.expect("errors by name").values();
        let error = errors
            .find(|error| error["code"] == *code)
            .unwrap_or_else(|| panic!("no error {code}"));
        &error["data"]
    }

    /// The schema behind a reference.
    pub(crate) fn resolve<'s>(&'s self, schema: &'s Value) -> &'s Value {
        match schema["$ref"].as_str() {
            Some(reference) => self
                .document
                .pointer(reference.trim_start_matches('#'))
                .unwrap_or_else(|| panic!("{reference} leads nowhere")),
            None => schema,
        }
    }
}

/// A method's name.
pub(crate) fn name(method: &Value) -> &str {
    method["name"].as_str().expect("a method has a name")
}

/// The examples of a method.
pub(crate) fn examples(method: &Value) -> &[Value] {
    method["examples"].as_array().map_or(&[], Vec::as_slice)
}

/// The parameters of an example, as they go over the wire.
pub(crate) fn params(example: &Value) -> Map<String, Value> {
    let params = example["params"].as_array().expect("a list").iter();
    params
        .map(|param| {
            let name = param["name"].as_str().expect("a parameter has a name");
            (name.to_owned(), param["value"].clone())
        })
        .collect()
}
