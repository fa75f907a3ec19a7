//! Local callers of `messages.send`: who waits for which entry, and what they are told.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use agentchatd_engine::{Draft, Failure, Lane};
use tokio::{sync::oneshot, time::Instant};

use super::failure::{self, Record};
use crate::{
    command::{Accepted, CallFailure, Draft as Asked, Outcome, Refusal},
    store::{Reader, Recorded},
};

/// A caller of `messages.send`.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) accepted: oneshot::Sender<Result<Accepted, Refusal>>,
    pub(super) outcome: oneshot::Sender<Outcome>,
    pub(super) deadline: Instant,
}

/// A caller whose entry is on disk.
#[derive(Debug)]
struct Waiter {
    outcome: oneshot::Sender<Outcome>,
    deadline: Instant,
}

/// Callers by ticket until their entry is on disk, then by entry.
#[derive(Debug, Default)]
pub(super) struct Callers {
    next_ticket: u64,
    arriving: BTreeMap<u64, Caller>,
    open: BTreeMap<u64, Vec<Waiter>>,
}

impl Callers {
    /// Entries that are unfinished, those on their way to disk included.
    pub(super) fn unfinished(&self) -> usize {
        self.open.len() + self.arriving.len()
    }

    /// An entry that is unfinished without a caller: one of the last start, or one put back in line.
    pub(super) fn restore(&mut self, id: u64) {
        self.open.entry(id).or_default();
    }

    /// Whether this entry is unfinished.
    pub(super) fn knows(&self, id: u64) -> bool {
        self.open.contains_key(&id)
    }

    pub(super) fn arrive(&mut self, caller: Caller) -> u64 {
        self.next_ticket += 1;
        self.arriving.insert(self.next_ticket, caller);
        self.next_ticket
    }

    /// The entry is on disk.
    pub(super) fn queued(&mut self, ticket: u64, id: u64) {
        let waiters = self.open.entry(id).or_default();
        let Some(caller) = self.arriving.remove(&ticket) else {
            return;
        };
        let _ = caller.accepted.send(Ok(Accepted { outbox_id: id }));
        waiters.push(Waiter {
            outcome: caller.outcome,
            deadline: caller.deadline,
        });
    }

    /// The id was used before: the caller joins those who wait, or gets what is on record; the
    /// future to run, if any, reads the record.
    pub(super) fn known(
        &mut self,
        ticket: u64,
        id: u64,
        same: bool,
        reader: &Reader,
    ) -> Option<impl Future<Output = ()> + Send + use<>> {
        let caller = self.arriving.remove(&ticket)?;
        if same && let Entry::Occupied(mut open) = self.open.entry(id) {
            let _ = caller.accepted.send(Ok(Accepted { outbox_id: id }));
            let waiters = open.get_mut();
            // Only here do callers of one entry add up; those that went away make room.
            waiters.retain(|waiter| !waiter.outcome.is_closed());
            waiters.push(Waiter {
                outcome: caller.outcome,
                deadline: caller.deadline,
            });
            return None;
        }
        let reader = reader.clone();
        Some(async move {
            let recorded = reader.recorded(id).await;
            match (same, recorded) {
                (true, Ok(Some(recorded))) => {
                    let _ = caller.accepted.send(Ok(Accepted { outbox_id: id }));
                    let _ = caller.outcome.send(outcome(recorded, true, None));
                }
                (false, Ok(Some(recorded))) => {
                    let message = recorded.row.message;
                    let _ = caller.accepted.send(Err(Refusal::Conflict { message }));
                }
                (_, Ok(None)) => {
                    let reason = "the record of the message is gone".to_owned();
                    let _ = caller.accepted.send(Err(Refusal::Storage { reason }));
                }
                (_, Err(error)) => {
                    let reason = error.to_string();
                    let _ = caller.accepted.send(Err(Refusal::Storage { reason }));
                }
            }
        })
    }

    /// The entry is over; the future to run, if anybody waits, tells them.
    pub(super) fn settled(
        &mut self,
        id: u64,
        offset: Option<u64>,
        reader: &Reader,
    ) -> Option<impl Future<Output = ()> + Send + use<>> {
        let waiters = self
            .open
            .remove(&id)
            .filter(|waiters| !waiters.is_empty())?;
        let reader = reader.clone();
        Some(async move {
            let Ok(Some(recorded)) = reader.recorded(id).await else {
                // Without the record nothing can be said; the callers see their channel close.
                return;
            };
            let replayed = recorded.replayed;
            for waiter in waiters {
                let _ = waiter
                    .outcome
                    .send(outcome(recorded.clone(), replayed, offset));
            }
        })
    }

    /// The platform asks to wait; callers whose time is up before that are told.
    pub(super) fn delayed(&mut self, id: u64, wait_ms: u64, failure: &Failure, error: &str) {
        if !matches!(failure, Failure::Status { .. }) {
            return;
        }
        let Some(waiters) = self.open.get_mut(&id) else {
            return;
        };
        let next = Instant::now() + std::time::Duration::from_millis(wait_ms);
        let (late, patient) = waiters
            .drain(..)
            .partition::<Vec<_>, _>(|w| w.deadline <= next);
        *waiters = patient;
        for waiter in late {
            if let Record::Failed(mut failure) = failure::read(Some(error)) {
                if let CallFailure::Api(api) = &mut failure {
                    api.retry_after_ms = api.retry_after_ms.or(Some(wait_ms));
                }
                let _ = waiter.outcome.send(Outcome::Deferred(failure));
            }
        }
    }

    /// Nothing goes out until the platform knows the agent again: those who wait for this entry,
    /// or for any where there is no `id`, are told why.
    pub(super) fn parked(&mut self, id: Option<u64>, why: &CallFailure) {
        let waiters: Vec<Waiter> = match id {
            Some(id) => self
                .open
                .get_mut(&id)
                .map(std::mem::take)
                .unwrap_or_default(),
            None => self.open.values_mut().flat_map(std::mem::take).collect(),
        };
        for waiter in waiters {
            // A caller may be gone.
            let _ = waiter.outcome.send(Outcome::Deferred(why.clone()));
        }
    }

    /// The store refused: nothing that was on its way to disk was taken in.
    pub(super) fn refuse_arriving(&mut self, reason: &str) {
        for (_, caller) in std::mem::take(&mut self.arriving) {
            let _ = caller.accepted.send(Err(Refusal::Storage {
                reason: reason.to_owned(),
            }));
        }
    }
}

/// The draft as the engine wants it.
pub(super) fn draft(asked: Asked, expires_us: i64) -> Draft {
    Draft {
        client_msg_id: asked.client_msg_id.into(),
        lane: match (asked.to, asked.conversation_id) {
            (Some(to), _) => Lane::To(to.to_lowercase().into()),
            (None, conversation) => Lane::Conversation(conversation.unwrap_or_default().into()),
        },
        body: asked.body.into(),
        fingerprint: asked.fingerprint.into(),
        expires_us,
    }
}

fn outcome(recorded: Recorded, replayed: bool, offset: Option<u64>) -> Outcome {
    let Recorded {
        row,
        backlog,
        offset: stands_at,
        ..
    } = recorded;
    match row.state.as_str() {
        "sent" => Outcome::Sent {
            message: row.message.unwrap_or_else(|| Arc::from("null")),
            replayed,
            backlog_warning: backlog.and_then(|json| serde_json::from_str(&json).ok()),
            offset: offset.or(stands_at),
        },
        "expired" => Outcome::Expired,
        "unknown" => Outcome::Unknown {
            reason: match failure::read(row.last_error.as_deref()) {
                Record::Failed(CallFailure::Unavailable { reason, .. }) => reason,
                _ => "an attempt was cut off".to_owned(),
            },
            attempts: row.attempts.into(),
        },
        "cancelled" => Outcome::Cancelled,
        _ => match failure::read(row.last_error.as_deref()) {
            Record::Failed(failure) => Outcome::Failed(failure),
            Record::Conflict { message } => Outcome::Conflict { message },
        },
    }
}
