//! What several methods share: ranged numbers, the parameters of upstream calls, `null` as "left out".

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// A number outside of the range that its member allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfRange {
    /// The least value allowed.
    pub min: u64,
    /// The greatest value allowed.
    pub max: u64,
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "must be a whole number from {} to {}",
            self.min, self.max
        )
    }
}

impl std::error::Error for OutOfRange {}

/// Declares a whole number with a range and a default.
macro_rules! ranged {
    ($(#[$doc:meta])* $name:ident($inner:ty), $min:expr, $max:expr, default $default:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[cfg_attr(
            feature = "schema",
            schemars(inline, extend("minimum" = Self::MIN, "maximum" = Self::MAX))
        )]
        #[serde(transparent)]
        pub struct $name($inner);

        impl $name {
            /// The least value allowed.
            pub const MIN: $inner = $min;
            /// The greatest value allowed.
            pub const MAX: $inner = $max;

            /// Takes the value if it is in range.
            ///
            /// # Errors
            /// Names the range where the value is outside of it.
            pub fn new(value: $inner) -> Result<Self, $crate::types::OutOfRange> {
                if (Self::MIN..=Self::MAX).contains(&value) {
                    Ok(Self(value))
                } else {
                    Err($crate::types::OutOfRange {
                        min: u64::from(Self::MIN),
                        max: u64::from(Self::MAX),
                    })
                }
            }

            /// The value.
            pub fn get(self) -> $inner {
                self.0
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self($default)
            }
        }

        impl TryFrom<$inner> for $name {
            type Error = $crate::types::OutOfRange;

            fn try_from(value: $inner) -> Result<Self, Self::Error> {
                Self::new(value)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let range = $crate::types::OutOfRange {
                    min: u64::from(Self::MIN),
                    max: u64::from(Self::MAX),
                };
                let value = $crate::types::common::whole_number(deserializer, range)?;
                <$inner>::try_from(value).ok().and_then(|value| Self::new(value).ok()).ok_or_else(
                    || <D::Error as serde::de::Error>::custom(range),
                )
            }
        }
    };
}
pub(crate) use ranged;

ranged! {
    /// How long a call may take, in milliseconds.
    TimeoutMs(u64), 1, 86_400_000, default 30_000
}

ranged! {
    /// A place in a conversation, as AgentChat counts it; past 63 bits it fails for ever.
    Seq(u64), 0, i64::MAX as u64, default 0
}

/// Parameters of a method that has none: `{}`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NoParams {}

/// Parameters of a method that only asks AgentChat.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UpstreamParams {
    /// How long the call may take; 30 s by default.
    #[serde(default, deserialize_with = "null_default")]
    pub timeout_ms: TimeoutMs,
}

/// Reads a member that has a default: `null` means the default, as leaving it out does.
pub(crate) fn null_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a whole number and words a refusal with the range that would have been right.
pub(crate) fn whole_number<'de, D>(deserializer: D, range: OutOfRange) -> Result<u64, D::Error>
where
    D: Deserializer<'de>,
{
    deserializer.deserialize_any(WholeNumber(range))
}

struct WholeNumber(OutOfRange);

impl serde::de::Visitor<'_> for WholeNumber {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {} to {}", self.0.min, self.0.max)
    }

    fn visit_u64<E>(self, value: u64) -> Result<u64, E> {
        Ok(value)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<u64, E> {
        u64::try_from(value).map_err(|_| E::custom(self.0))
    }
}

/// For `skip_serializing_if`.
pub(crate) fn is_false(value: &bool) -> bool {
    !*value
}
