//! What callers ask of entries that are in the outbox already: try again, take back.
//!
//! An unfinished entry is known here. One that has ended is known to the store alone: the op
//! names what it must be like, and the report tells whether it was so. Nobody is answered before
//! it is on disk.
//!
//! A retry is a new attempt of the same body under the same id, so the platform tells a message
//! that landed before from a new one. It stands at the end of its lane: what was accepted
//! meanwhile may have gone out already.

use std::sync::Arc;

use crate::{
    effect::{Effect, Steered},
    engine::{After, Engine},
    entry::{Stage, ended},
    op::{Op, SendEnd},
    outbox::{Outbox, OutboxRecord},
    time::Now,
};

/// What the outbox makes of a caller's wish.
#[derive(Debug)]
enum Wish {
    /// The entry is not among the unfinished ones.
    NotHere,
    /// Record this.
    Record(Op),
    /// There is nothing to record.
    Answer(Steered),
}

impl Engine {
    pub(crate) fn on_retry(&mut self, ticket: u64, id: u64, expires_us: i64, now: Now) {
        match self.outbox.wake(id, now) {
            Wish::NotHere => {
                let op = Op::OutboxRevived {
                    id,
                    next_attempt_us: now.wall_us,
                    expires_us,
                };
                let after = After::Revived {
                    ticket,
                    id,
                    expires_us,
                };
                self.commit(vec![op], after);
            }
            Wish::Record(op) => self.steer(ticket, id, op, Steered::Woken),
            Wish::Answer(outcome) => self.answer(ticket, id, outcome),
        }
    }

    pub(crate) fn on_cancel(&mut self, ticket: u64, id: u64) {
        match self.outbox.cancel(id) {
            Wish::NotHere => {
                let op = Op::OutboxSetAside { id };
                self.commit(vec![op], After::SetAside { ticket, id });
            }
            Wish::Record(op) => self.steer(ticket, id, op, Steered::Cancelled),
            Wish::Answer(outcome) => self.answer(ticket, id, outcome),
        }
    }

    pub(crate) fn on_revived(
        &mut self,
        (ticket, id, expires_us): (u64, u64, i64),
        record: Option<OutboxRecord>,
        now: Now,
    ) {
        match record {
            Some(record) => {
                self.outbox.restore(record, now);
                self.answer(ticket, id, Steered::Revived);
            }
            // Another caller was faster.
            None if self.outbox.lane(id).is_some() => self.on_retry(ticket, id, expires_us, now),
            None => self.answer(ticket, id, Steered::Over),
        }
    }

    pub(crate) fn on_set_aside(&mut self, ticket: u64, id: u64, is_done: bool) {
        if is_done {
            self.answer(ticket, id, Steered::Cancelled);
        } else if self.outbox.lane(id).is_some() {
            // It was revived meanwhile.
            self.on_cancel(ticket, id);
        } else {
            self.answer(ticket, id, Steered::Over);
        }
    }

    pub(crate) fn on_steered(&mut self, ticket: u64, id: u64, outcome: Steered, now: Now) {
        if outcome == Steered::Cancelled {
            self.outbox.settled(id, now.mono);
            self.effects.push(Effect::Settled { id, offset: None });
        }
        self.answer(ticket, id, outcome);
    }

    fn steer(&mut self, ticket: u64, id: u64, op: Op, outcome: Steered) {
        let after = After::Steered {
            ticket,
            id,
            outcome,
        };
        self.commit(vec![op], after);
    }

    fn answer(&mut self, ticket: u64, id: u64, outcome: Steered) {
        self.effects.push(Effect::Steered {
            ticket,
            id,
            outcome,
        });
    }
}

impl Outbox {
    /// Ends a wait of the daemon's own making; a time that the platform told is kept to.
    fn wake(&mut self, id: u64, now: Now) -> Wish {
        let Some(entry) = self.entries.get_mut(&id) else {
            return Wish::NotHere;
        };
        let waits = entry.stage == Stage::Waiting && entry.at > now.mono;
        if !waits || (entry.told && entry.search.is_none()) {
            return Wish::Answer(Steered::Woken);
        }
        let is_head = self.due.remove(&(entry.at, id));
        entry.at = now.mono;
        if is_head {
            self.due.insert((entry.at, id));
        }
        Wish::Record(Op::OutboxWoken {
            id,
            next_attempt_us: now.wall_us,
        })
    }

    /// Takes an entry back of which no attempt is under way or may have landed.
    fn cancel(&mut self, id: u64) -> Wish {
        let Some(entry) = self.entries.get_mut(&id) else {
            return Wish::NotHere;
        };
        match entry.stage {
            Stage::Busy => return Wish::Answer(Steered::UnderWay),
            Stage::Searching(_) => return Wish::Answer(Steered::MayHaveLanded),
            Stage::Waiting if entry.ambiguous || entry.search.is_some() => {
                return Wish::Answer(Steered::MayHaveLanded);
            }
            Stage::Waiting => {}
        }
        self.due.remove(&(entry.at, id));
        entry.stage = Stage::Busy;
        self.active += 1;
        Wish::Record(ended(id, SendEnd::Cancelled, Arc::from("null")))
    }
}
