//! What the engine is made of at start.

use std::sync::Arc;

use agentchatd_engine::{ConversationRecord, Lane, OutboxRecord, ParkedRecord, SeqSet, Snapshot};
use rusqlite::{Connection, Row};

use super::error::StoreError;

/// The state on disk.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// For the engine.
    pub engine: Snapshot,
    /// The last delivery id of a stored sync page, as JSON text.
    pub sync_seen: Option<String>,
    /// The last delivery id that the platform was told of, as JSON text.
    pub sync_acked: Option<String>,
    /// The last offset given out.
    pub last_offset: u64,
}

pub(super) fn load(connection: &Connection) -> Result<Loaded, StoreError> {
    let (handle, birth_us, sync_seen, sync_acked, reconciled_us) = connection.query_row(
        "SELECT handle, birth_us, sync_seen, sync_acked, reconciled_us FROM checkpoint WHERE id = 1",
        [],
        |row| {
            let handle: Option<String> = row.get(0)?;
            let birth: Option<i64> = row.get(1)?;
            Ok((handle, birth, row.get(2)?, row.get(3)?, row.get(4)?))
        },
    )?;
    let last: i64 = connection.query_row(
        "SELECT last_offset FROM checkpoint WHERE id = 1",
        [],
        |row| row.get(0),
    )?;
    let engine = Snapshot {
        bound: handle.map(Arc::from).zip(birth_us),
        conversations: conversations(connection)?,
        parked: rows(
            connection,
            "SELECT conversation_id, seq, message_id, joined FROM parked ORDER BY seq",
            parked,
        )?,
        outbox: rows(
            connection,
            "SELECT id, recipient, conversation_id, attempts, poison, ambiguous, state,
                    next_attempt_us, expires_us, told, created_us
             FROM outbox WHERE state IN ('queued', 'sending') ORDER BY coalesce(place, id)",
            entry,
        )?,
        reconciled_us,
    };
    Ok(Loaded {
        engine,
        sync_seen,
        sync_acked,
        last_offset: last.cast_unsigned(),
    })
}

pub(super) fn conversations(
    connection: &Connection,
) -> Result<Vec<ConversationRecord>, StoreError> {
    let sql = "SELECT id, frontier, anchor, top, holes FROM conversations";
    rows(connection, sql, conversation)
}

fn rows<T>(
    connection: &Connection,
    sql: &str,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn conversation(row: &Row<'_>) -> rusqlite::Result<ConversationRecord> {
    let id: String = row.get(0)?;
    let holes: String = row.get(4)?;
    Ok(ConversationRecord {
        id: id.into(),
        frontier: row.get::<_, i64>(1)?.cast_unsigned(),
        anchor: row.get::<_, i64>(2)?.cast_unsigned(),
        top: row.get::<_, i64>(3)?.cast_unsigned(),
        holes: parse_holes(&holes),
    })
}

pub(super) fn keep_conversation(
    connection: &Connection,
    record: &ConversationRecord,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO conversations (id, frontier, anchor, top, holes)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (id) DO UPDATE SET frontier = excluded.frontier,
                 anchor = excluded.anchor, top = excluded.top, holes = excluded.holes",
        )?
        .execute((
            &*record.id,
            record.frontier.cast_signed(),
            record.anchor.cast_signed(),
            record.top.cast_signed(),
            holes_text(&record.holes),
        ))?;
    Ok(())
}

fn holes_text(holes: &SeqSet) -> String {
    let ranges: Vec<String> = holes
        .iter()
        .map(|(first, last)| format!("{first}-{last}"))
        .collect();
    ranges.join(",")
}

fn parse_holes(text: &str) -> SeqSet {
    text.split(',')
        .filter_map(|range| range.split_once('-'))
        .filter_map(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)))
        .collect()
}

fn parked(row: &Row<'_>) -> rusqlite::Result<ParkedRecord> {
    let conversation: String = row.get(0)?;
    let message: String = row.get(2)?;
    let joined: Option<String> = row.get(3)?;
    Ok(ParkedRecord {
        conversation_id: conversation.into(),
        seq: row.get::<_, i64>(1)?.cast_unsigned(),
        message_id: message.into(),
        joined: joined.map(Arc::from),
    })
}

pub(super) fn entry(row: &Row<'_>) -> rusqlite::Result<OutboxRecord> {
    let recipient: Option<String> = row.get(1)?;
    let conversation: Option<String> = row.get(2)?;
    let state: String = row.get(6)?;
    let ambiguous: bool = row.get(5)?;
    Ok(OutboxRecord {
        id: row.get::<_, i64>(0)?.cast_unsigned(),
        lane: recipient.map_or_else(
            || Lane::Conversation(conversation.unwrap_or_default().into()),
            |handle| Lane::To(handle.into()),
        ),
        attempts: row.get(3)?,
        poison: row.get(4)?,
        // An attempt that was under way when the daemon died may have landed.
        ambiguous: ambiguous || state == "sending",
        next_attempt_us: row.get::<_, Option<i64>>(7)?.unwrap_or(0),
        expires_us: row.get(8)?,
        told: row.get(9)?,
        accepted_us: row.get(10)?,
    })
}

/// The query of which [`entry`] reads a row.
pub(super) const ONE_ENTRY: &str =
    "SELECT id, recipient, conversation_id, attempts, poison, ambiguous, state,
            next_attempt_us, expires_us, told, created_us
     FROM outbox WHERE id = ?1";
