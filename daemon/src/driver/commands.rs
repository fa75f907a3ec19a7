//! What the local API asks of the driver.

use std::time::Duration;

use agentchatd_engine::Input;
use tokio::{sync::oneshot, time::Instant};

use super::{
    requests::Answer,
    run::Driver,
    sends::{Caller, draft},
};
use crate::{
    command::{Accepted, CallFailure, Command, Draft, Outcome, Refusal},
    store::OutboxName,
};

impl Driver {
    pub(super) fn on_command(&mut self, command: Command) {
        match command {
            Command::Send {
                draft,
                accepted,
                outcome,
            } => self.on_send(*draft, accepted, outcome),
            Command::Frame { frame, reply } => {
                // The caller may be gone.
                let _ = reply.send(self.send_frame(frame));
            }
            Command::Steer { id, wish, reply } => self.on_wish(id, wish, reply),
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
            Command::ReplacingKey { within, reply } => {
                self.replacing_key(within);
                // The caller may be gone; the time bounds what it began.
                let _ = reply.send(());
            }
            Command::ReplacementEnded { lost } => self.replacement_ended(lost),
            Command::Shutdown { reply } => {
                let _ = reply.send(());
                if let Some(shutdown) = self.shutdown.take() {
                    let _ = shutdown.send(());
                }
            }
        }
    }

    fn replacing_key(&mut self, within: Duration) {
        self.replacing = Instant::now().checked_add(within);
        let within_ms = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
        self.feed_engine(Input::ReplacingKey { within_ms });
    }

    pub(super) fn replacement_ended(&mut self, lost: Option<String>) {
        self.replacing = None;
        self.feed_engine(Input::ReplacementEnded {
            lost: lost.map(Into::into),
        });
    }

    /// Tells an engine that was made anew of a replacement that is under way.
    pub(super) fn resume_replacement(&mut self) {
        if let Some(until) = self.replacing {
            self.replacing_key(until.saturating_duration_since(Instant::now()));
        }
    }

    fn on_send(
        &mut self,
        asked: Draft,
        accepted: oneshot::Sender<Result<Accepted, Refusal>>,
        outcome: oneshot::Sender<Outcome>,
    ) {
        match self.refuses_send() {
            None => self.take_in(asked, accepted, outcome),
            Some(full @ Refusal::Overloaded { .. }) => {
                self.look_up(full, asked, accepted, outcome);
            }
            Some(refusal) => {
                let _ = accepted.send(Err(refusal));
            }
        }
    }

    /// What is asked for again takes no new place, so a full outbox does not refuse it.
    fn look_up(
        &self,
        full: Refusal,
        asked: Draft,
        accepted: oneshot::Sender<Result<Accepted, Refusal>>,
        outcome: oneshot::Sender<Outcome>,
    ) {
        let (reader, answers) = (self.reader.clone(), self.answers.0.clone());
        self.tasks.spawn("send-again", async move {
            let name = OutboxName::ClientMsgId(asked.client_msg_id.clone());
            let refusal = match reader.outbox_entry(name).await {
                Ok(Some(_)) => {
                    let again = Answer::SentBefore(Box::new((asked, accepted, outcome)));
                    // A driver that is gone answers nobody; the channels tell.
                    let _ = answers.send(again).await;
                    return;
                }
                Ok(None) => full,
                Err(error) => Refusal::Storage {
                    reason: error.to_string(),
                },
            };
            let _ = accepted.send(Err(refusal));
        });
    }

    /// Hands a send to the engine, whose store knows an id that was used before.
    pub(super) fn take_in(
        &mut self,
        asked: Draft,
        accepted: oneshot::Sender<Result<Accepted, Refusal>>,
        outcome: oneshot::Sender<Outcome>,
    ) {
        let expires_us = self.expires_us(asked.expires_in);
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

    /// Why no message is taken into the outbox now.
    pub(super) fn refuses_send(&self) -> Option<Refusal> {
        if self.stopping {
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
            self.refuses_change()
        }
    }

    /// Why nothing is changed in the outbox now.
    pub(super) fn refuses_change(&self) -> Option<Refusal> {
        if self.stopping {
            return Some(Refusal::ShuttingDown);
        }
        let refusal = self.watched.refusal();
        refusal.map(|reason| Refusal::Storage { reason })
    }

    /// When an entry of now expires.
    pub(super) fn expires_us(&self, expires_in: Option<Duration>) -> i64 {
        let expires_in = expires_in.unwrap_or(self.config.outbox_expires);
        i64::try_from(expires_in.as_micros())
            .unwrap_or(i64::MAX)
            .saturating_add(self.clock.now().wall_us)
    }
}

/// What a caller is told to wait where the outbox is full.
const OVERLOAD_RETRY_MS: u64 = 1_000;
