//! The engine's steps of a send: from the caller to the platform's answer in the log.

use std::sync::Arc;

use crate::{
    effect::Effect,
    engine::{After, Engine},
    entry::Start,
    input::{Accepted, Inserted},
    op::{Draft, Lane, Op, SendEnd, Source},
    outbox::Outcome,
    row::{Failure, Row},
    time::{Millis, Now},
};

impl Engine {
    pub(crate) fn on_submit(&mut self, ticket: u64, draft: Draft, now: Now) {
        self.outbox.hold(self.is_on_hold());
        let sending = self.outbox.reserve(&draft.lane, now.mono);
        let (lane, expires_at) = (draft.lane.clone(), now.when(draft.expires_us));
        if sending {
            // From here on the answer may be the row that seems to be missing.
            self.intake.send_began(&lane);
        }
        self.commit(
            vec![Op::OutboxInsert { draft, sending }],
            After::Submitted {
                ticket,
                lane,
                sending,
                expires_at,
            },
        );
    }

    pub(crate) fn on_submitted(
        &mut self,
        (ticket, lane, sending, expires_at): (u64, Lane, bool, Millis),
        inserted: Option<Inserted>,
        now: Now,
    ) {
        match inserted {
            Some(Inserted::New(id)) => {
                self.outbox.accepted(id, lane, sending, expires_at, now);
                self.effects.push(Effect::Queued { ticket, id });
                if sending {
                    self.attempt(id, now);
                }
            }
            Some(Inserted::Known { id, same }) => {
                self.withdraw(&lane, sending);
                self.effects.push(Effect::Known { ticket, id, same });
            }
            // The store reports every insert; without a report nothing was taken in.
            None => self.withdraw(&lane, sending),
        }
    }

    fn withdraw(&mut self, lane: &Lane, sending: bool) {
        self.outbox.declined(lane, sending);
        if sending {
            self.intake.send_ended(lane);
        }
    }

    pub(crate) fn start_sends(&mut self, now: Now) {
        self.outbox.hold(self.is_on_hold());
        for start in self.outbox.start(now) {
            match start {
                Start::Attempt(op, id) => {
                    if let Some(lane) = self.outbox.lane(id) {
                        self.intake.send_began(lane);
                    }
                    self.commit(vec![op], After::Attempt(id));
                }
                Start::Expired(op, id) => {
                    self.commit(vec![op], After::Settled { id, event: None });
                }
                Start::Search(effect) => self.effects.push(effect),
            }
        }
    }

    pub(crate) fn attempt(&mut self, id: u64, now: Now) {
        if self.link.identified {
            self.effects.push(Effect::Attempt { id });
            return;
        }
        // The credential changed while the attempt was being recorded.
        let failure = Failure::Network {
            reason: "the identity is not known".into(),
            unsent: true,
        };
        self.on_attempted(id, Err(failure), Arc::from("null"), now);
    }

    pub(crate) fn on_attempted(
        &mut self,
        id: u64,
        answer: Result<Accepted, Failure>,
        error: Arc<str>,
        now: Now,
    ) {
        if let Some(lane) = self.outbox.lane(id) {
            let lane = lane.clone();
            self.intake.send_ended(&lane);
        }
        match answer {
            Ok(accepted) if self.outbox.is_busy(id) => self.on_sent(id, accepted, error, now),
            Ok(_) => {}
            Err(failure) => {
                // A key that is replaced refuses no send: it goes out again with the next one.
                let failure = if self.is_passing(&failure, now) {
                    Failure::Network {
                        reason: "the key was replaced meanwhile".into(),
                        unsent: true,
                    }
                } else {
                    failure
                };
                self.learn(id, &failure, now);
                let outcome = self
                    .outbox
                    .failed(id, failure, error, now, &mut self.jitter);
                self.follow(id, outcome);
            }
        }
    }

    fn on_sent(&mut self, id: u64, accepted: Accepted, error: Arc<str>, now: Now) {
        let Accepted {
            row,
            replayed,
            matches,
            backlog,
        } = accepted;
        let message_id = Arc::clone(&row.message_id);
        let body = Arc::clone(&row.body);
        if let Some(Lane::To(peer)) = self.outbox.lane(id) {
            self.intake
                .know_peer(&row.conversation_id, &Arc::clone(peer));
        }
        // The row is ours and takes its seq, whether or not it is what this entry meant.
        let mut ops = self.intake.take([row], Source::Local, now.mono);
        let event = ops
            .iter()
            .position(|op| matches!(op, Op::Log { row, .. } if row.message_id == message_id));
        ops.push(if matches {
            Op::OutboxSent {
                id,
                message_id,
                message: body,
                replayed,
                backlog,
            }
        } else {
            Op::OutboxEnded {
                id,
                end: SendEnd::Failed,
                error,
            }
        });
        self.commit(
            ops,
            After::Settled {
                id,
                event: event.filter(|_| matches),
            },
        );
    }

    pub(crate) fn on_found(&mut self, id: u64, answer: Result<Option<Row>, Failure>, now: Now) {
        match answer {
            Ok(Some(row)) if self.outbox.is_busy(id) => {
                let accepted = Accepted {
                    row,
                    replayed: true,
                    matches: true,
                    backlog: None,
                };
                self.on_sent(id, accepted, Arc::from("null"), now);
            }
            Ok(Some(_)) => {}
            Ok(None) => {
                let outcome = self.outbox.searched(id, Ok(()), now);
                self.follow(id, outcome);
            }
            Err(failure) => {
                if self.is_passing(&failure, now) {
                    self.outbox.forgive(id);
                }
                let outcome = self.outbox.searched(id, Err(failure), now);
                self.follow(id, outcome);
            }
        }
    }

    fn follow(&mut self, id: u64, outcome: Outcome) {
        match outcome {
            Outcome::Wait { op, effect } => {
                self.commit(vec![op], After::Nothing);
                self.effects.extend(effect);
            }
            Outcome::Search => {}
            Outcome::End(op) => self.commit(vec![op], After::Settled { id, event: None }),
            Outcome::Ignore => {}
        }
    }
}
