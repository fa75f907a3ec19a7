//! What the local API asks of the driver.
//!
//! Each request is **one** message on one channel: a handler enqueues it on its first poll, so the
//! sends of a connection reach the driver in the order in which they were written, and a caller
//! that goes away takes nothing back. Answers come through oneshot channels whose receiving end
//! may be gone at any time.
//!
//! What concerns the process and not the connection, its configuration and its log, is a
//! [`ProcessRequest`] on a channel of its own, to the loop that hears the signals too.

use std::sync::Arc;
use std::time::Duration;

use agentchatd_client::error::ApiErrorData;
use agentchatd_client::types::{BacklogWarning, Health, LogLevel, Reloaded, Status, SyncDrained};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::config::ConfigError;

/// A request to the driver.
#[derive(Debug)]
pub enum Command {
    /// Put a message in the outbox and see it through.
    Send {
        /// What to send.
        draft: Box<Draft>,
        /// Answered as soon as the entry is on disk, or refused.
        accepted: oneshot::Sender<Result<Accepted, Refusal>>,
        /// Answered when the entry is settled; never where it was refused.
        outcome: oneshot::Sender<Outcome>,
    },
    /// Change what becomes of an outbox entry.
    Steer {
        /// The entry.
        id: u64,
        /// What is wished.
        wish: Wish,
        /// Answered when it is on disk, or cannot be.
        reply: oneshot::Sender<Result<(), SteerRefusal>>,
    },
    /// Send a frame over the socket.
    Frame {
        /// A JSON object.
        frame: String,
        /// Answered once it waits to be written, behind all before it.
        reply: oneshot::Sender<Result<(), FrameRefusal>>,
    },
    /// Run sync now instead of at its next turn.
    Drain {
        /// Answered when an empty page was met and all before it is committed.
        reply: oneshot::Sender<Result<SyncDrained, CallFailure>>,
    },
    /// `daemon.status`.
    Status {
        /// All but `consumers`, `subscriptions` and `clients`, which the local API fills in.
        reply: oneshot::Sender<Box<Status>>,
    },
    /// `daemon.health`.
    Health {
        /// All but `consumers`, which the local API fills in.
        reply: oneshot::Sender<Box<Health>>,
    },
    /// The key is about to be replaced at the platform, by a call that ends within this time.
    ReplacingKey {
        /// How long, at most.
        within: Duration,
        /// Answered once the rules know of it; the call goes out after that.
        reply: oneshot::Sender<()>,
    },
    /// That call is over and brought no key for the daemon.
    ReplacementEnded {
        /// Why the daemon's key is surely dead, where it is.
        lost: Option<String>,
    },
    /// Stop the daemon in order.
    Shutdown {
        /// Answered once the stop has begun.
        reply: oneshot::Sender<()>,
    },
}

/// A request to the process.
#[derive(Debug)]
pub enum ProcessRequest {
    /// Read configuration and key again, as SIGHUP does.
    Reload {
        /// What it led to; with a bad configuration all stays as it was.
        reply: oneshot::Sender<Result<Reloaded, ConfigError>>,
    },
    /// Log at another level until the next reload.
    SetLogLevel {
        /// The level.
        level: LogLevel,
        /// Answered once it is in force, with that level.
        reply: oneshot::Sender<LogLevel>,
    },
}

/// A message on its way into the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The sender's id of the message; made by the daemon where the caller gave none.
    pub client_msg_id: String,
    /// Bare handle of the recipient; exactly one of this and `conversation_id` is set.
    pub to: Option<String>,
    /// The conversation to send to.
    pub conversation_id: Option<String>,
    /// The exact JSON body for `POST /v1/messages`, the same for every attempt.
    pub body: String,
    /// The address and the content in a canonical form: two drafts mean the same exactly where
    /// these are equal.
    pub fingerprint: String,
    /// True where the caller waits for the outcome.
    pub wait: bool,
    /// When the caller stops waiting; meaningless without `wait`.
    pub deadline: Instant,
    /// How long the entry may wait for its turn; `None`: the configured default.
    pub expires_in: Option<Duration>,
}

/// The entry is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The entry's id.
    pub outbox_id: u64,
}

/// Why nothing was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The id was used before with another content or address.
    Conflict {
        /// The first message, as the platform told it, where it is known.
        message: Option<Arc<str>>,
    },
    /// The outbox is full.
    Overloaded {
        /// The name of the limit that is hit.
        limit: &'static str,
        /// When to try again.
        retry_after_ms: Option<u64>,
    },
    /// The disk or the database refuses.
    Storage {
        /// What it said.
        reason: String,
    },
    /// The daemon is stopping.
    ShuttingDown,
    /// No API key is known.
    NotConfigured,
}

/// What a caller may wish of an outbox entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Try it again; or now, where it waits.
    Retry,
    /// Take it back.
    Cancel,
}

/// Why a wish was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SteerRefusal {
    /// The entry is not one of which this can be wished.
    Hindered(Hindrance),
    /// Nothing is taken in now.
    Refused(Refusal),
}

/// What stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hindrance {
    /// An attempt is under way.
    UnderWay,
    /// An earlier attempt may have landed.
    MayHaveLanded,
    /// It ended in a way that stays.
    Over,
}

/// Why a frame was not taken.
#[derive(Debug, Clone)]
pub enum FrameRefusal {
    /// There is no connection that is ready for it.
    Call(CallFailure),
    /// Too many frames wait to be written.
    Full,
    /// It is longer than any frame may be.
    TooLong,
}

/// How a send ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The platform has it.
    Sent {
        /// The message as the platform told it.
        message: Arc<str>,
        /// True where the outcome was recorded before, here or there.
        replayed: bool,
        /// The platform's warning about the recipient's backlog.
        backlog_warning: Option<BacklogWarning>,
        /// Where it stands in the log; `None` while an open hole is before it.
        offset: Option<u64>,
    },
    /// It will not be sent.
    Failed(CallFailure),
    /// The platform asks to wait past the caller's time; the entry stays in the outbox.
    Deferred(CallFailure),
    /// The id was used before, upstream, with another content or address.
    Conflict {
        /// The first message.
        message: Option<Arc<str>>,
    },
    /// Its time ran out before the platform took it.
    Expired,
    /// Nobody can tell whether it landed.
    Unknown {
        /// What the last attempt met.
        reason: String,
        /// How many attempts were made.
        attempts: u64,
    },
    /// It was taken out of the outbox by hand.
    Cancelled,
}

/// Why a request to the platform failed.
#[derive(Debug, Clone)]
pub enum CallFailure {
    /// The platform answered other than 2xx.
    Api(Box<ApiErrorData>),
    /// There was no answer.
    Unavailable {
        /// Why, without the key.
        reason: String,
        /// How often it was tried.
        attempts: u64,
        /// When the next attempt makes sense.
        retry_after_ms: Option<u64>,
    },
    /// No API key is known.
    NotConfigured,
    /// The daemon is stopping.
    ShuttingDown,
    /// The disk or the database refuses.
    Storage {
        /// What it said.
        reason: String,
    },
}
