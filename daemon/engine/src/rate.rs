//! One budget for all sends.

use crate::time::Millis;

/// A bucket of one second's worth of sends.
#[derive(Debug)]
pub(crate) struct Rate {
    per_second: u64,
    // In thousandths of a send.
    tokens: u64,
    filled_at: Millis,
}

impl Rate {
    /// A full bucket.
    pub(crate) fn new(per_second: u32) -> Self {
        let per_second = u64::from(per_second.max(1));
        Self {
            per_second,
            tokens: per_second * 1_000,
            filled_at: Millis(0),
        }
    }

    /// Takes a send out; false where none is left by now.
    pub(crate) fn take(&mut self, now: Millis) -> bool {
        let earned = now.since(self.filled_at).saturating_mul(self.per_second);
        self.tokens = self
            .tokens
            .saturating_add(earned)
            .min(self.per_second * 1_000);
        self.filled_at = self.filled_at.max(now);
        if self.tokens < 1_000 {
            return false;
        }
        self.tokens -= 1_000;
        true
    }

    /// When the next one can be taken.
    pub(crate) fn ready_at(&self) -> Millis {
        let lacking = 1_000_u64.saturating_sub(self.tokens);
        self.filled_at + lacking.div_ceil(self.per_second)
    }
}
