//! Files in parameters: by path, or their bytes.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::text::{InvalidText, Text, checked_text, no_nul, within};
use crate::error::{At, only_one};

/// Where the bytes of a file come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileSource {
    /// A file that the daemon reads itself; only for callers of its own user.
    Path(FilePath),
    /// The bytes, in base64.
    Base64(Text),
}

impl FileSource {
    /// The one that is given.
    pub(super) fn of(path: Option<FilePath>, data_base64: Option<Text>) -> Result<Self, At> {
        only_one([
            ("path", path.map(Self::Path)),
            ("data_base64", data_base64.map(Self::Base64)),
        ])
    }

    /// `path` and `data_base64`, as they stand on the wire.
    pub(super) fn members(self) -> (Option<FilePath>, Option<Text>) {
        match self {
            Self::Path(path) => (Some(path), None),
            Self::Base64(data) => (None, Some(data)),
        }
    }
}

checked_text! {
    /// The path of a file on the daemon's machine; it begins with `/`, since the daemon does not know
    /// the caller's folder.
    FilePath, |text| {
        let text = within(no_nul(text)?, PATH_MAX_CHARS)?;
        if !text.starts_with('/') {
            return Err(InvalidText::RelativePath);
        }
        Ok(text)
    }, schema(
        "pattern" = r"^/[^\x00]*$",
        "maxLength" = PATH_MAX_CHARS
    )
}

checked_text! {
    /// The name under which a file is shown, 1 to 255 characters as AgentChat counts them (UTF-16).
    FileName, |text| within(no_nul(text)?, FILE_NAME_MAX_CHARS), schema(
        "pattern" = crate::schema::NO_NUL,
        "minLength" = 1,
        "maxLength" = FILE_NAME_MAX_CHARS
    )
}

checked_text! {
    /// The SHA-256 of a file: 64 hexadecimal digits in lower case.
    Sha256, |text| {
        let digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == SHA256_CHARS && text.bytes().all(digit) {
            Ok(text)
        } else {
            Err(InvalidText::Sha256)
        }
    }, schema("pattern" = "^[0-9a-f]{64}$")
}

/// What Linux takes.
const PATH_MAX_CHARS: usize = 4096;
const FILE_NAME_MAX_CHARS: usize = 255;
const SHA256_CHARS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_absolute_and_hashes_in_lower_case() {
        assert!(FilePath::new("/tmp/a").is_ok());
        assert_eq!(FilePath::new("tmp/a"), Err(InvalidText::RelativePath));
        assert!(Sha256::new("0a".repeat(32)).is_ok());
        assert_eq!(Sha256::new("0A".repeat(32)), Err(InvalidText::Sha256));
        assert!(FileName::new("x".repeat(256)).is_err());
    }
}
