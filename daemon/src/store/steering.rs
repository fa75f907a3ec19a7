//! What callers ask of outbox entries: revive one that ended, set one aside, try one now.
//!
//! Each step names the states in which it may happen, so that it does nothing where another
//! caller was faster.

use agentchatd_engine::{OutboxRecord, SendEnd};
use rusqlite::{Connection, OptionalExtension};

use super::{apply::Batch, error::StoreError, render, snapshot};
use crate::event::{LogEvent, source};

/// The next attempt is due at this time.
pub(super) fn wake(
    connection: &Connection,
    id: u64,
    next_attempt_us: i64,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE outbox SET next_attempt_us = ?2 WHERE id = ?1 AND state = 'queued'",
        )?
        .execute((id.cast_signed(), next_attempt_us))?;
    Ok(())
}

/// Puts an entry that ended without a message back in line, behind all others.
pub(super) fn revive(
    connection: &Connection,
    id: u64,
    next_attempt_us: i64,
    expires_us: i64,
) -> Result<Option<OutboxRecord>, StoreError> {
    let revived = connection
        .prepare_cached(
            "UPDATE outbox SET state = 'queued', ambiguous = ambiguous OR state = 'unknown',
                 poison = 0, told = 0, next_attempt_us = ?2, expires_us = ?3,
                 place = 1 + (SELECT seq FROM sqlite_sequence WHERE name = 'outbox')
             WHERE id = ?1 AND state IN ('failed', 'expired', 'unknown')",
        )?
        .execute((id.cast_signed(), next_attempt_us, expires_us))?;
    if revived == 0 {
        return Ok(None);
    }
    // The number is used up: no entry of later is given it.
    connection
        .prepare_cached("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'outbox'")?
        .execute([])?;
    let record = connection
        .prepare_cached(snapshot::ONE_ENTRY)?
        .query_row([id.cast_signed()], snapshot::entry)
        .optional()?;
    // It is the caller's choice to try again, so the time in which the platform is trusted to know
    // the id begins anew.
    Ok(record.map(|record| OutboxRecord {
        accepted_us: next_attempt_us,
        ..record
    }))
}

impl Batch {
    /// Calls an entry cancelled that surely ended without a message.
    pub(super) fn set_aside(
        &mut self,
        connection: &Connection,
        id: u64,
    ) -> Result<Option<u64>, StoreError> {
        let set_aside: Option<(String, Option<String>)> = connection
            .prepare_cached(
                "UPDATE outbox SET state = 'cancelled'
                 WHERE id = ?1 AND state IN ('failed', 'expired')
                 RETURNING client_msg_id, error",
            )?
            .query_row([id.cast_signed()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((client_msg_id, error)) = set_aside else {
            return Ok(None);
        };
        let error = error.as_deref().unwrap_or("null");
        self.log_end(connection, &client_msg_id, id, SendEnd::Cancelled, error)
    }

    /// Appends the `message.failed` of an entry.
    pub(super) fn log_end(
        &mut self,
        connection: &Connection,
        client_msg_id: &str,
        id: u64,
        end: SendEnd,
        error: &str,
    ) -> Result<Option<u64>, StoreError> {
        let event = LogEvent {
            kind: "message.failed".into(),
            payload: render::failed(client_msg_id, id, end, error),
            source: source::LOCAL,
            ..LogEvent::default()
        };
        self.append(connection, event)
    }
}
