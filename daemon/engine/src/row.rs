//! One message of the platform, read as far as the rules need it.

use std::sync::Arc;

/// A message row as it came from the socket, from sync, from history or as the answer to a send.
///
/// Everything but the two ids is optional (`wire.md` 4.1): a field that is missing or of an
/// unexpected type is `None` here, and stays as it was in `body`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The platform's message id; it alone decides what a duplicate is.
    pub message_id: Arc<str>,
    /// The conversation that the message belongs to.
    pub conversation_id: Arc<str>,
    /// Position in the conversation, from 1; `None` where it is absent or no positive 63-bit integer.
    pub seq: Option<u64>,
    /// Bare lower-case handle of the sender.
    pub sender: Option<Arc<str>>,
    /// The sender's id of the message.
    pub client_msg_id: Option<Arc<str>>,
    /// Microseconds since the Unix epoch; `None` where the text is no timestamp.
    pub created_at: Option<i64>,
    /// True where the row's `status` says `stored`: not delivered to this agent yet.
    pub undelivered: bool,
    /// The handle in `content.data.agent_handle` of a `member_joined` system event.
    pub joined: Option<Arc<str>>,
    /// The platform's own JSON of the message, byte for byte.
    pub body: Arc<str>,
}

/// Why a request to the platform gave no usable answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// An answer other than 2xx.
    Status {
        /// The HTTP status.
        status: u16,
        /// The server's `code`, where the body was JSON and had one.
        code: Option<Arc<str>>,
        /// How long the server asks to wait, as it said it; not clamped yet.
        retry_after_ms: Option<u64>,
    },
    /// No HTTP answer at all.
    Network {
        /// What went wrong, without the address and without the key.
        reason: Arc<str>,
        /// True where the request cannot have reached the server (refused, no route, DNS, TLS).
        unsent: bool,
    },
    /// A 2xx answer that is not of the expected shape. Never taken for an empty one (`wire.md` 11.1).
    Shape {
        /// What was expected and what came.
        reason: Arc<str>,
    },
}
