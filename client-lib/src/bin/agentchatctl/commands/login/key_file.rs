//! Takes over a key that its owner has: into the file where the daemon keeps keys of its own.
//!
//! The daemon reads keys from its own sources and from nowhere else, so the key goes to the one of them
//! that is made for being written, `credentials.toml` in the state directory: whole or not at all,
//! readable by its owner alone, and never over another key.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::ready::{Kept, Settled, settled};
use super::standing::Standing;
use crate::failure::Failure;
use crate::render::text;
use crate::session::Hub;

/// A key; it is shown nowhere.
struct Key(String);

/// Takes the key over, and gives the file in which it is now.
pub(super) async fn take(hub: &Hub, standing: &Standing, source: &Path) -> Result<Kept, Failure> {
    let Some(dir) = &standing.state_dir else {
        return Err(Failure::failed(
            "the daemon does not say where its state directory is; update agentchatd",
        ));
    };
    may_write(dir)?;
    let key = read(source)?;
    let place = dir.join(NAME);
    write(&place, &key).map_err(|error| not_written(&place, &error))?;
    let reloaded = hub.value("daemon.reload", &json!({})).await?;
    if text(&reloaded, "api_key") != Some("found") {
        let why = text(&reloaded, "api_key_problem").unwrap_or("the daemon does not say why");
        let why = why.to_owned();
        return Err(take_back(hub, &place, &why).await);
    }
    if let Settled::Refused(why) = settled(hub, Some(standing), PATIENCE).await? {
        return Err(take_back(hub, &place, &why).await);
    }
    Ok(Kept {
        place: Some(place.display().to_string()),
        warning: None,
    })
}

/// A key that does not work hides no other, and is not left lying about.
async fn take_back(hub: &Hub, place: &Path, why: &str) -> Failure {
    let left = fs::remove_file(place).is_err();
    let _as_before = hub.value("daemon.reload", &json!({})).await;
    let left = if left {
        format!("; it is still in {}", place.display())
    } else {
        String::new()
    };
    Failure::failed(format!(
        "the daemon cannot use this key ({why}){left}; check the file, or get a new key with \
         `agentchatctl login --recover`"
    ))
}

/// Only the daemon's own user: a file of somebody else's the daemon would not read.
fn may_write(dir: &Path) -> Result<(), Failure> {
    let unreadable = |error: io::Error| {
        Failure::failed(format!(
            "the daemon's state directory {} cannot be opened ({error}); run this as the daemon's \
             user",
            dir.display()
        ))
    };
    let owner = fs::metadata(dir).map_err(unreadable)?.uid();
    let own = fs::metadata("/proc/self").map_err(unreadable)?.uid();
    if owner == own {
        return Ok(());
    }
    Err(Failure::failed(format!(
        "the daemon runs as user {owner} and you are user {own}, so its key cannot be set from \
         here; run this as that user"
    )))
}

fn read(source: &Path) -> Result<Key, Failure> {
    let mut bytes = Vec::with_capacity(MAX_FILE_BYTES);
    let limit = MAX_FILE_BYTES as u64;
    let got = if source == Path::new("-") {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        File::open(source).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    got.map_err(|error| {
        Failure::failed(format!(
            "the key file {} cannot be read ({error}); check its name",
            source.display()
        ))
    })?;
    Key::parse(&bytes).ok_or_else(|| {
        Failure::failed(
            "this is no API key: a file with a key holds nothing else, on one line; check the file",
        )
    })
}

impl Key {
    /// The daemon's own rule for what a key is.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let key = text.trim_end_matches(['\n', '\r']);
        let fits = !key.is_empty()
            && key.len() <= MAX_KEY_BYTES
            && key.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(key.to_owned()))
    }

    /// The file as the daemon itself would write it.
    fn toml(&self) -> String {
        let quoted = self.0.replace('\\', "\\\\").replace('"', "\\\"");
        format!("# Written by agentchatctl.\napi_key = \"{quoted}\"\n")
    }
}

/// Writes a new file, with a name only once it is whole and on disk.
fn write(place: &Path, key: &Key) -> io::Result<()> {
    let temp = PathBuf::from(format!("{}.{}.new", place.display(), std::process::id()));
    let written = write_temp(&temp, key).and_then(|()| {
        // Unlike a rename, this takes nothing away that came there meanwhile.
        fs::hard_link(&temp, place)
    });
    let removed = fs::remove_file(&temp);
    written?;
    removed?;
    match place.parent() {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

fn write_temp(temp: &Path, key: &Key) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(temp)?;
    file.write_all(key.toml().as_bytes())?;
    file.sync_all()
}

fn not_written(place: &Path, error: &io::Error) -> Failure {
    let place = place.display();
    if error.kind() == io::ErrorKind::AlreadyExists {
        return Failure::failed(format!(
            "{place} holds a key already, and nothing was changed; move it away if that key is \
             not needed any more"
        ));
    }
    Failure::failed(format!(
        "the key cannot be written to {place} ({error}); mend that and try again"
    ))
}

const NAME: &str = "credentials.toml";
/// The daemon takes no longer keys.
const MAX_KEY_BYTES: usize = 4096;
const MAX_FILE_BYTES: usize = 64 * 1024;
/// How long AgentChat has to look at the key before that is left to the end of the login.
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_one_line_of_printable_characters() {
        assert!(Key::parse(b"ac_live_1\n").is_some_and(|key| key.0 == "ac_live_1"));
        for bytes in [
            &b""[..],
            b"\n",
            b"two words",
            b"a\nb",
            b"\xff",
            b"api_key = \"x\"",
        ] {
            assert!(Key::parse(bytes).is_none(), "{bytes:?}");
        }
        assert!(Key::parse(&[b'a'; MAX_KEY_BYTES + 1]).is_none());
    }

    #[test]
    fn the_file_is_for_its_owner_alone_and_no_other_key_is_lost() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join(NAME);
        write(&place, &Key("a\"b\\c".to_owned())).unwrap();
        let text = fs::read_to_string(&place).unwrap();
        assert_eq!(
            text,
            "# Written by agentchatctl.\napi_key = \"a\\\"b\\\\c\"\n"
        );
        let mode = fs::metadata(&place).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        let error = write(&place, &Key("other".to_owned())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        let line = not_written(&place, &error).line().unwrap();
        assert!(
            line.contains("already") && !line.contains("other"),
            "{line}"
        );
        assert_eq!(fs::read_to_string(&place).unwrap(), text);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_of_another_user_is_refused() {
        let own = fs::metadata("/proc/self").unwrap().uid();
        let dir = tempfile::tempdir().unwrap();
        assert!(may_write(dir.path()).is_ok());
        if own != 0 {
            assert!(may_write(Path::new("/")).is_err());
        }
        assert!(may_write(&dir.path().join("none")).is_err());
    }
}
