//! Lists that a parameter bounds.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// A list of 1 to `MAX` entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "schema",
    schemars(inline, extend("minItems" = 1, "maxItems" = MAX))
)]
#[serde(transparent)]
pub struct List<T, const MAX: usize>(Vec<T>);

/// A list with no entries or too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadLength {
    /// How many entries are allowed.
    pub max: usize,
}

impl fmt::Display for BadLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "must have 1 to {} entries", self.max)
    }
}

impl std::error::Error for BadLength {}

impl<T, const MAX: usize> List<T, MAX> {
    /// Takes the entries if there are not too few and not too many.
    ///
    /// # Errors
    /// Names the bound.
    pub fn new(entries: Vec<T>) -> Result<Self, BadLength> {
        if (1..=MAX).contains(&entries.len()) {
            Ok(Self(entries))
        } else {
            Err(BadLength { max: MAX })
        }
    }

    /// The entries.
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for List<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_its_bounds() {
        for (json, fits) in [
            ("[]", false),
            ("[1]", true),
            ("[1,2]", true),
            ("[1,2,3]", false),
        ] {
            let read = serde_json::from_str::<List<u8, 2>>(json);
            assert_eq!(read.is_ok(), fits, "{json}");
        }
    }
}
