//! One conversation: what is in the log, what waits behind a hole, what is known to be absent.
//!
//! Every seq up to the *frontier* is in the log, or proven absent, or a hole given up and still
//! to be asked about. A row just above the frontier is released, one further up is parked. A row
//! below it is released as well, marked late where a higher seq stands in the log already: a low
//! seq never makes a message a duplicate (`wire.md` 11.8).

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    op::{ConversationRecord, GapReason, GapReport, Op, Source},
    row::Row,
    seq_set::SeqSet,
    time::Millis,
};

/// Rows that may wait behind the hole of one conversation; past it the hole is given up, visibly.
pub const PARKED_LIMIT: usize = 500;

/// Rows that may wait in a conversation whose beginning is not known yet.
pub const UNANCHORED_LIMIT: usize = 5_000;

/// What stands around a call: who we are, when it is, where ops go.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) id: &'a Arc<str>,
    pub(crate) me: &'a str,
    pub(crate) now: Millis,
    pub(crate) ops: &'a mut Vec<Op>,
    pub(crate) counts: &'a mut GapCounts,
}

impl Context<'_> {
    pub(crate) fn is_own(&self, row: &Row) -> bool {
        row.sender.as_deref() == Some(self.me)
    }

    fn is_rejoin(&self, row: &Row) -> bool {
        row.joined.as_deref() == Some(self.me)
    }
}

/// How holes ended since the engine was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GapCounts {
    /// Filled from history.
    pub recovered: u64,
    /// Proven absent.
    pub absent: u64,
    /// Given up.
    pub failed: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Conversation {
    /// `None` until it is known where the conversation begins for us.
    pub(crate) frontier: Option<u64>,
    pub(crate) anchor: u64,
    pub(crate) top: u64,
    pub(crate) holes: SeqSet,
    parked: BTreeMap<u64, Vec<Parked>>,
    parked_len: usize,
    pub(crate) hole: Option<Hole>,
    /// The other side of a direct conversation.
    pub(crate) peer: Option<Arc<str>>,
}

#[derive(Debug)]
struct Parked {
    id: Arc<str>,
    rejoin: bool,
}

/// The hole right above the frontier, while rows wait behind it.
#[derive(Debug)]
pub(crate) struct Hole {
    pub(crate) since: Millis,
    expected: u64,
    /// True once history has put a row into it.
    is_filled: bool,
}

impl Conversation {
    pub(crate) fn restore(record: &ConversationRecord) -> Self {
        Self {
            frontier: Some(record.frontier),
            anchor: record.anchor,
            top: record.top,
            holes: record.holes.clone(),
            ..Self::default()
        }
    }

    /// Puts a parked row of the store back in its place.
    pub(crate) fn restore_parked(&mut self, seq: u64, id: Arc<str>, rejoin: bool, now: Millis) {
        self.parked
            .entry(seq)
            .or_default()
            .push(Parked { id, rejoin });
        self.parked_len += 1;
        if let Some(frontier) = self.frontier
            && self.hole.is_none()
        {
            self.hole = Some(Hole::open(frontier + 1, now));
        }
    }

    pub(crate) fn record(&self, id: &Arc<str>) -> Option<ConversationRecord> {
        Some(ConversationRecord {
            id: Arc::clone(id),
            frontier: self.frontier?,
            anchor: self.anchor,
            top: self.top,
            holes: self.holes.clone(),
        })
    }

    pub(crate) fn parked_len(&self) -> usize {
        self.parked_len
    }

    pub(crate) fn lowest_parked(&self) -> Option<u64> {
        self.parked.keys().next().copied()
    }

    pub(crate) fn highest_parked(&self) -> Option<u64> {
        self.parked.keys().next_back().copied()
    }

    /// Finds the place of a row: the log, the parking, or nowhere where it is parked already.
    pub(crate) fn place(&mut self, row: Row, source: Source, cx: &mut Context<'_>) {
        let Some(seq) = row.seq else {
            let own = cx.is_own(&row);
            cx.ops.push(Op::Log {
                row,
                own,
                source,
                late: false,
            });
            return;
        };
        if self.frontier.is_none() && seq == 1 {
            self.anchor_at(0);
        }
        match self.frontier {
            Some(frontier) if seq <= frontier => {
                self.holes.remove(seq, seq);
                self.release(row, seq, source, cx);
            }
            Some(frontier) if seq == frontier + 1 => {
                self.release(row, seq, source, cx);
                self.frontier = Some(seq);
                self.settle(cx);
            }
            Some(_) | None => self.park(row, seq, source, cx),
        }
    }

    fn release(&mut self, row: Row, seq: u64, source: Source, cx: &mut Context<'_>) {
        let own = cx.is_own(&row);
        let late = seq < self.top;
        self.top = self.top.max(seq);
        cx.ops.push(Op::Log {
            row,
            own,
            source,
            late,
        });
    }

    fn park(&mut self, row: Row, seq: u64, source: Source, cx: &mut Context<'_>) {
        let waiting = self.parked.entry(seq).or_default();
        if waiting.iter().any(|parked| parked.id == row.message_id) {
            return;
        }
        waiting.push(Parked {
            id: Arc::clone(&row.message_id),
            rejoin: cx.is_rejoin(&row),
        });
        self.parked_len += 1;
        let own = cx.is_own(&row);
        cx.ops.push(Op::Park { row, own, source });
        let Some(frontier) = self.frontier else {
            if self.parked_len >= UNANCHORED_LIMIT {
                self.fail_anchor(GapReason::BufferOverflow, cx);
            }
            return;
        };
        if self.hole.is_none() {
            self.hole = Some(Hole::open(frontier + 1, cx.now));
        }
        while self.parked_len >= PARKED_LIMIT {
            self.give_up(GapReason::BufferOverflow, cx);
        }
    }

    /// Fixes where the conversation begins for us.
    pub(crate) fn anchor_at(&mut self, anchor: u64) {
        self.frontier = Some(anchor);
        self.anchor = anchor;
    }

    /// Begins at the lowest row in hand because history did not tell; what may lie before it is
    /// kept as a hole.
    pub(crate) fn fail_anchor(&mut self, reason: GapReason, cx: &mut Context<'_>) {
        let Some(lowest) = self.lowest_parked() else {
            return;
        };
        self.anchor_at(0);
        if lowest > 1 {
            self.hole = Some(Hole::open(1, cx.now));
            self.give_up(reason, cx);
            self.anchor = lowest - 1;
        } else {
            self.settle(cx);
        }
    }

    /// Releases what follows the frontier without a hole, and looks whether one is left.
    pub(crate) fn settle(&mut self, cx: &mut Context<'_>) {
        let Some(mut frontier) = self.frontier else {
            return;
        };
        while let Some(entry) = self.parked.first_entry() {
            if *entry.key() > frontier + 1 {
                break;
            }
            let (seq, rows) = entry.remove_entry();
            self.parked_len -= rows.len();
            cx.ops.extend(
                rows.into_iter()
                    .map(|row| Op::Unpark { message_id: row.id }),
            );
            self.top = self.top.max(seq);
            frontier = frontier.max(seq);
        }
        self.frontier = Some(frontier);
        if self.parked.is_empty() {
            self.hole = None;
        } else if self
            .hole
            .as_ref()
            .is_none_or(|hole| hole.expected <= frontier)
        {
            self.hole = Some(Hole::open(frontier + 1, cx.now));
        }
    }

    /// Takes in what history proved: `page` holds every row above the frontier that exists up to
    /// `cover`; a seq without rows is the past, and neither logged nor missing. `silent` where
    /// all that is missing is the past.
    pub(crate) fn cover(
        &mut self,
        mut page: BTreeMap<u64, Vec<Row>>,
        cover: u64,
        source: Source,
        silent: bool,
        cx: &mut Context<'_>,
    ) {
        while let Some(frontier) = self.frontier
            && frontier < cover
        {
            let waiting = self.lowest_parked();
            let end = waiting.map_or(cover, |seq| cover.min(seq - 1));
            let missing = self.fill(&mut page, frontier, end, source, silent, cx);
            self.frontier = Some(end);
            match (waiting, &mut self.hole) {
                (Some(seq), Some(_)) if seq == end + 1 => {
                    self.close_hole(seq, &missing, silent, cx);
                    self.settle(cx);
                }
                (Some(seq), Some(hole)) => {
                    // The frontier has passed them for good, so they are told now: the rest of
                    // the hole may fill by itself, or this process may end.
                    if !missing.is_empty() {
                        cx.counts.absent += 1;
                        let report = hole.report(cx, seq, &missing, GapReason::AbsentUpstream);
                        cx.ops.push(Op::LogGap(report));
                    }
                    hole.expected = end + 1;
                }
                _ if missing.is_empty() => self.settle(cx),
                _ => {
                    let expected = missing.first().unwrap_or(frontier + 1);
                    let shown_by = missing.iter().next().map_or(end, |(_, last)| last + 1);
                    cx.counts.absent += 1;
                    cx.ops.push(Op::LogGap(GapReport {
                        conversation_id: Arc::clone(cx.id),
                        expected_seq: expected,
                        buffered_seq: shown_by,
                        missing: missing.iter().collect(),
                        gap_ms: 0,
                        reason: GapReason::AbsentUpstream,
                    }));
                    self.settle(cx);
                }
            }
        }
    }

    /// Releases the rows of `page` in `frontier+1..=end`; gives back what is missing there.
    fn fill(
        &mut self,
        page: &mut BTreeMap<u64, Vec<Row>>,
        frontier: u64,
        end: u64,
        source: Source,
        silent: bool,
        cx: &mut Context<'_>,
    ) -> SeqSet {
        let mut missing = SeqSet::new();
        let mut expected = frontier + 1;
        while let Some(entry) = page.first_entry() {
            if *entry.key() > end {
                break;
            }
            let (seq, rows) = entry.remove_entry();
            // What lies before our own join is the time outside of the group, and no gap.
            if expected < seq && !silent && !rows.iter().any(|row| cx.is_rejoin(row)) {
                missing.insert(expected, seq - 1);
            }
            if let Some(hole) = self.hole.as_mut().filter(|_| !rows.is_empty()) {
                hole.is_filled = true;
            }
            for row in rows {
                self.release(row, seq, source, cx);
            }
            // Rows that were parked may have carried the frontier past this one.
            expected = expected.max(seq + 1);
        }
        let rejoined = self
            .parked
            .get(&(end + 1))
            .is_some_and(|rows| rows.iter().any(|row| row.rejoin));
        if expected <= end && !silent && !rejoined {
            missing.insert(expected, end);
        }
        missing
    }

    fn close_hole(&mut self, buffered: u64, missing: &SeqSet, silent: bool, cx: &mut Context<'_>) {
        let Some(hole) = self.hole.take() else { return };
        let is_past = missing.is_empty() && !hole.is_filled;
        if silent
            || is_past
            || self
                .parked
                .get(&buffered)
                .is_some_and(|rows| rows.iter().any(|row| row.rejoin))
        {
            return;
        }
        let reason = if missing.is_empty() {
            cx.counts.recovered += 1;
            GapReason::GapFilled
        } else {
            cx.counts.absent += 1;
            GapReason::AbsentUpstream
        };
        let report = hole.report(cx, buffered, missing, reason);
        cx.ops.push(Op::LogGap(report));
    }

    /// Moves over the hole without proof; it stays in `holes` and is asked about again.
    pub(crate) fn give_up(&mut self, reason: GapReason, cx: &mut Context<'_>) {
        let (Some(frontier), Some(buffered)) = (self.frontier, self.lowest_parked()) else {
            return;
        };
        if let Some(hole) = self.hole.take() {
            let missing = SeqSet::from_iter([(frontier + 1, buffered - 1)]);
            cx.counts.failed += 1;
            let report = hole.report(cx, buffered, &missing, reason);
            cx.ops.push(Op::LogGap(report));
        }
        self.holes.insert(frontier + 1, buffered - 1);
        self.frontier = Some(buffered - 1);
        self.settle(cx);
    }
}

impl Hole {
    fn open(expected: u64, since: Millis) -> Self {
        Self {
            since,
            expected,
            is_filled: false,
        }
    }

    fn report(
        &self,
        cx: &Context<'_>,
        buffered_seq: u64,
        missing: &SeqSet,
        reason: GapReason,
    ) -> GapReport {
        GapReport {
            conversation_id: Arc::clone(cx.id),
            expected_seq: self.expected,
            buffered_seq,
            missing: missing.iter().collect(),
            gap_ms: cx.now.since(self.since),
            reason,
        }
    }
}
