//! Members of JSON objects, as far as they are there.

use serde_json::Value;

/// A member that is text.
pub(crate) fn text<'v>(value: &'v Value, member: &str) -> Option<&'v str> {
    value.get(member)?.as_str()
}

/// A member that is a whole number.
pub(crate) fn number(value: &Value, member: &str) -> Option<u64> {
    value.get(member)?.as_u64()
}

/// A member that is true; everything else is false.
pub(crate) fn flag(value: &Value, member: &str) -> bool {
    value.get(member).and_then(Value::as_bool).unwrap_or(false)
}

/// A member that is a list; the value itself with an empty name.
pub(crate) fn list<'v>(value: &'v Value, member: &str) -> &'v [Value] {
    let found = if member.is_empty() {
        Some(value)
    } else {
        value.get(member)
    };
    found.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A member that is a handle, with its `@`; empty where there is none.
pub(crate) fn handle(value: &Value, member: &str) -> String {
    text(value, member).map_or_else(String::new, |handle| format!("@{handle}"))
}
