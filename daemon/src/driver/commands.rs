//! What the local API asks of the driver.

use agentchatd_engine::Input;
use tokio::sync::oneshot;

use super::{
    run::Driver,
    sends::{Caller, draft},
};
use crate::command::{Accepted, CallFailure, Command, Draft, Outcome, Refusal};

impl Driver {
    pub(super) fn on_command(&mut self, command: Command) {
        match command {
            Command::Send {
                draft,
                accepted,
                outcome,
            } => self.on_send(*draft, accepted, outcome),
            Command::Drain { reply } if self.key.is_none() => {
                // The caller may be gone.
                let _ = reply.send(Err(CallFailure::NotConfigured));
            }
            Command::Drain { reply } if self.watched.refusal().is_some() => {
                let reason = self.watched.refusal().unwrap_or_default();
                let _ = reply.send(Err(CallFailure::Storage { reason }));
            }
            Command::Drain { reply } => {
                self.next_drain += 1;
                self.drains.insert(self.next_drain, reply);
                self.feed_engine(Input::DrainNow {
                    ticket: self.next_drain,
                });
            }
            Command::Status { reply } => self.status(reply),
            Command::Health { reply } => self.health(reply),
            Command::Shutdown { reply } => {
                let _ = reply.send(());
                if let Some(shutdown) = self.shutdown.take() {
                    let _ = shutdown.send(());
                }
            }
        }
    }

    fn on_send(
        &mut self,
        asked: Draft,
        accepted: oneshot::Sender<Result<Accepted, Refusal>>,
        outcome: oneshot::Sender<Outcome>,
    ) {
        let refusal = if self.stopping {
            Some(Refusal::ShuttingDown)
        } else if self.key.is_none() {
            Some(Refusal::NotConfigured)
        } else if self.callers.unfinished() >= self.config.outbox_max {
            let retry_after_ms = Some(OVERLOAD_RETRY_MS);
            Some(Refusal::Overloaded {
                limit: "outbox.max_entries",
                retry_after_ms,
            })
        } else {
            self.watched
                .refusal()
                .map(|reason| Refusal::Storage { reason })
        };
        if let Some(refusal) = refusal {
            let _ = accepted.send(Err(refusal));
            return;
        }
        let expires_in = asked.expires_in.unwrap_or(self.config.outbox_expires);
        let expires_us = i64::try_from(expires_in.as_micros())
            .unwrap_or(i64::MAX)
            .saturating_add(self.clock.now().wall_us);
        let deadline = asked.deadline;
        let ticket = self.callers.arrive(Caller {
            accepted,
            outcome,
            deadline,
        });
        self.feed_engine(Input::Submit {
            ticket,
            draft: draft(asked, expires_us),
        });
    }
}

/// What a caller is told to wait where the outbox is full.
const OVERLOAD_RETRY_MS: u64 = 1_000;
