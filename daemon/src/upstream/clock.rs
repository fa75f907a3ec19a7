//! How far the platform's clock is from ours, as far as its last answer tells.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The last offset seen; good to about a second, since `Date` has no fraction.
#[derive(Debug)]
pub(super) struct PlatformClock(AtomicI64);

impl Default for PlatformClock {
    fn default() -> Self {
        Self(AtomicI64::new(NOT_SEEN))
    }
}

impl PlatformClock {
    /// Takes note of an answer's `Date`, and when its head came.
    pub(super) fn see(&self, date_ms: i64, came: SystemTime) {
        let Ok(came) = came.duration_since(UNIX_EPOCH) else {
            return;
        };
        let came_ms = i64::try_from(came.as_millis()).unwrap_or(i64::MAX);
        self.0
            .store(date_ms.saturating_sub(came_ms), Ordering::Relaxed);
    }

    /// Milliseconds by which the platform's clock is ahead of ours.
    pub(super) fn offset_ms(&self) -> Option<i64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|offset| *offset != NOT_SEEN)
    }
}

const NOT_SEEN: i64 = i64::MIN;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_last_answer_counts() {
        let clock = PlatformClock::default();
        assert_eq!(clock.offset_ms(), None);
        let came = UNIX_EPOCH + Duration::from_secs(100);
        clock.see(160_000, came);
        assert_eq!(clock.offset_ms(), Some(60_000));
        clock.see(99_000, came);
        assert_eq!(clock.offset_ms(), Some(-1_000));
    }
}
