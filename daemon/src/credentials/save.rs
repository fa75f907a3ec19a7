//! Keeps a new key where it will be found again.
//!
//! It goes where the old one came from, if that is a file that may be written; else into
//! `credentials.toml`, with the hashes of the keys that it replaces, so that a source that still
//! yields one of those loses against it ([`super::load()`]). What is written is there whole or not at
//! all, also after a power cut, and it counts as kept only where loading gives it back.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;
use tempfile::NamedTempFile;

use super::key::{ApiKey, MalformedKey};
use super::load::{load, replaced, yielded};
use super::sources::{KeySource, KeyState, Refusal, RefusalReason, Sources};

/// Where a new key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The file.
    pub path: PathBuf,
    /// What the user should know about it.
    pub warning: Option<String>,
}

/// Why a new key is not kept.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    /// There is a key, of which nobody knows that it may be thrown away.
    #[error("{0} holds an API key already")]
    Taken(KeySource),
    /// The source that comes first cannot be used, and would go on hiding the new key.
    #[error("{0}")]
    Refused(Refusal),
    /// It could not be written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It was written, and loading gives another one.
    #[error("{} was written, and still the key is not found there", .0.display())]
    NotFound(PathBuf),
}

/// The place of a new key.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// A file with nothing but the key.
    File(PathBuf),
    /// `credentials.toml`; where another source still has an older key, which, and why it stays.
    Saved(Option<(KeySource, String)>),
}

/// Whether the agent of a new key may be another than that of the key that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agent {
    /// A new one: no key may be there.
    New,
    /// The same: its old key is dead.
    Same,
}

/// A file beside the place of a new key, with room for it; removed where it is not used.
#[derive(Debug)]
pub struct Reserved {
    target: PathBuf,
    file: NamedTempFile,
}

/// Looks whether a key could be kept, and keeps room for it.
///
/// # Errors
/// Says why it could not.
pub fn reserve(sources: &Sources, agent: Agent) -> Result<Reserved, NotKept> {
    let io = |path: &Path| {
        let path = path.to_path_buf();
        move |source| NotKept::Io { path, source }
    };
    if let Place::File(path) = place(sources, agent)? {
        let reserved = room(&path).map_err(io(&path));
        // Another source would hide what stands in `credentials.toml`.
        if reserved.is_ok() || matches!(load(sources), KeyState::Refused(_)) {
            return reserved;
        }
    }
    room(&sources.saved).map_err(io(&sources.saved))
}

/// Keeps a key. It is on disk when this returns.
///
/// # Errors
/// Says why it is not kept; then what was there before is as it was.
pub fn save(
    sources: &Sources,
    agent: Agent,
    key: &ApiKey,
    mut reserved: Option<Reserved>,
) -> Result<Kept, NotKept> {
    let place = place(sources, agent)?;
    let mut stays = match place {
        Place::Saved(stays) => stays,
        Place::File(path) => match write_key(&path, key, &mut reserved) {
            Ok(()) => {
                let kept = Kept {
                    path,
                    warning: None,
                };
                return found(sources, key, kept);
            }
            Err(error) => Some((named(sources, path), error.to_string())),
        },
    };
    let path = sources.saved.clone();
    // A source that would be refused hides whatever stands in `credentials.toml`.
    if let KeyState::Refused(refusal) = load(sources)
        && !matches!(refusal.source_of_key, KeySource::Saved(_))
    {
        return Err(match stays.take() {
            Some((source, why)) => NotKept::Io {
                path: source.file().map_or(path, Path::to_path_buf),
                source: io::Error::other(why),
            },
            None => NotKept::Refused(refusal),
        });
    }
    let text = saved_text(key, &hashes(sources));
    write(&path, text.as_bytes(), &mut reserved).map_err(|source| NotKept::Io {
        path: path.clone(),
        source,
    })?;
    let warning = stays.map(|(source, why)| {
        format!(
            "{source} still holds the key that was replaced ({why}); the new one is in {}",
            path.display()
        )
    });
    found(sources, key, Kept { path, warning })
}

/// Only what is found again is kept.
fn found(sources: &Sources, key: &ApiKey, kept: Kept) -> Result<Kept, NotKept> {
    match load(sources) {
        KeyState::Ready(credential) if credential.key.is_same_as(key) => Ok(kept),
        _ => Err(NotKept::NotFound(kept.path)),
    }
}

fn place(sources: &Sources, agent: Agent) -> Result<Place, NotKept> {
    let credential = match load(sources) {
        KeyState::NotConfigured => return Ok(Place::Saved(None)),
        KeyState::Refused(refusal) => return place_of_refused(refusal, agent),
        KeyState::Ready(credential) => credential,
    };
    let source = credential.source;
    if agent == Agent::New {
        return Err(NotKept::Taken(source));
    }
    Ok(match &source {
        KeySource::Saved(_) => Place::Saved(None),
        KeySource::Flag(path) | KeySource::Config(path) if is_read_only(path) => {
            Place::Saved(Some((source, "it is read-only".to_owned())))
        }
        KeySource::Flag(path) | KeySource::Config(path) => Place::File(path.clone()),
        KeySource::Variable => Place::Saved(Some((source, "it is a variable".to_owned()))),
        KeySource::Systemd(_) => {
            Place::Saved(Some((source, "it is a credential of systemd".to_owned())))
        }
    })
}

/// A source that is refused comes first all the same: only what stands there itself helps. It is
/// written where that throws nothing away that could be of use.
fn place_of_refused(refusal: Refusal, agent: Agent) -> Result<Place, NotKept> {
    let is_empty = matches!(
        refusal.reason,
        RefusalReason::Unreadable(io::ErrorKind::NotFound)
            | RefusalReason::Malformed(MalformedKey::Empty)
    );
    let holds_old_key = agent == Agent::Same && matches!(refusal.reason, RefusalReason::Mode(_));
    match &refusal.source_of_key {
        KeySource::Flag(path) | KeySource::Config(path) if is_empty || holds_old_key => {
            Ok(Place::File(path.clone()))
        }
        KeySource::Saved(_) if agent == Agent::Same => Ok(Place::Saved(None)),
        _ => Err(NotKept::Refused(refusal)),
    }
}

/// Root may write everything, and yet a file without the bit is not meant to be written.
fn is_read_only(path: &Path) -> bool {
    let is_marked = fs::metadata(path).is_ok_and(|meta| meta.mode() & OWNER_WRITES == 0);
    is_marked || OpenOptions::new().append(true).open(path).is_err()
}

fn named(sources: &Sources, path: PathBuf) -> KeySource {
    if sources.flag.as_ref() == Some(&path) {
        KeySource::Flag(path)
    } else {
        KeySource::Config(path)
    }
}

/// The keys that lose against the one that is about to be written: those that lost before, the
/// one that counted until now, and, most needed, the one that another source still yields.
fn hashes(sources: &Sources) -> Vec<String> {
    let mut hashes = replaced(&sources.saved);
    let counted = match load(sources) {
        KeyState::Ready(credential) => Some(credential.key),
        KeyState::NotConfigured | KeyState::Refused(_) => None,
    };
    for key in counted.into_iter().chain(yielded(sources)) {
        let hash = key.sha256();
        hashes.retain(|known| *known != hash);
        hashes.push(hash);
    }
    let surplus = hashes.len().saturating_sub(MOST_HASHES);
    hashes.drain(..surplus);
    hashes
}

fn saved_text(key: &ApiKey, hashes: &[String]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(TEXT_BYTES));
    text.push_str("# Written by agentchatd.\napi_key = ");
    // A key is printable ASCII: in a literal string only its quote would need care.
    text.push_str(&quoted(key.expose()));
    text.push('\n');
    match hashes {
        [] => {}
        [hash] => text.push_str(&format!("replaces_sha256 = \"{hash}\"\n")),
        several => {
            let list: Vec<String> = several.iter().map(|hash| format!("\"{hash}\"")).collect();
            text.push_str(&format!("replaces_sha256 = [{}]\n", list.join(", ")));
        }
    }
    text
}

/// A TOML basic string of printable ASCII.
fn quoted(text: &str) -> Zeroizing<String> {
    let mut quoted = Zeroizing::new(String::with_capacity(2 * text.len() + 2));
    quoted.push('"');
    for char in text.chars() {
        if matches!(char, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(char);
    }
    quoted.push('"');
    quoted
}

fn write_key(path: &Path, key: &ApiKey, reserved: &mut Option<Reserved>) -> io::Result<()> {
    let mut text = Zeroizing::new(String::with_capacity(key.expose().len() + 1));
    text.push_str(key.expose());
    text.push('\n');
    write(path, text.as_bytes(), reserved)
}

/// Replaces a file as a whole: a temporary file beside it, to disk, renamed, the folder to disk. A
/// link stays one. The file is its owner's alone, whoever could read the old one.
fn write(path: &Path, bytes: &[u8], reserved: &mut Option<Reserved>) -> io::Result<()> {
    let target = target(path)?;
    let Reserved { target, mut file } = match reserved.take() {
        Some(reserved) if reserved.target == target => reserved,
        _ => room(path)?,
    };
    file.rewind()?;
    file.write_all(bytes)?;
    file.as_file().set_len(bytes.len() as u64)?;
    if let Ok(old) = fs::metadata(&target) {
        let new = file.as_file().metadata()?;
        if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
            fchown(file.as_file(), Some(old.uid()), Some(old.gid()))?;
        }
    }
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    // The file is there; whether it is the right one, loading says.
    if let Err(error) = File::open(folder(&target)).and_then(|folder| folder.sync_all()) {
        tracing::warn!(%error, "the new key is written, and may not survive a power cut");
    }
    Ok(())
}

/// A temporary file beside this one, on disk and as long as a key needs it.
fn room(path: &Path) -> io::Result<Reserved> {
    let target = target(path)?;
    if target.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mut file = tempfile::Builder::new()
        .prefix(&temporary(&target))
        .rand_bytes(RANDOM)
        .permissions(fs::Permissions::from_mode(OWNER_ONLY))
        .tempfile_in(folder(&target))?;
    file.write_all(&[b'\n'; TEXT_BYTES])?;
    file.as_file().sync_all()?;
    Ok(Reserved { target, file })
}

/// Removes what a daemon that was killed left over beside the files of keys: it may hold a key.
pub fn sweep(sources: &Sources) {
    let named = [&sources.flag, &sources.config].into_iter().flatten();
    for path in named.chain([&sources.saved]) {
        let Ok(target) = target(path) else { continue };
        let (folder, begin) = (folder(&target), temporary(&target));
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let rest = name.to_str().and_then(|name| name.strip_prefix(&begin));
            let is_ours = rest.is_some_and(|rest| {
                rest.len() == RANDOM && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
            });
            if is_ours && let Err(error) = fs::remove_file(entry.path()) {
                tracing::warn!(%error, file = %entry.path().display(), "a leftover stays");
            }
        }
    }
}

/// How the names of temporary files beside this one begin; no other key's are called so.
fn temporary(target: &Path) -> String {
    let name = target.file_name().unwrap_or_default();
    format!("{TEMPORARY}{}-", name.to_string_lossy())
}

fn target(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Ok(target) => Ok(target),
        // A link to nowhere is not replaced by a file.
        Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => {
            Ok(path.to_path_buf())
        }
        Err(error) => Err(error),
    }
}

fn folder(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

const OWNER_ONLY: u32 = 0o600;
const OWNER_WRITES: u32 = 0o200;
/// How the name of a temporary file begins; the name of the file itself follows, and its own part.
const TEMPORARY: &str = ".agentchatd-key-";
/// Letters and digits of that part.
const RANDOM: usize = 6;
/// Replaced keys that are remembered.
const MOST_HASHES: usize = 16;
/// Room for the text of `credentials.toml`, so that growing leaves no copies of the key behind.
const TEXT_BYTES: usize = 16 * 1024;

#[cfg(test)]
#[path = "save_tests.rs"]
mod tests;
