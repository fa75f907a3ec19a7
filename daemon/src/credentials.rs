//! The API key: where it may come from, what is refused, and a type that keeps it to itself.
//!
//! [`load`] is called at start and for every reload. It walks the sources in the order of the
//! contract and stops at the first that is there: a source that is there and cannot be used is
//! *refused*, never passed over, so that a wrong mode does not silently bring another key into
//! play. The daemon then runs parked and says why.
//!
//! Invariant: no text that leaves this module, be it `Debug`, an error or a warning, holds any
//! part of a key.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::config::{Environment, Settings};

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

/// Where keys may come from.
#[derive(Clone)]
pub struct Sources {
    /// `--api-key-file`
    pub flag: Option<PathBuf>,
    /// The value of `AGENTCHAT_API_KEY`.
    pub variable: Option<SecretString>,
    /// `$CREDENTIALS_DIRECTORY/agentchat_api_key`
    pub systemd: Option<PathBuf>,
    /// `[agent] api_key_file`
    pub config: Option<PathBuf>,
    /// `<state dir>/credentials.toml`
    pub saved: PathBuf,
    /// The uid that the daemon acts as.
    pub own_uid: u32,
}

impl Sources {
    /// The sources that these settings and this environment name.
    #[must_use]
    pub fn of(settings: &Settings, env: &Environment) -> Self {
        Self {
            flag: settings.api_key_flag.clone(),
            // What is not UTF-8 becomes characters that no key has, and is refused as such.
            variable: env
                .var(KEY_VARIABLE)
                .map(|text| text.to_string_lossy().into_owned().into()),
            systemd: env
                .path("CREDENTIALS_DIRECTORY")
                .map(|dir| dir.join(SYSTEMD_NAME)),
            config: settings.config.agent.api_key_file.clone(),
            saved: settings.state_dir.join(SAVED_NAME),
            own_uid: settings.own_uid,
        }
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources")
            .field("flag", &self.flag)
            .field("variable", &self.variable.is_some())
            .field("systemd", &self.systemd)
            .field("config", &self.config)
            .field("saved", &self.saved)
            .finish_non_exhaustive()
    }
}

/// The source that a key came from, or would have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// `--api-key-file`
    Flag(PathBuf),
    /// `AGENTCHAT_API_KEY`
    Variable,
    /// Systemd's credential.
    Systemd(PathBuf),
    /// `[agent] api_key_file`
    Config(PathBuf),
    /// `credentials.toml` in the state directory.
    Saved(PathBuf),
}

impl KeySource {
    /// The file, where the source is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Flag(path) | Self::Systemd(path) | Self::Config(path) | Self::Saved(path) => {
                Some(path)
            }
            Self::Variable => None,
        }
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.file() {
            Some(path) => write!(f, "{}", path.display()),
            None => write!(f, "${KEY_VARIABLE}"),
        }
    }
}

/// What the sources gave.
#[derive(Clone, Debug)]
pub enum KeyState {
    /// A key to use.
    Ready(Credential),
    /// No source has one. The daemon runs, and an agent can be registered.
    NotConfigured,
    /// The first source that is there cannot be used. The daemon runs parked.
    Refused(Refusal),
}

/// A key and where it came from.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The key.
    pub key: ApiKey,
    /// Its source.
    pub source: KeySource,
    /// What the user should know about it.
    pub warning: Option<String>,
}

/// A source that is there and cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the API key in {source_of_key} is refused: {reason}")]
pub struct Refusal {
    /// Which one.
    pub source_of_key: KeySource,
    /// Why.
    pub reason: RefusalReason,
}

/// Why a source cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefusalReason {
    /// Others than the owner can read it.
    #[error("mode {0:04o} lets group or others read it; make it 0600")]
    Mode(u32),
    /// It could not be read.
    #[error("it cannot be read: {0}")]
    Unreadable(io::ErrorKind),
    /// It is a directory, a pipe, a device.
    #[error("it is not a regular file")]
    NotAFile,
    /// `credentials.toml` is not what the daemon writes there.
    #[error("line {0} is not as it should be (api_key = \"…\")")]
    NotToml(usize),
    /// What it holds is no key.
    #[error("it {0}")]
    Malformed(#[from] MalformedKey),
}

/// Walks the sources in order and takes the first that is there.
#[must_use]
pub fn load(sources: &Sources) -> KeyState {
    let found = match first_named(sources) {
        Some((source, result)) => result.map(|key| (key, source)),
        None => match read_saved(&sources.saved) {
            Ok(Some(saved)) => Ok((saved.key, KeySource::Saved(sources.saved.clone()))),
            Ok(None) => return KeyState::NotConfigured,
            Err(reason) => {
                let source_of_key = KeySource::Saved(sources.saved.clone());
                return KeyState::Refused(Refusal {
                    source_of_key,
                    reason,
                });
            }
        },
    };
    match found {
        Ok((key, source)) => KeyState::Ready(prefer_successor(key, source, &sources.saved)),
        Err(refusal) => KeyState::Refused(refusal),
    }
}

/// The first source before `credentials.toml` that is there.
fn first_named(sources: &Sources) -> Option<(KeySource, Result<ApiKey, Refusal>)> {
    let (source, result) = if let Some(path) = &sources.flag {
        (
            KeySource::Flag(path.clone()),
            read_key(path, Permissions::Strict),
        )
    } else if let Some(text) = &sources.variable {
        (
            KeySource::Variable,
            ApiKey::parse(text.expose_secret()).map_err(Into::into),
        )
    } else if let Some(path) = sources.systemd.as_ref().filter(|path| path.exists()) {
        let permissions = Permissions::Systemd {
            own_uid: sources.own_uid,
        };
        (
            KeySource::Systemd(path.clone()),
            read_key(path, permissions),
        )
    } else if let Some(path) = &sources.config {
        (
            KeySource::Config(path.clone()),
            read_key(path, Permissions::Strict),
        )
    } else {
        return None;
    };
    let result = result.map_err(|reason| Refusal {
        source_of_key: source.clone(),
        reason,
    });
    Some((source, result))
}

/// A rotation that could not be written back to its source left the new key in
/// `credentials.toml`, with the hash of the old one: whoever still yields the old one loses.
fn prefer_successor(key: ApiKey, source: KeySource, saved_path: &Path) -> Credential {
    if matches!(source, KeySource::Saved(_)) {
        return Credential {
            key,
            source,
            warning: None,
        };
    }
    match read_saved(saved_path) {
        Ok(Some(saved)) if saved.replaces.as_deref() == Some(key.sha256().as_str()) => Credential {
            key: saved.key,
            warning: Some(format!(
                "{source} still holds a key that was replaced by a rotation; the new one in {} is \
                 used instead",
                saved_path.display()
            )),
            source: KeySource::Saved(saved_path.to_path_buf()),
        },
        Ok(_) => Credential {
            key,
            source,
            warning: None,
        },
        Err(reason) => {
            let warning = format!("{} is not looked at: {reason}", saved_path.display());
            Credential {
                key,
                source,
                warning: Some(warning),
            }
        }
    }
}

struct Saved {
    key: ApiKey,
    replaces: Option<String>,
}

/// What stands in `credentials.toml`. Members of later versions are passed over.
#[derive(Deserialize)]
struct SavedFile {
    api_key: String,
    replaces_sha256: Option<String>,
}

fn read_saved(path: &Path) -> Result<Option<Saved>, RefusalReason> {
    let text = match read_private(path, Permissions::Strict) {
        Ok(text) => text,
        Err(RefusalReason::Unreadable(io::ErrorKind::NotFound)) => return Ok(None),
        Err(reason) => return Err(reason),
    };
    // The library's own error shows the line, and with it the key.
    let file: SavedFile = toml::from_str(&text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        let breaks = text
            .bytes()
            .take(offset)
            .filter(|byte| *byte == b'\n')
            .count();
        RefusalReason::NotToml(breaks + 1)
    })?;
    let key = ApiKey::parse(&Zeroizing::new(file.api_key))?;
    let replaces = file.replaces_sha256.map(|hash| hash.to_ascii_lowercase());
    Ok(Some(Saved { key, replaces }))
}

fn read_key(path: &Path, permissions: Permissions) -> Result<ApiKey, RefusalReason> {
    Ok(ApiKey::parse(&read_private(path, permissions)?)?)
}

/// Who may be able to read a file.
#[derive(Clone, Copy)]
enum Permissions {
    /// Its owner alone.
    Strict,
    /// As for a credential of a system service under a user of its own: systemd keeps the file
    /// root's, mode 0440, where the group bits are the mask of an access list that lets exactly
    /// that user in. So a file of root and root's group may look group-readable to us.
    Systemd { own_uid: u32 },
}

impl Permissions {
    fn allow(self, meta: &fs::Metadata) -> bool {
        let mask_of_systemd = match self {
            Self::Strict => false,
            Self::Systemd { own_uid } => own_uid != 0 && meta.uid() == 0 && meta.gid() == 0,
        };
        let forbidden = if mask_of_systemd {
            OTHERS
        } else {
            GROUP_AND_OTHERS
        };
        meta.mode() & forbidden == 0
    }
}

fn read_private(path: &Path, permissions: Permissions) -> Result<Zeroizing<String>, RefusalReason> {
    let unreadable = |error: io::Error| RefusalReason::Unreadable(error.kind());
    // Looked at before it is opened, for opening a pipe would wait for a writer; and once more
    // on the open file, which is the one that is read.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(RefusalReason::NotAFile);
    }
    let file = File::open(path).map_err(unreadable)?;
    let meta = file.metadata().map_err(unreadable)?;
    if !meta.is_file() {
        return Err(RefusalReason::NotAFile);
    }
    if !permissions.allow(&meta) {
        return Err(RefusalReason::Mode(meta.mode() & 0o7777));
    }
    let mut text = Zeroizing::new(String::with_capacity(READ_BYTES));
    file.take(MAX_FILE_BYTES)
        .read_to_string(&mut text)
        .map_err(|error| {
            if error.kind() == io::ErrorKind::InvalidData {
                RefusalReason::Malformed(MalformedKey::NotPrintable)
            } else {
                unreadable(error)
            }
        })?;
    Ok(text)
}

const KEY_VARIABLE: &str = "AGENTCHAT_API_KEY";
const SYSTEMD_NAME: &str = "agentchat_api_key";
/// The file of the state directory that the daemon itself writes keys to.
const SAVED_NAME: &str = "credentials.toml";
const MAX_KEY_BYTES: usize = 4096;
const MAX_FILE_BYTES: u64 = 64 * 1024;
/// Room for any usual file, so that reading leaves no copies of the key behind.
const READ_BYTES: usize = 8 * 1024;
const OTHERS: u32 = 0o007;
const GROUP_AND_OTHERS: u32 = 0o077;

#[cfg(test)]
#[path = "credentials_tests.rs"]
mod tests;
