//! A stand-in for the machine: directories, variables and accounts of its own.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Accounts, ConfigError, Environment, Flags, GivenSocket, Settings};

/// A home directory, a working directory and a root of its own, with two accounts on it.
pub(super) struct Place {
    dir: TempDir,
    pub(super) flags: Flags,
    variables: Vec<(String, String)>,
    pub(super) uid: u32,
    pub(super) groups: Vec<(&'static str, u32)>,
    pub(super) socket: Option<GivenSocket>,
}

impl Place {
    pub(super) fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let home = dir.path().to_str().unwrap().to_owned();
        Self {
            dir,
            flags: Flags::default(),
            variables: vec![("HOME".to_owned(), home)],
            uid: 1000,
            groups: vec![("staff", 50)],
            socket: None,
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(super) fn file(&self) -> PathBuf {
        self.path().join(".config/agentchatd/agentchatd.toml")
    }

    pub(super) fn with_file(self, text: &str) -> Self {
        fs::create_dir_all(self.file().parent().unwrap()).unwrap();
        fs::write(self.file(), text).unwrap();
        self
    }

    pub(super) fn with_var(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn resolve(&self) -> Result<Settings, ConfigError> {
        let env = Environment::of_pairs(self.path(), self.variables.clone())
            .with_socket(self.socket.clone());
        Settings::resolve(&self.flags, &env, self)
    }
}

impl Accounts for Place {
    fn uid_of(&self, name: &str) -> Option<u32> {
        (name == "alice").then_some(1000)
    }

    fn gid_of(&self, name: &str) -> Option<u32> {
        self.groups
            .iter()
            .find(|(group, _)| *group == name)
            .map(|(_, gid)| *gid)
    }

    fn groups_of(&self, _uid: u32) -> Vec<u32> {
        Vec::new()
    }

    fn own_uid(&self) -> u32 {
        self.uid
    }
}
