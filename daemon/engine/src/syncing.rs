//! What the engine does with a drain: rows into the log, the stage of the connection onwards.
//!
//! A connection waits for the drain only until what waited at its beginning is stored and
//! acknowledged ([`crate::drain`] tells when). The drain itself goes on until a page is empty;
//! under steady traffic that may be never, and neither the socket nor parked rows wait for it.

use std::sync::Arc;

use crate::{
    drain::{End, Next},
    effect::Effect,
    engine::{After, Engine},
    input::SyncPage,
    link::Stage,
    op::{Op, Source},
    row::Failure,
    time::{Millis, Now},
};

impl Engine {
    pub(crate) fn on_drain_now(&mut self, ticket: u64, now: Now) {
        let next = self.drain.call(ticket, now.mono);
        self.go_on_draining(next, now);
    }

    pub(crate) fn on_sync_page(&mut self, page: Result<SyncPage, Failure>, now: Now) {
        let next = self.drain.page(&page);
        if let (Next::Store(stored), Ok(page)) = (&next, page) {
            self.drained_total += page.rows.len() as u64;
            let mut ops = self.intake.take(page.rows, Source::Sync, now.mono);
            ops.extend(stored.cursor.clone().map(Op::SyncSeen));
            self.commit(ops, After::Page(stored.clone()));
        } else {
            self.go_on_draining(next, now);
        }
    }

    pub(crate) fn on_sync_acked(&mut self, answer: Result<Option<u64>, Failure>, now: Now) {
        let (next, cursor, unseen) = self.drain.acked(answer, now.mono);
        if let Some(cursor) = cursor {
            self.commit(vec![Op::SyncAcked(cursor)], After::Nothing);
        }
        if let Some(warning) = unseen {
            // The ack settled rows that no page had shown: history has them (`wire.md` 11.56).
            self.warn(warning);
            self.compare_due = Some(now.mono);
        }
        self.go_on_draining(next, now);
    }

    pub(crate) fn go_on_draining(&mut self, next: Next, now: Now) {
        let totals = (self.drain.rows, self.drain.acked);
        for ticket in self.drain.take_answered() {
            let outcome = Ok(totals);
            self.effects.push(Effect::Drained { ticket, outcome });
        }
        match next {
            Next::Wait | Next::Store(_) => {}
            Next::Ask(_) | Next::AskOn(_) if !self.link.identified => {
                let end = self.drain.abandon();
                self.on_drained(end, now);
            }
            Next::Ask(effect) => self.effects.push(effect),
            Next::AskOn(effect) => {
                self.effects.push(effect);
                self.on_caught_up(now);
            }
            Next::End(end) => self.on_drained(end, now),
        }
    }

    fn on_drained(&mut self, end: End, now: Now) {
        let failure = match end {
            End::Empty => None,
            End::Blocked(warning) => {
                self.warn(warning);
                None
            }
            End::Failed(failure) => Some(failure),
        };
        for ticket in self.drain.take_tickets() {
            let outcome = failure
                .clone()
                .map_or(Ok((self.drain.rows, self.drain.acked)), Err);
            self.effects.push(Effect::Drained { ticket, outcome });
        }
        match (&self.link.stage, failure) {
            (Stage::PreSync, Some(failure)) => self.setback(&failure, now),
            (_, failure) => {
                let wait = failure.map_or(self.settings.sync_interval_ms, |failure| {
                    self.warn_of_shape(&failure);
                    SYNC_RETRY_MS
                });
                self.sync_due = Some(now.mono + wait);
                self.on_caught_up(now);
            }
        }
    }

    /// What waited at the beginning of this stage is in, or cannot be had: the stage is over.
    fn on_caught_up(&mut self, now: Now) {
        match self.link.stage {
            Stage::PreSync => {
                if let Err(until) = self.link.dial(self.settings.backoff_max_ms, now.mono) {
                    self.intake.drain_ended(now.mono);
                    let reason = Arc::from("too many connections within a minute");
                    return self.go(Stage::Waiting { until }, &reason, None, now);
                }
                self.go(Stage::Dialing, &Arc::from("dialing"), None, now);
                self.link.epoch += 1;
                self.link.ack_mode = false;
                self.unacked.clear();
                self.effects.push(Effect::Dial);
            }
            Stage::PostSync { since } => self.become_ready(since, now),
            _ => {}
        }
    }

    fn become_ready(&mut self, since: Millis, now: Now) {
        self.go(Stage::Ready { since }, &Arc::from("connected"), None, now);
        self.intake.drain_ended(now.mono);
        self.compare_due = Some(now.mono);
    }
}

/// After a sync that failed while the socket stands.
const SYNC_RETRY_MS: u64 = 5_000;
