//! What a 429 says of the rate at which we send.
//!
//! The platform refuses with the same status and code for different reasons, and does not tell
//! which (`wire.md` 1.6 and 7). Only one of its limits is about how fast the agent sends; the others
//! concern one destination, and must not slow the rest down:
//!
//! | refused | where | what it is taken for |
//! |---|---|---|
//! | with a time of two seconds or less | to an agent | the agent's rate: no other limit there tells such a time |
//! | with a longer one | anywhere | something that is not counted in seconds: that destination's alone |
//! | without one | to an agent that a known conversation is with | the agent's rate: the cold cap is about first messages |
//! | without one | to any other agent | the cold cap: that destination's alone |
//! | with such a time or none | to a group | the group's own rate, which others use up as well; the agent's where another group was refused within a second |
//! | `RECIPIENT_BACKLOGGED`, `AWAITING_REPLY` | anywhere | nothing: final for this send |
//!
//! Whatever it is taken for, the entry itself waits as it was told, and its lane with it.

use crate::{
    engine::Engine,
    op::Lane,
    outbox::Outbox,
    rate::SECOND_MS,
    row::Failure,
    time::{Millis, Now},
    verdict::limit_per_second,
};

impl Engine {
    /// What a refusal says of the rate at which we send.
    pub(crate) fn learn(&mut self, id: u64, failure: &Failure, now: Now) {
        let Some(is_told) = limit_per_second(failure) else {
            return;
        };
        let may_be_cold = match self.outbox.lane(id) {
            Some(Lane::To(peer)) => !self.intake.knows_peer(peer),
            Some(Lane::Conversation(_)) | None => false,
        };
        self.outbox.limited(id, is_told, may_be_cold, now.mono);
    }
}

impl Outbox {
    /// An attempt met a limit of the platform; the module's table says which.
    fn limited(&mut self, id: u64, is_told: bool, may_be_cold: bool, now: Millis) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        let Some(turn) = entry.turn.take() else {
            return;
        };
        let is_rate = match &entry.lane {
            Lane::To(_) => is_told || !may_be_cold,
            group @ Lane::Conversation(_) => {
                let before = self.refused_group.replace((group.clone(), now));
                before.is_some_and(|(other, at)| other != *group && now.since(at) < SECOND_MS)
            }
        };
        if is_rate {
            self.rate.refused(turn, now);
        }
    }
}
