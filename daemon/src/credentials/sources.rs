//! Where a key may come from, and what came of asking.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::key::{ApiKey, MalformedKey};
use crate::config::{Environment, KEY_VARIABLE, Settings};

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
            variable: env.key().cloned(),
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

const SYSTEMD_NAME: &str = "agentchat_api_key";
/// The file of the state directory that the daemon itself writes keys to.
const SAVED_NAME: &str = "credentials.toml";
