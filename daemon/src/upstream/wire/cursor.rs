//! A position in sync, carried in the JSON type that it arrived in (`wire.md` 3.3).

use std::fmt;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::fields;

/// A delivery id: an opaque text in the production form, an integer in the 1.0.3 form.
///
/// It is sent back as it came, for a server of either form refuses the other's type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Cursor {
    /// A JSON string, never empty.
    Text(Arc<str>),
    /// A JSON integer: its digits, of any size.
    Integer(Arc<str>),
}

impl Cursor {
    /// Reads a `delivery_id`. Null, an empty string and every other type are no cursor.
    #[must_use]
    pub fn from_raw(raw: &RawValue) -> Option<Self> {
        if let Some(text) = fields::text(raw) {
            return (!text.is_empty()).then(|| Self::Text(Arc::from(text)));
        }
        let digits = raw.get();
        let unsigned = digits.strip_prefix('-').unwrap_or(digits);
        let integer = !unsigned.is_empty() && unsigned.bytes().all(|b| b.is_ascii_digit());
        integer.then(|| Self::Integer(Arc::from(digits)))
    }

    /// Reads back what [`Cursor::to_json`] wrote.
    #[must_use]
    pub fn from_json(json: &str) -> Option<Self> {
        serde_json::from_str::<&RawValue>(json)
            .ok()
            .and_then(Self::from_raw)
    }

    /// The cursor as JSON, quoted where it is a text.
    #[must_use]
    pub fn to_json(&self) -> String {
        match self {
            Self::Text(text) => serde_json::Value::from(&**text).to_string(),
            Self::Integer(digits) => digits.to_string(),
        }
    }
}

/// The bare value, as it stands in a query.
impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(value) | Self::Integer(value) => f.write_str(value),
        }
    }
}
