//! The configuration: what the flags, the environment and a TOML file say, made into [`Settings`].
//!
//! It is read once before anything else starts, and once more for every reload. The flow is
//! one-way: [`Environment`] and [`Flags`] go in, `load` lays file and environment over the
//! defaults key by key, `check` looks at values that only make sense together, `paths` finds the
//! socket and the state directory, and [`Settings::resolve`] hands out the result or *all* the
//! problems at once.
//!
//! Invariants:
//! - [`Config::default`] is the only place where a default stands; `keys` is the only place where
//!   a range stands. Tests hold `config/agentchatd.toml` against both.
//! - Nothing here reads the real environment or the user database except through
//!   [`Environment`] and [`Accounts`], so that a test can stand in for both.
//! - No message repeats a text value, but for names of users and groups: somebody will put a key
//!   into the wrong place one day.

mod access;
mod accounts;
mod check;
mod environment;
mod keys;
mod load;
mod paths;
mod problem;
mod sections;
mod settings;
mod values;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod path_tests;
#[cfg(test)]
mod problem_tests;
#[cfg(test)]
mod tests;

pub use access::{AccessRules, Principal};
pub use accounts::{Accounts, SystemAccounts};
pub use environment::{Environment, GivenSocket, KEY_VARIABLE};
pub use paths::ServiceKind;
pub use problem::{ConfigError, Origin, Problem};
pub use sections::{
    AccessSection, AgentSection, Config, HttpSection, LogSection, OutboxSection, RealtimeSection,
    SocketSection, StorageSection,
};
pub use settings::{Flags, Settings, SocketSettings};
pub use values::{
    AckPolicy, AuthMethod, BaseUrl, Durability, FileMode, LogFormat, LogLevel, ProxyUrl, ValueError,
};
