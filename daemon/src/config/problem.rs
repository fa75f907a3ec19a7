//! What can be wrong with a configuration, and where it stands.

use std::fmt;
use std::path::PathBuf;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A line of a file; lines count from 1.
    File {
        /// The file.
        path: PathBuf,
        /// The line on which the value or the key stands.
        line: usize,
    },
    /// A variable of the environment.
    Variable(String),
    /// A flag of the command line.
    Flag(&'static str),
    /// Nobody set it.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line: 0 } => write!(f, "{}", path.display()),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => write!(f, "${name}"),
            Self::Flag(name) => f.write_str(name),
            Self::Default => f.write_str("default"),
        }
    }
}

/// One thing that is wrong, in words that name the place, the key and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where the bad value stands.
    pub origin: Origin,
    /// The key, as `section.key`; empty where the file as a whole is meant.
    pub key: String,
    /// What is wrong with it and what is allowed. It never repeats a text value.
    pub text: String,
}

impl Problem {
    /// A problem with the value of `key`.
    pub fn new(origin: Origin, key: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            origin,
            key: key.into(),
            text: text.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() {
            write!(f, "{}: {}", self.origin, self.text)
        } else {
            write!(f, "{}: {}: {}", self.origin, self.key, self.text)
        }
    }
}

/// A configuration that cannot be used; holds every problem that was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(.problems))]
pub struct ConfigError {
    /// The problems, in the order of the places they stand in. Never empty.
    pub problems: Vec<Problem>,
}

fn lines(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}
