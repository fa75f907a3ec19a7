//! The comparison with the platform: its conversation list and history against our frontiers.
//!
//! The acknowledgement that the platform believes in proves nothing: a half-open cut, a ghost
//! socket or a late commit loses rows without a word (`wire.md` 11.49, 11.50, 11.65). So after
//! every connect, and from time to time, each conversation that may have moved is compared.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    fetch::Plan,
    input::ConversationList,
    intake::Intake,
    op::{Op, Source},
};

/// One comparison, from the list to the last conversation.
#[derive(Debug, Default)]
pub(crate) struct Reconcile {
    /// Conversations still to be compared; `None` while no comparison runs.
    pub(crate) open: Option<BTreeSet<Arc<str>>>,
    /// True where a conversation could not be compared.
    pub(crate) failed: bool,
    /// The platform's time when this comparison began.
    pub(crate) began_us: Option<i64>,
    /// The platform's time when the last complete comparison began.
    pub(crate) last_us: Option<i64>,
}

impl Reconcile {
    /// History did not tell about this conversation: a comparison that needed it is not complete.
    pub(crate) fn was_in_vain(&mut self, id: &Arc<str>) {
        self.failed |= self.open.as_ref().is_some_and(|open| open.contains(id));
    }
}

impl Intake {
    /// Starts a comparison over the list; every conversation that may be ahead of us is asked for.
    pub(crate) fn compare(&mut self, list: &ConversationList) {
        let quiet_before = self
            .reconcile
            .last_us
            .map(|at| at.saturating_sub(LATE_COMMIT_US));
        let is_quiet =
            |at: Option<i64>| matches!((at, quiet_before), (Some(at), Some(before)) if at < before);
        let mut wanted: BTreeSet<Arc<str>> = BTreeSet::new();
        for item in &list.items {
            let known = self
                .slots
                .get(&item.id)
                .is_some_and(|slot| slot.conversation.frontier.is_some());
            let holes = self
                .slots
                .get(&item.id)
                .is_some_and(|slot| !slot.conversation.holes.is_empty());
            let born_us = self.birth_us.saturating_sub(LATE_COMMIT_US);
            let is_past = !known && item.last_message_us.is_none_or(|at| at < born_us);
            if holes || !(is_past || is_quiet(item.last_message_us)) {
                wanted.insert(Arc::clone(&item.id));
            }
        }
        // A cut list is in order of activity: what it left out is no younger than its last row.
        let rest_is_quiet = !list.truncated
            || list
                .items
                .last()
                .is_some_and(|item| is_quiet(item.last_message_us));
        for (id, slot) in &self.slots {
            let anchored = slot.conversation.frontier.is_some();
            if anchored && (!rest_is_quiet || !slot.conversation.holes.is_empty()) {
                wanted.insert(Arc::clone(id));
            }
        }
        self.reconcile.began_us = list.server_us;
        self.reconcile.failed = false;
        for id in &wanted {
            self.slots.entry(Arc::clone(id)).or_default().compare = true;
        }
        self.reconcile.open = Some(wanted.clone());
        for id in &wanted {
            self.compare_next(id);
        }
    }

    /// Puts the comparison of a conversation in line, once nothing else is asked about it.
    pub(crate) fn compare_next(&mut self, id: &Arc<str>) {
        let Some(slot) = self.slots.get_mut(id) else {
            return;
        };
        if slot.plan.is_some() {
            return;
        }
        slot.plan = Some(match slot.conversation.frontier {
            Some(_) => Plan::Head,
            None => Plan::Back {
                before: slot.conversation.lowest_parked(),
                lowest: None,
                newest: None,
                empty: 0,
                source: Source::Reconcile,
            },
        });
        // From here on the plan itself is the comparison.
        slot.compare = false;
        self.queue.push_back(Arc::clone(id));
    }

    /// A question about this conversation is answered: compare it, or strike it off.
    pub(crate) fn finish(&mut self, id: &Arc<str>) {
        let Some(slot) = self.slots.get(id) else {
            return;
        };
        if slot.plan.is_some() {
            return;
        }
        if slot.compare {
            self.compare_next(id);
            return;
        }
        let is_blank = slot.conversation.frontier.is_none() && slot.conversation.parked_len() == 0;
        if let Some(open) = &mut self.reconcile.open {
            open.remove(id);
        }
        if is_blank {
            self.slots.remove(id);
        }
    }

    /// True once every conversation of the running comparison is done.
    pub(crate) fn is_compared(&self) -> bool {
        self.reconcile.open.as_ref().is_some_and(BTreeSet::is_empty)
    }

    /// Ends the comparison; a complete one is remembered.
    pub(crate) fn end_compare(&mut self) -> Option<Op> {
        self.reconcile.open = None;
        let at_us = self
            .reconcile
            .began_us
            .take()
            .filter(|_| !self.reconcile.failed)?;
        self.reconcile.last_us = Some(at_us);
        Some(Op::Reconciled { at_us })
    }
}

/// A message may become visible long after its time stamp says, and behind others with later
/// stamps (`wire.md` 3.1). So a comparison of times counts only where they differ by more.
pub(crate) const LATE_COMMIT_US: i64 = 15 * 60 * 1_000_000;
