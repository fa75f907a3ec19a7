//! Everything that can happen to the engine.

use std::sync::Arc;

use crate::{
    effect::{Question, Token},
    op::{Cursor, Draft},
    outbox::OutboxRecord,
    row::{Failure, Row},
};

/// An input. Each is handled at once and completely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A key is known (at start, after a change, after a reload).
    Credential,
    /// No key is known, or the one there is cannot be used; the text says why.
    NoCredential(Arc<str>),
    /// The key is about to be replaced at the platform, by a call of ours that ends within this
    /// time: a refusal meanwhile is no refusal. [`Self::ReplacementEnded`] ends it, or its time.
    ReplacingKey {
        /// How long, at most.
        within_ms: u64,
    },
    /// The replacement is over; where it brought a new key, [`Self::Credential`] came before.
    ReplacementEnded {
        /// Why the old key is surely dead, where it is.
        lost: Option<Arc<str>>,
    },
    /// The answer to [`Effect::Identify`](crate::Effect::Identify).
    Identified(Result<Identity, Failure>),
    /// The answer to [`Effect::Sync`](crate::Effect::Sync).
    SyncPage(Result<SyncPage, Failure>),
    /// The answer to [`Effect::SyncAck`](crate::Effect::SyncAck): rows that it settled, if told.
    SyncAcked(Result<Option<u64>, Failure>),
    /// The answer to [`Effect::ListConversations`](crate::Effect::ListConversations).
    Conversations(Result<ConversationList, Failure>),
    /// The answer to [`Effect::History`](crate::Effect::History).
    History {
        /// The conversation asked about.
        conversation_id: Arc<str>,
        /// What was asked.
        question: Question,
        /// The rows, in any order.
        answer: Result<Vec<Row>, Failure>,
    },
    /// The socket is open and, on the hello path, the hello is written.
    SocketOpen,
    /// The platform said `hello.ok`.
    HelloOk {
        /// True where it waits for acknowledgements.
        ack: bool,
    },
    /// A message came over the socket.
    Message(Row),
    /// Another frame came that belongs in the log.
    Other {
        /// Its type.
        kind: Arc<str>,
        /// Its payload, as JSON text.
        payload: Arc<str>,
        /// The conversation that it belongs to, where it names one.
        conversation_id: Option<Arc<str>>,
    },
    /// A protocol ping, a pong or an ephemeral frame: the connection lives.
    Alive,
    /// The socket is gone, or never came to be.
    SocketClosed(SocketEnd),
    /// A commit is on disk. Tokens come back in the order in which they were given out.
    Committed(Token, Report),
    /// A local caller wants a message sent; `ticket` names the caller.
    Submit {
        /// Comes back in the effects that answer this caller.
        ticket: u64,
        /// The message.
        draft: Draft,
    },
    /// A local caller wants an entry tried again, or now.
    Retry {
        /// Comes back in [`Effect::Steered`](crate::Effect::Steered).
        ticket: u64,
        /// The entry.
        id: u64,
        /// When it expires, where it had ended; microseconds since the epoch.
        expires_us: i64,
    },
    /// A local caller takes an entry back.
    Cancel {
        /// Comes back in [`Effect::Steered`](crate::Effect::Steered).
        ticket: u64,
        /// The entry.
        id: u64,
    },
    /// The answer to [`Effect::Attempt`](crate::Effect::Attempt).
    Attempted {
        /// The outbox entry.
        id: u64,
        /// What the platform said.
        answer: Result<Accepted, Failure>,
        /// The failure as JSON text, for callers; empty on success.
        error: Arc<str>,
    },
    /// The answer to [`Effect::FindSent`](crate::Effect::FindSent).
    Found {
        /// The outbox entry.
        id: u64,
        /// The row, where history has it; `None` where it surely has not.
        answer: Result<Option<Row>, Failure>,
    },
    /// A local caller wants sync to run now.
    DrainNow {
        /// Comes back in [`Effect::Drained`](crate::Effect::Drained).
        ticket: u64,
    },
    /// Time has passed; due timers fire.
    Tick,
    /// No further connection.
    Shutdown,
}

/// Who the key belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Bare lower-case handle.
    pub handle: Arc<str>,
    /// The platform's clock (its `Date` header), microseconds since the epoch.
    pub server_us: i64,
    /// `active`, `restricted`, `suspended`, `deleted`.
    pub status: Arc<str>,
}

/// A page of undelivered rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SyncPage {
    /// The rows before the first unreadable one, in the platform's order.
    pub rows: Vec<Row>,
    /// The last usable cursor among them.
    pub cursor: Option<Cursor>,
    /// How many rows stand up to that cursor.
    pub covered: u64,
    /// True where an unreadable row ended the page.
    pub poisoned: bool,
}

/// The conversation list, as far as the comparison needs it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConversationList {
    /// The conversations, latest activity first.
    pub items: Vec<ConversationItem>,
    /// True where the platform may have left some out.
    pub truncated: bool,
    /// The platform's clock, where it told it.
    pub server_us: Option<i64>,
}

/// One row of the conversation list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationItem {
    /// Its id.
    pub id: Arc<str>,
    /// When its last message was made, microseconds since the epoch.
    pub last_message_us: Option<i64>,
}

/// How a socket ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SocketEnd {
    /// The HTTP status of a refused upgrade.
    pub refused: Option<u16>,
    /// The Retry-After of a refused upgrade.
    pub retry_after_ms: Option<u64>,
    /// The close code.
    pub code: Option<u16>,
    /// The close reason, or what went wrong.
    pub reason: Arc<str>,
    /// True where we closed it.
    pub by_us: bool,
}

/// A send that the platform took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The platform's row.
    pub row: Row,
    /// True where the platform had it before (status 200).
    pub replayed: bool,
    /// True where the row is what the entry meant, by meaning (`wire.md` 11.59).
    pub matches: bool,
    /// The `backlog.warning` that came with it, as JSON text.
    pub backlog: Option<Arc<str>>,
}

/// What a commit did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// For each op, in order: the offset of the event that it appended, `None` where it
    /// appended none (no log op, or a duplicate).
    pub offsets: Vec<Option<u64>>,
    /// For an [`Op::OutboxInsert`](crate::Op::OutboxInsert): what became of it.
    pub inserted: Option<Inserted>,
    /// For an [`Op::OutboxRevived`](crate::Op::OutboxRevived): the entry, where it had ended.
    pub revived: Option<OutboxRecord>,
}

/// What became of an [`Op::OutboxInsert`](crate::Op::OutboxInsert).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// A new entry.
    New(u64),
    /// The `client_msg_id` was used before.
    Known {
        /// By this entry.
        id: u64,
        /// True where address and content mean the same.
        same: bool,
    },
}
