//! Picking a few members out of an object, and reading them without ever failing.
//!
//! One pass over the text finds the members that are asked for as slices of it; everything else is
//! skipped without being built, however deep it nests.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The longest id that is taken for one, in bytes; ids are opaque (`wire.md` 1.2).
const ID_MAX_BYTES: usize = 256;

/// The members of the object in `json` whose names are given, in the order of the names.
///
/// # Errors
/// Where `json` is no complete JSON object.
pub(in crate::upstream) fn members<'a, const N: usize>(
    json: &'a str,
    names: &[&str; N],
) -> Result<[Option<&'a RawValue>; N], serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let found = Pick { names }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(found)
}

/// A JSON string's text; borrowed where nothing in it is escaped.
pub(in crate::upstream) fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    let inner = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str::<String>(raw.get())
            .ok()
            .map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// A non-negative integer of at most 63 bits.
pub(in crate::upstream) fn number(raw: &RawValue) -> Option<u64> {
    raw.get().parse().ok().filter(|n| i64::try_from(*n).is_ok())
}

/// A handle as the rules compare it: bare and in lower case.
pub(in crate::upstream) fn handle_text(text: &str) -> Option<String> {
    let bare = text.trim().trim_start_matches('@');
    (!bare.is_empty()).then(|| bare.to_lowercase())
}

/// A string of 1 to 256 bytes.
pub(super) fn id(raw: &RawValue) -> Option<Arc<str>> {
    text(raw)
        .filter(|id| (1..=ID_MAX_BYTES).contains(&id.len()))
        .map(Arc::from)
}

/// A position in a conversation: a positive integer of at most 63 bits.
pub(super) fn seq(raw: &RawValue) -> Option<u64> {
    number(raw).filter(|n| *n > 0)
}

/// A handle of at most the length of an id.
pub(super) fn handle(raw: &RawValue) -> Option<Arc<str>> {
    let text = text(raw).filter(|text| text.len() <= ID_MAX_BYTES)?;
    handle_text(&text).map(Arc::from)
}

/// A timestamp with its zone, in microseconds since the Unix epoch (`wire.md` 1.2).
pub(super) fn micros(raw: &RawValue) -> Option<i64> {
    let text = text(raw)?;
    text.trim()
        .parse::<jiff::Timestamp>()
        .ok()
        .map(jiff::Timestamp::as_microsecond)
}

struct Pick<'n, const N: usize> {
    names: &'n [&'n str; N],
}

impl<'de, const N: usize> DeserializeSeed<'de> for Pick<'_, N> {
    type Value = [Option<&'de RawValue>; N];

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Pick<'_, N> {
    type Value = [Option<&'de RawValue>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [None; N];
        while let Some(slot) = map.next_key_seed(Slot { names: self.names })? {
            match slot {
                Some(index) => found[index] = Some(map.next_value()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
}

/// Reads a member's name as its place among the wanted names.
struct Slot<'n, const N: usize> {
    names: &'n [&'n str; N],
}

impl<'de, const N: usize> DeserializeSeed<'de> for Slot<'_, N> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<const N: usize> Visitor<'_> for Slot<'_, N> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.names.iter().position(|wanted| *wanted == name))
    }
}
