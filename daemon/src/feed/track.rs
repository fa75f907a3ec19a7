//! How far the events of one subscription were written, told by the connection's writer.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use agentchatd_client::types::closed_reason;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Shared by a subscription, the writer of its connection, and whoever ends it.
#[derive(Debug, Default)]
pub struct Track {
    given: AtomicU64,
    written: Mutex<Written>,
    wake: Notify,
    muted: AtomicBool,
    ended: CancellationToken,
    reason: OnceLock<Ending>,
}

/// How far events were written whole. A later epoch, after a jump, counts for more than any offset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Written {
    /// The position's epoch in which the event was taken.
    pub epoch: u64,
    /// The highest offset of that epoch.
    pub offset: u64,
}

/// Why a subscription ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Another subscription took the consumer over.
    Takeover,
    /// The consumer was deleted.
    Deleted,
    /// The client asked for it.
    Unsubscribed,
    /// The database refuses.
    Storage,
    /// The connection is gone.
    Disconnected,
}

impl Ending {
    /// The `reason` of `events.closed`; `None` where the client needs no telling.
    pub fn told(self) -> Option<&'static str> {
        match self {
            Self::Takeover => Some(closed_reason::TAKEN_OVER),
            Self::Deleted => Some(closed_reason::CONSUMER_DELETED),
            Self::Storage => Some(closed_reason::STORAGE_ERROR),
            Self::Unsubscribed | Self::Disconnected => None,
        }
    }
}

impl Track {
    /// The writer is about to hand the event at `offset` to the socket. False where the
    /// subscription is over and the event must not go out any more.
    pub fn give(&self, offset: u64) -> bool {
        // Sequentially consistent together with `end`: either the end sees this offset as given,
        // or the writer sees the end.
        self.given.fetch_max(offset, Ordering::SeqCst);
        !self.muted.load(Ordering::SeqCst)
    }

    /// Everything up to here is written.
    pub fn wrote(&self, written: Written) {
        {
            let mut known = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            *known = (*known).max(written);
        }
        self.wake.notify_one();
    }

    /// The highest offset that may have reached the client.
    pub fn given(&self) -> u64 {
        self.given.load(Ordering::SeqCst)
    }

    /// How far events were written whole.
    pub fn written(&self) -> Written {
        *self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until [`Self::written`] passed `seen`. For one waiter at a time.
    pub async fn written_past(&self, seen: Written) -> Written {
        loop {
            let written = self.written();
            if written > seen {
                return written;
            }
            self.wake.notified().await;
        }
    }

    /// Ends the subscription; only the first reason counts.
    pub fn end(&self, ending: Ending) {
        let _ = self.reason.set(ending);
        self.muted.store(true, Ordering::SeqCst);
        self.ended.cancel();
    }

    /// Waits for the end.
    pub async fn ended(&self) -> Ending {
        self.ended.cancelled().await;
        self.ending().unwrap_or(Ending::Disconnected)
    }

    /// The end, where it has come.
    pub fn ending(&self) -> Option<Ending> {
        self.reason.get().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_end_no_event_goes_out() {
        let track = Track::default();
        assert!(track.give(3));
        track.end(Ending::Takeover);
        track.end(Ending::Deleted);
        assert!(!track.give(4));
        assert_eq!(track.ending(), Some(Ending::Takeover));
    }

    fn at(epoch: u64, offset: u64) -> Written {
        Written { epoch, offset }
    }

    #[tokio::test]
    async fn a_waiter_learns_how_far_events_were_written() {
        let track = Track::default();
        track.wrote(at(1, 2));
        track.wrote(at(1, 1));
        assert_eq!(track.written_past(Written::default()).await, at(1, 2));
        let (seen, ()) = tokio::join!(track.written_past(at(1, 2)), async {
            track.wrote(at(1, 7));
        });
        assert_eq!(seen, at(1, 7));
    }

    #[test]
    fn what_was_written_before_a_jump_back_does_not_undo_it() {
        let track = Track::default();
        track.wrote(at(2, 1));
        track.wrote(at(1, 100));
        assert_eq!(track.written(), at(2, 1));
    }
}
