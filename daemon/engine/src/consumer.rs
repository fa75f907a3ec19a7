//! Where one durable consumer stands in the log: what it acknowledged, what it was given, how much
//! more it may be given.
//!
//! Four positions, each an offset of the log:
//!
//! * **acked**: everything up to here is done; a consumer that comes back starts after it.
//! * **cursor**: everything up to here was looked at in this session, given or passed over by the
//!   filter.
//! * **given**: the highest offset of which a byte may have reached a client, in any session. An
//!   event at or below it is marked as redelivered when it is given again.
//! * **bound**: what the database holds in place of `given`. It is never below `given`, also not
//!   for an instant, so a crash forgets no delivery; it runs ahead as far as the window reaches, so
//!   that a delivery costs no commit of its own. What the window lets through is on its way to the
//!   client as soon as it is in the log, so after a crash hardly an event is marked as redelivered
//!   that no client saw: only those that were on their way, and, where there is no window, up to
//!   one step of them. A session that ends in order writes the exact value.
//!
//! No I/O here: the caller commits [`Record`]s and tells when they are committed.

use std::collections::VecDeque;

/// How a session of a consumer acknowledges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AckMode {
    /// The client says so, and at most this many events are unacknowledged.
    Manual {
        /// The window.
        max_in_flight: usize,
    },
    /// An event counts as done once it is written to the client's socket.
    Auto,
}

/// The position of one durable consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    acked: u64,
    cursor: u64,
    given: u64,
    bound: u64,
    reserved: u64,
    in_flight: VecDeque<u64>,
    session: Option<AckMode>,
    epoch: u64,
}

/// What the database should hold of a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Everything up to here is done.
    pub acked: u64,
    /// No event above this one was ever written to a client.
    pub bound: u64,
}

/// An acknowledgement of an event that the consumer was never given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("offset {offset} was never given to this consumer; the highest one is {highest}")]
pub struct NeverGiven {
    /// The offset that the client named.
    pub offset: u64,
    /// The highest offset that it may name.
    pub highest: u64,
}

impl Consumer {
    /// A consumer that starts after `acked` and was given nothing yet.
    pub fn new(acked: u64) -> Self {
        Self {
            acked,
            cursor: acked,
            given: 0,
            bound: 0,
            reserved: 0,
            in_flight: VecDeque::new(),
            session: None,
            epoch: 0,
        }
    }

    /// A consumer as the database knows it. `last_offset` is the end of the log at the start of
    /// the daemon: what lies beyond it cannot have been given.
    pub fn load(acked: u64, bound: u64, last_offset: u64) -> Self {
        let given = bound.min(last_offset);
        Self {
            given,
            bound,
            reserved: bound,
            ..Self::new(acked)
        }
    }

    /// Everything up to here is acknowledged.
    pub fn acked(&self) -> u64 {
        self.acked
    }

    /// Everything up to here was looked at.
    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    /// The highest offset that may have reached a client.
    pub fn given(&self) -> u64 {
        self.given
    }

    /// True in a session that acknowledges what is written.
    pub fn is_auto(&self) -> bool {
        self.session == Some(AckMode::Auto)
    }

    /// The lowest offset that is given in this session and not acknowledged.
    pub fn oldest_in_flight(&self) -> Option<u64> {
        self.in_flight.front().copied()
    }

    /// Changes whenever the position jumps, so that pages read before the jump are thrown away.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// A session begins: everything after the acknowledged offset is given (again).
    pub fn begin(&mut self, mode: AckMode) {
        self.session = Some(mode);
        self.jump(self.acked);
    }

    /// The session is over; nothing is in flight any more.
    pub fn end(&mut self) {
        self.session = None;
        self.reserved = self.given;
        self.jump(self.acked);
    }

    /// How many more events may be given now.
    pub fn room(&self) -> usize {
        match self.session {
            Some(AckMode::Manual { max_in_flight }) => {
                max_in_flight.saturating_sub(self.in_flight.len())
            }
            Some(AckMode::Auto) => usize::MAX,
            None => 0,
        }
    }

    /// True where `offset` may be written to a client as far as the database is concerned. Where
    /// it may not, a fresh [`Self::record`] covers it and has to be committed first.
    pub fn reserve(&mut self, offset: u64) -> bool {
        if offset <= self.bound {
            return true;
        }
        let last = (offset - 1).saturating_add(self.ahead().max(1));
        self.reserved = self.reserved.max(last);
        false
    }

    /// The event at `offset` is on its way to the client. True where it was given before.
    pub fn take(&mut self, offset: u64) -> bool {
        debug_assert!(offset > self.cursor, "events are taken in rising order");
        debug_assert!(
            offset <= self.bound,
            "the bound is committed before an event is written"
        );
        self.cursor = offset;
        // Also after a jump, when the window begins elsewhere, this one may still be written.
        self.reserved = self.reserved.max(offset);
        if matches!(self.session, Some(AckMode::Manual { .. })) {
            self.in_flight.push_back(offset);
        }
        offset <= self.given
    }

    /// Everything up to `offset` was looked at, and nothing of it passed the filter.
    pub fn pass(&mut self, offset: u64) {
        self.cursor = self.cursor.max(offset);
    }

    /// A byte of the event at `offset` may have reached a client.
    pub fn gave(&mut self, offset: u64) {
        self.given = self.given.max(offset);
        self.reserved = self.reserved.max(self.given);
    }

    /// Acknowledges everything up to `offset`. Going back does nothing. True where it moved.
    ///
    /// # Errors
    /// The offset was neither given nor passed over: a client that names it mistakes something,
    /// and to believe it would lose events.
    pub fn ack(&mut self, offset: u64) -> Result<bool, NeverGiven> {
        let highest = self.given.max(self.cursor);
        if offset > highest {
            return Err(NeverGiven { offset, highest });
        }
        if offset <= self.acked {
            return Ok(false);
        }
        self.acked = offset;
        self.cursor = self.cursor.max(offset);
        while self.in_flight.front().is_some_and(|&first| first <= offset) {
            self.in_flight.pop_front();
        }
        Ok(true)
    }

    /// Starts over after `offset`, in either direction.
    pub fn seek(&mut self, offset: u64) {
        self.acked = offset;
        self.jump(offset);
    }

    /// What is to be committed now. In a session the bound runs ahead of what is given. Until
    /// [`Self::recorded`] the lower one of the old bound and the new one holds: the commit may or
    /// may not have happened.
    pub fn record(&mut self) -> Record {
        let bound = match self.session {
            Some(_) => self.reserved.max(self.cursor.saturating_add(self.ahead())),
            None => self.reserved.max(self.given),
        };
        self.bound = self.bound.min(bound);
        Record {
            acked: self.acked,
            bound,
        }
    }

    /// This record is committed.
    pub fn recorded(&mut self, record: Record) {
        self.bound = record.bound;
    }

    fn jump(&mut self, to: u64) {
        self.cursor = to;
        self.in_flight.clear();
        self.epoch += 1;
    }

    /// How many more events may go out without a word to the database.
    fn ahead(&self) -> u64 {
        match self.session {
            Some(AckMode::Manual { .. }) => self.room() as u64,
            Some(AckMode::Auto) | None => AUTO_STEP,
        }
    }
}

/// How far the bound runs ahead where there is no window.
const AUTO_STEP: u64 = 256;

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: AckMode = AckMode::Manual { max_in_flight: 3 };

    fn give(consumer: &mut Consumer, offset: u64) -> bool {
        if !consumer.reserve(offset) {
            let record = consumer.record();
            assert!(record.bound >= offset);
            consumer.recorded(record);
            assert!(consumer.reserve(offset));
        }
        let before = consumer.take(offset);
        consumer.gave(offset);
        before
    }

    #[test]
    fn a_window_closes_when_full_and_opens_with_each_acknowledgement() {
        let mut consumer = Consumer::new(0);
        consumer.begin(WINDOW);
        for offset in [1, 2, 5] {
            assert!(!give(&mut consumer, offset));
        }
        assert_eq!(consumer.room(), 0);
        assert_eq!(consumer.ack(2), Ok(true));
        assert_eq!(consumer.room(), 2);
        assert_eq!(consumer.oldest_in_flight(), Some(5));
    }

    #[test]
    fn going_back_is_a_no_op_and_going_past_what_was_given_is_refused() {
        let mut consumer = Consumer::new(0);
        consumer.begin(WINDOW);
        give(&mut consumer, 1);
        give(&mut consumer, 2);
        assert_eq!(consumer.ack(2), Ok(true));
        assert_eq!(consumer.ack(1), Ok(false));
        assert_eq!(consumer.acked(), 2);
        assert_eq!(
            consumer.ack(3),
            Err(NeverGiven {
                offset: 3,
                highest: 2
            })
        );
        consumer.pass(4);
        assert_eq!(
            consumer.ack(3),
            Ok(true),
            "what the filter left out may be acknowledged"
        );
    }

    #[test]
    fn a_new_session_gives_everything_after_the_acknowledged_offset_again() {
        let mut consumer = Consumer::new(0);
        consumer.begin(WINDOW);
        for offset in 1..=3 {
            give(&mut consumer, offset);
        }
        assert_eq!(consumer.ack(1), Ok(true));
        consumer.end();
        assert_eq!(consumer.room(), 0);
        consumer.begin(WINDOW);
        assert_eq!(consumer.cursor(), 1);
        assert!(give(&mut consumer, 2));
        assert!(give(&mut consumer, 3));
        assert!(!give(&mut consumer, 4));
    }

    #[test]
    fn a_client_may_acknowledge_what_an_earlier_session_gave_it() {
        let mut consumer = Consumer::load(1, 9, 9);
        consumer.begin(WINDOW);
        assert_eq!(consumer.ack(9), Ok(true));
        assert_eq!(consumer.cursor(), 9, "and is not given it again");
    }

    #[test]
    fn an_event_is_not_written_before_a_bound_that_covers_it_is_committed() {
        let mut consumer = Consumer::new(0);
        consumer.begin(WINDOW);
        assert!(!consumer.reserve(1));
        let record = consumer.record();
        assert_eq!(record, Record { acked: 0, bound: 3 });
        assert!(!consumer.reserve(1), "not yet committed");
        consumer.recorded(record);
        assert!((1..=3).all(|offset| consumer.reserve(offset)));
        assert!(!consumer.reserve(4));
    }

    #[test]
    fn the_bound_reaches_no_farther_than_the_window() {
        let mut consumer = Consumer::new(0);
        consumer.begin(WINDOW);
        for offset in 1..=3 {
            give(&mut consumer, offset);
        }
        consumer.ack(1).unwrap();
        let record = consumer.record();
        assert_eq!(record, Record { acked: 1, bound: 4 });
        consumer.recorded(record);
        give(&mut consumer, 4);
        assert_eq!(consumer.record(), record, "a crash now marks 4 and not 5");
    }

    #[test]
    fn what_may_still_be_written_after_a_jump_stays_below_the_bound() {
        let mut consumer = Consumer::new(0);
        consumer.begin(WINDOW);
        for offset in [1, 2, 3] {
            give(&mut consumer, offset);
            consumer.ack(offset).unwrap();
            let record = consumer.record();
            consumer.recorded(record);
        }
        assert!(consumer.reserve(6));
        consumer.take(6);
        consumer.seek(0);
        assert!(consumer.record().bound >= 6);
    }

    #[test]
    fn an_acknowledgement_carries_the_bound_along() {
        let mut consumer = Consumer::new(0);
        consumer.begin(WINDOW);
        let mut commits = 0;
        for offset in 1..=300 {
            if !consumer.reserve(offset) {
                commits += 1;
                let record = consumer.record();
                consumer.recorded(record);
            }
            consumer.take(offset);
            consumer.gave(offset);
            consumer.ack(offset).unwrap();
            let record = consumer.record();
            consumer.recorded(record);
        }
        assert_eq!(
            commits, 1,
            "only the first event of a session needs a commit of its own"
        );
    }

    #[test]
    fn after_a_crash_everything_that_was_written_counts_as_given() {
        let mut consumer = Consumer::new(0);
        consumer.begin(WINDOW);
        let mut disk = Record { acked: 0, bound: 0 };
        for offset in 1..=50 {
            if !consumer.reserve(offset) {
                disk = consumer.record();
                consumer.recorded(disk);
            }
            consumer.take(offset);
            consumer.gave(offset);
            if offset % 2 == 0 {
                consumer.ack(offset - 1).unwrap();
            }
            let mut reloaded = Consumer::load(disk.acked, disk.bound, 50);
            assert!(reloaded.given() >= offset);
            reloaded.begin(WINDOW);
            assert!(reloaded.cursor() < offset);
        }
        assert_eq!(
            Consumer::load(disk.acked, 1_000, 50).given(),
            50,
            "clipped to the log"
        );
    }

    #[test]
    fn a_session_that_ends_in_order_leaves_the_exact_value() {
        let mut consumer = Consumer::new(0);
        consumer.begin(AckMode::Auto);
        give(&mut consumer, 1);
        assert!(consumer.record().bound > 1);
        consumer.end();
        assert_eq!(consumer.record(), Record { acked: 0, bound: 1 });
    }

    #[test]
    fn while_a_lower_bound_is_being_committed_the_old_one_is_not_relied_on() {
        let mut consumer = Consumer::new(0);
        consumer.begin(AckMode::Auto);
        give(&mut consumer, 1);
        consumer.end();
        let lower = consumer.record();
        consumer.begin(AckMode::Auto);
        assert!(
            !consumer.reserve(2),
            "the commit of {lower:?} may still be under way"
        );
    }

    #[test]
    fn after_a_seek_back_events_count_as_given_before() {
        let mut consumer = Consumer::new(0);
        consumer.begin(WINDOW);
        for offset in 1..=3 {
            give(&mut consumer, offset);
        }
        consumer.ack(3).unwrap();
        let epoch = consumer.epoch();
        consumer.seek(0);
        assert_ne!(consumer.epoch(), epoch);
        assert!(give(&mut consumer, 1));
        consumer.seek(10);
        assert!(!give(&mut consumer, 11), "and those jumped over do not");
    }

    #[test]
    fn without_a_window_there_is_always_room() {
        let mut consumer = Consumer::new(0);
        consumer.begin(AckMode::Auto);
        for offset in 1..=10_000 {
            give(&mut consumer, offset);
        }
        assert_eq!(consumer.room(), usize::MAX);
        assert_eq!(consumer.oldest_in_flight(), None);
    }
}
