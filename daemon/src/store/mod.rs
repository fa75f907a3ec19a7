//! The only place that knows SQL: the log, the parking, the outbox, the consumers.
//!
//! One thread writes ([`Writer`]): whatever waits when a commit ends goes into the next one, and
//! each answer comes after the commit that holds it. Readers are threads with connections of
//! their own ([`Reader`]). WAL, `synchronous=FULL` by default: what is acknowledged to the
//! platform must survive a power cut, since the platform will not send it again.

mod apply;
mod damage;
mod error;
mod jobs;
mod open;
mod reader;
mod render;
mod retention;
mod rows;
mod salvage;
mod snapshot;
mod steering;
mod writer;

#[cfg(test)]
mod retention_tests;
#[cfg(test)]
mod salvage_tests;
#[cfg(test)]
mod tests;

pub use error::StoreError;
pub use jobs::Writer;
pub use open::{Durability, Store};
pub use reader::Reader;
pub use retention::{FreePages, Step, Stepped};
pub use rows::{Attempt, ConsumerRow, Counts, OutboxName, OutboxRow, Recorded};
pub use salvage::{Salvaged, salvage};
pub use snapshot::Loaded;
pub use writer::{Committed, Cost};
