//! The JSON bodies of calls: only what the caller gave, in the order in which it is written here, with
//! raw JSON kept as it came.

use agentchatd_client::types::Change;
use serde::Serialize;

/// A JSON object that grows member by member.
#[derive(Debug, Clone)]
pub(super) struct Body(String);

impl Body {
    /// Without members.
    pub(super) fn new() -> Self {
        Self(String::from("{"))
    }

    /// With a member.
    pub(super) fn with(mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.push(name);
        self.0.push(':');
        self.push(value);
        self
    }

    /// With a member where there is a value for it.
    pub(super) fn some(self, name: &str, value: Option<&(impl Serialize + ?Sized)>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// With a member where it changes; `null` clears it.
    pub(super) fn change(self, name: &str, change: &Change<impl Serialize>) -> Self {
        match change {
            Change::Keep => self,
            Change::Clear => self.with(name, &()),
            Change::Set(value) => self.with(name, value),
        }
    }

    /// The JSON text.
    pub(super) fn text(mut self) -> String {
        self.0.push('}');
        self.0
    }

    fn push(&mut self, value: &(impl Serialize + ?Sized)) {
        let json = serde_json::to_string(value);
        self.0
            .push_str(&json.expect("checked parameters are always JSON"));
    }
}

#[cfg(test)]
mod tests {
    use agentchatd_client::types::JsonObject;

    use super::*;

    #[test]
    fn a_body_holds_what_was_given_and_keeps_raw_json() {
        let raw: JsonObject = serde_json::from_str(r#"{"b": 1e2,"a":1}"#).unwrap();
        let body = Body::new()
            .with("text", "q\"\u{e9}")
            .some("none", None::<&str>)
            .some("raw", Some(&raw))
            .change("keep", &Change::<&str>::Keep)
            .change("clear", &Change::<&str>::Clear)
            .change("set", &Change::Set("x"));
        assert_eq!(
            body.text(),
            "{\"text\":\"q\\\"\u{e9}\",\"raw\":{\"b\": 1e2,\"a\":1},\"clear\":null,\"set\":\"x\"}"
        );
        assert_eq!(Body::new().text(), "{}");
    }
}
