//! Every message goes through here, however it came: live, sync, history, or as the answer to
//! an own send. Decides what is logged, what waits, and what history is asked.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use crate::{
    conversation::{Context, Conversation, GapCounts},
    effect::{Effect, Warning},
    fetch::Plan,
    op::{ConversationRecord, Lane, Op, Source},
    reconcile::Reconcile,
    row::Row,
    time::Millis,
};

/// All conversations and the questions that are open about them.
#[derive(Debug)]
pub(crate) struct Intake {
    pub(crate) me: Arc<str>,
    /// The platform's time when the log began; older delivered rows are the past.
    pub(crate) birth_us: i64,
    pub(crate) gap_window_ms: u64,
    pub(crate) slots: BTreeMap<Arc<str>, Slot>,
    pub(crate) counts: GapCounts,
    pub(crate) reconcile: Reconcile,
    pub(crate) warnings: Vec<Warning>,
    /// Conversations with a question to ask, and how many questions are out.
    pub(crate) queue: VecDeque<Arc<str>>,
    pub(crate) under_way: usize,
    due: BTreeSet<(Millis, Arc<str>)>,
    /// True while sync may still bring the rows that seem to be missing.
    draining: bool,
    held: BTreeSet<Arc<str>>,
    /// Destinations with a send under way: its answer may be the missing row.
    sending: BTreeMap<Lane, u32>,
}

/// A conversation and what is being asked about it.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    pub(crate) conversation: Conversation,
    /// What to ask next, or what is being asked.
    pub(crate) plan: Option<Plan>,
    pub(crate) asked: bool,
    pub(crate) failures: u32,
    pub(crate) compare: bool,
    due_at: Option<Millis>,
}

impl Intake {
    pub(crate) fn new(me: Arc<str>, birth_us: i64, gap_window_ms: u64) -> Self {
        Self {
            me,
            birth_us,
            gap_window_ms,
            slots: BTreeMap::new(),
            counts: GapCounts::default(),
            reconcile: Reconcile::default(),
            warnings: Vec::new(),
            queue: VecDeque::new(),
            under_way: 0,
            due: BTreeSet::new(),
            draining: false,
            held: BTreeSet::new(),
            sending: BTreeMap::new(),
        }
    }

    /// Takes in a conversation as the store has it.
    pub(crate) fn restore(&mut self, record: &ConversationRecord) {
        self.slots
            .entry(Arc::clone(&record.id))
            .or_default()
            .conversation = Conversation::restore(record);
    }

    /// Takes in a parked row as the store has it; conversations come first.
    pub(crate) fn restore_parked(&mut self, row: &ParkedRecord, now: Millis) {
        let slot = self
            .slots
            .entry(Arc::clone(&row.conversation_id))
            .or_default();
        let rejoin = row.joined.as_deref() == Some(&*self.me);
        slot.conversation
            .restore_parked(row.seq, Arc::clone(&row.message_id), rejoin, now);
        let id = Arc::clone(&row.conversation_id);
        self.schedule(&id, now);
    }

    /// Places rows that arrived together; the ops are in log order.
    pub(crate) fn take(
        &mut self,
        rows: impl IntoIterator<Item = Row>,
        source: Source,
        now: Millis,
    ) -> Vec<Op> {
        let mut ops = Vec::new();
        let mut touched: Vec<Arc<str>> = Vec::new();
        for row in rows {
            let id = Arc::clone(&row.conversation_id);
            let slot = self.slots.entry(Arc::clone(&id)).or_default();
            learn_peer(&mut slot.conversation, &row, &self.me);
            let mut cx = Context {
                id: &id,
                me: &self.me,
                now,
                ops: &mut ops,
                counts: &mut self.counts,
            };
            slot.conversation.place(row, source, &mut cx);
            if touched.last() != Some(&id) && !touched.contains(&id) {
                touched.push(id);
            }
        }
        for id in touched {
            self.after_change(&id, now, &mut ops);
        }
        ops
    }

    /// Keeps the record of a conversation and its timer in step with a change.
    pub(crate) fn after_change(&mut self, id: &Arc<str>, now: Millis, ops: &mut Vec<Op>) {
        let Some(slot) = self.slots.get(id) else {
            return;
        };
        if let Some(record) = slot.conversation.record(id) {
            ops.push(Op::Conversation(record));
        }
        self.schedule(id, now);
    }

    /// Sets the time at which history is asked about the conversation, if it is to be.
    pub(crate) fn schedule(&mut self, id: &Arc<str>, now: Millis) {
        let Some(slot) = self.slots.get_mut(id) else {
            return;
        };
        if slot.plan.is_some() {
            return;
        }
        let conversation = &slot.conversation;
        let at = match (&conversation.frontier, &conversation.hole) {
            (None, _) if conversation.parked_len() > 0 => Some(now),
            (Some(_), Some(hole)) => Some(hole.since + self.gap_window_ms),
            _ => None,
        };
        self.set_due(id, at);
    }

    fn set_due(&mut self, id: &Arc<str>, at: Option<Millis>) {
        let Some(slot) = self.slots.get_mut(id) else {
            return;
        };
        if slot.due_at == at {
            return;
        }
        if let Some(old) = slot.due_at {
            self.due.remove(&(old, Arc::clone(id)));
        }
        slot.due_at = at;
        if let Some(at) = at {
            self.due.insert((at, Arc::clone(id)));
        }
    }

    /// When [`Self::fire`] has something to do.
    pub(crate) fn next_due(&self) -> Option<Millis> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Turns what is due into questions.
    pub(crate) fn fire(&mut self, now: Millis) {
        while let Some((at, id)) = self.due.first().cloned() {
            if at > now {
                break;
            }
            self.set_due(&id, None);
            let Some(slot) = self.slots.get_mut(&id) else {
                continue;
            };
            if slot.plan.is_some() {
                // A question that failed before; its time has come again.
                self.queue.push_back(id);
                continue;
            }
            if slot.conversation.parked_len() == 0 {
                continue;
            }
            if is_sending(&self.sending, &id, &slot.conversation) {
                self.set_due(&id, Some(now + self.gap_window_ms.max(MIN_RECHECK_MS)));
                continue;
            }
            if self.draining {
                self.held.insert(id);
                continue;
            }
            slot.plan = Some(Plan::for_waiting(&slot.conversation));
            self.queue.push_back(id);
        }
    }

    /// Asks again at `at` what was asked before.
    pub(crate) fn retry_at(&mut self, id: &Arc<str>, at: Millis) {
        self.set_due(id, Some(at));
    }

    /// Starts as many questions as may be out at once.
    pub(crate) fn ask(&mut self, effects: &mut Vec<Effect>) {
        while self.under_way < QUESTIONS_AT_ONCE {
            let Some(id) = self.queue.pop_front() else {
                return;
            };
            let Some(slot) = self.slots.get_mut(&id) else {
                continue;
            };
            let Some(plan) = &slot.plan else { continue };
            if slot.asked {
                continue;
            }
            slot.asked = true;
            self.under_way += 1;
            effects.push(Effect::History {
                conversation_id: id,
                question: plan.question(),
            });
        }
    }

    /// A drain has begun: what seems missing may come with it.
    pub(crate) fn drain_began(&mut self) {
        self.draining = true;
    }

    /// The drain is over: what is missing now is asked for.
    pub(crate) fn drain_ended(&mut self, now: Millis) {
        self.draining = false;
        for id in std::mem::take(&mut self.held) {
            self.schedule(&id, now);
        }
    }

    /// A send to this destination is under way.
    pub(crate) fn send_began(&mut self, lane: &Lane) {
        *self.sending.entry(lane.clone()).or_default() += 1;
    }

    /// It was answered, or cut off.
    pub(crate) fn send_ended(&mut self, lane: &Lane) {
        if let Some(count) = self.sending.get_mut(lane) {
            *count -= 1;
            if *count == 0 {
                self.sending.remove(lane);
            }
        }
    }

    /// The other side of a direct conversation, learned from an own send.
    pub(crate) fn know_peer(&mut self, id: &Arc<str>, peer: &Arc<str>) {
        let slot = self.slots.entry(Arc::clone(id)).or_default();
        slot.conversation
            .peer
            .get_or_insert_with(|| Arc::clone(peer));
    }

    /// True where a conversation with this agent is known.
    pub(crate) fn knows_peer(&self, peer: &Arc<str>) -> bool {
        let mut slots = self.slots.values();
        slots.any(|slot| slot.conversation.peer.as_ref() == Some(peer))
    }

    pub(crate) fn parked(&self) -> usize {
        self.slots
            .values()
            .map(|slot| slot.conversation.parked_len())
            .sum()
    }

    pub(crate) fn open_holes(&self) -> impl Iterator<Item = Millis> + '_ {
        self.slots
            .values()
            .filter_map(|slot| Some(slot.conversation.hole.as_ref()?.since))
    }
}

/// A parked row as the store gives it back at start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedRecord {
    /// The conversation.
    pub conversation_id: Arc<str>,
    /// Its place there.
    pub seq: u64,
    /// The message.
    pub message_id: Arc<str>,
    /// As in [`Row::joined`](crate::Row::joined).
    pub joined: Option<Arc<str>>,
}

fn learn_peer(conversation: &mut Conversation, row: &Row, me: &str) {
    if conversation.peer.is_none()
        && !row.conversation_id.starts_with("grp_")
        && let Some(sender) = &row.sender
        && **sender != *me
    {
        conversation.peer = Some(Arc::clone(sender));
    }
}

fn is_sending(sending: &BTreeMap<Lane, u32>, id: &Arc<str>, conversation: &Conversation) -> bool {
    if sending.is_empty() {
        return false;
    }
    let to_peer = conversation
        .peer
        .as_ref()
        .is_some_and(|peer| sending.contains_key(&Lane::To(Arc::clone(peer))));
    to_peer || sending.contains_key(&Lane::Conversation(Arc::clone(id)))
}

/// Questions to history that may be out at once.
const QUESTIONS_AT_ONCE: usize = 4;

/// How soon a hole is looked at again that an own send may fill, where the gap window is 0.
const MIN_RECHECK_MS: u64 = 50;
