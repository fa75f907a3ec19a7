//! Time as the engine sees it: numbers that the driver hands in.

use std::ops::Add;

/// A point on a monotonic clock, in milliseconds from an arbitrary start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Millis(pub u64);

impl Millis {
    /// Milliseconds from `earlier` to `self`; 0 where `earlier` is later.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<u64> for Millis {
    type Output = Self;

    fn add(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }
}

/// The present, as the driver read it from its clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// The monotonic clock; all waiting is measured by it. Must never go back.
    pub mono: Millis,
    /// The wall clock, microseconds since the Unix epoch; data only, may jump.
    pub wall_us: i64,
}

impl Now {
    /// The monotonic time at which the wall clock would show this if it never jumped; the present
    /// where it shows it already.
    pub(crate) fn when(self, wall_us: i64) -> Millis {
        let wait_us = wall_us.saturating_sub(self.wall_us).max(0);
        self.mono + wait_us.cast_unsigned().div_ceil(1_000)
    }
}

/// A small deterministic source of jitter (splitmix64), seeded by the driver.
#[derive(Debug, Clone)]
pub struct Jitter(u64);

impl Jitter {
    /// A source that yields the same numbers for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number in `low..=high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        low + mixed % (high.saturating_sub(low)).saturating_add(1)
    }
}
