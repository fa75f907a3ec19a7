//! From committed events to subscribers.
//!
//! The driver publishes what the store has committed; subscribers read at their own pace. A reader
//! that is near the end of the log is served from an in-memory tail that all share, one that lags
//! reads pages from the store and comes back to the tail when it has caught up. So the driver, the
//! writer and the other readers never wait for a slow one: publishing only appends and wakes.
//!
//! * [`Feed`] is the shared side: publish, wait, read, and the durable consumers.
//! * [`passes`] decides by a filter what a subscriber wants to see.
//! * [`Position`] is where one subscription stands; with a name it is a durable consumer and is
//!   kept in the database.
//! * [`Track`] carries back from the connection's writer how far events were written.
//!
//! Invariants: no event is handed out that is not committed; offsets that one subscriber sees rise
//! strictly; only ephemeral events are ever dropped, and the subscriber is told how many.

mod consumers;
mod ephemeral;
mod filter;
mod position;
mod shared;
mod start;
mod tail;
#[cfg(test)]
pub(crate) mod testing;
mod track;

pub use consumers::{Attach, AttachError, Attached, Consumers, MAX_CONSUMERS};
pub use ephemeral::{EPHEMERAL_QUEUE, Ephemeral, Lagging};
pub use filter::passes;
pub use position::{Holder, Offer, Position, Snapshot};
pub use shared::{Feed, PAGE_BYTES, PAGE_EVENTS};
pub use start::start_after;
pub use tail::{TAIL_BYTES, TAIL_EVENTS};
pub use track::{Ending, Track, Written};
