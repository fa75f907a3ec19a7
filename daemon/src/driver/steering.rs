//! `outbox.retry` and `outbox.cancel`: who asked, and what they are told.

use std::collections::BTreeMap;

use agentchatd_engine::{Input, Steered};
use tokio::sync::oneshot;

use super::run::Driver;
use crate::command::{Hindrance, Refusal, SteerRefusal, Wish};

/// Answers to callers that are not given yet, by ticket.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    last_ticket: u64,
    open: BTreeMap<u64, Reply>,
}

type Reply = oneshot::Sender<Result<(), SteerRefusal>>;

impl Wishes {
    fn take_in(&mut self, reply: Reply) -> u64 {
        self.last_ticket += 1;
        self.open.insert(self.last_ticket, reply);
        self.last_ticket
    }

    /// The store refused: what was wished may or may not have been written.
    pub(super) fn refuse_all(&mut self, reason: &str) {
        for (_, reply) in std::mem::take(&mut self.open) {
            let reason = reason.to_owned();
            // A caller may be gone, here and below.
            let _ = reply.send(Err(SteerRefusal::Refused(Refusal::Storage { reason })));
        }
    }
}

impl Driver {
    pub(super) fn on_wish(&mut self, id: u64, wish: Wish, reply: Reply) {
        let refusal = match wish {
            // An entry that had ended takes the room of a new one.
            Wish::Retry if self.callers.knows(id) => self.refuses_change(),
            Wish::Retry => self.refuses_send(),
            Wish::Cancel => self.refuses_change(),
        };
        if let Some(refusal) = refusal {
            let _ = reply.send(Err(SteerRefusal::Refused(refusal)));
            return;
        }
        let ticket = self.wishes.take_in(reply);
        let input = match wish {
            Wish::Retry => Input::Retry {
                ticket,
                id,
                expires_us: self.expires_us(None),
            },
            Wish::Cancel => Input::Cancel { ticket, id },
        };
        self.feed_engine(input);
    }

    pub(super) fn steered(&mut self, ticket: u64, id: u64, outcome: Steered) {
        if outcome == Steered::Revived {
            self.callers.restore(id);
        }
        let Some(reply) = self.wishes.open.remove(&ticket) else {
            return;
        };
        let hindered = |hindrance| Err(SteerRefusal::Hindered(hindrance));
        let _ = reply.send(match outcome {
            Steered::Revived | Steered::Woken | Steered::Cancelled => Ok(()),
            Steered::UnderWay => hindered(Hindrance::UnderWay),
            Steered::MayHaveLanded => hindered(Hindrance::MayHaveLanded),
            Steered::Over => hindered(Hindrance::Over),
        });
    }
}
