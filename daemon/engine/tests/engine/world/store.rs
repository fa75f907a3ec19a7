//! The store as a model: carries a commit's ops out in order, as SQL would, and checks on every
//! event what no reader may ever see otherwise.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use agentchatd_engine::{
    ConversationRecord, Cursor, Draft, GapReason, GapReport, Inserted, Op, OutboxRecord,
    ParkedRecord, Report, Row, SendEnd, Snapshot, Source,
};

/// An event of the log; its offset is its place, counted from 1.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Message {
        row: Row,
        source: Source,
        late: bool,
    },
    Gap(GapReport),
    Other,
    SendFailed,
}

/// How an outbox entry ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    Sent { replayed: bool },
    Ended(SendEnd),
}

#[derive(Debug, Clone)]
pub(crate) struct OutboxEntry {
    pub(crate) draft: Draft,
    pub(crate) ending: Option<Ending>,
    /// Its place among all entries; a revived one stands behind those before it.
    pub(crate) place: u64,
    pub(crate) attempts: u32,
    poison: u32,
    ambiguous: bool,
    sending: bool,
    next_attempt_us: i64,
    told: bool,
    accepted_us: i64,
}

impl OutboxEntry {
    fn record(&self, id: u64) -> OutboxRecord {
        OutboxRecord {
            id,
            lane: self.draft.lane.clone(),
            attempts: self.attempts,
            poison: self.poison,
            ambiguous: self.ambiguous || self.sending,
            next_attempt_us: self.next_attempt_us,
            told: self.told,
            accepted_us: self.accepted_us,
            expires_us: self.draft.expires_us,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) events: Vec<Event>,
    pub(crate) conversations: BTreeMap<Arc<str>, ConversationRecord>,
    pub(crate) outbox: BTreeMap<u64, OutboxEntry>,
    pub(crate) bound: Option<(Arc<str>, i64)>,
    pub(crate) seen: Option<Cursor>,
    pub(crate) acked: Option<Cursor>,
    pub(crate) reconciled_us: Option<i64>,
    /// The wall clock.
    pub(crate) now_us: i64,
    parked: BTreeMap<Arc<str>, (Row, bool, Source)>,
    ids: BTreeSet<Arc<str>>,
    /// Per conversation, which seqs stand in the log.
    logged: BTreeMap<Arc<str>, BTreeSet<u64>>,
    pub(crate) commits: u64,
    last_place: u64,
}

impl Store {
    /// One transaction.
    pub(crate) fn apply(&mut self, ops: &[Op]) -> Report {
        self.commits += 1;
        let mut report = Report::default();
        for op in ops {
            let before = self.events.len();
            if let Some(inserted) = self.carry_out(op) {
                report.inserted = Some(inserted);
            }
            report.revived = report.revived.or_else(|| self.revive(op));
            let appended = self.events.len() > before;
            report
                .offsets
                .push(appended.then_some(self.events.len() as u64));
        }
        report
    }

    fn carry_out(&mut self, op: &Op) -> Option<Inserted> {
        match op {
            Op::Log {
                row,
                own,
                source,
                late,
            } => self.log(row, *own, *source, *late),
            Op::LogOther { .. } => self.events.push(Event::Other),
            Op::LogGap(gap) => self.log_gap(gap),
            Op::Park { row, own, source } => {
                if !self.has(&row.message_id) {
                    let entry = (row.clone(), *own, *source);
                    self.parked.insert(Arc::clone(&row.message_id), entry);
                }
            }
            Op::Unpark { message_id } => {
                if let Some((row, own, source)) = self.parked.remove(message_id) {
                    self.log(&row, own, source, false);
                }
            }
            Op::Conversation(record) => {
                if let Some(old) = self.conversations.get(&record.id) {
                    assert!(
                        record.frontier >= old.frontier,
                        "a frontier never goes back"
                    );
                }
                self.conversations
                    .insert(Arc::clone(&record.id), record.clone());
            }
            Op::Bind { handle, birth_us } => {
                assert!(self.bound.is_none(), "the state is bound once");
                self.bound = Some((Arc::clone(handle), *birth_us));
            }
            Op::SyncSeen(cursor) => self.seen = Some(cursor.clone()),
            Op::SyncAcked(cursor) => self.acked = Some(cursor.clone()),
            Op::Reconciled { at_us } => self.reconciled_us = Some(*at_us),
            Op::OutboxInsert { draft, sending } => return Some(self.insert(draft, *sending)),
            Op::OutboxSending { id } => {
                let entry = self.open_entry(*id);
                entry.sending = true;
                entry.attempts += 1;
            }
            Op::OutboxQueued {
                id,
                ambiguous,
                poison,
                next_attempt_us,
                told,
                ..
            } => {
                let entry = self.open_entry(*id);
                entry.sending = false;
                entry.ambiguous = *ambiguous;
                entry.poison = *poison;
                entry.next_attempt_us = *next_attempt_us;
                entry.told = *told;
            }
            Op::OutboxWoken {
                id,
                next_attempt_us,
            } => self.open_entry(*id).next_attempt_us = *next_attempt_us,
            Op::OutboxRevived { .. } => {}
            Op::OutboxSetAside { id } => {
                let entry = self.entry(*id);
                if let Some(Ending::Ended(SendEnd::Failed | SendEnd::Expired)) = entry.ending {
                    entry.ending = Some(Ending::Ended(SendEnd::Cancelled));
                    self.events.push(Event::SendFailed);
                }
            }
            Op::OutboxSent { id, replayed, .. } => {
                let replayed = *replayed;
                self.open_entry(*id).ending = Some(Ending::Sent { replayed });
            }
            Op::OutboxEnded { id, end, .. } => {
                self.open_entry(*id).ending = Some(Ending::Ended(*end));
                self.events.push(Event::SendFailed);
            }
        }
        None
    }

    fn log(&mut self, row: &Row, own: bool, source: Source, late: bool) {
        if !self.ids.insert(Arc::clone(&row.message_id)) {
            return;
        }
        self.parked.remove(&row.message_id);
        let me = self.bound.as_ref().map(|(handle, _)| handle);
        assert_eq!(own, row.sender.as_ref() == me, "own, or not: {row:?}");
        let logged = self
            .logged
            .entry(Arc::clone(&row.conversation_id))
            .or_default();
        if let Some(seq) = row.seq {
            let top = logged.last().copied().unwrap_or(0);
            assert_eq!(
                late,
                top > seq,
                "late exactly where a higher seq stands in the log: {} seq {seq}, top {top}",
                row.conversation_id
            );
            logged.insert(seq);
        }
        self.events.push(Event::Message {
            row: row.clone(),
            source,
            late,
        });
    }

    fn log_gap(&mut self, gap: &GapReport) {
        let logged = self.logged.get(&gap.conversation_id);
        let known = |from: u64, to: u64| logged.and_then(|set| set.range(from..=to).next());
        for &(from, to) in &gap.missing {
            assert!(from <= to, "a range of a gap is not upside down: {gap:?}");
            assert_eq!(
                known(from, to),
                None,
                "what is in the log is not missing: {gap:?}"
            );
        }
        assert!(gap.expected_seq <= gap.buffered_seq, "{gap:?}");
        if gap.reason != GapReason::GapFilled {
            assert!(
                !gap.missing.is_empty(),
                "a hole that was not filled: {gap:?}"
            );
        }
        self.events.push(Event::Gap(gap.clone()));
    }

    fn insert(&mut self, draft: &Draft, sending: bool) -> Inserted {
        let known = self
            .outbox
            .iter()
            .find(|(_, entry)| entry.draft.client_msg_id == draft.client_msg_id);
        if let Some((&id, entry)) = known {
            let same = entry.draft.fingerprint == draft.fingerprint;
            return Inserted::Known { id, same };
        }
        self.last_place += 1;
        let id = self.last_place;
        let entry = OutboxEntry {
            draft: draft.clone(),
            ending: None,
            place: id,
            attempts: u32::from(sending),
            poison: 0,
            ambiguous: false,
            sending,
            next_attempt_us: 0,
            told: false,
            accepted_us: self.now_us,
        };
        self.outbox.insert(id, entry);
        Inserted::New(id)
    }

    /// An entry that ended without a message goes to the end of its lane again.
    fn revive(&mut self, op: &Op) -> Option<OutboxRecord> {
        let Op::OutboxRevived {
            id,
            next_attempt_us,
            expires_us,
        } = op
        else {
            return None;
        };
        // A number that is not used leaves a gap, and harms nobody.
        self.last_place += 1;
        let place = self.last_place;
        let entry = self.entry(*id);
        let Some(Ending::Ended(end)) = entry.ending else {
            return None;
        };
        if end == SendEnd::Cancelled {
            return None;
        }
        entry.place = place;
        entry.ending = None;
        entry.sending = false;
        entry.ambiguous |= end == SendEnd::Unknown;
        entry.poison = 0;
        entry.told = false;
        entry.next_attempt_us = *next_attempt_us;
        entry.draft.expires_us = *expires_us;
        Some(OutboxRecord {
            accepted_us: *next_attempt_us,
            ..entry.record(*id)
        })
    }

    fn entry(&mut self, id: u64) -> &mut OutboxEntry {
        self.outbox.get_mut(&id).expect("ops name known entries")
    }

    fn open_entry(&mut self, id: u64) -> &mut OutboxEntry {
        let entry = self.entry(id);
        assert_eq!(entry.ending, None, "an entry ends once");
        entry
    }

    /// What a restart finds.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let parked = self.parked.values().map(|(row, ..)| ParkedRecord {
            conversation_id: Arc::clone(&row.conversation_id),
            seq: row.seq.expect("only rows with a seq are parked"),
            message_id: Arc::clone(&row.message_id),
            joined: row.joined.clone(),
        });
        let mut outbox: Vec<_> = self
            .outbox
            .iter()
            .filter(|(_, entry)| entry.ending.is_none())
            .collect();
        outbox.sort_by_key(|(_, entry)| entry.place);
        Snapshot {
            bound: self.bound.clone(),
            conversations: self.conversations.values().cloned().collect(),
            parked: parked.collect(),
            outbox: outbox
                .into_iter()
                .map(|(&id, entry)| entry.record(id))
                .collect(),
            reconciled_us: self.reconciled_us,
        }
    }

    /// True where the message is on disk, in the log or parked.
    pub(crate) fn has(&self, message_id: &str) -> bool {
        self.ids.contains(message_id) || self.parked.contains_key(message_id)
    }

    pub(crate) fn is_logged(&self, message_id: &str) -> bool {
        self.ids.contains(message_id)
    }

    pub(crate) fn parked_len(&self) -> usize {
        self.parked.len()
    }

    /// The seqs of a conversation in the order of the log.
    pub(crate) fn seqs(&self, conversation: &str) -> Vec<u64> {
        self.messages(conversation)
            .filter_map(|(row, ..)| row.seq)
            .collect()
    }

    /// The messages of a conversation in the order of the log: row, source, late.
    pub(crate) fn messages(
        &self,
        conversation: &str,
    ) -> impl Iterator<Item = (&Row, Source, bool)> {
        self.events.iter().filter_map(move |event| match event {
            Event::Message {
                row, source, late, ..
            } if *row.conversation_id == *conversation => Some((row, *source, *late)),
            _ => None,
        })
    }

    /// The gaps that were told of a conversation.
    pub(crate) fn gaps(&self, conversation: &str) -> Vec<&GapReport> {
        let gaps = self.events.iter().filter_map(|event| match event {
            Event::Gap(gap) if *gap.conversation_id == *conversation => Some(gap),
            _ => None,
        });
        gaps.collect()
    }

    /// How an accepted send ended.
    pub(crate) fn ending(&self, id: u64) -> Option<&Ending> {
        self.outbox.get(&id)?.ending.as_ref()
    }
}
