//! Where a reader stands in the log, and whether what comes fits to it. No I/O.

use super::error::SubscriptionError;
use crate::types::{Event, Filter, Subscribed};

/// A reader's place in the log.
#[derive(Debug, Default)]
pub(super) struct Position {
    /// The highest offset that was ever handed out, or the one before the first wanted.
    high: Option<u64>,
    /// The lowest and the highest that was handed out.
    given: Option<(u64, u64)>,
    /// The same as it was before this connection.
    given_before: Option<(u64, u64)>,
    /// The offset that comes next on this connection.
    next: u64,
    /// Whether every offset must come.
    gap_free: bool,
    /// A hole that was reported; it is no news the second time.
    reported: Option<u64>,
}

impl Position {
    /// The offset that is wanted next.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// The last offset handed out since the daemon last said where this reader is.
    pub(super) fn handed(&self) -> u64 {
        self.next.saturating_sub(1)
    }

    /// Takes the answer to a subscribe. A durable consumer may be taken back, never ahead.
    pub(super) fn on_subscribed(&mut self, answer: &Subscribed) -> Result<(), SubscriptionError> {
        self.next = answer.next_offset;
        self.given_before = self.given;
        self.gap_free = answer.filter.as_ref().is_none_or(Filter::passes_all);
        let before = self.handed();
        let high = *self.high.get_or_insert(before);
        if self.gap_free && before > high {
            // The daemon decided so in answer to a clear question: it is not asked again.
            self.high = Some(before);
            return Err(SubscriptionError::Hole {
                expected: high + 1,
                got: answer.next_offset,
            });
        }
        Ok(())
    }

    /// Judges an event that came; marks it where it was handed out before.
    pub(super) fn on_event(&mut self, event: &mut Event) -> Result<(), SubscriptionError> {
        let Some(offset) = event.offset else {
            return Ok(());
        };
        if offset < self.next {
            return Err(SubscriptionError::NotRising {
                last: self.handed(),
                got: offset,
            });
        }
        if offset > self.next && self.gap_free && self.reported != Some(self.next) {
            self.reported = Some(self.next);
            return Err(SubscriptionError::Hole {
                expected: self.next,
                got: offset,
            });
        }
        event.redelivered |= self
            .given_before
            .is_some_and(|(low, high)| (low..=high).contains(&offset));
        let (low, high) = self.given.unwrap_or((offset, offset));
        self.given = Some((low.min(offset), high.max(offset)));
        self.high = self.high.max(Some(offset));
        self.next = offset.saturating_add(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(offset: u64) -> Event {
        serde_json::from_value(serde_json::json!({
            "offset": offset, "type": "message.new", "received_at": "2026-11-23T12:00:00Z",
            "conversation_id": null, "message_id": null, "seq": null, "source": "live",
            "payload": {}
        }))
        .unwrap()
    }

    fn subscribed(next_offset: u64, filter: Option<Filter>) -> Subscribed {
        Subscribed {
            subscription: "s".into(),
            consumer: None,
            next_offset,
            filter,
        }
    }

    fn at(next_offset: u64) -> Position {
        let mut position = Position::default();
        position
            .on_subscribed(&subscribed(next_offset, None))
            .unwrap();
        position
    }

    #[test]
    fn events_without_a_hole_pass() {
        let mut position = at(4);
        assert_eq!(position.next(), 4);
        for offset in 4..8 {
            position.on_event(&mut event(offset)).unwrap();
        }
        assert_eq!(position.next(), 8);
    }

    #[test]
    fn a_hole_is_an_error_once_and_then_the_logs_own() {
        let mut position = at(4);
        let hole = position.on_event(&mut event(6)).unwrap_err();
        assert!(
            matches!(
                hole,
                SubscriptionError::Hole {
                    expected: 4,
                    got: 6
                }
            ),
            "{hole}"
        );
        assert_eq!(position.next(), 4);
        position.on_subscribed(&subscribed(4, None)).unwrap();
        position.on_event(&mut event(6)).unwrap();
        assert_eq!(position.next(), 7);
        assert!(position.on_event(&mut event(9)).is_err());
    }

    #[test]
    fn a_filter_may_leave_out_offsets_but_never_take_them_back() {
        let mut position = Position::default();
        let filter = Filter {
            mentions_me: true,
            ..Filter::default()
        };
        position
            .on_subscribed(&subscribed(1, Some(filter)))
            .unwrap();
        position.on_event(&mut event(5)).unwrap();
        position.on_event(&mut event(9)).unwrap();
        let error = position.on_event(&mut event(9)).unwrap_err();
        assert!(
            matches!(error, SubscriptionError::NotRising { last: 9, got: 9 }),
            "{error}"
        );
    }

    #[test]
    fn what_was_handed_out_before_is_marked_after_a_step_back() {
        let mut position = at(1);
        position.on_event(&mut event(1)).unwrap();
        position.on_event(&mut event(2)).unwrap();
        position.on_subscribed(&subscribed(2, None)).unwrap();
        let (mut again, mut new) = (event(2), event(3));
        position.on_event(&mut again).unwrap();
        position.on_event(&mut new).unwrap();
        assert!(again.redelivered);
        assert!(!new.redelivered);
        assert_eq!(position.handed(), 3);
        assert_eq!(position.next(), 4);
    }

    #[test]
    fn what_nobody_was_given_is_not_marked() {
        let mut position = at(6);
        position.on_event(&mut event(6)).unwrap();
        position.on_subscribed(&subscribed(4, None)).unwrap();
        let marked: Vec<bool> = (4..8)
            .map(|offset| {
                let mut event = event(offset);
                position.on_event(&mut event).unwrap();
                event.redelivered
            })
            .collect();
        assert_eq!(marked, [false, false, true, false]);
    }

    #[test]
    fn a_daemon_that_goes_on_too_far_ahead_is_reported() {
        let mut position = at(1);
        position.on_event(&mut event(1)).unwrap();
        let hole = position.on_subscribed(&subscribed(5, None)).unwrap_err();
        assert!(
            matches!(
                hole,
                SubscriptionError::Hole {
                    expected: 2,
                    got: 5
                }
            ),
            "{hole}"
        );
        position.on_event(&mut event(5)).unwrap();
    }
}
