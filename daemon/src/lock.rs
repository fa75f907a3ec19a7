//! One daemon for each state directory, by a lock that the kernel drops with the process.
//!
//! [`StateLock::claim`] comes before the database is opened and before a leftover socket is
//! touched: whoever holds the lock may do both. The file `lock` stays on disk when the daemon
//! ends; only the lock on it counts, so a crash leaves nothing to clean up.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

/// The state directory is ours for as long as this value lives.
#[derive(Debug)]
pub struct StateLock {
    path: PathBuf,
    /// Held open: closing it drops the lock.
    _file: File,
}

impl StateLock {
    /// Makes `state_dir` where it is missing, closes it to everybody else (0700), and locks it.
    /// Waits for nothing but the name of another holder, half a second at most.
    ///
    /// # Errors
    /// Another process holds the lock, or the directory cannot be used.
    pub fn claim(state_dir: &Path) -> Result<Self, LockError> {
        let io_error = |source| LockError::Io {
            path: state_dir.to_path_buf(),
            source,
        };
        make(state_dir).map_err(io_error)?;
        let meta = fs::metadata(state_dir).map_err(io_error)?;
        if meta.mode() & STICKY != 0 {
            return Err(LockError::Shared {
                path: state_dir.to_path_buf(),
            });
        }
        if meta.mode() & 0o777 != PRIVATE_DIR {
            let private = Permissions::from_mode(PRIVATE_DIR);
            fs::set_permissions(state_dir, private).map_err(io_error)?;
        }
        let path = state_dir.join(LOCK_NAME);
        let io_error = |source| LockError::Io {
            path: path.clone(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(PRIVATE_FILE)
            .open(&path)
            .map_err(io_error)?;
        let no_locks = |source| LockError::NoLocks {
            path: state_dir.to_path_buf(),
            source,
        };
        probe_record_locks(&file).map_err(no_locks)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held {
                    pid: holder(&mut file),
                    path,
                });
            }
            Err(TryLockError::Error(source)) if is_lack_of_locks(&source) => {
                return Err(no_locks(source));
            }
            Err(TryLockError::Error(source)) => return Err(io_error(source)),
        }
        write_pid(&mut file).map_err(io_error)?;
        Ok(Self { path, _file: file })
    }

    /// The file that is locked.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Why the state directory cannot be ours.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another daemon has it. The process ends with status 69.
    #[error(
        "another agentchatd{} holds {}",
        .pid.map_or_else(String::new, |pid| format!(" (pid {pid})")),
        .path.display()
    )]
    Held {
        /// The lock file.
        path: PathBuf,
        /// Who holds it, where that could be read.
        pid: Option<u32>,
    },
    /// A directory like `/tmp`, which must not be closed to others. The process ends with 78.
    #[error("{} is shared by all users and cannot be a state directory", .path.display())]
    Shared {
        /// The directory.
        path: PathBuf,
    },
    /// Its file system has no locks, so neither two daemons nor the database would be safe there.
    /// The process ends with 78: to try again would not help.
    #[error(
        "the file system of {} has no locks ({source}): \
         name a state directory on a local disk (--state-dir)",
        .path.display()
    )]
    NoLocks {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It could not be made, closed to others, or locked. The process ends with status 74.
    #[error("cannot use {}: {source}{}", .path.display(), mend(.source))]
    Io {
        /// The directory or the lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Makes the directory, and has its entry in the one above it on disk before anything in it is
/// promised to anybody; the same for those above it that were missing as well.
fn make(state_dir: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = state_dir
        .ancestors()
        .take_while(|dir| !dir.as_os_str().is_empty() && !dir.exists())
        .collect();
    DirBuilder::new()
        .recursive(true)
        .mode(PRIVATE_DIR)
        .create(state_dir)?;
    for dir in missing {
        let above = match dir.parent() {
            Some(above) if !above.as_os_str().is_empty() => above,
            _ => Path::new("."),
        };
        // Where a directory cannot be synced, nobody can do more; SQLite goes on as well.
        if let Ok(above) = File::open(above) {
            let _ = above.sync_all();
        }
    }
    Ok(())
}

/// SQLite locks by `fcntl`, which a file system may lack although it has `flock`; and it takes the
/// lack for a lock that somebody else holds, and would wait for it.
fn probe_record_locks(file: &File) -> io::Result<()> {
    let set = |kind: libc::c_int| {
        let lock = libc::flock {
            l_type: kind as libc::c_short,
            l_whence: libc::SEEK_SET as libc::c_short,
            l_start: 0,
            l_len: 1,
            l_pid: 0,
        };
        fcntl(file, FcntlArg::F_SETLK(&lock)).map_err(io::Error::from)
    };
    match set(libc::F_RDLCK) {
        Ok(_) => set(libc::F_UNLCK).map(|_| ()),
        Err(error) if is_lack_of_locks(&error) => Err(error),
        // Somebody holds one: there are locks.
        Err(_) => Ok(()),
    }
}

fn is_lack_of_locks(error: &io::Error) -> bool {
    let number = error.raw_os_error();
    number.is_some_and(|number| [libc::ENOLCK, libc::EOPNOTSUPP, libc::ENOSYS].contains(&number))
}

/// What helps, where it is known.
fn mend(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; make room on its disk, or name another state directory (--state-dir)"
        }
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            "; make it writable, or name another state directory (--state-dir)"
        }
        _ => "",
    }
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(format!("{}\n", std::process::id()).as_bytes())
}

/// The holder's pid. One that locked a moment ago may not have written it yet: then the file is
/// empty, or names one that is dead, and is read again for a moment.
fn holder(file: &mut File) -> Option<u32> {
    for _ in 0..PID_READS {
        match read_pid(file) {
            Some(pid) if is_alive(pid) => return Some(pid),
            Some(_) | None => std::thread::sleep(PID_PAUSE),
        }
    }
    read_pid(file)
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(MAX_PID_BYTES).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Where `/proc` is not there, nobody is known to be dead.
fn is_alive(pid: u32) -> bool {
    let proc = Path::new("/proc");
    proc.join(pid.to_string()).exists() || !proc.join("self").exists()
}

const LOCK_NAME: &str = "lock";
const PRIVATE_DIR: u32 = 0o700;
const PRIVATE_FILE: u32 = 0o600;
const STICKY: u32 = 0o1000;
const MAX_PID_BYTES: u64 = 32;
/// How often, and how long after each other, the holder's pid is looked for: half a second in all.
const PID_READS: u32 = 50;
const PID_PAUSE: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn pitfall_21_a_second_claim_fails_at_once_and_names_the_holder() {
        let dir = TempDir::new().unwrap();
        let state_dir = dir.path().join("a/b");
        let held = StateLock::claim(&state_dir).unwrap();
        let error = StateLock::claim(&state_dir).unwrap_err();
        let own = std::process::id();
        assert!(
            matches!(error, LockError::Held { pid: Some(pid), .. } if pid == own),
            "{error}"
        );
        assert!(
            error.to_string().contains(&format!("(pid {own})")),
            "{error}"
        );
        drop(held);
        assert!(StateLock::claim(&state_dir).is_ok());
    }

    #[test]
    fn the_state_dir_is_closed_to_others_even_where_it_was_open() {
        let dir = TempDir::new().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
        let fresh = dir.path().join("fresh");
        let lock = StateLock::claim(&fresh).unwrap();
        assert_eq!((mode(&fresh), mode(lock.path())), (0o700, 0o600));
        let open = dir.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, Permissions::from_mode(0o755)).unwrap();
        StateLock::claim(&open).unwrap();
        assert_eq!(mode(&open), 0o700);
    }

    #[test]
    fn a_shared_directory_is_left_alone() {
        let dir = TempDir::new().unwrap();
        fs::set_permissions(dir.path(), Permissions::from_mode(0o1777)).unwrap();
        let error = StateLock::claim(dir.path()).unwrap_err();
        assert!(matches!(error, LockError::Shared { .. }), "{error}");
        assert_eq!(fs::metadata(dir.path()).unwrap().mode() & 0o7777, 0o1777);
    }

    #[test]
    fn pitfall_21_a_pid_that_a_crash_left_behind_holds_nothing() {
        let dir = TempDir::new().unwrap();
        fs::write(dir.path().join("lock"), "4194305999999\n").unwrap();
        let lock = StateLock::claim(dir.path()).unwrap();
        let text = fs::read_to_string(lock.path()).unwrap();
        assert_eq!(text, format!("{}\n", std::process::id()));
    }

    #[test]
    fn pitfall_21_of_many_that_start_over_a_stale_file_exactly_one_holds_it() {
        for _ in 0..50 {
            let dir = TempDir::new().unwrap();
            // A pid that lives again, as another process.
            fs::write(dir.path().join("lock"), "1\n").unwrap();
            let begin = std::sync::Barrier::new(8);
            let claims: Vec<_> = std::thread::scope(|scope| {
                let claim = || {
                    begin.wait();
                    StateLock::claim(dir.path())
                };
                let starters: Vec<_> = (0..8).map(|_| scope.spawn(claim)).collect();
                let ends = starters.into_iter().map(|starter| starter.join().unwrap());
                ends.collect()
            });
            assert_eq!(claims.iter().filter(|claim| claim.is_ok()).count(), 1);
        }
    }

    #[test]
    fn a_place_that_cannot_be_a_directory_is_an_io_error() {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(
            StateLock::claim(&file.join("x")),
            Err(LockError::Io { .. })
        ));
    }
}
