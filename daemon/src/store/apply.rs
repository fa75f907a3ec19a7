//! The engine's ops as SQL.

use std::sync::Arc;

use agentchatd_engine::{Draft, Inserted, Lane, Op, Report, Row, SendEnd, Source, Token};
use rusqlite::{Connection, OptionalExtension};

use super::{
    error::StoreError, reader::last_received, render, retention::ROW_BYTES, snapshot, steering,
};
use crate::event::{LogEvent, now_us, source};

/// One transaction's worth of ops and what they did.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) reports: Vec<(Token, Report)>,
    pub(super) events: Vec<Arc<LogEvent>>,
    /// Changes, and messages among them that stood in the log already.
    pub(super) rows: usize,
    pub(super) duplicates: u64,
    next_offset: u64,
    now_us: i64,
    /// What the new events weigh.
    bytes: u64,
    /// No event is earlier than the one before it: a wall clock that went back stands still here.
    floor_us: i64,
}

impl Batch {
    pub(super) fn begin(connection: &Connection) -> Result<Self, StoreError> {
        let last: i64 = connection
            .prepare_cached("SELECT last_offset FROM checkpoint WHERE id = 1")?
            .query_row([], |row| row.get(0))?;
        Ok(Self {
            reports: Vec::new(),
            events: Vec::new(),
            rows: 0,
            duplicates: 0,
            next_offset: last.cast_unsigned() + 1,
            now_us: now_us(),
            bytes: 0,
            floor_us: last_received(connection)?,
        })
    }

    pub(super) fn apply(
        &mut self,
        connection: &Connection,
        ops: Vec<Op>,
    ) -> Result<Report, StoreError> {
        let mut report = Report::default();
        self.rows += ops.len();
        for op in ops {
            let offset = self.apply_one(connection, op, &mut report)?;
            report.offsets.push(offset);
        }
        Ok(report)
    }

    /// Writes down how far the log goes; the last step before the commit.
    pub(super) fn finish(&self, connection: &Connection) -> Result<(), StoreError> {
        if let Some(last) = self.events.last() {
            connection
                .prepare_cached(
                    "UPDATE checkpoint SET last_offset = ?1, log_bytes = log_bytes + ?2
                     WHERE id = 1",
                )?
                .execute((last.offset.cast_signed(), self.bytes.cast_signed()))?;
        }
        Ok(())
    }

    fn apply_one(
        &mut self,
        connection: &Connection,
        op: Op,
        report: &mut Report,
    ) -> Result<Option<u64>, StoreError> {
        match op {
            Op::Log {
                row,
                own,
                source,
                late,
            } => {
                let local = source == Source::Local;
                let id = Arc::clone(&row.message_id);
                let offset =
                    self.append(connection, message(row, own, source_name(source), late))?;
                // The caller of a send is told where its message stands, however it got there.
                if offset.is_none() && local {
                    offset_of(connection, &id)
                } else {
                    Ok(offset)
                }
            }
            Op::LogOther {
                kind,
                payload,
                source,
                conversation_id,
            } => {
                let source = source_name(source);
                self.append(
                    connection,
                    LogEvent {
                        kind,
                        payload,
                        source,
                        conversation_id,
                        ..LogEvent::default()
                    },
                )
            }
            Op::LogGap(gap) => {
                let event = LogEvent {
                    kind: "sequence.gap".into(),
                    payload: render::gap(&gap),
                    conversation_id: Some(gap.conversation_id),
                    source: source::LOCAL,
                    ..LogEvent::default()
                };
                self.append(connection, event)
            }
            Op::Park { row, own, source } => {
                self.park(connection, &row, own, source).map(|()| None)
            }
            Op::Unpark { message_id } => self.unpark(connection, &message_id),
            Op::Conversation(record) => {
                snapshot::keep_conversation(connection, &record).map(|()| None)
            }
            Op::Bind { handle, birth_us } => {
                connection
                    .prepare_cached(
                        "UPDATE checkpoint SET handle = ?1, birth_us = ?2 WHERE id = 1",
                    )?
                    .execute((&*handle, birth_us))?;
                Ok(None)
            }
            Op::SyncSeen(cursor) => {
                connection
                    .prepare_cached("UPDATE checkpoint SET sync_seen = ?1 WHERE id = 1")?
                    .execute([&*cursor.0])?;
                Ok(None)
            }
            Op::SyncAcked(cursor) => {
                connection
                    .prepare_cached("UPDATE checkpoint SET sync_acked = ?1 WHERE id = 1")?
                    .execute([&*cursor.0])?;
                Ok(None)
            }
            Op::Reconciled { at_us } => {
                connection
                    .prepare_cached("UPDATE checkpoint SET reconciled_us = ?1 WHERE id = 1")?
                    .execute([at_us])?;
                Ok(None)
            }
            Op::OutboxInsert { draft, sending } => {
                report.inserted = Some(self.insert_draft(connection, &draft, sending)?);
                Ok(None)
            }
            Op::OutboxSending { id } => {
                connection
                    .prepare_cached(
                        "UPDATE outbox SET state = 'sending', attempts = attempts + 1,
                             next_attempt_us = NULL
                         WHERE id = ?1",
                    )?
                    .execute([id.cast_signed()])?;
                Ok(None)
            }
            Op::OutboxQueued {
                id,
                ambiguous,
                poison,
                next_attempt_us,
                told,
                error,
            } => {
                connection
                    .prepare_cached(
                        "UPDATE outbox SET state = 'queued', ambiguous = ?2, poison = ?3,
                             next_attempt_us = ?4, told = ?5, error = ?6
                         WHERE id = ?1",
                    )?
                    .execute((
                        id.cast_signed(),
                        ambiguous,
                        poison,
                        next_attempt_us,
                        told,
                        &*error,
                    ))?;
                Ok(None)
            }
            Op::OutboxWoken {
                id,
                next_attempt_us,
            } => steering::wake(connection, id, next_attempt_us).map(|()| None),
            Op::OutboxRevived {
                id,
                next_attempt_us,
                expires_us,
            } => {
                report.revived = steering::revive(connection, id, next_attempt_us, expires_us)?;
                Ok(None)
            }
            Op::OutboxSetAside { id } => self.set_aside(connection, id),
            Op::OutboxSent {
                id,
                message_id,
                message,
                replayed,
                backlog,
            } => {
                connection
                    .prepare_cached(
                        "UPDATE outbox SET state = 'sent', message = ?2, message_id = ?3,
                             replayed = ?4, backlog = ?5, next_attempt_us = NULL, error = NULL
                         WHERE id = ?1",
                    )?
                    .execute((
                        id.cast_signed(),
                        &*message,
                        &*message_id,
                        replayed,
                        backlog.as_deref(),
                    ))?;
                self.warn_of_backlog(connection, backlog)
            }
            Op::OutboxEnded { id, end, error } => self.ended(connection, id, end, &error),
        }
    }

    /// Appends an event unless its message id stands in the log; gives its offset where it is new.
    pub(super) fn append(
        &mut self,
        connection: &Connection,
        event: LogEvent,
    ) -> Result<Option<u64>, StoreError> {
        let offset = self.next_offset;
        let received_at_us = match event.received_at_us {
            0 => self.now_us.max(self.floor_us),
            parked => parked.max(self.floor_us),
        };
        let inserted = connection
            .prepare_cached(
                "INSERT INTO events (\"offset\", type, received_us, conversation_id, message_id,
                                     seq, source, late, sender, body)
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
                 WHERE NOT EXISTS (SELECT 1 FROM retired WHERE message_id = ?5)
                 ON CONFLICT (message_id) WHERE message_id IS NOT NULL DO NOTHING",
            )?
            .execute((
                offset.cast_signed(),
                &*event.kind,
                received_at_us,
                event.conversation_id.as_deref(),
                event.message_id.as_deref(),
                event.seq.map(u64::cast_signed),
                event.source,
                event.late,
                event.sender.as_deref(),
                &*event.payload,
            ))?;
        if inserted == 0 {
            self.duplicates += 1;
            return Ok(None);
        }
        self.next_offset += 1;
        self.bytes += event.payload.len() as u64 + ROW_BYTES;
        self.floor_us = received_at_us;
        self.events.push(Arc::new(LogEvent {
            offset,
            received_at_us,
            ..event
        }));
        Ok(Some(offset))
    }

    fn park(
        &self,
        connection: &Connection,
        row: &Row,
        own: bool,
        source: Source,
    ) -> Result<(), StoreError> {
        connection
            .prepare_cached(
                "INSERT INTO parked (message_id, type, received_us, conversation_id, seq, source,
                                     sender, joined, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT (message_id) DO NOTHING",
            )?
            .execute((
                &*row.message_id,
                message_kind(own),
                self.now_us,
                &*row.conversation_id,
                row.seq.unwrap_or(0).cast_signed(),
                source_name(source),
                row.sender.as_deref(),
                row.joined.as_deref(),
                &*row.body,
            ))?;
        Ok(())
    }

    fn unpark(
        &mut self,
        connection: &Connection,
        message_id: &Arc<str>,
    ) -> Result<Option<u64>, StoreError> {
        let event = connection
            .prepare_cached(
                "SELECT type, received_us, conversation_id, seq, source, sender, body
                 FROM parked WHERE message_id = ?1",
            )?
            .query_row([&**message_id], |row| {
                let text = |column| -> rusqlite::Result<Arc<str>> {
                    Ok(Arc::from(row.get_ref(column)?.as_str()?))
                };
                Ok(LogEvent {
                    kind: text(0)?,
                    received_at_us: row.get(1)?,
                    conversation_id: Some(text(2)?),
                    message_id: Some(Arc::clone(message_id)),
                    seq: Some(row.get::<_, i64>(3)?.cast_unsigned()),
                    source: source_of(&text(4)?),
                    sender: row.get::<_, Option<String>>(5)?.map(Arc::from),
                    payload: text(6)?,
                    ..LogEvent::default()
                })
            })
            .optional()?;
        let Some(event) = event else { return Ok(None) };
        connection
            .prepare_cached("DELETE FROM parked WHERE message_id = ?1")?
            .execute([&**message_id])?;
        self.append(connection, event)
    }

    fn insert_draft(
        &self,
        connection: &Connection,
        draft: &Draft,
        sending: bool,
    ) -> Result<Inserted, StoreError> {
        let (recipient, conversation) = match &draft.lane {
            Lane::To(handle) => (Some(&**handle), None),
            Lane::Conversation(id) => (None, Some(&**id)),
        };
        let inserted = connection
            .prepare_cached(
                "INSERT INTO outbox (client_msg_id, recipient, conversation_id, body, fingerprint,
                                     state, attempts, created_us, next_attempt_us, expires_us)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                 ON CONFLICT (client_msg_id) DO NOTHING",
            )?
            .execute((
                &*draft.client_msg_id,
                recipient,
                conversation,
                &*draft.body,
                &*draft.fingerprint,
                if sending { "sending" } else { "queued" },
                u32::from(sending),
                self.now_us,
                (!sending).then_some(self.now_us),
                draft.expires_us,
            ))?;
        if inserted > 0 {
            return Ok(Inserted::New(
                connection.last_insert_rowid().cast_unsigned(),
            ));
        }
        let (id, fingerprint): (i64, String) = connection
            .prepare_cached("SELECT id, fingerprint FROM outbox WHERE client_msg_id = ?1")?
            .query_row([&*draft.client_msg_id], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        Ok(Inserted::Known {
            id: id.cast_unsigned(),
            same: *fingerprint == *draft.fingerprint,
        })
    }

    fn warn_of_backlog(
        &mut self,
        connection: &Connection,
        backlog: Option<Arc<str>>,
    ) -> Result<Option<u64>, StoreError> {
        let Some(payload) = backlog else {
            return Ok(None);
        };
        let kind = "backlog.warning".into();
        let event = LogEvent {
            kind,
            payload,
            source: source::LOCAL,
            ..LogEvent::default()
        };
        self.append(connection, event)
    }

    fn ended(
        &mut self,
        connection: &Connection,
        id: u64,
        end: SendEnd,
        error: &str,
    ) -> Result<Option<u64>, StoreError> {
        let client_msg_id: Option<String> = connection
            .prepare_cached(
                "UPDATE outbox SET state = ?2, error = coalesce(nullif(?3, 'null'), error),
                     next_attempt_us = NULL
                 WHERE id = ?1 RETURNING client_msg_id",
            )?
            .query_row((id.cast_signed(), render::state(end), error), |row| {
                row.get(0)
            })
            .optional()?;
        let Some(client_msg_id) = client_msg_id else {
            return Ok(None);
        };
        self.log_end(connection, &client_msg_id, id, end, error)
    }
}

fn message(row: Row, own: bool, source: &'static str, late: bool) -> LogEvent {
    LogEvent {
        kind: message_kind(own).into(),
        conversation_id: Some(row.conversation_id),
        message_id: Some(row.message_id),
        seq: row.seq,
        source,
        late,
        sender: row.sender,
        payload: row.body,
        ..LogEvent::default()
    }
}

fn message_kind(own: bool) -> &'static str {
    if own { "message.sent" } else { "message.new" }
}

fn offset_of(connection: &Connection, message_id: &str) -> Result<Option<u64>, StoreError> {
    let offset: Option<i64> = connection
        .prepare_cached("SELECT \"offset\" FROM events WHERE message_id = ?1")?
        .query_row([message_id], |row| row.get(0))
        .optional()?;
    Ok(offset.map(i64::cast_unsigned))
}

fn source_name(from: Source) -> &'static str {
    match from {
        Source::Live => source::LIVE,
        Source::Sync => source::SYNC,
        Source::GapFill => source::GAP_FILL,
        Source::Reconcile => source::RECONCILE,
        Source::Local => source::LOCAL,
    }
}

/// The static name of a source as it stands in the database.
pub(super) fn source_of(text: &str) -> &'static str {
    [
        source::LIVE,
        source::SYNC,
        source::GAP_FILL,
        source::RECONCILE,
    ]
    .into_iter()
    .find(|name| *name == text)
    .unwrap_or(source::LOCAL)
}
