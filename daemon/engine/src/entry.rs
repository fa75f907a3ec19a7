//! One unfinished entry of the outbox, and the step that it takes next.

use std::sync::Arc;

use crate::{
    effect::Effect,
    op::{Lane, Op, SendEnd},
    rate::Turn,
    row::Failure,
    time::Millis,
};

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) lane: Lane,
    pub(crate) attempts: u32,
    pub(crate) poison: u32,
    pub(crate) ambiguous: bool,
    /// No attempt was made before; microseconds since the epoch.
    pub(crate) accepted_us: i64,
    /// When it is given up. Not by the wall clock, which may be set meanwhile.
    pub(crate) expires_at: Millis,
    /// When the next attempt may start.
    pub(crate) at: Millis,
    /// True where the platform told that time.
    pub(crate) told: bool,
    /// The place of the present attempt in the rate.
    pub(crate) turn: Option<Turn>,
    pub(crate) stage: Stage,
    pub(crate) searches: u32,
    /// A search is due next, not an attempt; what follows if nothing is found.
    pub(crate) search: Option<IfAbsent>,
    /// Why the last attempt did not do: kept for its end.
    pub(crate) failure: Option<(Failure, Arc<str>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Waiting,
    /// An attempt is being recorded, made, or its result stored.
    Busy,
    /// History is being searched; what follows if nothing is found.
    Searching(IfAbsent),
}

/// What follows a search that proves that the message is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfAbsent {
    /// The entry ends like this.
    End(SendEnd),
    /// It is tried again, as one that surely has not landed.
    Attempt,
}

/// What a look for entries to start found.
#[derive(Debug)]
pub(crate) enum Start {
    /// Record the op, then attempt the entry.
    Attempt(Op, u64),
    /// Its time ran out without an attempt that may have landed.
    Expired(Op, u64),
    /// Its time ran out after one that may have.
    Search(Effect),
}

impl Entry {
    pub(crate) fn attempt(&mut self, id: u64, turn: Turn) -> Start {
        self.stage = Stage::Busy;
        self.turn = Some(turn);
        self.attempts += 1;
        Start::Attempt(Op::OutboxSending { id }, id)
    }

    pub(crate) fn expire(&mut self, id: u64) -> Start {
        self.stage = Stage::Busy;
        let error = self
            .failure
            .as_ref()
            .map_or_else(|| Arc::from("null"), |(_, error)| Arc::clone(error));
        Start::Expired(ended(id, SendEnd::Expired, error), id)
    }

    pub(crate) fn find(&mut self, id: u64, if_absent: IfAbsent) -> Start {
        self.searches += 1;
        self.search = None;
        self.stage = Stage::Searching(if_absent);
        Start::Search(Effect::FindSent {
            id,
            lane: self.lane.clone(),
        })
    }
}

pub(crate) fn ended(id: u64, end: SendEnd, error: Arc<str>) -> Op {
    Op::OutboxEnded { id, end, error }
}
