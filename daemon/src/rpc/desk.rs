//! What the calls that end in a key know of each other.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The desk at which keys change, one caller at a time.
#[derive(Debug)]
pub(crate) struct Desk {
    turn: Arc<Semaphore>,
    recoveries: Mutex<VecDeque<Recovery>>,
}

/// A recovery that was begun for an agent by name.
#[derive(Debug)]
struct Recovery {
    pending_id: String,
    handle: String,
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            turn: Arc::new(Semaphore::new(1)),
            recoveries: Mutex::default(),
        }
    }
}

impl Desk {
    /// A turn. Of two rotations at once the platform knows only the key of the second, and answers
    /// in any order: without turns the dead one could be kept.
    pub(crate) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.turn).acquire_owned().await.ok()
    }

    /// Remembers whom a recovery is for. The oldest are forgotten.
    pub(crate) fn remember(&self, pending_id: String, handle: String) {
        let mut recoveries = self.lock();
        if recoveries.len() == MOST_RECOVERIES {
            recoveries.pop_front();
        }
        recoveries.push_back(Recovery { pending_id, handle });
    }

    /// Whom a recovery is for, where that was said.
    pub(crate) fn recovers(&self, pending_id: &str) -> Option<String> {
        let recoveries = self.lock();
        let mut latest_first = recoveries.iter().rev();
        let recovery = latest_first.find(|recovery| recovery.pending_id == pending_id)?;
        Some(recovery.handle.clone())
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Recovery>> {
        self.recoveries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Recoveries that are remembered; each waits for a person with a code.
const MOST_RECOVERIES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recoveries_are_remembered_up_to_a_bound() {
        let desk = Desk::default();
        for number in 0..=MOST_RECOVERIES {
            desk.remember(format!("pnd_{number}"), format!("agent{number}"));
        }
        assert_eq!(desk.recovers("pnd_0"), None);
        assert_eq!(desk.recovers("pnd_1").as_deref(), Some("agent1"));
        assert_eq!(desk.lock().len(), MOST_RECOVERIES);
    }
}
