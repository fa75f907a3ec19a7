//! JSON objects that go upstream as the caller wrote them.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::text::InvalidText;

/// A JSON object, kept as its text: member order and big numbers stay. It holds no U+0000, neither
/// in a string nor in a member's name.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(inline, extend("type" = "object")))]
#[serde(transparent)]
pub struct JsonObject(Box<RawValue>);

impl JsonObject {
    /// Takes the JSON text if it is an object that AgentChat could take.
    ///
    /// # Errors
    /// Where it is no object, or some text in it holds U+0000: the message then begins with `at ` and
    /// a JSON Pointer to it.
    pub fn new(raw: Box<RawValue>) -> Result<Self, serde_json::Error> {
        if !raw.get().starts_with('{') {
            return Err(serde_json::Error::custom("expected a JSON object"));
        }
        refuse_nul(raw.get())?;
        Ok(Self(raw))
    }

    /// Makes an object from anything that serializes as one.
    ///
    /// # Errors
    /// Where it does not, or holds U+0000.
    pub fn from_value(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        Self::new(serde_json::value::to_raw_value(value)?)
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The JSON text as a raw value.
    pub fn as_raw(&self) -> &RawValue {
        &self.0
    }

    /// The JSON text as a raw value, owned.
    pub fn into_raw(self) -> Box<RawValue> {
        self.0
    }
}

/// Compares the texts; another spelling of the same object is not equal.
impl PartialEq for JsonObject {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl Eq for JsonObject {}

impl<'de> Deserialize<'de> for JsonObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::new(raw).map_err(|error| D::Error::custom(crate::error::without_position(&error)))
    }
}

/// Refuses JSON text with U+0000 in a string or a member's name, wherever it stands.
pub(crate) fn refuse_nul(json: &str) -> Result<(), serde_json::Error> {
    // Most payloads have no such escape at all; JSON cannot hold the bare character.
    if !json.contains("\\u0000") {
        return Ok(());
    }
    let path = RefCell::new(String::new());
    let mut deserializer = serde_json::Deserializer::from_str(json);
    Walk(&path).deserialize(&mut deserializer)
}

/// Walks any JSON value and keeps the JSON Pointer of the place where it stands.
#[derive(Clone, Copy)]
struct Walk<'p>(&'p RefCell<String>);

impl Walk<'_> {
    fn check<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        if text.contains('\0') {
            return Err(E::custom(format_args!(
                "at {}: {}",
                self.0.borrow(),
                InvalidText::Nul
            )));
        }
        Ok(())
    }

    /// Runs `read` one level deeper.
    fn inside<T, E>(self, step: &str, read: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let len = self.0.borrow().len();
        crate::error::push_pointer(&mut self.0.borrow_mut(), step);
        let value = read()?;
        self.0.borrow_mut().truncate(len);
        Ok(value)
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.check(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut index = 0_usize;
        while self
            .inside(&index.to_string(), || seq.next_element_seed(self))?
            .is_some()
        {
            index += 1;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            self.inside(&key, || {
                self.check(&key)?;
                map.next_value_seed(self)
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(json: &str) -> Result<JsonObject, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn an_object_keeps_its_text() {
        let json = r#"{"b":12345678901234567890123, "a":1.0,"b":2}"#;
        assert_eq!(object(json).unwrap().as_str(), json);
        assert_eq!(serde_json::to_string(&object(json).unwrap()).unwrap(), json);
    }

    #[test]
    fn a_nul_deep_inside_is_pointed_at() {
        let error = object(r#"{"a":[1,{"x/y":"z\u0000"}]}"#)
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("at /a/1/x~1y: "), "{error}");
    }

    #[test]
    fn a_nul_in_a_name_is_found_and_an_escaped_backslash_is_none() {
        assert!(object(r#"{"a\u0000":1}"#).is_err());
        assert!(object(r#"{"a":"\\u0000"}"#).is_ok());
    }

    #[test]
    fn only_an_object_is_an_object() {
        for json in ["[]", "1", "\"{}\"", "null"] {
            assert!(object(json).is_err(), "{json}");
        }
    }
}
