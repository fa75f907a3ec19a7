//! `daemon.version`, `daemon.status` and `rpc.discover`.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::time::Timestamp;

/// Result of `daemon.version`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Version {
    /// Always `agentchatd`.
    pub name: String,
    /// The program's version.
    pub version: String,
    /// The version of this API.
    pub api: u32,
    /// What this build can do beyond version 1 of the API.
    pub features: Vec<String>,
}

/// Result of `rpc.discover`: the OpenRPC document of this API.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("type" = "object")))]
#[serde(transparent)]
pub struct OpenRpcDocument(pub Box<RawValue>);

/// Result of `daemon.status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Status {
    /// The program's version.
    pub version: String,
    /// The process.
    pub pid: u32,
    /// When it started.
    pub started_at: Timestamp,
    /// How long it runs.
    pub uptime_ms: u64,
    /// The agent that it serves; `null` until AgentChat named it.
    pub agent: Option<AgentStatus>,
    /// The connection to AgentChat.
    pub connection: ConnectionStatus,
    /// Draining of what was undelivered.
    pub sync: SyncStatus,
    /// The event log.
    pub log: LogStatus,
    /// Order within conversations.
    pub ordering: OrderingStatus,
    /// Messages on their way out.
    pub outbox: OutboxStatus,
    /// Durable consumers.
    pub consumers: u64,
    /// Subscriptions at this moment.
    pub subscriptions: u64,
    /// Connected clients.
    pub clients: u64,
    /// The database.
    pub storage: StorageStatus,
    /// Where local clients connect.
    #[serde(default)]
    pub socket: SocketStatus,
    /// The platform, as far as the daemon knows it.
    #[serde(default)]
    pub platform: PlatformStatus,
    /// The configuration file, if there is one.
    pub config_path: Option<String>,
    /// What the owner should know.
    pub warnings: Vec<String>,
}

/// The local socket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SocketStatus {
    /// Its path.
    pub path: String,
    /// Whether the service manager made it and handed it over.
    pub handed_over: bool,
}

/// AgentChat, seen from here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlatformStatus {
    /// Its address before `/v1`.
    pub base_url: String,
    /// Milliseconds by which its clock is ahead of this machine's, good to about a second; `null` until
    /// an answer told.
    pub clock_offset_ms: Option<i64>,
}

/// The agent that the daemon serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AgentStatus {
    /// Its handle.
    pub handle: String,
    /// AgentChat's word for the account's state.
    pub status: Option<String>,
    /// AgentChat's word for what the owner paused.
    pub paused_by_owner: Option<String>,
}

/// A state of the connection to AgentChat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// None, and none is under way.
    Disconnected,
    /// The socket is being opened.
    Connecting,
    /// The key was shown, the answer is awaited.
    Authenticating,
    /// What was undelivered is being fetched.
    Draining,
    /// All is in place.
    Ready,
    /// AgentChat refused the key or the account.
    Parked,
    /// The daemon stops.
    Stopped,
}

impl ConnectionState {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Connecting => "connecting",
            Self::Authenticating => "authenticating",
            Self::Draining => "draining",
            Self::Ready => "ready",
            Self::Parked => "parked",
            Self::Stopped => "stopped",
        }
    }
}

/// The connection to AgentChat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConnectionStatus {
    /// Where it stands.
    pub state: ConnectionState,
    /// Why, where there is something to say.
    pub reason: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// Attempts since it was last stable.
    pub attempt: u64,
    /// How AgentChat learns what arrived; `null` before the first connection.
    pub ack_mode: Option<AckCapability>,
    /// How the last connection ended.
    pub last_close: Option<LastClose>,
    /// Connections made since the start.
    pub connected_total: u64,
    /// Connections in a row that did not last.
    pub rapid_reconnects: u64,
}

/// How AgentChat learns what arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AckCapability {
    /// The daemon acknowledges each message after it is on disk.
    Explicit,
    /// AgentChat counts what it wrote to the socket as delivered.
    OnSend,
}

/// The end of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LastClose {
    /// The close code, where there was one.
    pub code: Option<u16>,
    /// AgentChat's or the system's words.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// Draining of what was undelivered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SyncStatus {
    /// The last delivery id read.
    pub last_delivery_id: Option<String>,
    /// The last delivery id acknowledged.
    pub acked_delivery_id: Option<String>,
    /// When the last drain ended.
    pub last_drain_at: Option<Timestamp>,
    /// Rows that came by drains since the start.
    pub drained_total: u64,
}

/// The event log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LogStatus {
    /// The first offset that is kept; `null` where the log is empty.
    pub first_offset: Option<u64>,
    /// The last offset given out; `null` where none was.
    pub last_offset: Option<u64>,
    /// Events kept.
    pub events: u64,
    /// Their size.
    pub bytes: u64,
}

/// Order within conversations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OrderingStatus {
    /// Conversations known.
    pub conversations: u64,
    /// Messages that wait for one before them.
    pub parked: u64,
    /// Holes that are open.
    pub gaps_open: u64,
    /// Holes filled since the start.
    pub gaps_recovered: u64,
    /// Holes in which AgentChat has nothing.
    pub gaps_absent: u64,
    /// Holes given up.
    pub gaps_failed: u64,
}

/// Messages on their way out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OutboxStatus {
    /// Waiting.
    pub queued: u64,
    /// With an attempt under way.
    pub in_flight: u64,
    /// Given up.
    pub failed: u64,
}

/// The database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StorageStatus {
    /// Where it is.
    pub path: String,
    /// Its size on disk.
    pub bytes: u64,
    /// What a commit survives.
    pub durability: Durability,
}

/// What a commit survives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// A power cut.
    #[default]
    Full,
    /// The end of the process.
    Normal,
}
