//! Everything that the engine can ask for. The driver carries effects out in order.

use std::sync::Arc;

use crate::{
    op::{Cursor, Lane, Op},
    row::Failure,
};

/// Names a commit. Tokens rise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// A request to the outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Ask the platform who the key belongs to.
    Identify,
    /// Read a page of undelivered rows, from the start.
    Sync,
    /// Tell the platform that everything up to the cursor is stored.
    SyncAck(Cursor),
    /// Read the conversation list.
    ListConversations,
    /// Read history.
    History {
        /// Of this conversation.
        conversation_id: Arc<str>,
        /// Which part.
        question: Question,
    },
    /// Open a socket. There is none when this is asked.
    Dial,
    /// Close the socket; [`Input::SocketClosed`](crate::Input::SocketClosed) follows.
    Close {
        /// The close code.
        code: u16,
        /// The close reason.
        reason: &'static str,
    },
    /// Tell the platform over the socket that this message is stored.
    Ack {
        /// The message.
        message_id: Arc<str>,
    },
    /// Write; [`Input::Committed`](crate::Input::Committed) follows once it is on disk.
    Commit(Token, Vec<Op>),
    /// The connection's state changed.
    State(LinkState),
    /// POST the entry's body to the platform.
    Attempt {
        /// The outbox entry.
        id: u64,
    },
    /// Look in history for a message with the entry's `client_msg_id`.
    FindSent {
        /// The outbox entry.
        id: u64,
        /// Where it was sent.
        lane: Lane,
    },
    /// The submitted message is in the outbox.
    Queued {
        /// Who submitted it.
        ticket: u64,
        /// Its entry.
        id: u64,
    },
    /// The submitted message has an id that was used before; the store has the record.
    Known {
        /// Who submitted it.
        ticket: u64,
        /// The entry with that id.
        id: u64,
        /// True where address and content mean the same.
        same: bool,
    },
    /// The entry ended, and its end is on disk.
    Settled {
        /// The entry.
        id: u64,
        /// The offset of its `message.sent`, where it has one by now.
        offset: Option<u64>,
    },
    /// The entry's next attempt is that far away.
    Delayed {
        /// The entry.
        id: u64,
        /// How far.
        wait_ms: u64,
        /// Why.
        failure: Failure,
        /// The failure as JSON text.
        error: Arc<str>,
    },
    /// What a caller asked of an entry is done and on disk, or cannot be done.
    Steered {
        /// Who asked.
        ticket: u64,
        /// The entry.
        id: u64,
        /// What became of it.
        outcome: Steered,
    },
    /// A drain that a caller asked for is over.
    Drained {
        /// Who asked.
        ticket: u64,
        /// New rows and rows that the platform counts as settled; an error where it failed.
        outcome: Result<(u64, u64), Failure>,
    },
    /// Something that a person should know of; a short sentence.
    Warn(Warning),
}

/// What became of a caller's wish for an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Steered {
    /// It had ended and waits for an attempt again.
    Revived,
    /// It is tried now, or as soon as its turn or the platform's own time has come.
    Woken,
    /// It is cancelled.
    Cancelled,
    /// Nothing was changed: an attempt is under way.
    UnderWay,
    /// Nothing was changed: an earlier attempt may have landed.
    MayHaveLanded,
    /// Nothing was changed: it ended in a way that stays.
    Over,
}

/// Which part of a conversation's history to read; pages hold at most [`HISTORY_LIMIT`] rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// The newest rows.
    Newest,
    /// The rows just below this seq.
    Before(u64),
    /// The rows just above this seq.
    After(u64),
}

/// Rows a history page holds at most (`wire.md` 1.6).
pub const HISTORY_LIMIT: u64 = 200;

/// The connection's state, as local programs see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkState {
    /// Which state.
    pub phase: Phase,
    /// Why.
    pub reason: Arc<str>,
    /// The close code that led here.
    pub code: Option<u16>,
    /// Attempts since the last stable connection.
    pub attempt: u32,
    /// When the next attempt is due, from now.
    pub retry_in_ms: Option<u64>,
}

/// The phases of the connection (`local-api.md` 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// No connection; the next attempt has a time, or there is no key.
    Disconnected,
    /// Identity, the sync before the socket, or the dial is under way.
    Connecting,
    /// The hello is out.
    Authenticating,
    /// The sync after `hello.ok` is under way.
    Draining,
    /// All that waited is stored; pushes flow.
    Ready,
    /// The platform refused the key or the account.
    Parked,
    /// The daemon is stopping.
    Stopped,
}

/// What a person should know of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// A sync page held a row that cannot be read; rows behind it stay with the platform.
    PoisonedSyncPage,
    /// A sync page came back although it was acknowledged, or held no usable cursor.
    StuckSync,
    /// An acknowledgement settled more rows than the page had shown (`wire.md` 11.56).
    AckedUnseen {
        /// Rows that the page held.
        held: u64,
        /// Rows that were settled.
        acked: u64,
    },
    /// An answer of the platform is not of the expected shape.
    BadShape {
        /// What was asked, and what was wrong.
        what: Arc<str>,
    },
    /// Connections keep ending early.
    RapidReconnects {
        /// How many in a row.
        count: u32,
    },
    /// The key belongs to another agent than this state.
    OtherAgent {
        /// The agent of this state.
        expected: Arc<str>,
        /// The agent of the key.
        found: Arc<str>,
    },
}
