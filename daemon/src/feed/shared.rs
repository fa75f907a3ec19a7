//! The shared side of the feed: publish, wait, read.

use std::sync::{Arc, Mutex, PoisonError};

use agentchatd_client::types::Filter;
use tokio::sync::watch;

use crate::event::LogEvent;
use crate::feed::consumers::Consumers;
use crate::feed::ephemeral::{Ephemeral, Ephemerals};
use crate::feed::tail::{Near, Tail};
use crate::hub::Backing;
use crate::store::StoreError;

/// Committed events on their way to subscribers.
#[derive(Debug)]
pub struct Feed {
    tail: Tail,
    last: watch::Sender<u64>,
    ephemerals: Ephemerals,
    consumers: Consumers,
    me: Mutex<Option<Arc<str>>>,
}

impl Feed {
    /// A feed whose log ends at `last_offset`, with no durable consumers.
    pub fn new(last_offset: u64) -> Arc<Self> {
        Arc::new(Self {
            tail: Tail::new(last_offset),
            last: watch::Sender::new(last_offset),
            ephemerals: Ephemerals::default(),
            consumers: Consumers::default(),
            me: Mutex::default(),
        })
    }

    /// A feed for the log on disk, with the durable consumers that it holds.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn open(backing: &dyn Backing) -> Result<Arc<Self>, StoreError> {
        let (_, last_offset) = backing.bounds().await?;
        let feed = Self::new(last_offset);
        for row in backing.consumers().await? {
            feed.consumers.load(row, last_offset);
        }
        Ok(feed)
    }

    /// Hands committed events, in offset order, to all who follow. Never waits for a reader.
    pub fn publish(&self, events: Vec<Arc<LogEvent>>) {
        let Some(last) = events.last().map(|event| event.offset) else {
            return;
        };
        self.tail.push(events);
        self.last.send_replace(last);
    }

    /// Hands out an event that is live only.
    pub fn publish_ephemeral(&self, event: &Arc<LogEvent>) {
        self.ephemerals.publish(event, self.me().as_deref());
    }

    /// The agent's own bare handle, for filters by mention.
    pub fn set_me(&self, handle: Option<Arc<str>>) {
        *self.me.lock().unwrap_or_else(PoisonError::into_inner) = handle;
    }

    /// The agent's own bare handle.
    pub fn me(&self) -> Option<Arc<str>> {
        self.me
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The end of the log.
    pub fn last_offset(&self) -> u64 {
        *self.last.borrow()
    }

    /// Waits until the log goes on past `after`.
    pub async fn wait(&self, after: u64) {
        // The sender lives in `self`, so the channel cannot close while this waits.
        let _ = self.last.subscribe().wait_for(|&last| last > after).await;
    }

    /// The next events above `after`, none at the end of the log: from the shared tail where it
    /// reaches back so far, else a page from the store.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn read(
        &self,
        backing: &dyn Backing,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Arc<LogEvent>>, StoreError> {
        match self.tail.read(after, limit.min(PAGE_EVENTS)) {
            Near::Events(events) => Ok(events),
            Near::Behind => {
                backing
                    .events(after, limit.min(PAGE_EVENTS), PAGE_BYTES)
                    .await
            }
        }
    }

    /// Begins to queue ephemeral events that pass the filter.
    pub fn join_ephemeral(self: &Arc<Self>, filter: Filter) -> Ephemeral {
        Ephemerals::join(self, filter)
    }

    /// The durable consumers.
    pub fn consumers(&self) -> &Consumers {
        &self.consumers
    }

    pub(super) fn ephemerals(&self) -> &Ephemerals {
        &self.ephemerals
    }
}

/// How many events one read gives at most.
pub const PAGE_EVENTS: usize = 256;

/// How many bytes one read from the store gives, about.
pub const PAGE_BYTES: usize = 128 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::TAIL_EVENTS;
    use crate::feed::testing::{MemoryStore, event};

    #[tokio::test]
    async fn pitfall_39_a_reader_that_lags_pages_from_the_store_and_comes_back_to_the_tail() {
        let store = MemoryStore::with_events(1..=TAIL_EVENTS as u64 + 600);
        let feed = Feed::new(0);
        feed.publish((1..=TAIL_EVENTS as u64 + 600).map(event).collect());
        let (mut after, mut seen) = (0, Vec::new());
        loop {
            let page = feed.read(&*store, after, usize::MAX).await.unwrap();
            let Some(last) = page.last() else { break };
            assert!(page.len() <= PAGE_EVENTS);
            after = last.offset;
            seen.extend(page.iter().map(|event| event.offset));
        }
        assert!(seen.iter().copied().eq(1..=TAIL_EVENTS as u64 + 600));
        assert_eq!(
            store.reads(),
            3,
            "only what the tail lacks is read from the store"
        );
    }

    #[tokio::test]
    async fn a_waiting_reader_is_woken_by_what_is_published() {
        let feed = Feed::new(7);
        let ((), ()) = tokio::join!(feed.wait(7), async { feed.publish(vec![event(8)]) });
        assert_eq!(feed.last_offset(), 8);
    }
}
