//! How long to wait before the next connection.

use crate::time::Jitter;

/// Delays that double up to a bound, each drawn over its whole width (full jitter), the first
/// one too, so that a deploy of the platform does not bring every client back at once
/// (`wire.md` 11.48).
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    min_ms: u64,
    max_ms: u64,
    attempt: u32,
}

impl Backoff {
    /// Delays between `min_ms` and `max_ms`.
    pub(crate) fn new(min_ms: u64, max_ms: u64) -> Self {
        Self {
            min_ms: min_ms.max(1),
            max_ms: max_ms.max(min_ms.max(1)),
            attempt: 0,
        }
    }

    /// The number of delays drawn since the last reset.
    pub(crate) fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The next delay: drawn between half the minimum and twice the minimum, doubled per attempt.
    pub(crate) fn next_ms(&mut self, jitter: &mut Jitter) -> u64 {
        let cap = self
            .min_ms
            .saturating_mul(2)
            .saturating_mul(1_u64.checked_shl(self.attempt).unwrap_or(u64::MAX))
            .min(self.max_ms);
        self.attempt = self.attempt.saturating_add(1);
        jitter.between((self.min_ms / 2).min(cap), cap)
    }

    /// Starts anew; only a connection that stood for `stable_after_ms` has earned it
    /// (`wire.md` 11.2).
    pub(crate) fn reset(&mut self) {
        self.attempt = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_the_bound_and_never_pass_it() {
        let mut jitter = Jitter::new(7);
        let mut backoff = Backoff::new(500, 30_000);
        let mut widest = 0;
        for attempt in 0..200 {
            let delay = backoff.next_ms(&mut jitter);
            let cap = 1_000_u64.saturating_mul(1 << attempt.min(20)).min(30_000);
            assert!((250..=cap).contains(&delay), "attempt {attempt}: {delay}");
            widest = widest.max(delay);
        }
        assert!(widest > 25_000, "the whole width is used: {widest}");
    }

    #[test]
    fn pitfall_48_the_first_delay_is_jittered_too() {
        let first = |seed| Backoff::new(500, 30_000).next_ms(&mut Jitter::new(seed));
        let distinct: std::collections::BTreeSet<u64> = (0..50).map(first).collect();
        assert!(distinct.len() > 30);
    }
}
