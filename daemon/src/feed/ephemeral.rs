//! Events that are live only: typing, presence, the state of the connection.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use agentchatd_client::types::Filter;
use tokio::sync::Notify;

use crate::event::LogEvent;
use crate::feed::filter;

/// All subscribers to ephemeral events.
#[derive(Debug, Default)]
pub(super) struct Ephemerals {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    queues: BTreeMap<u64, Arc<Queue>>,
}

#[derive(Debug)]
struct Queue {
    filter: Filter,
    waiting: Mutex<Waiting>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    events: VecDeque<Arc<LogEvent>>,
    dropped: u64,
}

/// How many ephemeral events a slow subscriber lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lagging(pub u64);

/// One subscriber's queue; it is gone when this is dropped.
#[derive(Debug)]
pub struct Ephemeral {
    feed: Arc<super::Feed>,
    id: u64,
    queue: Arc<Queue>,
}

impl Ephemerals {
    /// Puts the event in the queue of everyone whose filter it passes.
    pub(super) fn publish(&self, event: &Arc<LogEvent>, me: Option<&str>) {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        for queue in inner.queues.values() {
            if filter::passes(&queue.filter, event, me) {
                queue.push(event);
            }
        }
    }

    pub(super) fn join(feed: &Arc<super::Feed>, filter: Filter) -> Ephemeral {
        let queue = Arc::new(Queue {
            filter,
            waiting: Mutex::default(),
            wake: Notify::new(),
        });
        let mut inner = feed
            .ephemerals()
            .inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let id = inner.next;
        inner.next += 1;
        inner.queues.insert(id, Arc::clone(&queue));
        drop(inner);
        Ephemeral {
            feed: Arc::clone(feed),
            id,
            queue,
        }
    }

    fn leave(&self, id: u64) {
        self.inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .queues
            .remove(&id);
    }
}

impl Queue {
    fn push(&self, event: &Arc<LogEvent>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.events.len() >= EPHEMERAL_QUEUE {
            waiting.events.pop_front();
            waiting.dropped += 1;
        }
        waiting.events.push_back(Arc::clone(event));
        drop(waiting);
        self.wake.notify_one();
    }
}

impl Ephemeral {
    /// What waits, oldest first, and how many before it were dropped since the last call.
    pub fn take(&self) -> (Vec<Arc<LogEvent>>, Option<Lagging>) {
        let mut waiting = self
            .queue
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let dropped = std::mem::take(&mut waiting.dropped);
        (
            waiting.events.drain(..).collect(),
            (dropped > 0).then_some(Lagging(dropped)),
        )
    }

    /// Waits until there may be something to take.
    pub async fn wait(&self) {
        self.queue.wake.notified().await;
    }
}

impl Drop for Ephemeral {
    fn drop(&mut self) {
        self.feed.ephemerals().leave(self.id);
    }
}

/// How many ephemeral events wait for one subscriber before the oldest is dropped.
pub const EPHEMERAL_QUEUE: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::Feed;

    fn typing(n: u64) -> Arc<LogEvent> {
        Arc::new(LogEvent {
            kind: "typing.start".into(),
            seq: Some(n),
            ..LogEvent::default()
        })
    }

    #[test]
    fn past_its_bound_the_oldest_go_and_their_number_is_told_once() {
        let feed = Feed::new(0);
        let queue = feed.join_ephemeral(Filter::default());
        for n in 0..EPHEMERAL_QUEUE as u64 + 3 {
            feed.publish_ephemeral(&typing(n));
        }
        let (events, lagging) = queue.take();
        assert_eq!(lagging, Some(Lagging(3)));
        assert_eq!(events.len(), EPHEMERAL_QUEUE);
        assert_eq!(events[0].seq, Some(3));
        assert_eq!(queue.take().1, None);
    }

    #[test]
    fn what_the_filter_leaves_out_neither_waits_nor_counts() {
        let feed = Feed::new(0);
        let queue =
            feed.join_ephemeral(serde_json::from_str(r#"{"types":["message.new"]}"#).unwrap());
        for n in 0..2 * EPHEMERAL_QUEUE as u64 {
            feed.publish_ephemeral(&typing(n));
        }
        let (events, lagging) = queue.take();
        assert!(events.is_empty() && lagging.is_none());
    }

    #[test]
    fn a_queue_that_is_dropped_gets_no_more() {
        let feed = Feed::new(0);
        drop(feed.join_ephemeral(Filter::default()));
        assert!(feed.ephemerals().inner.lock().unwrap().queues.is_empty());
    }
}
