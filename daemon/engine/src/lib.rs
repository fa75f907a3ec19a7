//! The rules of agentchatd: what is a duplicate, what is in order, what is missing, what may be
//! acknowledged, when to dial, when to send again.
//!
//! The crate does no I/O. It has no clock, no threads, no randomness of its own and no SQL: time,
//! a seed and every answer of the outside are arguments, and whatever is to be done comes back as
//! [`Effect`]s. Equal inputs give equal effects, so each rule is tested with thousands of
//! generated schedules, a crash injected between any two effects.
//!
//! ```text
//!            Input                              Effect
//!  socket ──▶ Message, HelloOk, SocketClosed     Dial, Close, Ack ──▶ socket
//!  REST   ──▶ SyncPage, History, Attempted  ┌──────────┐  Sync, History, Attempt ──▶ REST
//!  store  ──▶ Committed ───────────────────▶│  Engine  │─ Commit(ops) ──▶ store
//!  clients──▶ Submit, DrainNow              └──────────┘  Queued, Settled ──▶ clients
//!  clock  ──▶ Tick                           next_timeout ──▶ clock
//! ```
//!
//! Where to find what:
//!
//! | module | rule |
//! |---|---|
//! | `conversation` | order inside a conversation: frontier, parking, holes, late rows |
//! | `intake` | the one way of every row; when a hole is asked about |
//! | `fetch` | what to ask history and what its pages prove |
//! | `reconcile` | comparison of conversation list and history with our frontiers |
//! | `drain`, `syncing` | sync: store, acknowledge, read again; who waits for it, and how long |
//! | `link`, `connecting` | the connection's life |
//! | `replacing` | what is refused while the key is being replaced |
//! | `outbox`, `sending`, `window` | lanes, retries, expiry, the honest `unknown` |
//! | `rate`, `limiting` | how fast is sent, and what the platform's refusals teach of it |
//! | `steering` | what callers ask of entries that are in the outbox already |
//! | `verdict` | what each error means |
//! | `retention` | what of the log is removed, and what stays for consumers |
//! | [`consumer`] | what a local subscriber is given, and what it owes |

mod backoff;
mod connecting;
pub mod consumer;
mod conversation;
mod drain;
mod effect;
mod engine;
mod entry;
mod fetch;
mod input;
mod intake;
mod limiting;
mod link;
mod op;
mod outbox;
mod rate;
mod reconcile;
mod replacing;
mod retention;
mod row;
mod sending;
mod seq_set;
mod steering;
mod syncing;
#[cfg(test)]
mod testing;
mod time;
mod verdict;
mod window;

pub use conversation::{GapCounts, PARKED_LIMIT, UNANCHORED_LIMIT};
pub use drain::SYNC_LIMIT;
pub use effect::{Effect, HISTORY_LIMIT, LinkState, Phase, Question, Steered, Token, Warning};
pub use engine::{Engine, Settings, Snapshot, Stats};
pub use input::{
    Accepted, ConversationItem, ConversationList, Identity, Input, Inserted, Report, SocketEnd,
    SyncPage,
};
pub use intake::ParkedRecord;
pub use op::{ConversationRecord, Cursor, Draft, GapReason, GapReport, Lane, Op, SendEnd, Source};
pub use outbox::{OutboxRecord, OutboxSettings};
pub use retention::{Fate, Oldest, PATIENCE, Pace, RetentionBounds, age_clock};
pub use row::{Failure, Row};
pub use seq_set::SeqSet;
pub use time::{Jitter, Millis, Now};
pub use verdict::{
    CloseVerdict, MIN_RETRY_AFTER_MS, ReadVerdict, SendVerdict, close_verdict, read_verdict,
    send_verdict,
};
