//! `daemon.reload` and `daemon.set_log_level`: changes of a daemon that goes on running.

use serde::{Deserialize, Serialize};

/// How much the daemon logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Nothing at all.
    Off,
    /// What makes the daemon stop.
    Error,
    /// What somebody should look at.
    Warn,
    /// Changes that a user cares about.
    Info,
    /// The conditions behind decisions.
    Debug,
    /// Each step.
    Trace,
}

/// Parameters of `daemon.set_log_level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SetLogLevelParams {
    /// The level, as `[log] level` of the configuration takes it.
    pub level: LogLevel,
}

/// Result of `daemon.set_log_level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LogLevelInForce {
    /// The level in force now.
    pub level: LogLevel,
}

/// Result of `daemon.reload`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reloaded {
    /// The file that was read; `null` where there is none.
    pub config_path: Option<String>,
    /// Keys of the configuration that changed and count from now on.
    pub changed: Vec<String>,
    /// Keys that differ from those that the daemon started with, and that wait for a restart.
    pub needs_restart: Vec<String>,
    /// The level in force now, the configured one.
    pub log_level: LogLevel,
    /// Whether there is an API key. One that AgentChat had refused is tried again.
    pub api_key: KeyFound,
    /// Why the key is refused, where it is: the file and its mode, for example.
    pub api_key_problem: Option<String>,
    /// What else the configuration gives cause to say.
    pub warnings: Vec<String>,
}

/// What a look for the API key found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum KeyFound {
    /// There is one; `daemon.status` tells what AgentChat makes of it.
    Found,
    /// No source has one.
    NotConfigured,
    /// There is one that must not be used.
    Refused,
}
