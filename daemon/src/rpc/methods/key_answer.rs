//! The platform's answer with a key in it: what it says, and what is said beside it.

use std::fmt;

use agentchatd_client::types::Handle;
use serde::Deserializer as _;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::credentials::Kept;

/// The members of the answer that matter here; each is there only where its type is right.
#[derive(Default)]
pub(super) struct KeyAnswer {
    pub(super) api_key: Option<String>,
    /// Bare and in lower case.
    pub(super) handle: Option<String>,
}

impl KeyAnswer {
    /// Reads an answer of a registration, of a recovery or of a rotation.
    pub(super) fn read(answer: &RawValue) -> Self {
        let members = members(answer);
        let agent = || {
            let agents = named(&members, "agent").flat_map(self::members);
            first(&agents.collect::<Vec<_>>(), "handle")
        };
        let handle = first::<Handle>(&members, "handle").or_else(agent);
        Self {
            api_key: first(&members, "api_key"),
            handle: handle.map(Handle::into_string),
        }
    }
}

type Member = (Box<RawValue>, Box<RawValue>);

/// The members of an object, each read by itself: nothing that is odd about one of them may cost
/// the key beside it.
fn members(object: &RawValue) -> Vec<Member> {
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = Vec<Member>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }
    let mut json = serde_json::Deserializer::from_str(object.get());
    json.deserialize_map(Members).unwrap_or_default()
}

/// The members of this name.
fn named<'m>(members: &'m [Member], name: &str) -> impl Iterator<Item = &'m RawValue> {
    members.iter().filter_map(move |(found, value)| {
        let found: String = serde_json::from_str(found.get()).ok()?;
        (found == name).then_some(&**value)
    })
}

/// The first member of this name whose type is right.
fn first<T: DeserializeOwned>(members: &[Member], name: &str) -> Option<T> {
    named(members, name).find_map(|value| serde_json::from_str(value.get()).ok())
}

/// What became of the key.
#[derive(Debug)]
pub(super) struct Fate {
    saved_in: Option<String>,
    not_saved: Option<String>,
    warning: Option<String>,
}

impl Fate {
    pub(super) fn kept(kept: Kept) -> Self {
        Self {
            saved_in: Some(kept.path.display().to_string()),
            not_saved: None,
            warning: kept.warning,
        }
    }

    pub(super) fn dropped(why: &str) -> Self {
        Self {
            saved_in: None,
            not_saved: Some(why.to_owned()),
            warning: None,
        }
    }

    pub(super) fn is_kept(&self) -> bool {
        self.not_saved.is_none()
    }

    pub(super) fn why_not(&self) -> Option<&str> {
        self.not_saved.as_deref()
    }

    /// The platform's JSON, unchanged but for what is said behind it.
    pub(super) fn written_into(&self, answer: Box<RawValue>) -> Box<RawValue> {
        let told = answer.get().trim_ascii();
        let Some(members) = told
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
        else {
            return answer;
        };
        let comma = if members.trim_ascii().is_empty() {
            ""
        } else {
            ","
        };
        let mut text = format!("{{{members}{comma}\"saved\":{}", self.is_kept());
        for (name, said) in [
            ("saved_in", &self.saved_in),
            ("not_saved", &self.not_saved),
            ("warning", &self.warning),
        ] {
            if let Some(said) = said {
                let said = serde_json::Value::from(said.as_str());
                text.push_str(&format!(",\"{name}\":{said}"));
            }
        }
        text.push('}');
        RawValue::from_string(text).unwrap_or(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    #[test]
    fn key_and_handle_are_found_in_all_three_answers() {
        for json in [
            r#"{"agent":{"handle":"Dora","more":1},"api_key":"ac_1"}"#,
            r#"{"handle":"dora","api_key":"ac_1","more":{}}"#,
        ] {
            let KeyAnswer { api_key, handle } = KeyAnswer::read(&raw(json));
            assert_eq!(api_key.as_deref(), Some("ac_1"));
            assert_eq!(handle.as_deref(), Some("dora"));
        }
        for json in ["7", "{}", r#"{"api_key":7}"#, "[]", "null"] {
            let KeyAnswer { api_key, handle } = KeyAnswer::read(&raw(json));
            assert_eq!((api_key, handle), (None, None), "{json}");
        }
    }

    #[test]
    fn odd_neighbours_cost_neither_the_key_nor_the_handle() {
        for json in [
            r#"{"api_key":"ac_1","handle":7,"agent":{"handle":"dora"}}"#,
            r#"{"handle":"dora","agent":"none","api_key":"ac_1"}"#,
            r#"{"handle":"dora","api_key":null,"api_key":"ac_1"}"#,
            r#"{"handle":"dora","api_key":"ac_1","api_key":"ac_2"}"#,
            r#"{"agent":7,"agent":{"handle":[],"handle":"dora"},"api_key":"ac_1"}"#,
            r#"{"\ud800":1,"big":1e999,"agent":{"handle":"dora"},"api_key":"ac_1"}"#,
        ] {
            let KeyAnswer { api_key, handle } = KeyAnswer::read(&raw(json));
            assert_eq!(api_key.as_deref(), Some("ac_1"), "{json}");
            assert_eq!(handle.as_deref(), Some("dora"), "{json}");
        }
    }

    #[test]
    fn the_platforms_json_stays_as_it_is_and_the_rest_stands_behind_it() {
        let kept = Kept {
            path: "/x".into(),
            warning: Some("so \"so\"".into()),
        };
        let told = Fate::kept(kept).written_into(raw(r#" {"b":1e400, "a":12345678901234567890} "#));
        let expected = r#"{"b":1e400, "a":12345678901234567890,"saved":true,"saved_in":"/x","warning":"so \"so\""}"#;
        assert_eq!(told.get(), expected);
        let told = Fate::dropped("why").written_into(raw("{}"));
        assert_eq!(told.get(), r#"{"saved":false,"not_saved":"why"}"#);
        assert_eq!(Fate::dropped("why").written_into(raw("[1]")).get(), "[1]");
    }
}
