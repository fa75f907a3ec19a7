//! The type that holds a key and keeps it to itself.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// An API key. Wiped from memory when dropped; `Debug` shows nothing of it.
#[derive(Clone)]
pub struct ApiKey(SecretString);

impl ApiKey {
    /// Takes the text of a file or a variable: line breaks at its end are cut off, and what is
    /// left must be able to stand in a header.
    ///
    /// # Errors
    /// It is empty, too long, or holds something else than printable ASCII without spaces.
    pub fn parse(text: &str) -> Result<Self, MalformedKey> {
        let key = text.trim_end_matches(['\n', '\r']);
        if key.is_empty() {
            Err(MalformedKey::Empty)
        } else if key.len() > MAX_KEY_BYTES {
            Err(MalformedKey::TooLong)
        } else if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            Err(MalformedKey::NotPrintable)
        } else {
            Ok(Self(SecretString::from(key)))
        }
    }

    /// The key itself, for the one place that puts it on the wire.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether both are the same key; tells a reload whether to connect anew.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.sha256() == other.sha256()
    }

    /// The hash by which `credentials.toml` remembers a key that was replaced: SHA-256, in
    /// lower-case hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> String {
        Sha256::digest(self.expose().as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(..)")
    }
}

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedKey {
    /// Nothing is there.
    #[error("is empty")]
    Empty,
    /// Longer than any key.
    #[error("is longer than {MAX_KEY_BYTES} bytes")]
    TooLong,
    /// It could not stand in a header.
    #[error("holds a space, a line break or another character that no key has")]
    NotPrintable,
}

const MAX_KEY_BYTES: usize = 4096;
