//! What JSON Schemas of the types need beyond their derives: rules over several members, and the form
//! of text that goes upstream.
//!
//! A schema says what is really read: the tests send what it lets pass and what it refuses to a
//! running daemon. Two rules hold for all parameters and are therefore laid over the finished schemas
//! by [`crate::openrpc`], not written at each type: an optional member may be `null`, and a whole number
//! has the bounds of its Rust type.

use schemars::Schema;
use schemars::transform::Transform;
use serde_json::{Value, json};

/// Text without U+0000, in the form that ECMA-262, Rust, Go and Python read alike.
pub(crate) const NO_NUL: &str = r"^[^\x00]*$";

/// AgentChat's message object among the components of the document.
pub(crate) const MESSAGE: &str = "#/components/schemas/PlatformMessage";

/// The same, or none.
pub(crate) fn message_or_null() -> Value {
    json!([{ "$ref": MESSAGE }, { "type": "null" }])
}

/// Exactly one of these members of a flat struct, with a space between two, is given.
pub(crate) fn exactly_one_of(members: &'static str) -> impl Transform {
    move |schema: &mut Schema| add_rule(schema, json!({ "oneOf": given(members) }))
}

/// At most one of these members of a flat struct is given.
pub(crate) fn at_most_one_of(members: &'static str) -> impl Transform {
    move |schema: &mut Schema| {
        let mut choices = given(members);
        choices.push(json!({ "not": { "anyOf": given(members) } }));
        add_rule(schema, json!({ "oneOf": choices }));
    }
}

/// Not both of these members of a flat struct are given, unless `other` is given too.
pub(crate) fn not_both_without(members: &'static str, other: &'static str) -> impl Transform {
    move |schema: &mut Schema| {
        let together = json!({ "not": { "allOf": given(members) } });
        let mut choices = given(other);
        choices.push(together);
        add_rule(schema, json!({ "anyOf": choices }));
    }
}

/// For each member a schema that holds where it is given; `null` counts as left out.
fn given(members: &str) -> Vec<Value> {
    let rule = |member: &str| {
        json!({
            "required": [member],
            "properties": { member: { "not": { "type": "null" } } },
        })
    };
    members.split(' ').map(rule).collect()
}

/// One rule more beside those that stand there.
fn add_rule(schema: &mut Schema, rule: Value) {
    let rules = schema
        .ensure_object()
        .entry("allOf")
        .or_insert_with(|| json!([]));
    if let Value::Array(rules) = rules {
        rules.push(rule);
    }
}
