//! What the process is given from outside: variables, the working directory, the system's own
//! configuration file, a socket that is bound already. A value and not a set of calls, so that a test builds one.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::values::FileMode;

/// The variables and directories that a start depends on.
///
/// The API key is kept apart from the other variables, in memory that is wiped. `Debug` names the
/// variables and shows no value.
#[derive(Clone)]
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
    key: Option<SecretString>,
    working_dir: PathBuf,
    system_config: PathBuf,
    socket: Option<GivenSocket>,
}

/// The file of a socket that the service manager has bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenSocket {
    /// Where it lies.
    pub path: PathBuf,
    /// Its mode and its group; `None` where this process does not see it.
    pub access: Option<(FileMode, u32)>,
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self::of(
            std::env::vars_os(),
            std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            PathBuf::from(SYSTEM_CONFIG),
        )
    }

    /// An environment of exactly these variables, with `root` as working directory and as the
    /// place of the system's configuration file (`<root>/etc/agentchatd/agentchatd.toml`).
    pub fn of_pairs<N, V>(root: &Path, pairs: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<OsString>,
        V: Into<OsString>,
    {
        Self::of(
            pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into())),
            root.to_path_buf(),
            root.join(SYSTEM_CONFIG.trim_start_matches('/')),
        )
    }

    fn of(
        pairs: impl Iterator<Item = (OsString, OsString)>,
        working_dir: PathBuf,
        system_config: PathBuf,
    ) -> Self {
        let (mut variables, mut key) = (BTreeMap::new(), None);
        for (name, value) in pairs {
            if name == KEY_VARIABLE {
                // What is not UTF-8 becomes characters that no key has, and is refused as such.
                let text = value.to_string_lossy().into_owned();
                key = Some(SecretString::from(text)).filter(|key| !key.expose_secret().is_empty());
            } else {
                variables.insert(name, value);
            }
        }
        Self {
            variables,
            key,
            working_dir,
            system_config,
            socket: None,
        }
    }

    /// The value of [`KEY_VARIABLE`].
    #[must_use]
    pub const fn key(&self) -> Option<&SecretString> {
        self.key.as_ref()
    }

    /// Takes what was handed over in another way for the value of [`KEY_VARIABLE`]; empty: there is
    /// none.
    pub fn keep_key(&mut self, key: SecretString) {
        self.key = Some(key).filter(|key| !key.expose_secret().is_empty());
    }

    /// The same with a socket that was handed over.
    #[must_use]
    pub fn with_socket(self, socket: Option<GivenSocket>) -> Self {
        Self { socket, ..self }
    }

    /// The socket that was handed over, if one was.
    #[must_use]
    pub fn socket(&self) -> Option<&GivenSocket> {
        self.socket.as_ref()
    }

    /// The value of a variable. One that is empty counts as not set.
    #[must_use]
    pub fn var(&self, name: &str) -> Option<&OsStr> {
        self.variables
            .get(OsStr::new(name))
            .map(OsString::as_os_str)
            .filter(|v| !v.is_empty())
    }

    /// The value of a variable where it is valid text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.var(name).and_then(OsStr::to_str)
    }

    /// The value of a variable as a path, made absolute from the working directory.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.var(name).map(|value| self.absolute(Path::new(value)))
    }

    /// A directory variable of the XDG base directories, which must be absolute to count.
    #[must_use]
    pub fn xdg(&self, name: &str) -> Option<PathBuf> {
        self.var(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    }

    /// The home directory, where the environment names one.
    #[must_use]
    pub fn home(&self) -> Option<PathBuf> {
        self.xdg("HOME")
    }

    /// `path`, made absolute from the working directory. Nothing on disk is looked at.
    #[must_use]
    pub fn absolute(&self, path: &Path) -> PathBuf {
        self.working_dir.join(path)
    }

    /// The working directory at the start.
    #[must_use]
    pub fn working_dir(&self) -> &Path {
        &self.working_dir
    }

    /// Where the configuration of the whole system lies.
    #[must_use]
    pub fn system_config(&self) -> &Path {
        &self.system_config
    }

    /// The names of all variables that begin with `prefix`, sorted.
    pub fn names_with<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.variables
            .keys()
            .filter_map(|n| n.to_str())
            .filter(move |n| n.starts_with(prefix))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("variables", &self.variables.keys().collect::<Vec<_>>())
            .field("key", &self.key.is_some())
            .field("working_dir", &self.working_dir)
            .field("system_config", &self.system_config)
            .field("socket", &self.socket)
            .finish()
    }
}

/// The variable that may hold the API key.
pub const KEY_VARIABLE: &str = "AGENTCHAT_API_KEY";
const SYSTEM_CONFIG: &str = "/etc/agentchatd/agentchatd.toml";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_shows_no_value() {
        let pairs = [(KEY_VARIABLE, "ac_secret"), ("OTHER", "ac_other")];
        let env = Environment::of_pairs(Path::new("/"), pairs);
        let shown = format!("{env:?}");
        assert!(shown.contains("OTHER") && !shown.contains("ac_"), "{shown}");
        assert_eq!(env.var(KEY_VARIABLE), None, "it is kept apart");
    }

    #[test]
    fn an_empty_variable_counts_as_not_set() {
        let env = Environment::of_pairs(Path::new("/"), [("A", ""), ("B", "b")]);
        assert_eq!(env.text("A"), None);
        assert_eq!(env.text("B"), Some("b"));
    }

    #[test]
    fn a_relative_xdg_directory_is_passed_over() {
        let env = Environment::of_pairs(Path::new("/w"), [("XDG_STATE_HOME", "here")]);
        assert_eq!(env.xdg("XDG_STATE_HOME"), None);
        assert_eq!(env.path("XDG_STATE_HOME"), Some(PathBuf::from("/w/here")));
    }
}
