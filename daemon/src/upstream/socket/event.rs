//! What a connection is configured with, and what it reports.

use std::sync::Arc;
use std::time::Duration;

use super::super::wire::Frame;

/// How the agent says who it is (`wire.md` 2.1). Never both ways on one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Auth {
    /// A hello frame after the upgrade.
    #[default]
    Hello,
    /// `Authorization` on the upgrade; a `hello.ok` may or may not come.
    Header,
}

/// Limits and times of one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketConfig {
    /// How the agent says who it is.
    pub auth: Auth,
    /// From the first packet to the hello that is written, refusals included.
    pub dial_timeout: Duration,
    /// How long a batch of writes may take before the peer counts as stuck.
    pub write_timeout: Duration,
    /// How long the peer may take to answer our close.
    pub close_timeout: Duration,
    /// Bytes of frames that may wait for the consumer; past it the socket is not read.
    pub inbound_bytes: usize,
    /// Bytes of frames that may wait to be written.
    pub outbound_bytes: usize,
    /// The longest frame that is taken.
    pub frame_bytes: usize,
}

impl Default for SocketConfig {
    fn default() -> Self {
        Self {
            auth: Auth::Hello,
            dial_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(2),
            inbound_bytes: 64 * MIB,
            outbound_bytes: 8 * MIB,
            frame_bytes: 8 * MIB,
        }
    }
}

/// What happens on an open connection, in the order in which it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketEvent {
    /// A frame of the server.
    Frame(Frame),
    /// A ping, answered already; a sign of life.
    Ping,
    /// The end; nothing follows it.
    Closed(Closed),
}

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The close code; `None` where the connection just broke off.
    pub code: Option<u16>,
    /// The close reason, or what broke.
    pub reason: Arc<str>,
    /// True where we ended it: on request, or because the peer broke the protocol or was stuck.
    /// A 1008 of our own is no refusal (`wire.md` 11.5).
    pub by_us: bool,
}

const MIB: usize = 1024 * 1024;
