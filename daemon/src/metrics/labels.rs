//! The labels. Each has a fixed set of values, so that nobody outside can make the figures grow;
//! but for `consumer`, whose number the reader of the figures bounds.

use prometheus_client::encoding::EncodeLabelSet;

/// What came over the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    /// `message.new`.
    Message,
    /// `hello.ok`.
    Hello,
    /// Any other event.
    Event,
    /// A protocol ping.
    Ping,
    /// What could not be read.
    Unreadable,
}

impl FrameKind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Hello => "hello",
            Self::Event => "event",
            Self::Ping => "ping",
            Self::Unreadable => "unreadable",
        }
    }
}

/// How an attempt to send a message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendResult {
    /// AgentChat took it.
    Taken,
    /// AgentChat had it already.
    Replayed,
    /// AgentChat answered with an error.
    Refused,
    /// There was no answer, or none that makes sense.
    NoAnswer,
}

impl SendResult {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Replayed => "replayed",
            Self::Refused => "refused",
            Self::NoAnswer => "no_answer",
        }
    }
}

/// Why a connection ended or did not come about, as one of a few words.
#[must_use]
pub fn close_reason(code: Option<u16>, refused: Option<u16>) -> &'static str {
    match (refused, code) {
        (Some(401 | 403), _) => "upgrade_denied",
        (Some(_), _) => "upgrade_refused",
        (None, None) => "transport",
        (None, Some(1000)) => "close_1000",
        (None, Some(1001)) => "close_1001",
        (None, Some(1008)) => "close_1008",
        (None, Some(1011)) => "close_1011",
        (None, Some(1013)) => "close_1013",
        (None, Some(4401)) => "close_4401",
        (None, Some(4403)) => "close_4403",
        (None, Some(_)) => "close_other",
    }
}

macro_rules! label {
    ($(#[$doc:meta])* $set:ident($name:ident: $value:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
        pub(super) struct $set {
            pub(super) $name: $value,
        }
    };
}

label! {
    /// Frames.
    Frame(r#type: &'static str)
}
label! {
    /// Where an event came from.
    Source(source: &'static str)
}
label! {
    /// How a hole ended.
    Outcome(outcome: &'static str)
}
label! {
    /// Over which way an acknowledgement went.
    Via(via: &'static str)
}
label! {
    /// The state of an outbox entry, or of the connection.
    State(state: &'static str)
}
label! {
    /// Why a connection ended.
    Reason(reason: &'static str)
}
label! {
    /// How an attempt ended.
    Sent(result: &'static str)
}
label! {
    /// A durable consumer.
    Consumer(consumer: String)
}
label! {
    /// The program's version.
    Build(version: &'static str)
}

/// A call of the local API.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Call {
    pub(super) method: &'static str,
    pub(super) outcome: &'static str,
}
