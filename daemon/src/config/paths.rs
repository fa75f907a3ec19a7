//! Where the socket and the state directory are.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::keys;
use super::problem::{Origin, Problem};

/// On whose behalf the daemon runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceKind {
    /// For the person who started it.
    User,
    /// For the machine: by root, or by systemd as a system service under another user.
    System,
}

impl ServiceKind {
    /// Told from the uid and from what systemd puts into the environment: a system unit has a
    /// state or runtime directory and, unlike a user unit, no `$XDG_RUNTIME_DIR`.
    pub(super) fn detect(uid: u32, env: &Environment) -> Self {
        let by_systemd =
            env.var("STATE_DIRECTORY").is_some() || env.var("RUNTIME_DIRECTORY").is_some();
        if uid == 0 || (by_systemd && env.var("XDG_RUNTIME_DIR").is_none()) {
            Self::System
        } else {
            Self::User
        }
    }
}

/// The state directory: the flag, else the variable, else systemd's, else below the home.
pub(super) fn state_dir(flag: Option<&Path>, env: &Environment) -> Result<PathBuf, Problem> {
    if let Some(path) = flag {
        return Ok(env.absolute(path));
    }
    if let Some(path) = env.path(keys::STATE_DIR_VARIABLE) {
        return Ok(path);
    }
    // Systemd joins several with colons; the first one is ours.
    let by_systemd = env
        .text("STATE_DIRECTORY")
        .and_then(|list| list.split(':').next());
    if let Some(path) = by_systemd.filter(|path| !path.is_empty()) {
        return Ok(env.absolute(Path::new(path)));
    }
    env.xdg("XDG_STATE_HOME")
        .or_else(|| env.home().map(|home| home.join(".local/state")))
        .map(|dir| dir.join("agentchatd"))
        .ok_or_else(|| {
            let words = "no place for the state: neither --state-dir, $AGENTCHATD_STATE_DIR, \
                         $XDG_STATE_HOME nor $HOME is set";
            Problem::new(Origin::Default, "", words)
        })
}

/// The socket where nothing names one.
pub(super) fn default_socket(kind: ServiceKind, env: &Environment, state_dir: &Path) -> PathBuf {
    match (kind, env.xdg("XDG_RUNTIME_DIR")) {
        (ServiceKind::System, _) => PathBuf::from(SYSTEM_SOCKET),
        (ServiceKind::User, Some(dir)) => dir.join("agentchatd/agentchatd.sock"),
        (ServiceKind::User, None) => state_dir.join("agentchatd.sock"),
    }
}

/// Refuses a path that the kernel would not take as the address of a socket.
pub(super) fn check_socket_length(path: &Path, origin: Origin) -> Result<(), Problem> {
    let length = path.as_os_str().as_bytes().len() + 1;
    if length <= SOCKET_PATH_LIMIT {
        return Ok(());
    }
    let words = format!(
        "the socket path {} takes {length} bytes with its final NUL; allowed: {SOCKET_PATH_LIMIT} \
         (choose a shorter one with --socket)",
        path.display()
    );
    Err(Problem::new(origin, "socket.path", words))
}

const SYSTEM_SOCKET: &str = "/run/agentchatd/agentchatd.sock";
/// The size of `sun_path`, the final NUL included.
const SOCKET_PATH_LIMIT: usize = 108;
