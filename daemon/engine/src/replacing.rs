//! The key is being replaced at the platform: what it refuses meanwhile refuses nothing.
//!
//! The platform has no grace period (`wire.md` 1.4). With the replacement it refuses the old key
//! and closes every socket with 1008, and only then answers the call that carries the new key. So
//! the engine is told before that call goes out. From then on a refusal is *held*: nothing parks,
//! no send fails, no hole is given up. The new key ends the hold and leads to a connection at
//! once; without it the refusal counts as any other, at the latest when the hold's time is over.

use std::sync::Arc;

use crate::{
    effect::Effect,
    engine::Engine,
    link::{Stage, Then},
    row::Failure,
    time::{Millis, Now},
    verdict::is_refusal_of_key,
};

/// A replacement that is under way.
#[derive(Debug)]
pub(crate) struct Replacing {
    until: Millis,
    /// True once the platform refused the old key: nothing more is asked with it.
    is_refused: bool,
}

impl Replacing {
    /// Another key came: it is not refused yet. The call may still be under way.
    pub(crate) fn renew(&mut self) {
        self.is_refused = false;
    }
}

/// What a held refusal leads to where no new key comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) reason: Arc<str>,
    pub(crate) code: Option<u16>,
}

impl Engine {
    pub(crate) fn on_replacing_key(&mut self, within_ms: u64, now: Now) {
        self.link.replacing = Some(Replacing {
            until: now.mono + within_ms.min(LONGEST_HOLD_MS),
            is_refused: false,
        });
    }

    /// The call is over. With a reason the key that we have is surely dead; where a new one came,
    /// nothing is held any more.
    pub(crate) fn on_replacement_ended(&mut self, lost: Option<Arc<str>>, now: Now) {
        self.link.replacing = None;
        match (lost, self.link.stage.clone()) {
            (_, Stage::Idle | Stage::Stopped) => {}
            (Some(reason), _) if self.link.has_socket() => {
                self.link.identified = false;
                self.link.then = Then::Park(reason);
                self.effects.push(Effect::Close {
                    code: 1000,
                    reason: "the key was replaced",
                });
            }
            (Some(reason), _) => {
                self.intake.drain_ended(now.mono);
                self.park(&reason, None, now);
            }
            (None, Stage::Held(held)) => self.park(&held.reason, held.code, now),
            (None, _) => {}
        }
    }

    /// Holds a refusal of the key; false where it counts.
    pub(crate) fn hold_refusal(&mut self, reason: &Arc<str>, code: Option<u16>, now: Now) -> bool {
        let is_parked = matches!(self.link.stage, Stage::Parked { .. });
        let Some(replacing) = self.link.replacing.as_mut().filter(|_| !is_parked) else {
            return false;
        };
        replacing.is_refused = true;
        let held = Held {
            reason: Arc::clone(reason),
            code,
        };
        self.go(Stage::Held(held), &Arc::from(REPLACING), None, now);
        true
    }

    /// True where this failure may be a refusal of a key that is being replaced, or was.
    pub(crate) fn is_passing(&mut self, failure: &Failure, now: Now) -> bool {
        if !is_refusal_of_key(failure) {
            return false;
        }
        if let Some(replacing) = &mut self.link.replacing {
            replacing.is_refused = true;
            return true;
        }
        let renewed = self.link.renewed_at;
        renewed.is_some_and(|at| now.mono.since(at) < OLD_ANSWERS_MS)
    }

    /// True while requests would only be refused.
    pub(crate) fn is_on_hold(&self) -> bool {
        let replacing = self.link.replacing.as_ref();
        !self.link.identified || replacing.is_some_and(|replacing| replacing.is_refused)
    }

    pub(crate) fn replacing_until(&self) -> Option<Millis> {
        self.link
            .replacing
            .as_ref()
            .map(|replacing| replacing.until)
    }

    pub(crate) fn fire_replacing_timer(&mut self, now: Now) {
        if self.replacing_until().is_some_and(|at| at <= now.mono) {
            self.on_replacement_ended(None, now);
        }
    }
}

/// The reason that local programs see meanwhile.
const REPLACING: &str = "the key is being replaced";
/// The longest time that a refusal is held, whatever is asked for.
const LONGEST_HOLD_MS: u64 = 120_000;
/// How long after a change of the key answers to the one before may come.
const OLD_ANSWERS_MS: u64 = 60_000;
