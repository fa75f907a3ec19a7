//! What must be true once faults have ended, time has passed and everything was compared.

use std::{collections::BTreeMap, sync::Arc};

use agentchatd_engine::{Phase, SendEnd};

use super::{
    World,
    platform::{Conversation, ME, Message},
    requests::conversation_of,
    store::Ending,
};

/// What the oracle has to know of the beginning.
#[derive(Debug, Default)]
pub(crate) struct Beginning {
    /// Messages made before the log's birth, and whether they were still waiting then.
    past: BTreeMap<Arc<str>, bool>,
}

impl Beginning {
    /// To be called right before the daemon starts for the first time.
    pub(crate) fn of(world: &World) -> Self {
        let all = world.platform.conversations.values();
        let messages = all.flat_map(|conversation| &conversation.messages);
        let waiting: Vec<_> = world.platform.stored();
        let waits = |message: &Message| {
            let id = &message.row.message_id;
            waiting.iter().any(|stored| stored.row.message_id == *id)
        };
        Self {
            past: messages
                .map(|message| (Arc::clone(&message.row.message_id), waits(message)))
                .collect(),
        }
    }

    /// Whether the message must be in the log, must not be there, or may (`None`).
    fn verdict(&self, message: &Message, birth_us: i64) -> Option<bool> {
        match self.past.get(&message.row.message_id) {
            Some(waited) => Some(*waited),
            // It began before the birth and was finished after it: nobody can tell.
            None if message.row.created_at < Some(birth_us) => None,
            None => Some(true),
        }
    }
}

/// Checks everything; panics with what is wrong.
pub(crate) fn check(world: &World, beginning: &Beginning) {
    assert_eq!(
        world.phase(),
        Phase::Ready,
        "the connection stands in the end"
    );
    let Some((_, birth_us)) = world.store.bound else {
        panic!("the state is bound in the end")
    };
    for (id, conversation) in &world.platform.conversations {
        check_conversation(world, beginning, birth_us, id, conversation);
    }
    assert_eq!(world.store.parked_len(), 0, "nothing waits in the end");
    let mut waiting = world.platform.stored();
    // A row without a delivery id is settled only by a later one's cursor (`wire.md` 3.1).
    waiting.retain(|message| !message.null_id);
    assert!(
        waiting.is_empty(),
        "all is acknowledged in the end: {waiting:?}"
    );
    if world.platform.ack_mode {
        assert!(
            world.wire.owed.is_empty(),
            "never acknowledged: {:?}",
            world.wire.owed
        );
    }
    check_sends(world);
}

fn check_conversation(
    world: &World,
    beginning: &Beginning,
    birth_us: i64,
    id: &Arc<str>,
    conversation: &Conversation,
) {
    let store = &world.store;
    let seq = |message: &Message| message.row.seq.unwrap_or(0);
    let within_reach = |message: &&Message| {
        conversation.member
            && seq(message) >= conversation.joined_seq
            && seq(message) > conversation.hidden_to
            && !message.hidden
    };
    let is_ours = |message: &&Message| beginning.verdict(message, birth_us) == Some(true);
    let all = || conversation.messages.iter();
    for message in all().filter(within_reach).filter(is_ours) {
        let row = &message.row;
        assert!(
            store.is_logged(&row.message_id),
            "lost: {id} seq {:?}",
            row.seq
        );
    }
    for message in all() {
        let is_past = beginning.verdict(message, birth_us) == Some(false);
        let is_logged = store.is_logged(&message.row.message_id);
        assert!(
            !(is_past && is_logged),
            "the past: {id} seq {:?}",
            message.row.seq
        );
    }
    let Some(record) = store.conversations.get(id) else {
        return;
    };
    // What was there when the conversation was first met is no gap; later absences are told.
    let met = world.met.get(id).copied().unwrap_or(0);
    for message in all().filter(|message| seq(message) > met && seq(message) <= record.frontier) {
        let at = seq(message);
        let is_dark = !conversation.member || at < conversation.joined_seq;
        let is_told = store.gaps(id).iter().any(|gap| {
            let mut ranges = gap.missing.iter();
            ranges.any(|&(from, to)| (from..=to).contains(&at))
        });
        let is_logged = store.is_logged(&message.row.message_id);
        assert!(
            is_logged || is_dark || is_told || record.holes.contains(at),
            "a hole that nobody was told of: {id} seq {at}"
        );
    }
}

fn check_sends(world: &World) {
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    for &(id, place) in &world.wire.taken {
        let lane = conversation_of(&world.store.outbox[&id].draft.lane);
        let before = last.insert(lane, place).unwrap_or(0);
        assert!(
            before < place,
            "{id} at {place} was sent after {before}, which came later into the line"
        );
    }
    for id in &world.told_cancelled {
        let cancelled = Ending::Ended(SendEnd::Cancelled);
        assert_eq!(world.store.ending(*id), Some(&cancelled), "{id} stays so");
    }
    for (id, entry) in &world.store.outbox {
        let landed = world.platform.sent(&entry.draft.client_msg_id);
        match (&entry.ending, landed) {
            (Some(Ending::Sent { .. }), Some(row)) => {
                let there = world.platform.conversations[&row.conversation_id].member;
                let is_logged = world.store.is_logged(&row.message_id);
                assert!(is_logged || !there, "sent and not in the log: {id}");
                assert_eq!(row.sender.as_deref(), Some(ME));
            }
            (Some(Ending::Ended(SendEnd::Unknown)), _)
            | (
                Some(Ending::Ended(SendEnd::Failed | SendEnd::Expired | SendEnd::Cancelled)),
                None,
            ) => {}
            (ending, row) => panic!("send {id} ended as {ending:?}, the platform has {row:?}"),
        }
    }
}
