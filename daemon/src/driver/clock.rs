//! The two clocks that the engine is told of.

use std::time::Instant;

use agentchatd_engine::{Millis, Now};

use crate::event::now_us;

/// Monotonic time since the start, and the wall clock.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// The present.
    pub fn now(&self) -> Now {
        Now {
            mono: Millis(millis(self.start)),
            wall_us: now_us(),
        }
    }

    /// The runtime's instant at which `at` is reached.
    pub fn instant(&self, at: Millis) -> tokio::time::Instant {
        // The engine's milliseconds are rounded down; a timer must not fire before its time.
        let due = self.start + std::time::Duration::from_millis(at.0.saturating_add(1));
        tokio::time::Instant::from_std(due)
    }

    /// How long the daemon runs, in milliseconds.
    pub fn uptime_ms(&self) -> u64 {
        millis(self.start)
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
