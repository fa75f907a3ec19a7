//! Asking history: what to ask about a conversation, and what its answers prove.
//!
//! History rows are dense in the database, and filters take rows out of a page after its limit
//! (`wire.md` 1.6). So a page read upwards proves everything up to its highest row, and, below a
//! seq that is known to exist, up to `after + limit`; neither a short nor an empty page is the end.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    conversation::{Context, Conversation},
    effect::{HISTORY_LIMIT, Question, Warning},
    intake::Intake,
    op::{GapReason, Op, Source},
    reconcile::LATE_COMMIT_US,
    row::{Failure, Row},
    time::Millis,
    verdict::{ReadVerdict, read_verdict},
};

/// What is being found out about one conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Where it begins for us: walking down to the log's birth.
    Back {
        before: Option<u64>,
        lowest: Option<u64>,
        newest: Option<u64>,
        source: Source,
        empty: u32,
    },
    /// What stands in `after+1..=upper`; a row above `upper` is known to exist, or `upper` itself.
    Forward {
        after: u64,
        upper: u64,
        source: Source,
        silent: bool,
        empty: u32,
    },
    /// Whether the platform is ahead of us.
    Head,
}

impl Plan {
    /// The question for a conversation whose rows wait.
    pub(crate) fn for_waiting(conversation: &Conversation) -> Self {
        let Some(frontier) = conversation.frontier else {
            let before = conversation.lowest_parked();
            return Self::Back {
                before,
                lowest: None,
                newest: None,
                source: Source::GapFill,
                empty: 0,
            };
        };
        let upper = conversation
            .highest_parked()
            .map_or(frontier, |seq| seq - 1);
        Self::forward(frontier, upper, Source::GapFill, false)
    }

    fn forward(after: u64, upper: u64, source: Source, silent: bool) -> Self {
        Self::Forward {
            after,
            upper,
            source,
            silent,
            empty: 0,
        }
    }

    pub(crate) fn question(&self) -> Question {
        match *self {
            Self::Back {
                before: Some(seq), ..
            } => Question::Before(seq),
            Self::Back { before: None, .. } | Self::Head => Question::Newest,
            Self::Forward { after, .. } => Question::After(after),
        }
    }
}

impl Intake {
    /// Takes an answer of history in; the ops are in log order.
    pub(crate) fn answered(
        &mut self,
        id: &Arc<str>,
        question: Question,
        answer: Result<Vec<Row>, Failure>,
        now: Millis,
    ) -> Vec<Op> {
        let mut ops = Vec::new();
        let Some(slot) = self.slots.get_mut(id) else {
            return ops;
        };
        let Some(plan) = slot
            .plan
            .filter(|plan| slot.asked && plan.question() == question)
        else {
            return ops;
        };
        slot.asked = false;
        slot.plan = None;
        self.under_way = self.under_way.saturating_sub(1);
        match answer {
            Ok(rows) => {
                slot.failures = 0;
                let next = self.read(id, plan, rows, now, &mut ops);
                self.go_on(id, next);
            }
            Err(failure) => self.failed(id, plan, &failure, now, &mut ops),
        }
        self.after_change(id, now, &mut ops);
        self.finish(id);
        ops
    }

    fn go_on(&mut self, id: &Arc<str>, next: Option<Plan>) {
        if let Some(slot) = self.slots.get_mut(id)
            && next.is_some()
        {
            slot.plan = next;
            self.queue.push_front(Arc::clone(id));
        }
    }

    /// What the page tells, and what to ask next.
    fn read(
        &mut self,
        id: &Arc<str>,
        plan: Plan,
        rows: Vec<Row>,
        now: Millis,
        ops: &mut Vec<Op>,
    ) -> Option<Plan> {
        let birth = Birth {
            me: Arc::clone(&self.me),
            at_us: self.birth_us,
        };
        let slot = self.slots.get_mut(id)?;
        let conversation = &mut slot.conversation;
        let mut cx = Context {
            id,
            me: &birth.me,
            now,
            ops,
            counts: &mut self.counts,
        };
        match plan {
            Plan::Back {
                before,
                lowest,
                newest,
                source,
                empty,
            } => read_back(
                conversation,
                &birth,
                rows,
                (before, lowest, newest, source, empty),
                &mut cx,
            ),
            Plan::Forward {
                after,
                upper,
                source,
                silent,
                empty,
            } => {
                let empty = if rows.is_empty() { empty + 1 } else { 0 };
                if empty > EMPTY_PAGES {
                    self.reconcile.was_in_vain(id);
                    conversation.give_up(GapReason::GapFillFailed, &mut cx);
                    return None;
                }
                let cover = read_forward(
                    conversation,
                    &birth,
                    rows,
                    (after, upper, source, silent),
                    &mut cx,
                );
                (cover < upper).then_some(Plan::Forward {
                    after: cover,
                    upper,
                    source,
                    silent,
                    empty,
                })
            }
            Plan::Head => {
                let frontier = conversation.frontier?;
                let newest = rows.iter().filter_map(|row| row.seq).max()?;
                let lowest = rows.iter().filter_map(|row| row.seq).min()?;
                let start = conversation
                    .holes
                    .first()
                    .map_or(frontier, |seq| frontier.min(seq - 1));
                if newest <= start {
                    return None;
                }
                if lowest > start + 1 {
                    return Some(Plan::forward(start, newest, Source::Reconcile, false));
                }
                let span = (start, newest, Source::Reconcile, false);
                read_forward(conversation, &birth, rows, span, &mut cx);
                None
            }
        }
    }

    fn failed(
        &mut self,
        id: &Arc<str>,
        plan: Plan,
        failure: &Failure,
        now: Millis,
        ops: &mut Vec<Op>,
    ) {
        if let Failure::Shape { reason } = failure {
            self.warnings.push(Warning::BadShape {
                what: Arc::clone(reason),
            });
        }
        let Some(slot) = self.slots.get_mut(id) else {
            return;
        };
        let conversation = &mut slot.conversation;
        if matches!(plan, Plan::Back { .. }) && conversation.frontier.is_some() {
            // Its first message came meanwhile: where it begins is no question any more.
            slot.failures = 0;
            return;
        }
        let mut cx = Context {
            id,
            me: &self.me,
            now,
            ops,
            counts: &mut self.counts,
        };
        match read_verdict(failure) {
            ReadVerdict::Gone => {
                slot.failures = 0;
                close_for_good(conversation, plan, &mut cx);
            }
            ReadVerdict::Retry { .. } | ReadVerdict::Identity if slot.failures + 1 >= ATTEMPTS => {
                slot.failures = 0;
                self.reconcile.was_in_vain(id);
                match plan {
                    Plan::Back { .. } => {
                        conversation.fail_anchor(GapReason::GapFillFailed, &mut cx)
                    }
                    Plan::Forward { .. } => conversation.give_up(GapReason::GapFillFailed, &mut cx),
                    Plan::Head => {}
                }
            }
            ReadVerdict::Retry { after_ms } => self.ask_again(id, plan, after_ms, now),
            ReadVerdict::Identity => self.ask_again(id, plan, 0, now),
        }
    }

    /// The failure that is about to be told is not counted.
    pub(crate) fn forgive(&mut self, id: &Arc<str>) {
        if let Some(slot) = self.slots.get_mut(id) {
            slot.failures = slot.failures.saturating_sub(1);
        }
    }

    fn ask_again(&mut self, id: &Arc<str>, plan: Plan, after_ms: u64, now: Millis) {
        let Some(slot) = self.slots.get_mut(id) else {
            return;
        };
        let wait = after_ms.max(RETRY_MS << slot.failures.min(5));
        slot.failures += 1;
        slot.plan = Some(plan);
        self.retry_at(id, now + wait);
    }
}

/// What is ours of a history that may begin long before us (`local-api.md` 3, promise 6).
struct Birth {
    me: Arc<str>,
    at_us: i64,
}

impl Birth {
    fn is_ours(&self, row: &Row) -> bool {
        let waits = row.undelivered && row.sender.as_deref() != Some(&*self.me);
        waits || row.created_at.is_none_or(|at| at >= self.at_us)
    }

    /// True where nothing older can be ours: stamps near the birth prove nothing about others.
    fn is_long_past(&self, row: &Row) -> bool {
        let before = self.at_us.saturating_sub(LATE_COMMIT_US);
        !self.is_ours(row) && row.created_at.is_some_and(|at| at < before)
    }
}

fn read_back(
    conversation: &mut Conversation,
    birth: &Birth,
    rows: Vec<Row>,
    (before, lowest, newest, source, empty): (Option<u64>, Option<u64>, Option<u64>, Source, u32),
    cx: &mut Context<'_>,
) -> Option<Plan> {
    if conversation.frontier.is_some() {
        return None;
    }
    let seqs = |ours: bool| {
        rows.iter()
            .filter(move |row| !ours || birth.is_ours(row))
            .filter_map(|row| row.seq)
    };
    let newest = newest.max(seqs(false).max());
    let lowest = seqs(true).min().into_iter().chain(lowest).min();
    let empty = if rows.is_empty() { empty + 1 } else { 0 };
    // Seqs are dense: a page that filters left short or empty covers its whole width.
    let floor = seqs(false)
        .min()
        .or_else(|| before.map(|before| before.saturating_sub(HISTORY_LIMIT)));
    let reached_past = rows.iter().any(|row| birth.is_long_past(row));
    // Seqs fall from page to page; a page that does not go down further is the end of the walk.
    let goes_down = floor.is_some_and(|seq| before.is_none_or(|before| seq < before));
    if let Some(floor) = floor
        && floor > 1
        && !reached_past
        && goes_down
        && empty <= EMPTY_PAGES_BACK
    {
        return Some(Plan::Back {
            before: Some(floor),
            lowest,
            newest,
            source,
            empty,
        });
    }
    let parked = conversation.lowest_parked();
    let first = parked.into_iter().chain(lowest).min();
    let anchor = first.map(|seq| seq - 1).or(newest)?;
    conversation.anchor_at(anchor);
    conversation.settle(cx);
    let frontier = conversation.frontier.unwrap_or(anchor);
    let upper = conversation
        .highest_parked()
        .map(|seq| seq - 1)
        .into_iter()
        .chain(newest)
        .max()?;
    (frontier < upper).then(|| Plan::forward(frontier, upper, source, true))
}

fn read_forward(
    conversation: &mut Conversation,
    birth: &Birth,
    rows: Vec<Row>,
    (after, upper, source, silent): (u64, u64, Source, bool),
    cx: &mut Context<'_>,
) -> u64 {
    let frontier = conversation.frontier.unwrap_or(after);
    let mut page: BTreeMap<u64, Vec<Row>> = BTreeMap::new();
    let mut below = Vec::new();
    let mut highest = after;
    for row in rows {
        let seq = row.seq.unwrap_or(0);
        if silent && seq > upper {
            // It came after the conversation was met: no past, and what lacks there is a gap. But
            // a page that reaches it has nothing below it left to tell.
            highest = highest.max(upper);
            continue;
        }
        highest = highest.max(seq);
        if birth.is_long_past(&row) {
            // Never ours, whatever led here; above the frontier its place is known to be no gap.
            if seq > frontier {
                page.entry(seq).or_default();
            }
            continue;
        }
        // Delivered rows from shortly before the log's birth are the past as well, unless they
        // may be what fell into a hole.
        let is_settled = seq <= frontier && !conversation.holes.contains(seq);
        if (silent || seq <= conversation.anchor || is_settled) && !birth.is_ours(&row) {
            continue;
        }
        if row.seq.is_some_and(|seq| seq > frontier) {
            page.entry(seq).or_default().push(row);
        } else {
            below.push(row);
        }
    }
    below.sort_by_key(|row| row.seq);
    let cover = highest.max(upper.min(after.saturating_add(HISTORY_LIMIT)));
    for row in below {
        conversation.place(row, source, cx);
    }
    conversation.holes.remove(after + 1, cover.min(frontier));
    conversation.cover(page, cover, source, silent, cx);
    cover
}

/// The platform has closed the conversation to us: its holes will never fill.
fn close_for_good(conversation: &mut Conversation, plan: Plan, cx: &mut Context<'_>) {
    match plan {
        Plan::Back { .. } => {
            if let Some(lowest) = conversation.lowest_parked() {
                conversation.anchor_at(lowest - 1);
                conversation.settle(cx);
            }
        }
        Plan::Forward { upper, silent, .. } => {
            let frontier = conversation.frontier.unwrap_or(0);
            conversation.holes.remove(1, frontier);
            conversation.cover(
                BTreeMap::new(),
                upper.max(frontier),
                Source::GapFill,
                silent,
                cx,
            );
        }
        Plan::Head => conversation.holes = crate::SeqSet::new(),
    }
}

/// Attempts at one question before the hole is given up.
const ATTEMPTS: u32 = 4;

/// The wait before the second attempt; doubled for each further one.
const RETRY_MS: u64 = 1_000;

/// Empty pages in a row on the way back before there is nothing more: of a group joined late all
/// earlier pages are empty.
const EMPTY_PAGES_BACK: u32 = 3;

/// Empty pages in a row before a hole counts as unreadable: 10,000 hidden rows.
const EMPTY_PAGES: u32 = 50;
