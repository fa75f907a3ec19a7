//! Values for what an example of the protocol page leaves open.
//!
//! On the page `"…"` stands for any value and `"{name}"` for one that comes back later. Here both get
//! a value that the schema of their place allows, the same one for the same name.

use serde_json::{Map, Value};

use super::schemas::Components;

/// Fills in what a value leaves open, and the members that its schema demands beside those that are shown.
pub(super) fn fill(value: &Value, schema: &Value, all: &Components) -> Value {
    match value {
        Value::String(text) => match open(text) {
            Some(name) => make(schema, name, all),
            None => value.clone(),
        },
        Value::Array(items) => {
            let inner = &branch(schema, &[], all)["items"];
            items.iter().map(|item| fill(item, inner, all)).collect()
        }
        Value::Object(members) => {
            let shown: Vec<_> = members.keys().map(String::as_str).collect();
            let schema = branch(schema, &shown, all);
            let mut filled = Map::new();
            for (name, value) in members {
                let inner = &schema["properties"][name];
                filled.insert(name.clone(), fill(value, inner, all));
            }
            complete(&mut filled, schema, all);
            Value::Object(filled)
        }
        other => other.clone(),
    }
}

/// The text that stands for a name of the page.
pub fn text_of(name: &str) -> String {
    let known = match name {
        "" => "…",
        "message" => "msg_Zk3vQx81TtYbN0aE",
        "answer" => "msg_p7RrW2mJc40LdUoS",
        "conversation" => "conv_B6yTnX0fKq3sVhGi",
        "group" => "grp_u1DzPw9eMa5oCxRj",
        "invite" => "gri_H8kLtE2bYv7nSqFd",
        "attachment" => "att_w4JgNc6uXo1iKzMr",
        "webhook" => "whk_Q0aVsB5yTe8pLhUf",
        "pending" => "pnd_m2RxWd7jGk9lCoNz",
        other => return format!("{other}-1"),
    };
    known.to_owned()
}

/// The name of an open value; empty for `…`.
fn open(text: &str) -> Option<&str> {
    if text == "…" {
        return Some("");
    }
    text.strip_prefix('{')?.strip_suffix('}')
}

/// A value that fits.
fn make(schema: &Value, name: &str, all: &Components) -> Value {
    let schema = branch(schema, &[], all);
    if let Some(Value::Array(words)) = schema.get("enum") {
        return words.first().cloned().unwrap_or_default();
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str),
        kind => kind.as_str(),
    };
    match kind {
        Some("integer" | "number") => {
            let least = schema["minimum"].as_i64();
            least.unwrap_or(0).max(1).into()
        }
        Some("boolean") => false.into(),
        Some("array") => Value::Array(Vec::new()),
        Some("object") => {
            let mut members = Map::new();
            complete(&mut members, schema, all);
            Value::Object(members)
        }
        Some("null") => Value::Null,
        Some("string") if schema["format"] == "date-time" => TIME.into(),
        // Where anything goes it is AgentChat's own: an object, but for what the page gave a name.
        None if name.is_empty() => Value::Object(Map::new()),
        _ => text_of(name).into(),
    }
}

/// Adds the members that have to be there.
fn complete(members: &mut Map<String, Value>, schema: &Value, all: &Components) {
    for name in schema["required"].as_array().into_iter().flatten() {
        if let Some(name) = name.as_str()
            && !members.contains_key(name)
        {
            let value = make(&schema["properties"][name], "", all);
            members.insert(name.to_owned(), value);
        }
    }
}

/// The schema behind references and choices: of several the first that knows all these members.
fn branch<'s>(schema: &'s Value, shown: &[&str], all: &'s Components) -> &'s Value {
    let schema = all.resolve(schema);
    let choices = ["anyOf", "oneOf", "allOf"].map(|rule| schema[rule].as_array());
    let mut choices = choices.into_iter().flatten().flatten();
    if schema.get("properties").is_some() || schema.get("type").is_some() {
        return schema;
    }
    let knows_all = |choice: &&Value| {
        let properties = &branch(choice, shown, all)["properties"];
        shown.iter().all(|name| properties.get(name).is_some())
    };
    let first = choices.clone().next();
    match choices.find(knows_all).or(first) {
        Some(choice) => branch(choice, shown, all),
        None => schema,
    }
}

/// When it is in the examples.
const TIME: &str = "2026-11-23T12:00:00.123Z";
