//! Carries effects out, and checks each before: what may never be asked for is caught here.

use agentchatd_engine::{Effect, Phase, SendEnd, Steered, Warning};

use super::{
    platform::position,
    requests::Request,
    runner::{Happening, World},
    store::Ending,
    wire::DIAL_MS,
};

impl World {
    /// Carries out one effect.
    pub(crate) fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Identify => self.ask(Request::Identify),
            Effect::Sync => self.ask(Request::Sync),
            Effect::SyncAck(cursor) => {
                let upto = position(&cursor);
                for (_, id) in self.shown.range(..=upto) {
                    assert!(
                        self.store.has(id),
                        "{id} is acknowledged by cursor, not stored"
                    );
                }
                self.ask(Request::SyncAck(cursor));
            }
            Effect::ListConversations => self.ask(Request::List),
            Effect::History {
                conversation_id,
                question,
            } => self.ask(Request::History(conversation_id, question)),
            Effect::Attempt { id } => {
                let known = self.store.outbox.get(&id);
                assert!(
                    known.is_some_and(|entry| entry.ending.is_none()),
                    "attempt of {id}"
                );
                self.ask(Request::Post(id));
            }
            Effect::FindSent { id, .. } => self.ask(Request::Find(id)),
            Effect::Dial => {
                assert_eq!(self.wire.ours, None, "one socket at a time");
                self.check_identity();
                self.wire.last += 1;
                self.wire.dials.push(self.now_ms);
                self.wire.ours = Some(self.wire.last);
                self.wire.key = self.held_key;
                self.wire.silent = false;
                self.wire.opened = false;
                self.wire.said_hello = false;
                self.wire.owed.clear();
                let wait = self.delay();
                let socket = self.wire.last;
                self.later(wait, Happening::Dial(socket));
                self.later(DIAL_MS, Happening::DialEnds(socket));
            }
            Effect::Close { code, reason } => self.close(code, reason),
            Effect::Ack { message_id } => {
                assert!(
                    self.store.has(&message_id),
                    "{message_id} is acknowledged, not stored"
                );
                assert!(self.wire.said_hello, "nothing is sent before hello.ok");
                match self.wire.owed.get_mut(&message_id) {
                    Some(count) => *count -= 1,
                    None => assert!(self.settings.header_auth, "acked more often than received"),
                }
                self.wire.owed.retain(|_, count| *count > 0);
                if let Some(socket) = self.wire.ours.filter(|_| !self.wire.silent) {
                    let wait = self.delay();
                    self.later(wait, Happening::Ack(socket, message_id));
                }
            }
            Effect::Commit(token, ops) => self.commit(token, ops),
            Effect::Queued { id, .. } | Effect::Known { id, .. } => {
                assert!(
                    self.store.outbox.contains_key(&id),
                    "queued before it was stored"
                );
            }
            Effect::Settled { id, .. } => {
                assert!(
                    self.store.ending(id).is_some(),
                    "settled before it was stored"
                );
            }
            Effect::Steered { id, outcome, .. } => self.on_steered(id, outcome),
            Effect::Warn(warning) => self.warn(warning),
            Effect::State(state) => {
                let is_parked = state.phase == Phase::Parked;
                assert!(self.may_park || !is_parked, "parked by {}", state.reason);
            }
            Effect::Delayed { .. } | Effect::Drained { .. } => {}
        }
    }

    /// A caller is told what became of its wish: it must be on disk by now.
    fn on_steered(&mut self, id: u64, outcome: Steered) {
        let ending = self.store.ending(id);
        match outcome {
            Steered::Revived => assert_eq!(ending, None, "revived before it was stored"),
            Steered::Cancelled => {
                let cancelled = Ending::Ended(SendEnd::Cancelled);
                assert_eq!(ending, Some(&cancelled), "cancelled before it was stored");
                self.told_cancelled.insert(id);
            }
            Steered::Over => assert_ne!(ending, None, "called over while it goes on"),
            Steered::Woken | Steered::UnderWay | Steered::MayHaveLanded => {}
        }
    }

    fn warn(&mut self, warning: Warning) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}
