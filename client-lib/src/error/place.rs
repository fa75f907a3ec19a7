//! Where in `params` something is wrong, for rules that serde cannot place by itself.
//!
//! serde carries a custom error as text only. A rule over several members, or over text inside of a
//! raw JSON value, therefore words its error as `at /member: reason`; reading parameters for a server
//! splits it again and puts the pointer behind the place that serde knows. Read without that, the
//! sentence still makes sense.

use std::fmt;

/// A refusal with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    /// A JSON Pointer, relative to the value that was read.
    pub path: String,
    /// What is wrong there.
    pub reason: String,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}: {}", self.path, self.reason)
    }
}

impl std::error::Error for At {}

/// The one value of which exactly one must be given; a breach points at the first of the members.
pub(crate) fn only_one<T, const N: usize>(members: [(&str, Option<T>); N]) -> Result<T, At> {
    let names = members.each_ref().map(|(name, _)| *name);
    at_most_one(members)?.ok_or_else(|| breach("expected exactly one of", &names))
}

/// The one value of which at most one may be given; a breach points at the first of the members.
pub(crate) fn at_most_one<T, const N: usize>(
    members: [(&str, Option<T>); N],
) -> Result<Option<T>, At> {
    let names = members.each_ref().map(|(name, _)| *name);
    let mut given = members.into_iter().filter_map(|(_, value)| value);
    let value = given.next();
    if given.next().is_some() {
        return Err(breach("expected only one of", &names));
    }
    Ok(value)
}

fn breach(rule: &str, names: &[&str]) -> At {
    At {
        path: format!("/{}", names[0]),
        reason: format!("{rule} `{}`", names.join("`, `")),
    }
}

/// Adds one step to a JSON Pointer.
pub(crate) fn push_pointer(pointer: &mut String, step: &str) {
    pointer.push('/');
    for character in step.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

/// The text of an error without serde_json's line and column, which count in a part of the request.
pub(crate) fn without_position(error: &serde_json::Error) -> String {
    let mut text = error.to_string();
    if error.line() > 0
        && let Some(end) = text.rfind(" at line ")
    {
        text.truncate(end);
    }
    text
}
