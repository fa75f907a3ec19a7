//! Files of local programs, on their way to AgentChat's storage and from it.
//!
//! ```text
//! Source ── a file or bytes, hashed once; streamed as often as it takes, and checked as it goes
//! Target ── a file that is complete or not there at all
//! Spool ─── bytes of a request, on disk under no name until they are sent on
//! Known ─── hashes of what went up, for what comes down
//! ```
//!
//! Nothing here is ever whole in memory, but for bytes that came inside of a request. Reading, writing
//! and hashing happen on blocking threads, a piece at a time.

mod known;
mod source;
mod spool;
mod target;

pub use known::{Known, Print};
pub(crate) use source::hex;
pub use source::{Source, SourceError};
pub use spool::Spool;
pub use target::{Target, TargetError};

/// How many bytes of a file are in memory at a time.
const PIECE_BYTES: usize = 64 << 10;
