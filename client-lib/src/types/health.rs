//! `daemon.health`: whether messages get through, which is more than whether the process runs.

use serde::{Deserialize, Serialize};

use super::filter::ConsumerName;
use super::time::Timestamp;

/// The short answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Messages get through.
    Ok,
    /// The daemon has just started.
    Starting,
    /// Something is away, slow or stuck; it mends itself or says what to do.
    Degraded,
    /// AgentChat refuses the key or the account, or there is no key.
    Parked,
    /// The daemon cannot do its work: storage refuses, or nothing moves.
    Down,
}

impl Verdict {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Starting => "starting",
            Self::Degraded => "degraded",
            Self::Parked => "parked",
            Self::Down => "down",
        }
    }
}

/// Result of `daemon.health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Health {
    /// The short answer.
    pub verdict: Verdict,
    /// Since when it holds.
    pub since: Timestamp,
    /// What led to it.
    pub reasons: Vec<HealthReason>,
    /// Towards local programs.
    pub receive: ReceiveHealth,
    /// Towards AgentChat.
    pub send: SendHealth,
    /// The durable consumers.
    pub consumers: Vec<ConsumerHealth>,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HealthReason {
    /// A stable word for it.
    pub code: String,
    /// A sentence for it.
    pub message: String,
}

/// The way in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReceiveHealth {
    /// When AgentChat's socket was last heard.
    pub last_frame_at: Option<Timestamp>,
    /// When a drain last ended.
    pub last_sync_at: Option<Timestamp>,
    /// Holes that are open.
    pub gaps_open: u64,
    /// How long the oldest message waits for its acknowledgement to AgentChat.
    pub oldest_unacked_age_ms: Option<u64>,
}

/// The way out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SendHealth {
    /// How long the oldest message waits to be sent.
    pub oldest_queued_age_ms: Option<u64>,
    /// Messages whose last attempt failed and that are tried again.
    pub failing: u64,
}

/// One durable consumer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConsumerHealth {
    /// Its name.
    pub name: ConsumerName,
    /// Events after its acked offset that pass its filter, counted to 100,000.
    pub lag: u64,
    /// How long its oldest unacked event waits.
    pub oldest_unacked_age_ms: Option<u64>,
    /// Whether a subscription is there.
    pub attached: bool,
}
