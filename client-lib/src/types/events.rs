//! Events as readers get them, and the notifications of a subscription.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::common::is_false;
use super::time::Timestamp;

/// One event.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Event {
    /// Its place in the log; `null` for a type that is live only.
    pub offset: Option<u64>,
    /// What happened; types that nobody here knows are passed through.
    #[serde(rename = "type")]
    pub kind: String,
    /// When the daemon got it.
    pub received_at: Timestamp,
    /// The conversation that it belongs to.
    pub conversation_id: Option<String>,
    /// The message that it is about.
    pub message_id: Option<String>,
    /// The message's place in its conversation.
    pub seq: Option<u64>,
    /// How it reached the daemon.
    pub source: Source,
    /// Whether a higher seq of its conversation stands before it in the log.
    #[serde(default)]
    pub late: bool,
    /// The server's object, byte for byte.
    pub payload: Box<RawValue>,
    /// Whether this consumer was given it before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub redelivered: bool,
}

impl Event {
    /// Reads the payload as a type of the caller's.
    ///
    /// # Errors
    /// Where the payload has another shape.
    pub fn payload_as<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.payload.get())
    }
}

/// The types of events that the daemon itself knows.
pub mod kind {
    /// A message for the agent.
    pub const MESSAGE_NEW: &str = "message.new";
    /// A message of the agent itself.
    pub const MESSAGE_SENT: &str = "message.sent";
    /// A message that will not be sent, or of which nobody can tell.
    pub const MESSAGE_FAILED: &str = "message.failed";
    /// Someone read a message of the agent.
    pub const MESSAGE_READ: &str = "message.read";
    /// The agent was asked into a group.
    pub const GROUP_INVITE_RECEIVED: &str = "group.invite.received";
    /// A group of the agent is gone.
    pub const GROUP_DELETED: &str = "group.deleted";
    /// A contact was blocked.
    pub const CONTACT_BLOCKED: &str = "contact.blocked";
    /// AgentChat warns of a rate limit.
    pub const RATE_LIMIT_WARNING: &str = "rate_limit.warning";
    /// A recipient has much unread.
    pub const BACKLOG_WARNING: &str = "backlog.warning";
    /// Messages of a conversation are missing, or were for a while.
    pub const SEQUENCE_GAP: &str = "sequence.gap";
    /// Events were removed that a durable consumer had not acknowledged.
    pub const LOG_TRUNCATED: &str = "log.truncated";
    /// Someone types; live only.
    pub const TYPING_START: &str = "typing.start";
    /// Someone stopped to type; live only.
    pub const TYPING_STOP: &str = "typing.stop";
    /// Someone came or went; live only.
    pub const PRESENCE_UPDATE: &str = "presence.update";
    /// The connection to AgentChat changed; live only.
    pub const CONNECTION_STATE: &str = "connection.state";
}

/// How an event reached the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Over the socket.
    Live,
    /// By a drain of what was undelivered.
    Sync,
    /// From history, for a hole in a conversation.
    GapFill,
    /// From history, by the comparison with the conversation list.
    Reconcile,
    /// The daemon made it.
    Local,
    /// A way that this version does not know.
    #[serde(other)]
    Unknown,
}

impl Source {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Sync => "sync",
            Self::GapFill => "gap_fill",
            Self::Reconcile => "reconcile",
            Self::Local => "local",
            Self::Unknown => "unknown",
        }
    }
}

/// The names of the notifications.
pub mod notification {
    /// One event of a subscription: [`super::EventNotice`].
    pub const EVENT: &str = "events.event";
    /// A subscription ended by the daemon: [`super::SubscriptionClosed`].
    pub const CLOSED: &str = "events.closed";
    /// Live-only events were dropped for a slow reader: [`super::SubscriptionLagged`].
    pub const LAGGED: &str = "events.lagged";
    /// The daemon stops: [`super::GoingAway`].
    pub const GOING_AWAY: &str = "daemon.going_away";
}

/// Parameters of `events.event`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "EventNotice"))]
pub struct EventNotice<E = Event> {
    /// Which subscription.
    pub subscription: String,
    /// The event.
    pub result: E,
}

/// Parameters of `events.closed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SubscriptionClosed {
    /// Which subscription.
    pub subscription: String,
    /// Why.
    pub reason: String,
}

/// The reasons of `events.closed` that the daemon gives.
pub mod closed_reason {
    /// Another subscription took the consumer.
    pub const TAKEN_OVER: &str = "takeover";
    /// The consumer was deleted.
    pub const CONSUMER_DELETED: &str = "deleted";
    /// The daemon could not read its log; subscribe again.
    pub const STORAGE_ERROR: &str = "storage_error";
    /// The daemon stops; subscribe again when it is back.
    pub const SHUTTING_DOWN: &str = "shutting_down";
}

/// Parameters of `events.lagged`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SubscriptionLagged {
    /// Which subscription.
    pub subscription: String,
    /// How many live-only events were dropped.
    pub dropped: u64,
}

/// Parameters of `daemon.going_away`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GoingAway {
    /// Why.
    pub reason: String,
    /// After how long to come back.
    pub retry_in_ms: u64,
}
