//! What a subscription can run into.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::RpcError;

/// Something that the reader of a subscription should know.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubscriptionError {
    /// Nobody answers at the socket.
    #[error("cannot connect to the daemon at {}", path.display())]
    Connect {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The daemon does not open the subscription.
    #[error("the daemon refused the subscription: {0}")]
    Refused(#[source] RpcError),
    /// The daemon ended the subscription for good.
    #[error("the daemon ended the subscription: {reason}")]
    Closed {
        /// Why.
        reason: String,
    },
    /// The daemon was away for longer than [`give_up_after`](super::Options::give_up_after).
    #[error("the daemon has been away for {}s", after.as_secs())]
    GaveUp {
        /// How long.
        after: Duration,
    },
    /// Events are missing. The subscription goes back and asks for them again.
    #[error("events are missing: {got} follows where {expected} should")]
    Hole {
        /// The offset that should have come.
        expected: u64,
        /// The offset that came.
        got: u64,
    },
    /// An offset did not rise. The subscription goes back to the last good place.
    #[error("offsets do not rise: {got} follows {last}")]
    NotRising {
        /// The offset before.
        last: u64,
        /// The offset that came.
        got: u64,
    },
    /// An acknowledgement was refused; the next one is tried again and covers it.
    #[error("the daemon refused an acknowledgement: {0}")]
    Ack(#[source] RpcError),
}

impl SubscriptionError {
    /// Whether the stream ends with it. After any other error it goes on.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Refused(_) | Self::Closed { .. } | Self::GaveUp { .. } => {
                true
            }
            Self::Hole { .. } | Self::NotRising { .. } | Self::Ack(_) => false,
        }
    }
}
