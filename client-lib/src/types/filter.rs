//! Which events a reader wants, from where, and under which name it is known.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::common::is_false;
use super::handle::Handle;
use super::text::{InvalidText, checked_text};
use super::time::Timestamp;
use crate::error::only_one;

checked_text! {
    /// The name of a durable consumer: 1 to 64 of the characters `A-Z a-z 0-9 . _ -`.
    ConsumerName, |text| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if !text.bytes().all(allowed) {
            return Err(InvalidText::Character);
        }
        if text.is_empty() || text.len() > NAME_MAX_CHARS {
            return Err(InvalidText::Length { min: 1, max: NAME_MAX_CHARS });
        }
        Ok(text)
    }, schema("pattern" = "^[A-Za-z0-9._-]{1,64}$")
}

/// Which events pass. All that is given must hold; a list that is given and empty lets nothing pass.
///
/// Two filters are equal where they let the same pass: lists are sets, and `{}` is the same as none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(try_from = "FilterObject"))]
pub struct Filter {
    /// Only these event types.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub types: Option<BTreeSet<String>>,
    /// Only events of these conversations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversations: Option<BTreeSet<String>>,
    /// Only events that these agents caused.
    #[serde(serialize_with = "bare", skip_serializing_if = "Option::is_none")]
    pub senders: Option<BTreeSet<Handle>>,
    /// Only messages that mention the agent.
    #[serde(skip_serializing_if = "is_false")]
    pub mentions_me: bool,
    /// Whether the agent's own messages pass.
    #[serde(skip_serializing_if = "is_true")]
    pub include_own: bool,
}

/// Writes handles bare, so that filters that let the same pass are spelled alike.
#[expect(clippy::ref_option, reason = "the form that serde calls")]
fn bare<S: Serializer>(
    handles: &Option<BTreeSet<Handle>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(handles.iter().flatten().map(Handle::as_str))
}

impl Filter {
    /// Whether every event passes.
    pub fn passes_all(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            types: None,
            conversations: None,
            senders: None,
            mentions_me: false,
            include_own: true,
        }
    }
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FilterVisitor)
    }
}

/// Takes an object only: serde's own visitor of a struct would read an array by position.
struct FilterVisitor;

impl<'de> Visitor<'de> for FilterVisitor {
    type Value = Filter;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a filter object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Filter, A::Error> {
        let object = FilterObject::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Filter {
            types: object.types,
            conversations: object.conversations,
            senders: object.senders,
            mentions_me: object.mentions_me.unwrap_or(false),
            include_own: object.include_own.unwrap_or(true),
        })
    }
}

#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct FilterObject {
    /// Only these event types.
    types: Option<BTreeSet<String>>,
    /// Only events of these conversations.
    conversations: Option<BTreeSet<String>>,
    /// Only events that these agents caused.
    senders: Option<BTreeSet<Handle>>,
    /// Only messages that mention the agent; false by default.
    mentions_me: Option<bool>,
    /// Whether the agent's own messages pass; true by default.
    include_own: Option<bool>,
}

/// Where a reader starts that is not known yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Start {
    /// With the next event.
    #[default]
    Now,
    /// With the first event that is kept.
    Earliest,
    /// With this offset.
    Offset(u64),
    /// With the first event received at this time or after it.
    Time(Timestamp),
}

impl Serialize for Start {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Now => serializer.serialize_str("now"),
            Self::Earliest => serializer.serialize_str("earliest"),
            Self::Offset(offset) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("offset", offset)?;
                map.end()
            }
            Self::Time(time) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("time", time)?;
                map.end()
            }
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Start {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Start".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Where a reader starts that is not known yet.",
            "anyOf": [
                { "type": "string", "enum": ["now", "earliest"] },
                StartObject::json_schema(generator),
            ],
        })
    }
}

impl<'de> Deserialize<'de> for Start {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StartVisitor)
    }
}

struct StartVisitor;

impl<'de> Visitor<'de> for StartVisitor {
    type Value = Start;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"now\", \"earliest\", {\"offset\": n} or {\"time\": RFC 3339}")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Start, E> {
        match text {
            "now" => Ok(Start::Now),
            "earliest" => Ok(Start::Earliest),
            other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Start, A::Error> {
        let object = StartObject::deserialize(MapAccessDeserializer::new(map))?;
        only_one([
            ("offset", object.offset.map(Start::Offset)),
            ("time", object.time.map(Start::Time)),
        ])
        .map_err(A::Error::custom)
    }
}

#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = crate::schema::exactly_one_of("offset time")))]
#[serde(deny_unknown_fields)]
struct StartObject {
    /// The first offset that is wanted.
    offset: Option<u64>,
    /// The first event received at this time or after it.
    time: Option<Timestamp>,
}

fn is_true(value: &bool) -> bool {
    *value
}

const NAME_MAX_CHARS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_that_let_the_same_pass_are_equal_and_spelled_alike() {
        let one: Filter = serde_json::from_str(
            r#"{"senders":["@Bob","alice","bob"],"include_own":true,"mentions_me":null}"#,
        )
        .unwrap();
        let two: Filter = serde_json::from_str(r#"{"senders":["alice","bob"]}"#).unwrap();
        assert_eq!(one, two);
        assert_eq!(
            serde_json::to_string(&one).unwrap(),
            r#"{"senders":["alice","bob"]}"#
        );
        assert!(serde_json::from_str::<Filter>("{}").unwrap().passes_all());
        let none: Filter = serde_json::from_str(r#"{"types":[]}"#).unwrap();
        assert!(!none.passes_all());
    }

    #[test]
    fn a_start_is_written_as_it_is_read() {
        for json in [
            r#""now""#,
            r#""earliest""#,
            r#"{"offset":7}"#,
            r#"{"time":"2026-11-23T12:00:00Z"}"#,
        ] {
            let start: Start = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&start).unwrap(), json);
        }
    }

    #[test]
    fn a_start_that_says_two_things_or_none_is_refused() {
        for json in [
            r#""yesterday""#,
            "{}",
            "7",
            r#"{"offset":1,"time":"2026-11-23T12:00:00Z"}"#,
            r#"{"offset":-1}"#,
            r#"{"time":"noon"}"#,
            r#"{"place":1}"#,
        ] {
            assert!(serde_json::from_str::<Start>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn a_consumer_name_is_short_and_plain() {
        assert!(ConsumerName::new("a.b_C-9").is_ok());
        assert!(ConsumerName::new("a".repeat(64)).is_ok());
        for name in ["", "a b", "é", "a/b", &"a".repeat(65)] {
            assert!(ConsumerName::new(name).is_err(), "{name}");
        }
    }
}
