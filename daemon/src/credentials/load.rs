//! Asks the sources in order, and reads files only where nobody else can.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;
use serde::Deserialize;

use super::key::{ApiKey, MalformedKey};
use super::sources::{Credential, KeySource, KeyState, Refusal, RefusalReason, Sources};

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

/// The key that a source before `credentials.toml` yields, replaced or not.
pub(super) fn yielded(sources: &Sources) -> Option<ApiKey> {
    first_named(sources).and_then(|(_, result)| result.ok())
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
        Ok(Some(saved)) if saved.replaces.contains(&key.sha256()) => Credential {
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

/// The hashes of the keys that the one in `credentials.toml` replaced.
pub(super) fn replaced(saved_path: &Path) -> Vec<String> {
    match read_saved(saved_path) {
        Ok(Some(saved)) => saved.replaces,
        Ok(None) | Err(_) => Vec::new(),
    }
}

struct Saved {
    key: ApiKey,
    replaces: Vec<String>,
}

/// What stands in `credentials.toml`. Members of later versions are passed over.
#[derive(Deserialize)]
struct SavedFile {
    api_key: String,
    #[serde(default)]
    replaces_sha256: Hashes,
}

/// One hash, or several: a source may still hold the first of a row of keys.
#[derive(Deserialize)]
#[serde(untagged)]
enum Hashes {
    One(String),
    Several(Vec<String>),
}

impl Default for Hashes {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
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
    let hashes = match file.replaces_sha256 {
        Hashes::One(hash) => vec![hash],
        Hashes::Several(hashes) => hashes,
    };
    let replaces = hashes
        .iter()
        .map(|hash| hash.to_ascii_lowercase())
        .collect();
    Ok(Some(Saved { key, replaces }))
}

fn read_key(path: &Path, permissions: Permissions) -> Result<ApiKey, RefusalReason> {
    Ok(ApiKey::parse(&read_private(path, permissions)?)?)
}

/// Who may be able to read a file.
#[derive(Clone, Copy)]
pub(super) enum Permissions {
    /// Its owner alone.
    Strict,
    /// As for a credential of a system service under a user of its own: systemd keeps the file
    /// root's, mode 0440, where the group bits are the mask of an access list that lets exactly
    /// that user in. So a file of root and root's group may look group-readable to us.
    Systemd { own_uid: u32 },
}

impl Permissions {
    pub(super) fn allow(self, meta: &fs::Metadata) -> bool {
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

const MAX_FILE_BYTES: u64 = 64 * 1024;
/// Room for any usual file, so that reading leaves no copies of the key behind.
const READ_BYTES: usize = 8 * 1024;
const OTHERS: u32 = 0o007;
const GROUP_AND_OTHERS: u32 = 0o077;
