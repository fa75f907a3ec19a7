//! The sections of the file, one struct each. `Default` is the single source of every default;
//! the ranges stand in `keys`.
//!
//! Names in the file carry their unit (`hello_timeout_ms`); the fields are durations.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::values::{
    AckPolicy, AuthMethod, BaseUrl, Durability, FileMode, LogFormat, LogLevel, ProxyUrl,
};

/// The whole configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Who we are and where the platform is.
    pub agent: AgentSection,
    /// The local socket.
    pub socket: SocketSection,
    /// The log on disk.
    pub storage: StorageSection,
    /// The connection to the platform.
    pub realtime: RealtimeSection,
    /// REST calls to the platform.
    pub http: HttpSection,
    /// Messages on their way out.
    pub outbox: OutboxSection,
    /// Who may do what.
    pub access: AccessSection,
    /// What is logged, and how.
    pub log: LogSection,
}

/// `[agent]`: who we are and where the platform is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentSection {
    /// The address of the platform; a path prefix is kept.
    pub base_url: BaseUrl,
    /// Lets `base_url` be plain `http` to another machine.
    pub allow_insecure: bool,
    /// A file that holds the API key and nothing else.
    pub api_key_file: Option<PathBuf>,
    /// When the platform is told that a message arrived.
    pub ack: AckPolicy,
}

impl Default for AgentSection {
    fn default() -> Self {
        Self {
            base_url: BaseUrl::try_from(DEFAULT_BASE_URL.to_owned())
                .expect("the default address is a valid one"),
            allow_insecure: false,
            api_key_file: None,
            ack: AckPolicy::Stored,
        }
    }
}

/// `[socket]`: the local socket and its limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SocketSection {
    /// Where it lies. Without: in the runtime directory.
    pub path: Option<PathBuf>,
    /// Its permissions. Without: 0600 for a user, 0660 for a system service.
    pub mode: Option<FileMode>,
    /// Its group. Without: `agentchat` for a system service, none for a user.
    pub group: Option<String>,
    /// The longest request that is taken.
    pub max_request_bytes: usize,
    /// How many connections may be open.
    pub max_connections: usize,
    /// How many subscriptions one connection may hold.
    pub max_subscriptions: usize,
}

impl Default for SocketSection {
    fn default() -> Self {
        Self {
            path: None,
            mode: None,
            group: None,
            max_request_bytes: 8 * 1024 * 1024,
            max_connections: 1024,
            max_subscriptions: 256,
        }
    }
}

/// `[storage]`: the log on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StorageSection {
    /// What a commit waits for.
    pub durability: Durability,
    /// How many days an event is kept.
    pub retention_days: u32,
    /// How large the log may grow.
    pub retention_bytes: u64,
}

impl Default for StorageSection {
    fn default() -> Self {
        Self {
            durability: Durability::Full,
            retention_days: 30,
            retention_bytes: 1024 * 1024 * 1024,
        }
    }
}

/// `[realtime]`: the connection to the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RealtimeSection {
    /// How long the platform may take to answer the hello.
    #[serde(rename = "hello_timeout_ms", with = "millis")]
    pub hello_timeout: Duration,
    /// How long a hole may stay open before history is asked.
    #[serde(rename = "gap_window_ms", with = "millis")]
    pub gap_window: Duration,
    /// The first delay before dialling again.
    #[serde(rename = "backoff_min_ms", with = "millis")]
    pub backoff_min: Duration,
    /// The longest delay before dialling again.
    #[serde(rename = "backoff_max_ms", with = "millis")]
    pub backoff_max: Duration,
    /// How long a connection must live before the delays start from the first again.
    #[serde(rename = "stable_after_ms", with = "millis")]
    pub stable_after: Duration,
    /// After how much silence a connection counts as dead.
    #[serde(rename = "liveness_ms", with = "millis")]
    pub liveness: Duration,
    /// How often undelivered messages are asked for while connected.
    #[serde(rename = "sync_interval_s", with = "seconds")]
    pub sync_interval: Duration,
    /// How often the conversation list is compared with the log.
    #[serde(rename = "reconcile_interval_s", with = "seconds")]
    pub reconcile_interval: Duration,
    /// How the key is shown.
    pub auth: AuthMethod,
}

impl Default for RealtimeSection {
    fn default() -> Self {
        Self {
            hello_timeout: Duration::from_millis(4_000),
            gap_window: Duration::from_millis(2_000),
            backoff_min: Duration::from_millis(500),
            backoff_max: Duration::from_millis(30_000),
            stable_after: Duration::from_millis(30_000),
            liveness: Duration::from_millis(100_000),
            sync_interval: Duration::from_secs(60),
            reconcile_interval: Duration::from_secs(300),
            auth: AuthMethod::Hello,
        }
    }
}

/// `[http]`: REST calls to the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpSection {
    /// How long one attempt may take.
    #[serde(rename = "timeout_ms", with = "millis")]
    pub timeout: Duration,
    /// How often a call is tried again.
    pub max_retries: u32,
    /// The first delay before another try.
    #[serde(rename = "base_delay_ms", with = "millis")]
    pub base_delay: Duration,
    /// The longest delay of our own making; the platform's `Retry-After` is not cut by it.
    #[serde(rename = "max_delay_ms", with = "millis")]
    pub max_delay: Duration,
    /// A proxy. Without: what `HTTPS_PROXY` and its relatives say.
    pub proxy: Option<ProxyUrl>,
    /// Certificates that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
}

impl Default for HttpSection {
    fn default() -> Self {
        Self {
            timeout: Duration::from_millis(30_000),
            max_retries: 3,
            base_delay: Duration::from_millis(250),
            max_delay: Duration::from_millis(8_000),
            proxy: None,
            ca_file: None,
        }
    }
}

/// `[outbox]`: messages on their way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutboxSection {
    /// How many messages may wait.
    pub max_entries: u64,
    /// How many destinations are served side by side.
    pub concurrency: usize,
    /// How long a message may wait, where its sender does not say.
    #[serde(rename = "expires_in_ms", with = "millis")]
    pub expires_in: Duration,
    /// How many sends are started in a second, over all destinations.
    pub rate_per_second: u32,
}

impl Default for OutboxSection {
    fn default() -> Self {
        Self {
            max_entries: 100_000,
            concurrency: 8,
            expires_in: Duration::from_millis(86_400_000),
            rate_per_second: 50,
        }
    }
}

/// `[access]`: `uid:…`, `gid:…`, user and `@group` names for each scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccessSection {
    /// Who may do everything.
    pub admin: Vec<String>,
    /// Who may act as the agent.
    pub send: Vec<String>,
    /// Who may look.
    pub read: Vec<String>,
}

/// `[log]`: what is logged, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSection {
    /// How much is logged.
    pub level: LogLevel,
    /// What a line looks like.
    pub format: LogFormat,
    /// Whether message bodies may be logged, at level `trace`.
    pub payloads: bool,
}

impl Default for LogSection {
    fn default() -> Self {
        Self {
            level: LogLevel::Info,
            format: LogFormat::Auto,
            payloads: false,
        }
    }
}

/// Durations as whole milliseconds.
mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(value.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

/// Durations as whole seconds.
mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(value.as_secs())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_secs)
    }
}

const DEFAULT_BASE_URL: &str = "https://api.agentchat.me";
