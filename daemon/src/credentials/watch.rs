//! Whether anything changed where keys come from, without reading it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::sources::Sources;

/// What the file system says of the files of keys. Two that are equal mean that no file was
/// written, replaced, made, removed, or given other permissions in between.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint(Vec<Option<Seen>>);

/// What is seen of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    device: u64,
    inode: u64,
    bytes: u64,
    // Content, then content or permissions: seconds and nanoseconds.
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Fingerprint {
    /// Looks at each file that these sources name. A file that cannot be looked at counts as one
    /// that is not there.
    #[must_use]
    pub fn of(sources: &Sources) -> Self {
        let named = [&sources.flag, &sources.systemd, &sources.config];
        let named = named.into_iter().map(|path| path.as_deref());
        let paths = named.chain([Some(sources.saved.as_path())]);
        Self(paths.map(|path| path.and_then(seen)).collect())
    }
}

fn seen(path: &Path) -> Option<Seen> {
    let meta = fs::metadata(path).ok()?;
    Some(Seen {
        device: meta.dev(),
        inode: meta.ino(),
        bytes: meta.len(),
        modified: (meta.mtime(), meta.mtime_nsec()),
        changed: (meta.ctime(), meta.ctime_nsec()),
    })
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    use super::*;

    fn sources(dir: &Path) -> Sources {
        Sources {
            flag: Some(dir.join("flag")),
            variable: None,
            systemd: None,
            config: Some(dir.join("config")),
            saved: dir.join("credentials.toml"),
            own_uid: 0,
        }
    }

    /// True where this is seen as a change, once.
    fn shows(sources: &Sources, change: impl FnOnce()) -> bool {
        let before = Fingerprint::of(sources);
        assert_eq!(before, Fingerprint::of(sources), "looking changes nothing");
        change();
        before != Fingerprint::of(sources)
    }

    #[test]
    fn a_key_file_that_is_written_replaced_made_removed_or_opened_up_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let sources = sources(dir.path());
        let files: [PathBuf; 3] =
            ["flag", "config", "credentials.toml"].map(|name| dir.path().join(name));
        for file in files {
            let spare = dir.path().join("spare");
            fs::write(&spare, "ac_other_1").unwrap();
            assert!(shows(&sources, || fs::write(&file, "ac_first_1").unwrap()));
            assert!(shows(&sources, || fs::write(&file, "ac_longer_12").unwrap()));
            assert!(shows(&sources, || fs::rename(&spare, &file).unwrap()));
            let open = Permissions::from_mode(0o444);
            assert!(shows(&sources, || fs::set_permissions(&file, open).unwrap()));
            assert!(shows(&sources, || fs::remove_file(&file).unwrap()));
        }
    }

    #[test]
    fn another_file_beside_it_and_reading_it_are_no_change() {
        let dir = tempfile::tempdir().unwrap();
        let sources = sources(dir.path());
        fs::write(dir.path().join("flag"), "ac_first_1").unwrap();
        assert!(!shows(&sources, || {
            fs::write(dir.path().join("else"), "x").unwrap();
            fs::read(dir.path().join("flag")).unwrap();
        }));
    }
}
