//! What named cases do to the world, and how they look at it.

use std::sync::Arc;

use agentchatd_engine::{Effect, GapReason, Input, Lane, Phase, Question, Source, Steered};

use super::{Status, World, platform::ME};

impl World {
    /// The peer writes, and the platform pushes it.
    pub(crate) fn arrives(&mut self, place: &str) -> Arc<str> {
        let id = self.waits(place);
        self.push(&id);
        self.run_for(0);
        id
    }

    /// The peer writes so many, each pushed.
    pub(crate) fn arrive(&mut self, place: &str, count: u64) {
        for _ in 0..count {
            self.arrives(place);
        }
    }

    /// The peer writes, and nothing is pushed: only sync shows it.
    pub(crate) fn waits(&mut self, place: &str) -> Arc<str> {
        let message = self.platform.make(place, "peer", 0);
        Arc::clone(&message.row.message_id)
    }

    /// The peer writes, and the platform believes that we have it: only history shows it.
    pub(crate) fn vanishes(&mut self, place: &str) -> Arc<str> {
        let message = self.platform.make(place, "peer", 0);
        message.status = Status::Delivered;
        Arc::clone(&message.row.message_id)
    }

    /// The peer wrote long ago, and it was delivered then.
    pub(crate) fn past(&mut self, place: &str, count: u64) {
        for _ in 0..count {
            self.platform.make(place, "peer", YEAR_US).status = Status::Delivered;
        }
    }

    /// A message that nothing but a push will ever show.
    pub(crate) fn hidden(&mut self, place: &str) -> Arc<str> {
        let message = self.platform.make(place, "peer", 0);
        message.status = Status::Delivered;
        message.hidden = true;
        Arc::clone(&message.row.message_id)
    }

    /// A local program writes to the peer of `conv_PEER`.
    pub(crate) fn sends(&mut self, peer: &str, id: &str) {
        self.submit(1, Lane::To(peer.into()), id, "text");
    }

    /// Lets the kept answers through.
    pub(crate) fn let_answers_through(&mut self) {
        self.holds_answers = false;
        for input in std::mem::take(&mut self.held) {
            self.answered(input);
        }
        self.run_for(0);
    }

    /// Runs until the connection is in this phase.
    pub(crate) fn run_to(&mut self, phase: Phase) {
        let until = self.now_ms + 10 * self.settings.reconcile_interval_ms;
        while self.phase() != phase {
            assert!(self.run_once(until), "{phase:?} is never reached");
        }
    }

    /// A local program asks the platform to replace the key.
    pub(crate) fn replaces_key(&mut self, within_ms: u64) {
        self.replacing = true;
        self.input(Input::ReplacingKey { within_ms });
    }

    /// The platform replaces the key: the old one dies at once, and all sockets with it.
    pub(crate) fn key_dies(&mut self) {
        self.valid_key += 1;
        self.cut(Some(1008), "API key rotated", false);
        self.wire.registered.clear();
    }

    /// The answer with the new key is here.
    pub(crate) fn key_comes(&mut self) {
        self.input(Input::Credential);
        self.input(Input::ReplacementEnded { lost: None });
        self.replacing = false;
        self.may_park = false;
    }

    /// A caller wants an entry tried again, for so long.
    pub(crate) fn retry(&mut self, id: u64, expires_ms: i64) {
        let expires_us = self.platform.now_us + expires_ms * 1_000;
        self.input(Input::Retry {
            ticket: id,
            id,
            expires_us,
        });
    }

    /// A caller takes an entry back.
    pub(crate) fn cancel(&mut self, id: u64) {
        self.input(Input::Cancel { ticket: id, id });
    }

    /// One of the entries on disk, where there is one.
    pub(crate) fn some_entry(&self, which: u64) -> Option<u64> {
        let count = self.store.outbox.len() as u64;
        let place = usize::try_from(which.checked_rem(count)?).ok()?;
        self.store.outbox.keys().nth(place).copied()
    }

    /// What callers were told of their wishes since the last look.
    pub(crate) fn steered(&mut self) -> Vec<Steered> {
        let told = self.take_effects().into_iter();
        let outcomes = told.filter_map(|effect| match effect {
            Effect::Steered { outcome, .. } => Some(outcome),
            _ => None,
        });
        outcomes.collect()
    }

    /// A dead socket that the platform takes for ours: whatever waits is marked as delivered.
    pub(crate) fn ghost(&mut self) {
        self.register(u64::MAX);
    }

    /// The log of a conversation is exactly this, and nothing in it is late.
    #[track_caller]
    pub(crate) fn has_in_order(&self, place: &str, seqs: impl IntoIterator<Item = u64>) {
        let seqs: Vec<u64> = seqs.into_iter().collect();
        assert_eq!(self.store.seqs(place), seqs);
        assert_eq!(self.late(place), []);
    }

    /// The seqs that were marked late.
    pub(crate) fn late(&self, place: &str) -> Vec<u64> {
        let late = self.store.messages(place).filter(|(_, _, late)| *late);
        late.filter_map(|(row, ..)| row.seq).collect()
    }

    /// How this seq came.
    pub(crate) fn source(&self, place: &str, seq: u64) -> Option<Source> {
        let mut messages = self.store.messages(place);
        messages.find_map(|(row, source, _)| (row.seq == Some(seq)).then_some(source))
    }

    /// The gaps that were told: reason and what is missing.
    pub(crate) fn told(&self, place: &str) -> Vec<(GapReason, Vec<(u64, u64)>)> {
        let gaps = self.store.gaps(place).into_iter();
        gaps.map(|gap| (gap.reason, gap.missing.clone())).collect()
    }

    /// What history was asked of a conversation since the last look.
    pub(crate) fn questions(&mut self, place: &str) -> Vec<Question> {
        let asked = self.take_effects().into_iter();
        let questions = asked.filter_map(|effect| match effect {
            Effect::History {
                conversation_id,
                question,
            } if *conversation_id == *place => Some(question),
            _ => None,
        });
        questions.collect()
    }

    /// The messages acknowledged over the socket since the last look.
    pub(crate) fn acks(&mut self) -> Vec<Arc<str>> {
        let done = self.take_effects().into_iter();
        let acks = done.filter_map(|effect| match effect {
            Effect::Ack { message_id } => Some(message_id),
            _ => None,
        });
        acks.collect()
    }

    /// True where the own message with this id is in the log.
    pub(crate) fn has_sent(&self, place: &str, client_msg_id: &str) -> bool {
        let mut messages = self.store.messages(place);
        messages.any(|(row, ..)| {
            row.client_msg_id.as_deref() == Some(client_msg_id) && row.sender.as_deref() == Some(ME)
        })
    }
}

const YEAR_US: i64 = 365 * 24 * 3_600 * 1_000_000;
