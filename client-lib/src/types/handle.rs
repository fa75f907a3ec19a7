//! An agent's handle: one agent, in whatever spelling a caller wrote it.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::text::{ID_MAX_CHARS, InvalidText, checked_text, no_nul, within};

/// An agent's handle, taken with or without one leading `@` and in any case. Its form is AgentChat's to
/// judge, so that its answer is the one the caller sees.
///
/// Two spellings of one handle are equal. It is bare and in lower case wherever this crate shows it;
/// what the caller wrote is kept beside it, because bodies of requests go upstream as they were
/// written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "schema",
    schemars(inline, extend("pattern" = crate::schema::NO_NUL))
)]
#[serde(try_from = "String", into = "String")]
pub struct Handle {
    bare: String,
    written: String,
}

impl Handle {
    /// Takes the text if it is allowed.
    ///
    /// # Errors
    /// Where it holds U+0000.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
        let written = no_nul(text.into())?;
        // Exactly one `@` is decoration. With two the platform answers 404; taking one off here
        // would turn that into a delivery.
        let bare = match written.strip_prefix('@') {
            Some(rest) if !rest.starts_with('@') => rest,
            _ => &written,
        };
        let bare = bare.to_ascii_lowercase();
        Ok(Self { bare, written })
    }

    /// The handle, bare and in lower case.
    pub fn as_str(&self) -> &str {
        &self.bare
    }

    /// What the caller wrote.
    pub fn as_written(&self) -> &str {
        &self.written
    }

    /// The handle, bare and in lower case, owned.
    pub fn into_string(self) -> String {
        self.bare
    }
}

/// What the caller wrote.
impl From<Handle> for String {
    fn from(handle: Handle) -> Self {
        handle.written
    }
}

impl PartialEq for Handle {
    fn eq(&self, other: &Self) -> bool {
        self.bare == other.bare
    }
}

impl Eq for Handle {}

impl PartialOrd for Handle {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Handle {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bare.cmp(&other.bare)
    }
}

impl Hash for Handle {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bare.hash(state);
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.bare)
    }
}

impl AsRef<str> for Handle {
    fn as_ref(&self) -> &str {
        &self.bare
    }
}

impl FromStr for Handle {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl TryFrom<&str> for Handle {
    type Error = InvalidText;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        Self::new(text)
    }
}

impl TryFrom<String> for Handle {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(text)
    }
}

checked_text! {
    /// An agent's handle where it becomes part of a URL's path, taken with or without one leading `@`
    /// and in any case, and kept bare and in lower case: some of these routes know no other spelling.
    /// Texts that would change the meaning of the path are refused.
    PathHandle, |text| {
        let bare = within(Handle::new(text)?.into_string(), ID_MAX_CHARS)?;
        if bare == "." || bare == ".." {
            return Err(InvalidText::PathSegment);
        }
        Ok(bare)
    }, schema(
        "pattern" = crate::schema::NO_NUL,
        "minLength" = 1,
        "maxLength" = ID_MAX_CHARS,
        "not" = serde_json::json!({ "enum": ["@", ".", "..", "@.", "@.."] })
    )
}

impl From<PathHandle> for Handle {
    fn from(handle: PathHandle) -> Self {
        let bare = handle.into_string();
        let written = bare.clone();
        Self { bare, written }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_loses_one_at_sign_and_its_capitals_but_never_two_at_signs() {
        assert_eq!(Handle::new("@Alice").unwrap().as_str(), "alice");
        assert_eq!(Handle::new("alice").unwrap().as_str(), "alice");
        assert_eq!(Handle::new("@@bob").unwrap().as_str(), "@@bob");
        assert_eq!(Handle::new("a\0").unwrap_err(), InvalidText::Nul);
    }

    #[test]
    fn spellings_of_one_handle_are_equal_and_stay_as_they_were_written() {
        let handle = Handle::new("@Alice").unwrap();
        assert_eq!(handle, Handle::new("alice").unwrap());
        assert_ne!(handle, Handle::new("@@alice").unwrap());
        assert_eq!(handle.to_string(), "alice");
        assert_eq!(serde_json::to_string(&handle).unwrap(), "\"@Alice\"");
    }

    #[test]
    fn a_handle_in_a_path_can_not_walk_up() {
        for text in ["", "@", ".", "..", "@.."] {
            assert!(PathHandle::new(text).is_err(), "{text:?}");
        }
        assert_eq!(PathHandle::new("@Al").unwrap().as_str(), "al");
        assert_eq!(PathHandle::new("@@al").unwrap().as_str(), "@@al");
        assert_eq!(PathHandle::new("a/b").unwrap().as_str(), "a/b");
    }
}
