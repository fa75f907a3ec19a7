//! The end of the log in memory, shared by all subscribers that keep up.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::event::LogEvent;

/// The newest committed events, bounded by number and by bytes.
#[derive(Debug)]
pub(super) struct Tail {
    ring: Mutex<Ring>,
}

#[derive(Debug)]
struct Ring {
    events: VecDeque<Arc<LogEvent>>,
    bytes: usize,
    // Every committed event above this offset and up to the last published one is in the ring.
    floor: u64,
}

/// What the tail has for a reader.
#[derive(Debug)]
pub(super) enum Near {
    /// The next events, none where the reader is at the end.
    Events(Vec<Arc<LogEvent>>),
    /// The reader is behind the tail: the store has what it needs.
    Behind,
}

impl Tail {
    pub(super) fn new(last_offset: u64) -> Self {
        let ring = Ring {
            events: VecDeque::new(),
            bytes: 0,
            floor: last_offset,
        };
        Self {
            ring: Mutex::new(ring),
        }
    }

    /// Appends events in offset order and drops the oldest past the bounds.
    pub(super) fn push(&self, events: Vec<Arc<LogEvent>>) {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            debug_assert!(
                ring.events
                    .back()
                    .is_none_or(|last| last.offset < event.offset)
            );
            ring.bytes += event.weight();
            ring.events.push_back(event);
        }
        while ring.events.len() > TAIL_EVENTS || ring.bytes > TAIL_BYTES {
            let Some(oldest) = ring.events.pop_front() else {
                break;
            };
            ring.bytes -= oldest.weight();
            ring.floor = oldest.offset;
        }
    }

    /// Up to `limit` events above `after`.
    pub(super) fn read(&self, after: u64, limit: usize) -> Near {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        if after < ring.floor {
            return Near::Behind;
        }
        let first = ring.events.partition_point(|event| event.offset <= after);
        Near::Events(
            ring.events
                .iter()
                .skip(first)
                .take(limit)
                .cloned()
                .collect(),
        )
    }
}

/// How many events the tail holds at most.
pub const TAIL_EVENTS: usize = 4096;

/// How many bytes the events in the tail may have.
pub const TAIL_BYTES: usize = 8 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::testing::event;

    fn offsets(near: Near) -> Option<Vec<u64>> {
        match near {
            Near::Events(events) => Some(events.iter().map(|event| event.offset).collect()),
            Near::Behind => None,
        }
    }

    #[test]
    fn a_reader_inside_the_tail_gets_what_comes_next() {
        let tail = Tail::new(10);
        tail.push((11..=14).map(event).collect());
        assert_eq!(offsets(tail.read(10, 2)), Some(vec![11, 12]));
        assert_eq!(offsets(tail.read(12, 9)), Some(vec![13, 14]));
        assert_eq!(offsets(tail.read(14, 9)), Some(vec![]));
        assert_eq!(offsets(tail.read(99, 9)), Some(vec![]));
        assert_eq!(
            offsets(tail.read(9, 9)),
            None,
            "event 10 was there before the tail began"
        );
    }

    #[test]
    fn past_its_bounds_the_tail_forgets_the_oldest_and_says_so() {
        let tail = Tail::new(0);
        let many = TAIL_EVENTS as u64 + 5;
        tail.push((1..=many).map(event).collect());
        assert_eq!(offsets(tail.read(4, 1)), None);
        assert_eq!(offsets(tail.read(5, 1)), Some(vec![6]));
    }

    #[test]
    fn a_few_large_events_are_enough_to_fill_it() {
        let tail = Tail::new(0);
        for offset in 1..=3 {
            let big = LogEvent {
                offset,
                payload: "x".repeat(TAIL_BYTES / 2).into(),
                ..LogEvent::default()
            };
            tail.push(vec![Arc::new(big)]);
        }
        assert_eq!(offsets(tail.read(1, 9)), None);
        assert_eq!(offsets(tail.read(2, 9)), Some(vec![3]));
    }
}
