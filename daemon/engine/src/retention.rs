//! How long the log is kept: by age and by size, and longer for those who have not acknowledged.
//!
//! The log is cut at its old end alone, one event after the other, so a reader never meets a hole.
//! An event that every durable consumer has acknowledged goes as soon as a bound is passed. One
//! that a consumer still waits for stays until the bounds are passed [`PATIENCE`] times over; then
//! it goes all the same, or one forgotten consumer would fill the disk, and that is told
//! (`local-api.md` 8).
//!
//! No clock and no I/O: the store walks the oldest events and asks for the fate of each.

/// What `[storage]` allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionBounds {
    /// The age at which an event goes, microseconds.
    pub max_age_us: i64,
    /// The size of the log at which its oldest event goes, bytes.
    pub max_bytes: u64,
}

/// The oldest event of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Oldest {
    /// Its place.
    pub offset: u64,
    /// When it was received, microseconds since the epoch.
    pub received_us: i64,
    /// Bytes of the log, this event included.
    pub log_bytes: u64,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It stays, and so does all behind it.
    Keep,
    /// It goes; nobody waits for it.
    Remove,
    /// It goes although a consumer has not acknowledged it.
    RemoveUnacked,
}

impl RetentionBounds {
    /// The fate of the oldest event. `acked_by_all` is what every durable consumer has
    /// acknowledged, `u64::MAX` where there is none.
    pub fn fate(&self, oldest: Oldest, acked_by_all: u64, now_us: i64) -> Fate {
        let is_past = |times: u32| {
            let age_us = now_us.saturating_sub(oldest.received_us);
            age_us > self.max_age_us.saturating_mul(i64::from(times))
                || oldest.log_bytes > self.max_bytes.saturating_mul(u64::from(times))
        };
        if !is_past(1) {
            Fate::Keep
        } else if oldest.offset <= acked_by_all {
            Fate::Remove
        } else if is_past(PATIENCE) {
            Fate::RemoveUnacked
        } else {
            Fate::Keep
        }
    }
}

/// The time by which ages are judged: a clock that runs ahead must not empty the log. `platform_us`
/// is AgentChat's time where it is known, `counted_us` the time at which the daemon was started and
/// what a steady clock has counted since.
pub fn age_clock(wall_us: i64, platform_us: Option<i64>, counted_us: i64) -> i64 {
    wall_us.min(platform_us.unwrap_or(counted_us))
}

/// How many rows one step takes, learned from what the steps before it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    rows: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            rows: ROWS_AT_FIRST,
        }
    }
}

impl Pace {
    /// Rows of the next step.
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// A step took so long, its commit included.
    pub fn took(&mut self, micros: u64) {
        self.rows = if micros > STEP_AIM_US {
            self.rows / 2
        } else if micros < STEP_AIM_US / 4 {
            self.rows + self.rows / 4 + 1
        } else {
            self.rows
        }
        .clamp(ROWS_LEAST, ROWS_MOST);
    }
}

/// How many times over a bound must be passed before an event goes that a consumer waits for.
pub const PATIENCE: u32 = 4;
/// A step that takes longer makes the next one smaller. Well below the 50 ms for which the writer may
/// be held (`architecture.md` 3).
const STEP_AIM_US: u64 = 20_000;
const ROWS_AT_FIRST: u32 = 64;
const ROWS_LEAST: u32 = 8;
const ROWS_MOST: u32 = 2_048;

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: RetentionBounds = RetentionBounds {
        max_age_us: 100,
        max_bytes: 1_000,
    };

    fn fate(offset: u64, age_us: i64, log_bytes: u64, acked_by_all: u64) -> Fate {
        let oldest = Oldest {
            offset,
            received_us: 10_000 - age_us,
            log_bytes,
        };
        BOUNDS.fate(oldest, acked_by_all, 10_000)
    }

    #[test]
    fn an_event_within_both_bounds_stays_and_one_past_either_goes() {
        assert_eq!(fate(5, 100, 1_000, u64::MAX), Fate::Keep);
        assert_eq!(fate(5, 101, 1_000, u64::MAX), Fate::Remove);
        assert_eq!(fate(5, 100, 1_001, u64::MAX), Fate::Remove);
        assert_eq!(fate(5, -50, 0, u64::MAX), Fate::Keep, "from the future");
    }

    #[test]
    fn what_a_consumer_waits_for_stays_until_the_bounds_are_passed_four_times_over() {
        assert_eq!(fate(5, 101, 1_001, 5), Fate::Remove, "acknowledged");
        assert_eq!(fate(5, 400, 4_000, 4), Fate::Keep);
        assert_eq!(fate(5, 401, 0, 4), Fate::RemoveUnacked);
        assert_eq!(fate(5, 0, 4_001, 4), Fate::RemoveUnacked);
        assert_eq!(fate(5, 401, 4_001, 5), Fate::Remove, "acknowledged");
    }

    #[test]
    fn bounds_too_large_to_multiply_never_remove_what_is_waited_for() {
        let bounds = RetentionBounds {
            max_age_us: i64::MAX / 2,
            max_bytes: u64::MAX / 2,
        };
        let oldest = Oldest {
            offset: 1,
            received_us: i64::MIN,
            log_bytes: u64::MAX - 1,
        };
        assert_eq!(bounds.fate(oldest, 0, i64::MAX), Fate::Keep);
    }

    #[test]
    fn ages_are_judged_by_the_earlier_clock() {
        assert_eq!(age_clock(100, None, 100), 100);
        assert_eq!(age_clock(100_000, None, 100), 100, "ours jumped ahead");
        assert_eq!(age_clock(100_000, Some(120), 100), 120);
        assert_eq!(age_clock(50, Some(120), 100), 50, "ours jumped back");
    }

    #[test]
    fn slow_steps_shrink_and_quick_ones_grow_within_bounds() {
        let mut pace = Pace::default();
        for _ in 0..40 {
            pace.took(1_000);
        }
        assert_eq!(pace.rows(), ROWS_MOST);
        pace.took(STEP_AIM_US + 1);
        assert_eq!(pace.rows(), ROWS_MOST / 2);
        pace.took(STEP_AIM_US / 2);
        assert_eq!(pace.rows(), ROWS_MOST / 2, "neither slow nor quick");
        for _ in 0..40 {
            pace.took(1_000_000);
        }
        assert_eq!(pace.rows(), ROWS_LEAST);
    }
}
