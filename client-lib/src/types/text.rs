//! Text that goes upstream: refused here where AgentChat could never take it.
//!
//! U+0000 is answered by AgentChat with a 500 on every attempt, so a message with it would be
//! retried for ever. It is refused at the member that holds it.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// Why a text was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidText {
    /// It holds U+0000.
    Nul,
    /// It is empty or longer than the limit.
    Length {
        /// The fewest characters allowed.
        min: usize,
        /// The most characters allowed.
        max: usize,
    },
    /// It is `.` or `..`, which no identifier is and which would change the meaning of a URL path.
    PathSegment,
    /// It holds a character outside of `A-Z a-z 0-9 . _ -`.
    Character,
    /// It holds a blank or a character outside of ASCII, which no header can carry.
    Header,
    /// It is a path that does not begin with `/`.
    RelativePath,
    /// It is no SHA-256 in hexadecimal.
    Sha256,
}

impl fmt::Display for InvalidText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nul => f.write_str("text must not contain U+0000"),
            Self::Length { min, max } => write!(f, "must have {min} to {max} characters"),
            Self::PathSegment => f.write_str("`.` and `..` are no identifiers"),
            Self::Character => f.write_str("only the characters A-Z a-z 0-9 . _ - are allowed"),
            Self::Header => f.write_str("only the characters ! to ~ of ASCII are allowed"),
            Self::RelativePath => f.write_str("a path has to begin with `/`"),
            Self::Sha256 => f.write_str("must be 64 hexadecimal digits in lower case"),
        }
    }
}

impl std::error::Error for InvalidText {}

/// Declares a newtype over `String` whose every value passed `$check`. A check of more than U+0000 tells
/// its schema: `schema("maxLength" = 8)`, where a `pattern` has to keep U+0000 out by itself.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        checked_text!($(#[$doc])* $name, $check, schema("pattern" = $crate::schema::NO_NUL));
    };
    ($(#[$doc:meta])* $name:ident, $check:expr, schema($($key:literal = $value:expr),*)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[cfg_attr(feature = "schema", schemars(inline, extend($($key = $value),*)))]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text if it is allowed.
            ///
            /// # Errors
            /// Says what is wrong with the text.
            pub fn new(text: impl Into<String>) -> Result<Self, $crate::types::InvalidText> {
                let check: fn(String) -> Result<String, $crate::types::InvalidText> = $check;
                check(text.into()).map(Self)
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text, owned.
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::types::InvalidText;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = $crate::types::InvalidText;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::types::InvalidText;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::new(text).map_err(D::Error::custom)
            }
        }
    };
}
pub(crate) use checked_text;

checked_text! {
    /// Any text without U+0000.
    Text, no_nul
}

checked_text! {
    /// An identifier that AgentChat or the daemon gave out; opaque, up to 256 characters.
    Id, |text| {
        let text = no_nul(text)?;
        if text == "." || text == ".." {
            return Err(InvalidText::PathSegment);
        }
        within(text, ID_MAX_CHARS)
    }, schema(
        "pattern" = crate::schema::NO_NUL,
        "minLength" = 1,
        "maxLength" = ID_MAX_CHARS,
        "not" = serde_json::json!({ "enum": [".", ".."] })
    )
}

checked_text! {
    /// The caller's own identity of a message, 1 to 128 characters as AgentChat counts them (UTF-16).
    ClientMsgId, |text| within(no_nul(text)?, CLIENT_MSG_ID_MAX_CHARS), schema(
        "pattern" = crate::schema::NO_NUL,
        "minLength" = 1,
        "maxLength" = CLIENT_MSG_ID_MAX_CHARS
    )
}

checked_text! {
    /// A name for a call, so that AgentChat runs it once; 1 to 128 visible ASCII characters. AgentChat
    /// wants 8 at least, of `A-Za-z0-9_-`, where it looks at them, and says so itself.
    IdempotencyKey, |text| {
        let text = within(no_nul(text)?, IDEMPOTENCY_KEY_MAX_CHARS)?;
        if text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(text)
        } else {
            Err(InvalidText::Header)
        }
    }, schema(
        "pattern" = "^[!-~]*$",
        "minLength" = 1,
        "maxLength" = IDEMPOTENCY_KEY_MAX_CHARS
    )
}

pub(crate) fn no_nul(text: String) -> Result<String, InvalidText> {
    if text.contains('\0') {
        Err(InvalidText::Nul)
    } else {
        Ok(text)
    }
}

pub(crate) fn within(text: String, max: usize) -> Result<String, InvalidText> {
    let chars = text.encode_utf16().count();
    if chars == 0 || chars > max {
        return Err(InvalidText::Length { min: 1, max });
    }
    Ok(text)
}

pub(crate) const ID_MAX_CHARS: usize = 256;
const CLIENT_MSG_ID_MAX_CHARS: usize = 128;
const IDEMPOTENCY_KEY_MAX_CHARS: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_msg_id_is_counted_as_the_platform_counts_it() {
        assert!(ClientMsgId::new("a".repeat(128)).is_ok());
        assert!(ClientMsgId::new("a".repeat(129)).is_err());
        assert!(ClientMsgId::new("\u{1F600}".repeat(64)).is_ok());
        assert!(ClientMsgId::new("\u{1F600}".repeat(65)).is_err());
        assert!(ClientMsgId::new("").is_err());
    }

    #[test]
    fn an_idempotency_key_is_what_a_header_can_carry() {
        assert!(IdempotencyKey::new("k-1_:{}").is_ok());
        assert!(IdempotencyKey::new("k".repeat(128)).is_ok());
        for bad in ["", "two words", "line\nbreak", "\u{e9}", &"k".repeat(129)] {
            assert!(IdempotencyKey::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_id_can_not_walk_up_a_url_path() {
        assert_eq!(Id::new(".."), Err(InvalidText::PathSegment));
        assert_eq!(Id::new("msg\0"), Err(InvalidText::Nul));
        assert!(Id::new("msg_abc").is_ok());
    }
}
