//! One budget for all sends: a bucket whose rate is learned.
//!
//! The platform counts an agent's messages in a window of a second and refuses what is over with
//! 429 (`wire.md` 1.6, step 10, and 7). What the window holds is not told anywhere, and other
//! programs of the same agent may use it up. So the rate begins as configured, goes down when the
//! platform refuses, and comes back by itself (additive increase, multiplicative decrease: Chiu and
//! Jain, 1989, which RFC 5681 uses for the same question):
//!
//! * **Down** to 0.7 of what was *in use* when the refused attempt was made, not of what would
//!   have been allowed (RFC 5681, 3.1, equation 4; the factor is RFC 9438's). So one refusal
//!   is enough to get from any configured rate to about the platform's.
//! * **Once for each burst**: a refusal of an attempt that was made before the last step down says
//!   nothing new (RFC 6582's `recover`).
//! * **A second's rest** after a step, since the platform's window is used up until it turns over.
//! * **Up** by half a send a second for each second after that in which nothing is refused, until
//!   it is as configured. What was learned is not kept over a restart.
//!
//! The bucket holds a fifth of a second's worth, so that no second sees more than 1.2 times the
//! rate: with the default of 50 a second that is the platform's 60.
//!
//! Which refusals concern this budget is decided by the outbox.

use std::collections::VecDeque;

use crate::time::Millis;

/// A place in the order of all attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    number: u64,
    /// Attempts of the second that ends with this one, itself included.
    used: u64,
}

/// A bucket of sends. Rates are in thousandths of a send a second, so that what a millisecond earns
/// is a whole number of millionths.
#[derive(Debug)]
pub(crate) struct Rate {
    most: u64,
    rate: u64,
    // In millionths of a send.
    tokens: u64,
    filled_at: Millis,
    /// Nothing goes out before.
    rests_until: Millis,
    /// From when on the seconds count that were quiet.
    quiet_from: Millis,
    turns: u64,
    /// Turns before this one were taken before the last step down.
    learned: u64,
    /// When the attempts of the last second were made.
    recent: VecDeque<Millis>,
}

impl Rate {
    /// A full bucket at the configured rate.
    pub(crate) fn new(per_second: u32) -> Self {
        let most = u64::from(per_second.max(1)) * 1_000;
        Self {
            most,
            rate: most,
            tokens: depth(most),
            filled_at: Millis(0),
            rests_until: Millis(0),
            quiet_from: Millis(0),
            turns: 0,
            learned: 0,
            recent: VecDeque::new(),
        }
    }

    /// Takes a send out; none where there is none by now.
    pub(crate) fn take(&mut self, now: Millis) -> Option<Turn> {
        self.fill(now);
        if self.tokens < SEND || now < self.rests_until {
            return None;
        }
        self.tokens -= SEND;
        while self.recent.front().is_some_and(|at| *at + SECOND_MS <= now) {
            self.recent.pop_front();
        }
        self.recent.push_back(now);
        let turn = Turn {
            number: self.turns,
            used: self.recent.len() as u64,
        };
        self.turns += 1;
        Some(turn)
    }

    /// When the next one can be taken.
    pub(crate) fn ready_at(&self) -> Millis {
        let lacking = SEND.saturating_sub(self.tokens);
        (self.filled_at + lacking.div_ceil(self.rate)).max(self.rests_until)
    }

    /// The platform refused the attempt of this turn because there were too many.
    pub(crate) fn refused(&mut self, turn: Turn, now: Millis) {
        if turn.number < self.learned {
            return;
        }
        self.fill(now);
        let in_use = self.rate.min(turn.used.max(LEAST_IN_USE) * 1_000);
        self.rate = (in_use * DECREASE_PERCENT / 100)
            .max(LEAST_RATE)
            .min(self.most);
        self.tokens = 0;
        self.rests_until = now + SECOND_MS;
        self.quiet_from = self.rests_until;
        self.filled_at = self.rests_until;
        self.learned = self.turns;
    }

    fn fill(&mut self, now: Millis) {
        let quiet_s = now.since(self.quiet_from) / SECOND_MS;
        self.quiet_from = self.quiet_from + quiet_s * SECOND_MS;
        self.rate = self
            .rate
            .saturating_add(quiet_s.saturating_mul(INCREASE))
            .min(self.most);
        let earned = now.since(self.filled_at).saturating_mul(self.rate);
        self.tokens = self.tokens.saturating_add(earned).min(depth(self.rate));
        self.filled_at = self.filled_at.max(now);
    }
}

/// What a bucket holds at this rate: a send at least.
fn depth(rate: u64) -> u64 {
    (rate * SEND / 1_000 / DEPTH_PER_SECOND).max(SEND)
}

/// One send, in the bucket's unit.
const SEND: u64 = 1_000_000;
/// The bucket holds this part of a second's worth.
const DEPTH_PER_SECOND: u64 = 5;
/// What is left of what was in use when the platform refuses, in percent.
const DECREASE_PERCENT: u64 = 70;
/// Fewer attempts in a second teach nothing of a limit: others may have used it up.
const LEAST_IN_USE: u64 = 10;
/// What a quiet second adds: half a send a second.
const INCREASE: u64 = 500;
/// One send a second goes out whatever the platform says: Retry-After is each entry's own.
const LEAST_RATE: u64 = 1_000;
/// The platform's window.
pub(crate) const SECOND_MS: u64 = 1_000;

#[cfg(test)]
#[path = "rate_tests.rs"]
mod tests;
