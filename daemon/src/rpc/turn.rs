//! Large answers of one connection: made one at a time.
//!
//! A client may have a thousand calls under way, and read none of their answers. Those that read a
//! page of the database take turns, so that no more than one such page is in memory for a
//! connection: a turn is over when its answer stands in the queue of what goes out.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The turn of one call; over when the last copy is dropped, or ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turn(Arc<Mutex<Option<OwnedSemaphorePermit>>>);

impl Turn {
    /// Waits until no other call of this connection has its turn. Cancel-safe.
    pub(crate) async fn take(&self, turns: &Arc<Semaphore>) {
        self.end();
        // The semaphore is never closed.
        *self.lock() = Arc::clone(turns).acquire_owned().await.ok();
    }

    /// Lets the next call have its turn.
    pub(crate) fn end(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<OwnedSemaphorePermit>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many calls of a connection have their turn at a time.
pub(crate) const TURNS: usize = 1;

#[cfg(test)]
mod tests {
    use futures_util::poll;

    use super::*;

    #[tokio::test]
    async fn a_turn_lasts_until_its_answer_is_gone_or_it_is_ended() {
        let turns = Arc::new(Semaphore::new(TURNS));
        let (first, second) = (Turn::default(), Turn::default());
        first.take(&turns).await;
        let of_answer = first.clone();
        drop(first);
        let mut waits = Box::pin(second.take(&turns));
        assert!(poll!(&mut waits).is_pending());
        drop(of_answer);
        waits.await;
        second.end();
        Turn::default().take(&turns).await;
    }
}
