//! Body checks with the platform's schema messages.

use super::answer::Answer;
use super::draft::message_kind;
use super::json::{normalised, normalised_object};
use serde_json::{Map, Value};

const HANDLE_LENGTHS: std::ops::RangeInclusive<usize> = 3..=30;
const CLIENT_MSG_ID_CHARS: usize = 128;

/// A send whose body passed the schema.
#[derive(Debug)]
pub(crate) struct SendBody {
    pub(crate) target: Target,
    pub(crate) client_msg_id: String,
    pub(crate) kind: &'static str,
    pub(crate) content: String,
    pub(crate) metadata: Option<String>,
    pub(crate) attachment: Option<String>,
    /// U+0000 somewhere in it: the database refuses it.
    pub(crate) poison: bool,
}

/// Where a send goes.
#[derive(Debug)]
pub(crate) enum Target {
    Handle(String),
    Conversation(String),
}

/// Whether a text is a handle in its bare form.
pub(crate) fn is_handle(text: &str) -> bool {
    HANDLE_LENGTHS.contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && !text.contains("--")
        && text
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// Whether a text has the form of a mail address.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((name, domain)) = text.split_once('@') else {
        return false;
    };
    let dotted = domain.split_once('.');
    let whole = dotted.is_some_and(|(host, rest)| !host.is_empty() && !rest.ends_with('.'));
    whole
        && !name.is_empty()
        && !domain.contains('@')
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// A handle as the platform reads it: one `@` stripped, lower case.
pub(crate) fn bare_handle(text: &str) -> String {
    text.strip_prefix('@').unwrap_or(text).to_lowercase()
}

/// The schema's name of a value's type.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn expected(wanted: &str, value: &Value) -> String {
    format!("Expected {wanted}, received {}", type_name(value))
}

/// Field problems, gathered before anything is answered.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<(&'static str, String)>);

impl Problems {
    pub(crate) fn add(&mut self, field: &'static str, problem: impl Into<String>) {
        self.0.push((field, problem.into()));
    }

    /// 400 when there is any problem.
    pub(crate) fn finish(self) -> Result<(), Answer> {
        if self.0.is_empty() {
            return Ok(());
        }
        let fields: Vec<(&str, &str)> = self.0.iter().map(|(f, p)| (*f, p.as_str())).collect();
        Err(Answer::invalid(&[], &fields))
    }

    /// A text of limited length; `None` with a problem noted when it is missing or wrong.
    pub(crate) fn text(
        &mut self,
        map: &Map<String, Value>,
        field: &'static str,
        lengths: std::ops::RangeInclusive<usize>,
    ) -> Option<String> {
        let Some(value) = map.get(field) else {
            self.add(field, "Required");
            return None;
        };
        let Value::String(text) = value else {
            self.add(field, expected("string", value));
            return None;
        };
        // JavaScript counts UTF-16 units.
        let length = text.encode_utf16().count();
        if length < *lengths.start() {
            let text = format!(
                "String must contain at least {} character(s)",
                lengths.start()
            );
            self.add(field, text);
            return None;
        }
        if length > *lengths.end() {
            let text = format!("String must contain at most {} character(s)", lengths.end());
            self.add(field, text);
            return None;
        }
        Some(text.clone())
    }

    /// The same for a member that may be absent.
    pub(crate) fn optional_text(
        &mut self,
        map: &Map<String, Value>,
        field: &'static str,
        lengths: std::ops::RangeInclusive<usize>,
    ) -> Option<String> {
        map.contains_key(field)
            .then(|| self.text(map, field, lengths))
            .flatten()
    }
}

/// The object of a body that a schema checks.
pub(crate) fn object(body: &[u8]) -> Result<Map<String, Value>, Answer> {
    match super::json::parse(body) {
        None => Err(Answer::bad_json()),
        Some(Value::Object(map)) => Ok(map),
        Some(other) => Err(Answer::invalid(&[&expected("object", &other)], &[])),
    }
}

/// Checks the body of a send (step 2 of wire.md 1.6).
pub(crate) fn send_body(body: &[u8]) -> Result<SendBody, Answer> {
    let map = object(body)?;
    let mut problems = Problems::default();
    let to = problems.optional_text(&map, "to", 0..=usize::MAX);
    let conversation = problems.optional_text(&map, "conversation_id", 0..=usize::MAX);
    let client_msg_id = problems.text(&map, "client_msg_id", 1..=CLIENT_MSG_ID_CHARS);
    let kind = match map.get("type") {
        None => Some("text"),
        Some(Value::String(name)) => {
            let kind = message_kind(name);
            if kind.is_none() {
                let wanted = "'text' | 'structured' | 'file' | 'system'";
                let text = format!("Invalid enum value. Expected {wanted}, received '{name}'");
                problems.add("type", text);
            }
            kind
        }
        Some(other) => {
            problems.add("type", expected("string", other));
            None
        }
    };
    let content = content(map.get("content"), &mut problems);
    let metadata = match map.get("metadata") {
        None => None,
        Some(Value::Object(metadata)) => Some(metadata),
        Some(other) => {
            problems.add("metadata", expected("object", other));
            None
        }
    };
    problems.finish()?;
    let target = match (to, conversation) {
        (Some(handle), None) => Target::Handle(handle),
        (None, Some(id)) => Target::Conversation(id),
        (Some(_), Some(_)) | (None, None) => {
            let text = "Exactly one of `to` or `conversation_id` must be provided";
            return Err(Answer::invalid(&[text], &[]));
        }
    };
    let (Some(client_msg_id), Some(kind), Some(content)) = (client_msg_id, kind, content) else {
        return Err(Answer::invalid(&[], &[]));
    };
    let content_value = Value::Object(content);
    let poison = super::json::holds_nul(&content_value)
        || client_msg_id.contains('\0')
        || metadata.is_some_and(|map| super::json::holds_nul(&Value::Object(map.clone())));
    Ok(SendBody {
        target,
        client_msg_id,
        kind,
        attachment: content_value["attachment_id"].as_str().map(str::to_owned),
        content: normalised(&content_value),
        metadata: metadata.map(normalised_object),
        poison,
    })
}

/// The known members of a content object, checked.
fn content(value: Option<&Value>, problems: &mut Problems) -> Option<Map<String, Value>> {
    let Some(value) = value else {
        problems.add("content", "Required");
        return None;
    };
    let Value::Object(map) = value else {
        problems.add("content", expected("object", value));
        return None;
    };
    let mut kept = Map::new();
    for (field, wanted) in [
        ("text", "string"),
        ("data", "object"),
        ("attachment_id", "string"),
    ] {
        match map.get(field) {
            None => {}
            Some(value) if type_name(value) == wanted => {
                kept.insert(field.to_owned(), value.clone());
            }
            Some(value) => {
                problems.add("content", expected(wanted, value));
                return None;
            }
        }
    }
    if kept.is_empty() {
        let text = "Message content must include at least one of: text, data, attachment_id";
        problems.add("content", text);
        return None;
    }
    Some(kept)
}

/// A number the way JavaScript's `Number()` reads it.
pub(crate) fn js_number(text: &str) -> Option<f64> {
    let text = text.trim();
    if text.is_empty() {
        return Some(0.0);
    }
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u64::from_str_radix(hex, 16).ok().map(|n| n as f64);
    }
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_follow_the_platforms_form() {
        for good in ["abc", "a-b", "a1-2b", "alice-01"] {
            assert!(is_handle(good), "{good}");
        }
        for bad in ["ab", "", "-ab", "ab-", "a--b", "1ab", "Abc", "a_b"] {
            assert!(!is_handle(bad), "{bad}");
        }
        assert_eq!(bare_handle("@Alice"), "alice");
        assert_eq!(bare_handle("@@alice"), "@alice");
    }

    #[test]
    fn numbers_are_read_like_javascript_does() {
        assert_eq!(js_number("1e2"), Some(100.0));
        assert_eq!(js_number("0x10"), Some(16.0));
        assert_eq!(js_number(" 10 "), Some(10.0));
        assert_eq!(js_number(""), Some(0.0));
        assert_eq!(js_number("abc"), None);
        assert_eq!(js_number("inf"), None);
    }

    #[test]
    fn unknown_content_keys_are_dropped_and_empty_content_is_refused() {
        let body = br#"{"to":"bob","client_msg_id":"c","content":{"text":"x","foo":1}}"#;
        assert_eq!(send_body(body).expect("fine").content, r#"{"text":"x"}"#);
        let empty = br#"{"to":"bob","client_msg_id":"c","content":{}}"#;
        assert_eq!(send_body(empty).expect_err("refused").status, 400);
    }
}
