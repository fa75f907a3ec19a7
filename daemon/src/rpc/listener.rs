//! The socket in the file system.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::net::{UnixListener as StdListener, UnixStream as StdStream};
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

/// How the socket is to be made.
#[derive(Debug, Clone)]
pub struct SocketOptions {
    /// Where.
    pub path: PathBuf,
    /// Its mode, `0o600` or `0o660` as a rule.
    pub mode: u32,
    /// The mode of its directory where that is made, `0o700` or `0o750`.
    pub directory_mode: u32,
    /// Its group, and its directory's where that is made.
    pub group: Option<u32>,
}

/// A socket that is listened on; its file goes when this does.
#[derive(Debug)]
pub struct Listener {
    pub(super) socket: UnixListener,
    // `None`: it was handed over, and its file is another's.
    file: Option<SocketFile>,
    own_uid: u32,
}

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The path does not fit into a socket address.
    #[error("{} has {length} bytes; a socket path has at most {limit}", path.display())]
    TooLong {
        /// The path.
        path: PathBuf,
        /// Its length.
        length: usize,
        /// The platform's limit.
        limit: usize,
    },
    /// Another process answers at the path.
    #[error("another process serves {}", .0.display())]
    InUse(PathBuf),
    /// Something else than a socket is in the way.
    #[error("{} is there and is no socket", .0.display())]
    NoSocket(PathBuf),
    /// The file system refused.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A file that is removed in the end, unless another has taken its place.
#[derive(Debug)]
struct SocketFile {
    options: SocketOptions,
    device: u64,
    inode: u64,
    // It is not there, and that was told.
    missed: bool,
}

impl Listener {
    /// Makes the socket. Call only while the state directory's lock is held: then nobody answers at
    /// a leftover but a daemon with another state directory.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind(options: &SocketOptions) -> Result<Self, BindError> {
        let path = &options.path;
        let length = path.as_os_str().len();
        if length > MAX_PATH_BYTES {
            return Err(BindError::TooLong {
                path: path.clone(),
                length,
                limit: MAX_PATH_BYTES,
            });
        }
        make_directory(options)?;
        remove_leftover(path)?;
        // Nobody can open the socket while it is bound under a name in a directory that only we
        // may enter; it comes to its place with its final mode and group.
        let nursery = Nursery::make(path)?;
        let newborn = nursery.directory.join("s");
        let listener = if newborn.as_os_str().len() <= MAX_PATH_BYTES {
            StdListener::bind(&newborn).map_err(failed("bind", &newborn))?
        } else {
            // The place itself fits, the detour does not: a short way to the same directory.
            let directory =
                File::open(&nursery.directory).map_err(failed("open", &nursery.directory))?;
            let short = PathBuf::from(format!("/proc/self/fd/{}/s", directory.as_raw_fd()));
            StdListener::bind(short).map_err(failed("bind", &newborn))?
        };
        fs::set_permissions(&newborn, Permissions::from_mode(options.mode))
            .map_err(failed("set the mode of", &newborn))?;
        if let Some(group) = options.group {
            chown(&newborn, None, Some(group)).map_err(failed("set the group of", &newborn))?;
        }
        fs::rename(&newborn, path).map_err(failed("put in place", path))?;
        let metadata = fs::symlink_metadata(path).map_err(failed("look at", path))?;
        let file = SocketFile {
            options: options.clone(),
            device: metadata.dev(),
            inode: metadata.ino(),
            missed: false,
        };
        Self::from_std(listener, Some(file), metadata.uid(), path)
    }

    /// Takes over a socket that somebody else has bound at this path, and serves it as this user.
    /// The file is left alone, now and in the end.
    ///
    /// # Errors
    /// The system refused.
    pub fn adopt(listener: StdListener, path: &Path, own_uid: u32) -> Result<Self, BindError> {
        Self::from_std(listener, None, own_uid, path)
    }

    fn from_std(
        listener: StdListener,
        file: Option<SocketFile>,
        own_uid: u32,
        path: &Path,
    ) -> Result<Self, BindError> {
        listener
            .set_nonblocking(true)
            .map_err(failed("listen on", path))?;
        let socket = UnixListener::from_std(listener).map_err(failed("listen on", path))?;
        Ok(Self {
            socket,
            file,
            own_uid,
        })
    }

    /// Looks whether the file is still there, and makes it anew where nothing is: without it nobody
    /// can come any more. What another has put there is left alone. Each is told once.
    pub(super) fn look_after_file(&mut self) {
        let Some(file) = &mut self.file else { return };
        let path = file.options.path.display();
        match file.state() {
            FileState::Ours => file.missed = false,
            FileState::Taken if file.missed => {}
            FileState::Taken => {
                tracing::warn!(
                    "{path} is not this daemon's socket any more; it serves those who are \
                     connected, and no others until it is started again"
                );
                file.missed = true;
            }
            FileState::Gone => match Self::bind(&file.options) {
                Ok(renewed) => {
                    tracing::warn!("{path} was removed; it is there again");
                    *self = renewed;
                }
                Err(_) if file.missed => {}
                Err(error) => {
                    tracing::warn!("{path} was removed and cannot be made again yet: {error}");
                    file.missed = true;
                }
            },
        }
    }

    /// The user that the daemon runs as.
    pub fn own_uid(&self) -> u32 {
        self.own_uid
    }
}

/// What stands at the socket's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileState {
    Ours,
    Taken,
    Gone,
}

impl SocketFile {
    fn state(&self) -> FileState {
        match fs::symlink_metadata(&self.options.path) {
            Ok(now) if (now.dev(), now.ino()) == (self.device, self.inode) => FileState::Ours,
            Err(error) if error.kind() == io::ErrorKind::NotFound => FileState::Gone,
            // What cannot be looked at is not ours to replace.
            Ok(_) | Err(_) => FileState::Taken,
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.state() == FileState::Ours {
            // A file that stays is probed and removed at the next start.
            let _ = fs::remove_file(&self.options.path);
        }
    }
}

/// A directory that only this user may enter, gone when this is dropped.
#[derive(Debug)]
struct Nursery {
    directory: PathBuf,
}

impl Nursery {
    fn make(beside: &Path) -> Result<Self, BindError> {
        let parent = beside.parent().unwrap_or_else(|| Path::new("/"));
        let directory = parent.join(format!(".{}", std::process::id()));
        // One that a crash has left behind under the same number.
        let _ = fs::remove_file(directory.join("s"));
        let _ = fs::remove_dir(&directory);
        DirBuilder::new()
            .mode(0o700)
            .create(&directory)
            .map_err(failed("make", &directory))?;
        Ok(Self { directory })
    }
}

impl Drop for Nursery {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.directory.join("s"));
        let _ = fs::remove_dir(&self.directory);
    }
}

/// Makes the directory where it is missing; one that is there keeps its mode.
fn make_directory(options: &SocketOptions) -> Result<(), BindError> {
    let Some(directory) = options.path.parent() else {
        return Ok(());
    };
    if directory.as_os_str().is_empty() || directory.is_dir() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(options.directory_mode)
        .create(directory)
        .map_err(failed("make", directory))?;
    // The process's mask may have taken bits away.
    fs::set_permissions(directory, Permissions::from_mode(options.directory_mode))
        .map_err(failed("set the mode of", directory))?;
    if let Some(group) = options.group {
        chown(directory, None, Some(group)).map_err(failed("set the group of", directory))?;
    }
    Ok(())
}

/// Removes a socket at which nobody answers.
fn remove_leftover(path: &Path) -> Result<(), BindError> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed("look at", path)(error)),
    };
    if !metadata.file_type().is_socket() {
        return Err(BindError::NoSocket(path.to_owned()));
    }
    match StdStream::connect(path) {
        Ok(_) => Err(BindError::InUse(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(failed("remove", path))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // A full queue of connections is an answer, too: somebody is there.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            Err(BindError::InUse(path.to_owned()))
        }
        Err(error) => Err(failed("probe", path)(error)),
    }
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BindError {
    let path = path.to_owned();
    move |source| BindError::Io { what, path, source }
}

/// The longest path that fits into a socket address with its final NUL; Linux has 108 bytes there.
pub const MAX_PATH_BYTES: usize = 107;

#[cfg(test)]
mod tests {
    use super::*;

    fn options(path: PathBuf) -> SocketOptions {
        SocketOptions {
            path,
            mode: 0o600,
            directory_mode: 0o700,
            group: None,
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o7777
    }

    #[tokio::test]
    async fn the_directory_and_the_socket_get_their_modes_and_nothing_is_left_beside() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/agentchatd.sock");
        let listener = Listener::bind(&options(path.clone())).unwrap();
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        assert_eq!(listener.own_uid(), fs::metadata(root.path()).unwrap().uid());
        drop(listener);
        assert!(!path.exists(), "the file goes with the listener");
    }

    #[tokio::test]
    async fn the_longest_path_that_fits_is_served() {
        let root = tempfile::tempdir().unwrap();
        let room = MAX_PATH_BYTES - root.path().as_os_str().len() - "//s".len();
        let path = root.path().join("d".repeat(room)).join("s");
        assert_eq!(path.as_os_str().len(), MAX_PATH_BYTES);
        let _listener = Listener::bind(&options(path.clone())).unwrap();
        StdStream::connect(&path).unwrap();
    }

    #[tokio::test]
    async fn a_leftover_at_which_nobody_answers_is_replaced() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("s.sock");
        drop(StdListener::bind(&path).unwrap());
        assert!(path.exists());
        let _listener = Listener::bind(&options(path.clone())).unwrap();
        StdStream::connect(&path).unwrap();
    }

    #[tokio::test]
    async fn a_socket_that_is_served_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("s.sock");
        let _other = StdListener::bind(&path).unwrap();
        assert!(matches!(
            Listener::bind(&options(path.clone())),
            Err(BindError::InUse(_))
        ));
        StdStream::connect(&path).unwrap();
    }

    #[tokio::test]
    async fn a_file_that_is_no_socket_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("s.sock");
        fs::write(&path, "precious").unwrap();
        assert!(matches!(
            Listener::bind(&options(path.clone())),
            Err(BindError::NoSocket(_))
        ));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[tokio::test]
    async fn a_path_that_does_not_fit_is_refused_with_the_limit() {
        let path = PathBuf::from(format!("/tmp/{}", "x".repeat(MAX_PATH_BYTES)));
        let error = Listener::bind(&options(path)).unwrap_err().to_string();
        assert!(error.contains("107"), "{error}");
    }

    #[tokio::test]
    async fn a_file_that_was_removed_is_made_again_and_goes_with_the_listener() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/s.sock");
        let mut listener = Listener::bind(&options(path.clone())).unwrap();
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
        listener.look_after_file();
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        let _client = StdStream::connect(&path).unwrap();
        listener.socket.accept().await.unwrap();
        drop(listener);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_file_that_another_has_put_in_place_is_not_removed() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("s.sock");
        let mut listener = Listener::bind(&options(path.clone())).unwrap();
        fs::remove_file(&path).unwrap();
        let _other = StdListener::bind(&path).unwrap();
        listener.look_after_file();
        drop(listener);
        StdStream::connect(&path).unwrap();
    }
}
