//! The two clocks that the engine is told of.

use std::time::Duration;

use agentchatd_engine::{Millis, Now};
use nix::time::{ClockId, clock_gettime};
use tokio::time::Instant;

use crate::event::now_us;

/// Time since the start, and the wall clock. The first counts what a machine sleeps as well, so
/// that a send does not outlive its expiry by the night; timers go off when the machine wakes.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Duration,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self {
            start: since_boot(),
        }
    }

    /// The present.
    pub fn now(&self) -> Now {
        Now {
            mono: Millis(self.uptime_ms()),
            wall_us: now_us(),
        }
    }

    /// The runtime's instant at which `at` is reached.
    pub fn instant(&self, at: Millis) -> Instant {
        // The engine's milliseconds are rounded down; a timer must not fire before its time.
        let due = self.start + Duration::from_millis(at.0.saturating_add(1));
        Instant::now() + due.saturating_sub(since_boot()).min(LONGEST)
    }

    /// How long the daemon runs, in milliseconds.
    pub fn uptime_ms(&self) -> u64 {
        let uptime = since_boot().saturating_sub(self.start);
        u64::try_from(uptime.as_millis()).unwrap_or(u64::MAX)
    }
}

fn since_boot() -> Duration {
    // Every Linux that can run this has the clock.
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(Duration::ZERO, Duration::from)
}

/// Nothing is waited for longer in one piece; whoever wakes up early looks again.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);
