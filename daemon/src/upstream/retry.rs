//! When a call is tried again, and how long to wait before it.
//!
//! Used for calls that a local client asked for. Sends are not tried again here: their retries are
//! the outbox's, which has them on disk.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use super::{Answer, ApiFailure};

/// How often and how fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts after the first.
    pub max_retries: u32,
    /// The wait before the first retry; it doubles with each.
    pub base_delay: Duration,
    /// What the doubling ends at. The server's own `Retry-After` is not cut by it.
    pub max_delay: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_retries: 3,
            base_delay: Duration::from_millis(250),
            max_delay: Duration::from_secs(8),
        }
    }
}

impl RetryPolicy {
    /// Runs `attempt` until it succeeds, until another one makes no sense, or until the wait for
    /// the next one would end past `deadline`.
    pub(super) async fn run<F, Fut>(
        &self,
        retryable: bool,
        deadline: Instant,
        mut attempt: F,
    ) -> Result<Answer, ApiFailure>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<Answer, ApiFailure>>,
    {
        let mut all_unsent = true;
        let mut attempts = 0;
        loop {
            let failure = match attempt().await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            attempts += 1;
            all_unsent &= failure.surely_undone();
            let wait = self.wait_after(&failure, attempts, rand::random());
            let in_time = Instant::now()
                .checked_add(wait)
                .is_some_and(|at| at < deadline);
            let again = retryable && attempts <= self.max_retries && worth_retrying(&failure);
            if !again || !in_time {
                return Err(failure.after(attempts, all_unsent));
            }
            tracing::debug!(attempts, wait_ms = wait.as_millis(), %failure, "trying again");
            tokio::time::sleep(wait).await;
        }
    }

    /// The wait after the attempt of that number. `chance` is in 0..1 and spreads it.
    fn wait_after(&self, failure: &ApiFailure, attempts: u32, chance: f64) -> Duration {
        let asked = failure.api().and_then(|error| error.retry_after_ms);
        if let Some(ms) = asked {
            return Duration::from_millis(ms).max(LEAST_RETRY_AFTER);
        }
        let doublings = (attempts - 1).min(MOST_DOUBLINGS);
        let plain = self
            .base_delay
            .saturating_mul(1 << doublings)
            .min(self.max_delay);
        plain.mul_f64(1.0 - JITTER + 2.0 * JITTER * chance)
    }
}

/// True for answers that may be another one a moment later.
fn worth_retrying(failure: &ApiFailure) -> bool {
    match failure {
        ApiFailure::Api(error) => {
            let refused_by_rule = error
                .code
                .as_deref()
                .is_some_and(|code| NEVER_AGAIN.contains(&code));
            RETRIED_STATUSES.contains(&error.status) && !refused_by_rule
        }
        ApiFailure::Unavailable(_) => true,
        ApiFailure::Shape { .. } | ApiFailure::Unsendable { .. } => false,
    }
}

const RETRIED_STATUSES: [u16; 7] = [408, 425, 429, 500, 502, 503, 504];

/// Codes whose cause no short wait removes, whatever their status (`wire.md` 6).
const NEVER_AGAIN: [&str; 3] = [
    "RECIPIENT_BACKLOGGED",
    "AWAITING_REPLY",
    "OTP_ATTEMPTS_EXHAUSTED",
];

/// A `Retry-After` of 0 means "about a second" (`wire.md` 1.6).
const LEAST_RETRY_AFTER: Duration = Duration::from_secs(1);

/// Keeps the shift in range; any sane `max_delay` is reached long before.
const MOST_DOUBLINGS: u32 = 16;

/// A quarter up or down.
const JITTER: f64 = 0.25;

#[cfg(test)]
#[path = "retry_tests.rs"]
mod tests;
