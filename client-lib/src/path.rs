//! Where the socket and the state directory are: one rule for the daemon and its clients.
//!
//! Nothing here looks at the process itself but [`Surroundings::of_process`]; the rest can be tested
//! with any environment.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The longest path that a socket can have, without the final NUL, on Linux.
pub const MAX_SOCKET_PATH_BYTES: usize = 107;

/// What the rules look at.
pub struct Surroundings<'e> {
    /// Reads an environment variable.
    pub env: &'e dyn Fn(&str) -> Option<OsString>,
    /// Whether the process runs as root.
    pub root: bool,
}

impl fmt::Debug for Surroundings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

impl Surroundings<'static> {
    /// Those of this process.
    pub fn of_process() -> Self {
        // The owner of /proc/self is the effective user; where there is no /proc, a plain user is
        // the careful guess.
        let root = std::fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0);
        Self {
            env: &|name| std::env::var_os(name),
            root,
        }
    }
}

impl Surroundings<'_> {
    /// Where the daemon serves: `flag`, the environment, `configured` (`[socket] path`), the
    /// runtime directory, the state directory. `None` where not even a home is known.
    pub fn socket_path(
        &self,
        flag: Option<&Path>,
        configured: Option<&Path>,
        state_dir: Option<&Path>,
    ) -> Option<PathBuf> {
        self.told_socket(flag)
            .or_else(|| configured.map(Path::to_owned))
            .or_else(|| self.runtime_socket())
            .or_else(|| Some(self.state_dir(state_dir)?.join(SOCKET_NAME)))
    }

    /// Where a client looks, in this order: the one place that it was told, else the user's own
    /// daemon, else the machine's.
    pub fn client_sockets(&self, flag: Option<&Path>) -> Vec<PathBuf> {
        if let Some(told) = self
            .told_socket(flag)
            .or_else(|| self.path("AGENTCHATD_SOCKET_PATH"))
        {
            return vec![told];
        }
        let in_state_dir = self.state_dir(None).map(|dir| dir.join(SOCKET_NAME));
        let mut places: Vec<_> = self
            .runtime_socket()
            .into_iter()
            .chain(in_state_dir)
            .collect();
        places.push(PathBuf::from(SYSTEM_SOCKET));
        places.dedup();
        places
    }

    /// Where the daemon keeps its state: `flag`, the environment, systemd's directory, the user's.
    pub fn state_dir(&self, flag: Option<&Path>) -> Option<PathBuf> {
        flag.map(Path::to_owned)
            .or_else(|| self.path("AGENTCHATD_STATE_DIR"))
            .or_else(|| self.first_of_list("STATE_DIRECTORY"))
            .or_else(|| Some(self.absolute("XDG_STATE_HOME")?.join(DIR_NAME)))
            .or_else(|| Some(self.absolute("HOME")?.join(".local/state").join(DIR_NAME)))
    }

    fn told_socket(&self, flag: Option<&Path>) -> Option<PathBuf> {
        flag.map(Path::to_owned)
            .or_else(|| self.path("AGENTCHATD_SOCKET"))
    }

    fn runtime_socket(&self) -> Option<PathBuf> {
        if self.root {
            return Some(PathBuf::from(SYSTEM_SOCKET));
        }
        if let Some(dir) = self.absolute("XDG_RUNTIME_DIR") {
            return Some(dir.join(DIR_NAME).join(SOCKET_NAME));
        }
        // A system service under a user of its own has no XDG directory, but systemd's.
        self.first_of_list("RUNTIME_DIRECTORY")
            .map(|_| PathBuf::from(SYSTEM_SOCKET))
    }

    /// A variable with a path; an empty one counts as not set.
    fn path(&self, name: &str) -> Option<PathBuf> {
        (self.env)(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    }

    /// The XDG rules: a relative path is to be passed over.
    fn absolute(&self, name: &str) -> Option<PathBuf> {
        self.path(name).filter(|path| path.is_absolute())
    }

    /// systemd separates several directories by colons.
    fn first_of_list(&self, name: &str) -> Option<PathBuf> {
        let list = self.path(name)?.into_os_string().into_string().ok()?;
        list.split(':').next().map(PathBuf::from)
    }
}

const DIR_NAME: &str = "agentchatd";
const SOCKET_NAME: &str = "agentchatd.sock";
const SYSTEM_SOCKET: &str = "/run/agentchatd/agentchatd.sock";

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(vars: &[(&str, &str)], root: bool, test: impl FnOnce(Surroundings<'_>) -> T) -> T {
        let env = |name: &str| {
            vars.iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| OsString::from(value))
        };
        test(Surroundings { env: &env, root })
    }

    fn socket(vars: &[(&str, &str)], root: bool) -> String {
        with(vars, root, |s| s.socket_path(None, None, None))
            .unwrap()
            .display()
            .to_string()
    }

    #[test]
    fn the_flag_wins_over_the_environment_and_that_over_the_file() {
        let vars = [
            ("AGENTCHATD_SOCKET", "/env"),
            ("XDG_RUNTIME_DIR", "/run/user/7"),
        ];
        let (flag, file) = (Path::new("/flag"), Path::new("/file"));
        let pick = |vars: &[_], flag, file| with(vars, false, |s| s.socket_path(flag, file, None));
        assert_eq!(pick(&vars, Some(flag), Some(file)), Some("/flag".into()));
        assert_eq!(pick(&vars, None, Some(file)), Some("/env".into()));
        assert_eq!(pick(&vars[1..], None, Some(file)), Some("/file".into()));
    }

    #[test]
    fn a_user_has_a_runtime_dir_and_root_the_machines() {
        let user = [("XDG_RUNTIME_DIR", "/run/user/7"), ("HOME", "/u")];
        assert_eq!(
            socket(&user, false),
            "/run/user/7/agentchatd/agentchatd.sock"
        );
        assert_eq!(socket(&user, true), "/run/agentchatd/agentchatd.sock");
        let service = [("RUNTIME_DIRECTORY", "/run/agentchatd"), ("HOME", "/")];
        assert_eq!(socket(&service, false), "/run/agentchatd/agentchatd.sock");
    }

    #[test]
    fn without_a_runtime_dir_the_socket_is_in_the_state_dir() {
        let home = [("HOME", "/u"), ("XDG_RUNTIME_DIR", "")];
        assert_eq!(
            socket(&home, false),
            "/u/.local/state/agentchatd/agentchatd.sock"
        );
        let told = with(&home, false, |s| {
            s.socket_path(None, None, Some(Path::new("/state")))
        });
        assert_eq!(told, Some("/state/agentchatd.sock".into()));
        assert_eq!(with(&[], false, |s| s.socket_path(None, None, None)), None);
    }

    #[test]
    fn the_state_dir_follows_its_own_order() {
        let vars = [
            ("AGENTCHATD_STATE_DIR", "/env"),
            ("STATE_DIRECTORY", "/var/lib/agentchatd:/other"),
            ("XDG_STATE_HOME", "/xdg"),
            ("HOME", "/u"),
        ];
        let expected = ["/env", "/var/lib/agentchatd", "/xdg/agentchatd"];
        for (skip, path) in expected.into_iter().enumerate() {
            assert_eq!(
                with(&vars[skip..], false, |s| s.state_dir(None)),
                Some(path.into())
            );
        }
        let relative = [("XDG_STATE_HOME", "state"), ("HOME", "/u")];
        let found = with(&relative, false, |s| s.state_dir(None));
        assert_eq!(found, Some("/u/.local/state/agentchatd".into()));
    }

    #[test]
    fn a_client_that_was_told_nothing_looks_for_its_own_daemon_first() {
        let vars = [("XDG_RUNTIME_DIR", "/run/user/7"), ("HOME", "/u")];
        let places = with(&vars, false, |s| s.client_sockets(None));
        assert_eq!(
            places.first(),
            Some(&"/run/user/7/agentchatd/agentchatd.sock".into())
        );
        assert_eq!(places.last(), Some(&SYSTEM_SOCKET.into()));
        let told = [("AGENTCHATD_SOCKET", "/env")];
        assert_eq!(
            with(&told, false, |s| s.client_sockets(None)),
            [PathBuf::from("/env")]
        );
    }
}
