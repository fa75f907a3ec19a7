//! What a commit writes. The store carries these out in order, in one transaction.

use std::sync::Arc;

use crate::{row::Row, seq_set::SeqSet};

/// How a message reached the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Pushed over the socket.
    Live,
    /// Read by sync.
    Sync,
    /// Read from history to close a hole.
    GapFill,
    /// Read from history by a comparison with the conversation list.
    Reconcile,
    /// Made by the daemon: the answer to a send, or a report of its own.
    Local,
}

/// A position of sync, as the JSON text in which the platform wrote it (string or integer).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(pub Arc<str>);

/// One write. The order inside a commit is the order in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Appends a message to the log, unless its id stands there already.
    Log {
        /// The message.
        row: Row,
        /// True where this agent sent it: `message.sent` instead of `message.new`.
        own: bool,
        /// How it came.
        source: Source,
        /// True where a higher seq of the conversation stands in the log already.
        late: bool,
    },
    /// Appends an event that is no message.
    LogOther {
        /// Its type.
        kind: Arc<str>,
        /// Its payload, as JSON text.
        payload: Arc<str>,
        /// How it came.
        source: Source,
        /// The conversation that it belongs to, where it names one.
        conversation_id: Option<Arc<str>>,
    },
    /// Appends a `sequence.gap`.
    LogGap(GapReport),
    /// Keeps a message that stands behind a hole; it gets no offset yet.
    Park {
        /// The message.
        row: Row,
        /// True where this agent sent it.
        own: bool,
        /// How it came.
        source: Source,
    },
    /// Moves a parked message to the end of the log.
    Unpark {
        /// Its id.
        message_id: Arc<str>,
    },
    /// Replaces what is known of a conversation.
    Conversation(ConversationRecord),
    /// Binds the state to its agent, once.
    Bind {
        /// The agent's handle.
        handle: Arc<str>,
        /// The platform's time at the first contact, microseconds since the epoch.
        birth_us: i64,
    },
    /// The last delivery id that a committed sync page ended with.
    SyncSeen(Cursor),
    /// The last delivery id that the platform was told of.
    SyncAcked(Cursor),
    /// The platform's time at the start of the last complete comparison with history.
    Reconciled {
        /// Microseconds since the epoch.
        at_us: i64,
    },
    /// Takes a send into the outbox, unless its `client_msg_id` is there already.
    OutboxInsert {
        /// The send.
        draft: Draft,
        /// True where the first attempt follows at once.
        sending: bool,
    },
    /// An attempt is about to be made.
    OutboxSending {
        /// The entry.
        id: u64,
    },
    /// The entry waits for its next attempt.
    OutboxQueued {
        /// The entry.
        id: u64,
        /// True where an attempt may have landed.
        ambiguous: bool,
        /// Plain 500 answers so far.
        poison: u32,
        /// When the next attempt is due, microseconds since the epoch.
        next_attempt_us: i64,
        /// True where the platform told that time.
        told: bool,
        /// The last error, as JSON text.
        error: Arc<str>,
    },
    /// The entry's next attempt is due at another time, by a caller's wish.
    OutboxWoken {
        /// The entry.
        id: u64,
        /// When, microseconds since the epoch.
        next_attempt_us: i64,
    },
    /// Puts an entry that ended without a message at the end of its lane again, for new attempts;
    /// nothing where it did not end so.
    OutboxRevived {
        /// The entry.
        id: u64,
        /// When the next attempt is due, microseconds since the epoch.
        next_attempt_us: i64,
        /// When it stops being worth sending, microseconds since the epoch.
        expires_us: i64,
    },
    /// Calls an entry cancelled that ended surely without a message (failed, expired), and logs
    /// `message.failed`; nothing where it did not end so.
    OutboxSetAside {
        /// The entry.
        id: u64,
    },
    /// The platform has the message.
    OutboxSent {
        /// The entry.
        id: u64,
        /// The platform's id of the message.
        message_id: Arc<str>,
        /// The platform's row, as JSON text.
        message: Arc<str>,
        /// True where the platform answered with a message that it had before.
        replayed: bool,
        /// The `backlog.warning` that came with it, as JSON text.
        backlog: Option<Arc<str>>,
    },
    /// The entry ended without a message; `message.failed` is logged with it.
    OutboxEnded {
        /// The entry.
        id: u64,
        /// How it ended.
        end: SendEnd,
        /// The error, as JSON text.
        error: Arc<str>,
    },
}

/// How a send ended that did not become a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendEnd {
    /// The platform refused it.
    Failed,
    /// Its time ran out before the platform took it.
    Expired,
    /// Nobody can tell whether the platform has it.
    Unknown,
    /// A caller took it back, and the platform surely does not have it.
    Cancelled,
}

/// A `sequence.gap` event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GapReport {
    /// The conversation.
    pub conversation_id: Arc<str>,
    /// The first seq that was missing.
    pub expected_seq: u64,
    /// The lowest seq that waited behind the hole, or that showed it.
    pub buffered_seq: u64,
    /// What is still missing, as inclusive ranges.
    pub missing: Vec<(u64, u64)>,
    /// How long the hole stood open.
    pub gap_ms: u64,
    /// How it ended.
    pub reason: GapReason,
}

/// How a hole was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapReason {
    /// Every missing row came from history.
    GapFilled,
    /// History proved that the missing rows are not to be had.
    AbsentUpstream,
    /// History could not be read; the hole is asked about again later.
    GapFillFailed,
    /// Too many rows waited behind it; the hole is asked about again later.
    BufferOverflow,
}

/// What the store keeps of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationRecord {
    /// Its id.
    pub id: Arc<str>,
    /// Every seq up to here is in the log, or known to be absent, or in `holes`.
    pub frontier: u64,
    /// Where the conversation was picked up; rows up to here are history from before.
    pub anchor: u64,
    /// The highest seq in the log.
    pub top: u64,
    /// Holes given up but not proven absent.
    pub holes: SeqSet,
}

/// A message as a local caller wants it sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The caller's id of it, or one made for it.
    pub client_msg_id: Arc<str>,
    /// Where it goes.
    pub lane: Lane,
    /// The body of `POST /v1/messages`, as JSON text.
    pub body: Arc<str>,
    /// Address and content in a form that is equal where the meaning is.
    pub fingerprint: Arc<str>,
    /// When it stops being worth sending, microseconds since the epoch.
    pub expires_us: i64,
}

/// A destination; sends of one lane keep their order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// An agent, by bare lower-case handle.
    To(Arc<str>),
    /// A group, by conversation id.
    Conversation(Arc<str>),
}
