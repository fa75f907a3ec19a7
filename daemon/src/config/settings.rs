//! Everything that a start or a reload needs to know, resolved.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::access::AccessRules;
use super::accounts::Accounts;
use super::check;
use super::environment::{Environment, GivenSocket};
use super::keys;
#[cfg(any(test, feature = "fuzzing"))]
use super::load::load_text;
use super::load::{Loaded, load};
use super::paths::{self, ServiceKind};
use super::problem::{ConfigError, Origin, Problem};
use super::sections::Config;
use super::values::FileMode;

/// What the command line says; it wins over the environment, which wins over the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--socket`
    pub socket: Option<PathBuf>,
    /// `--state-dir`
    pub state_dir: Option<PathBuf>,
    /// `--api-key-file`
    pub api_key_file: Option<PathBuf>,
}

/// The socket as it is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketSettings {
    /// Where it lies; absolute, and short enough for the kernel.
    pub path: PathBuf,
    /// Its permissions.
    pub mode: FileMode,
    /// The permissions of its directory, where the daemon makes it.
    pub dir_mode: u32,
    /// The group of socket and directory; `None` leaves the daemon's own.
    pub gid: Option<u32>,
    /// It was handed over: path, mode and group are those of a file that is another's.
    pub handed_over: bool,
}

/// The configuration, resolved for this machine and this environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Every key, from the file and the environment over the defaults.
    pub config: Config,
    /// The file that was read, if there was one.
    pub config_path: Option<PathBuf>,
    /// The state directory; absolute. It need not exist yet.
    pub state_dir: PathBuf,
    /// The socket.
    pub socket: SocketSettings,
    /// Who may do what beyond the defaults.
    pub access: AccessRules,
    /// On whose behalf the daemon runs.
    pub kind: ServiceKind,
    /// The uid that the daemon acts as.
    pub own_uid: u32,
    /// `--api-key-file`, made absolute.
    pub api_key_flag: Option<PathBuf>,
    /// What a user should know, for the log and `daemon.status`.
    pub warnings: Vec<String>,
}

impl Settings {
    /// Reads flags, environment and file.
    ///
    /// # Errors
    /// Every problem that was found, at once. The process then ends with status 78.
    pub fn resolve(
        flags: &Flags,
        env: &Environment,
        accounts: &dyn Accounts,
    ) -> Result<Self, ConfigError> {
        Self::of_loaded(load(flags.config.as_deref(), env), flags, env, accounts)
    }

    /// The same for a text that stands in no file, without flags.
    ///
    /// # Errors
    /// As for [`Self::resolve`].
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn of_text(
        path: &Path,
        text: &str,
        env: &Environment,
        accounts: &dyn Accounts,
    ) -> Result<Self, ConfigError> {
        let loaded = load_text(path, text, env);
        Self::of_loaded(loaded, &Flags::default(), env, accounts)
    }

    fn of_loaded(
        mut loaded: Loaded,
        flags: &Flags,
        env: &Environment,
        accounts: &dyn Accounts,
    ) -> Result<Self, ConfigError> {
        check::check_together(&mut loaded);
        let access = check::check_access(&mut loaded, accounts);
        let own_uid = accounts.own_uid();
        let kind = ServiceKind::detect(own_uid, env);
        let state_dir = match paths::state_dir(flags.state_dir.as_deref(), env) {
            Ok(path) => path,
            Err(problem) => {
                loaded.problems.push(problem);
                PathBuf::new()
            }
        };
        let path = socket_path(flags, env, kind, &state_dir, &mut loaded);
        let socket = match env.socket() {
            Some(given) => handed_over(given, &path, flags, &mut loaded),
            None => socket_settings(path, kind, accounts, &mut loaded),
        };
        if !loaded.problems.is_empty() {
            return Err(ConfigError {
                problems: loaded.problems,
            });
        }
        Ok(Self {
            config: loaded.config,
            config_path: loaded.file,
            state_dir,
            socket,
            access,
            kind,
            own_uid,
            api_key_flag: flags.api_key_file.as_deref().map(|path| env.absolute(path)),
            warnings: loaded.warnings,
        })
    }

    /// The keys (`section.key`) in which `new` differs and that only a restart takes up. For a
    /// reload, which goes on with the rest and warns of these.
    #[must_use]
    pub fn needs_restart_for(&self, new: &Self) -> Vec<String> {
        self.differences(new, false)
    }

    /// The keys in which `new` differs and that a reload takes up.
    #[must_use]
    pub fn reloads_for(&self, new: &Self) -> Vec<String> {
        self.differences(new, true)
    }

    fn differences(&self, new: &Self, reloads: bool) -> Vec<String> {
        let (ours, theirs) = (as_table(&self.config), as_table(&new.config));
        let value = |table: &Table, key: &keys::Key| -> Option<Value> {
            table.get(key.section)?.get(key.name).cloned()
        };
        keys::KEYS
            .iter()
            .filter(|key| key.reloads == reloads && value(&ours, key) != value(&theirs, key))
            .map(keys::Key::full_name)
            .collect()
    }
}

fn as_table(config: &Config) -> Table {
    Table::try_from(config).unwrap_or_default()
}

fn socket_path(
    flags: &Flags,
    env: &Environment,
    kind: ServiceKind,
    state_dir: &Path,
    loaded: &mut Loaded,
) -> PathBuf {
    let (path, origin) = match (&flags.socket, &loaded.config.socket.path) {
        (Some(path), _) => (env.absolute(path), Origin::Flag("--socket")),
        (None, Some(path)) => (path.clone(), loaded.origins.of("socket.path")),
        (None, None) => (paths::default_socket(kind, env, state_dir), Origin::Default),
    };
    if let Err(problem) = paths::check_socket_length(&path, origin) {
        loaded.problems.push(problem);
    }
    path
}

fn socket_settings(
    path: PathBuf,
    kind: ServiceKind,
    accounts: &dyn Accounts,
    loaded: &mut Loaded,
) -> SocketSettings {
    let wanted = &loaded.config.socket;
    let gid = match (&wanted.group, kind) {
        (Some(name), _) => {
            let gid = accounts.gid_of(name);
            if gid.is_none() {
                let words = format!("there is no group called {name:?}; allowed: a group's name");
                let origin = loaded.origins.of("socket.group");
                loaded
                    .problems
                    .push(Problem::new(origin, "socket.group", words));
            }
            gid
        }
        (None, ServiceKind::System) => accounts.gid_of(SYSTEM_GROUP),
        (None, ServiceKind::User) => None,
    };
    let mode = match (wanted.mode, kind, gid) {
        (Some(mode), _, _) => mode,
        (None, ServiceKind::System, Some(_)) => FileMode::GROUP,
        (None, ServiceKind::System, None) => {
            loaded.warnings.push(format!(
                "the group {SYSTEM_GROUP:?} does not exist, so the socket has mode {} and only \
                 its owner and root can use it",
                FileMode::PRIVATE
            ));
            FileMode::PRIVATE
        }
        (None, ServiceKind::User, _) => FileMode::PRIVATE,
    };
    if wanted.group.is_some() && !mode.lets_group_in() {
        loaded.warnings.push(format!(
            "socket.group is set, but mode {mode} keeps the group out; set socket.mode = \"0660\""
        ));
    }
    // A group that was asked for must be able to reach the socket through its directory.
    let open = kind == ServiceKind::System || (gid.is_some() && mode.lets_group_in());
    let dir_mode = if open { GROUP_DIR } else { PRIVATE_DIR };
    SocketSettings {
        path,
        mode,
        dir_mode,
        gid,
        handed_over: false,
    }
}

/// The socket of the service manager, whatever else is configured.
fn handed_over(
    given: &GivenSocket,
    configured: &Path,
    flags: &Flags,
    loaded: &mut Loaded,
) -> SocketSettings {
    let path = given.path.display();
    let named = flags.socket.is_some() || loaded.config.socket.path.is_some();
    if named && configured != given.path {
        loaded.warnings.push(format!(
            "the service manager handed over the socket {path}, so {} is not made",
            configured.display()
        ));
    }
    if loaded.config.socket.mode.is_some() || loaded.config.socket.group.is_some() {
        loaded.warnings.push(format!(
            "socket.mode and socket.group are not used: the socket {path} was handed over, and \
             the unit that made it says who may open it (SocketMode=, SocketGroup=)"
        ));
    }
    let (mode, gid) = match given.access {
        Some((mode, gid)) => (mode, Some(gid)),
        // As far as we know it keeps nobody out.
        None => (FileMode::of_file(0o666), None),
    };
    if given.access.is_none() {
        loaded.warnings.push(format!(
            "the file of the socket {path} cannot be looked at, so whom it lets in is not known; \
             only root, the daemon's own user and those whom [access] names are answered. Add the \
             group of its directory to the daemon's (SupplementaryGroups=)"
        ));
    } else if mode.lets_all_in() {
        loaded.warnings.push(format!(
            "every user can open the socket {path}; only root, the daemon's own user, members of \
             its group and those whom [access] names are answered. Set SocketMode=0660, or 0600, \
             in the unit that makes it"
        ));
    }
    SocketSettings {
        path: given.path.clone(),
        mode,
        dir_mode: PRIVATE_DIR,
        gid,
        handed_over: true,
    }
}

const SYSTEM_GROUP: &str = "agentchat";
const PRIVATE_DIR: u32 = 0o700;
const GROUP_DIR: u32 = 0o750;
