//! Removing what the log need not keep, a few rows at a time.
//!
//! The old end of the log goes event by event as the engine's rule says
//! ([`agentchatd_engine::RetentionBounds`]); ids of removed messages are remembered for as long as a
//! million younger ones have not been removed, so that nothing comes back under a new offset. Ended
//! sends go by age. What is free in the file afterwards is given back to the file system in steps
//! of their own.

use std::{collections::BTreeSet, time::Instant};

use agentchatd_client::types::{LogTruncated, kind};
use agentchatd_engine::{Fate, Oldest, RetentionBounds};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::{apply::Batch, error::StoreError, render};
use crate::{
    event::{LogEvent, source},
    failpoint,
};

/// What one step may do.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// What is to be kept.
    pub bounds: RetentionBounds,
    /// The time by which ages are judged, microseconds since the epoch.
    pub now_us: i64,
    /// Rows to remove, at most.
    pub rows: u32,
}

/// What it did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stepped {
    /// Events and ended sends that are gone.
    pub removed: u64,
    /// How long the writer was held, microseconds.
    pub took_us: u64,
    /// Consumers that lost events which they had not acknowledged; told once, with the event in
    /// the log, when nothing more is to be removed.
    pub robbed: Vec<String>,
}

/// The old end of the log, as far as it goes.
#[derive(Debug, Default)]
struct Cut {
    last: u64,
    events: u64,
    bytes: u64,
    /// Offsets among them that a consumer had not acknowledged.
    unacked: Option<(u64, u64)>,
}

/// One step, in a transaction of its own. The events that it logged come with what it did.
pub(super) fn step(
    connection: &mut Connection,
    step: &Step,
) -> Result<(Stepped, Vec<std::sync::Arc<LogEvent>>), StoreError> {
    let begun = Instant::now();
    let cut = plan(connection, step)?;
    let entries = if cut.events < u64::from(step.rows) {
        ended_sends(connection, step, step.rows - small(cut.events))?
    } else {
        Vec::new()
    };
    let mut stepped = Stepped {
        removed: cut.events + entries.len() as u64,
        ..Stepped::default()
    };
    let untold = if stepped.removed == 0 {
        dropped(connection)?
    } else {
        None
    };
    if stepped.removed == 0 && untold.is_none() {
        return Ok((stepped, Vec::new()));
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if cut.events > 0 {
        remove(&transaction, &cut)?;
    }
    for id in &entries {
        transaction
            .prepare_cached("DELETE FROM outbox WHERE id = ?1")?
            .execute([id])?;
    }
    let mut logged = Vec::new();
    if let Some(range) = untold {
        (stepped.robbed, logged) = tell(&transaction, range)?;
    }
    failpoint::reach("retention-step");
    transaction.commit()?;
    failpoint::reach("retention-stepped");
    stepped.took_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    Ok((stepped, logged))
}

/// How far the log may be cut, by a look at its oldest rows.
fn plan(connection: &Connection, step: &Step) -> Result<Cut, StoreError> {
    let mut log_bytes: u64 = connection
        .prepare_cached("SELECT log_bytes FROM checkpoint WHERE id = 1")?
        .query_row([], |row| row.get::<_, i64>(0))?
        .cast_unsigned();
    let acked_by_all = connection
        .prepare_cached("SELECT min(acked) FROM consumers")?
        .query_row([], |row| row.get::<_, Option<i64>>(0))?
        .map_or(u64::MAX, i64::cast_unsigned);
    let mut statement = connection.prepare_cached(OLDEST)?;
    let mut rows = statement.query([step.rows])?;
    let mut cut = Cut::default();
    while let Some(row) = rows.next()? {
        let oldest = Oldest {
            offset: row.get::<_, i64>(0)?.cast_unsigned(),
            received_us: row.get(1)?,
            log_bytes,
        };
        match step.bounds.fate(oldest, acked_by_all, step.now_us) {
            Fate::Keep => break,
            Fate::Remove => {}
            Fate::RemoveUnacked => {
                let first = cut.unacked.map_or(oldest.offset, |(first, _)| first);
                cut.unacked = Some((first, oldest.offset));
            }
        }
        let weight = row.get::<_, i64>(2)?.cast_unsigned() + ROW_BYTES;
        log_bytes = log_bytes.saturating_sub(weight);
        cut.last = oldest.offset;
        cut.events += 1;
        cut.bytes += weight;
    }
    Ok(cut)
}

fn remove(connection: &Connection, cut: &Cut) -> Result<(), StoreError> {
    let last = cut.last.cast_signed();
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO retired (\"offset\", message_id)
             SELECT \"offset\", message_id FROM events
             WHERE \"offset\" <= ?1 AND message_id IS NOT NULL",
        )?
        .execute([last])?;
    connection
        .prepare_cached("DELETE FROM events WHERE \"offset\" <= ?1")?
        .execute([last])?;
    connection
        .prepare_cached("DELETE FROM retired WHERE \"offset\" <= ?1")?
        .execute([last.saturating_sub(RETIRED_KEPT)])?;
    let (first_dropped, last_dropped) = cut.unacked.unzip();
    connection
        .prepare_cached(
            "UPDATE checkpoint SET log_bytes = max(log_bytes - ?1, 0),
                 dropped_first = coalesce(dropped_first, ?2), dropped_last = coalesce(?3, dropped_last)
             WHERE id = 1",
        )?
        .execute((
            cut.bytes.cast_signed(),
            first_dropped.map(u64::cast_signed),
            last_dropped.map(u64::cast_signed),
        ))?;
    Ok(())
}

/// Sends that ended and are older than the log may be; the oldest of each state first.
fn ended_sends(connection: &Connection, step: &Step, limit: u32) -> Result<Vec<i64>, StoreError> {
    let before = step.now_us.saturating_sub(step.bounds.max_age_us);
    let mut statement = connection.prepare_cached(ENDED)?;
    let mut old = Vec::new();
    for state in ENDS {
        let mut rows = statement.query((state, limit))?;
        while let Some(row) = rows.next()? {
            if row.get::<_, i64>(1)? >= before || old.len() >= limit as usize {
                break;
            }
            old.push(row.get(0)?);
        }
    }
    Ok(old)
}

/// What was removed unacknowledged and is not told of in the log yet.
fn dropped(connection: &Connection) -> Result<Option<(u64, u64)>, StoreError> {
    let range: (Option<i64>, Option<i64>) = connection
        .prepare_cached("SELECT dropped_first, dropped_last FROM checkpoint WHERE id = 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .unwrap_or_default();
    let (Some(first), Some(last)) = range else {
        return Ok(None);
    };
    Ok(Some((first.cast_unsigned(), last.cast_unsigned())))
}

/// Logs `log.truncated`, and names the consumers that it concerns.
fn tell(
    connection: &Connection,
    (first, last): (u64, u64),
) -> Result<(Vec<String>, Vec<std::sync::Arc<LogEvent>>), StoreError> {
    let robbed: BTreeSet<String> = connection
        .prepare_cached("SELECT name FROM consumers WHERE acked < ?1")?
        .query_map([last.cast_signed()], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let robbed: Vec<String> = robbed.into_iter().collect();
    connection
        .prepare_cached(
            "UPDATE checkpoint SET dropped_first = NULL, dropped_last = NULL WHERE id = 1",
        )?
        .execute([])?;
    let mut batch = Batch::begin(connection)?;
    batch.append(
        connection,
        LogEvent {
            kind: kind::LOG_TRUNCATED.into(),
            payload: render::truncated(&LogTruncated {
                first_offset: first,
                last_offset: last,
                consumers: robbed.iter().take(NAMED).cloned().collect(),
            }),
            source: source::LOCAL,
            ..LogEvent::default()
        },
    )?;
    batch.finish(connection)?;
    Ok((robbed, batch.events))
}

/// Gives free pages back to the file system, so many at most; how many are left. The file itself
/// shrinks with the next checkpoint.
pub(super) fn shrink(connection: &Connection, pages: u32) -> Result<FreePages, StoreError> {
    let count = |pragma: &str| -> rusqlite::Result<u64> {
        let sql = format!("PRAGMA {pragma}");
        let count: i64 = connection
            .prepare_cached(&sql)?
            .query_row([], |row| row.get(0))?;
        Ok(count.cast_unsigned())
    };
    if pages > 0 {
        // A row comes for each page: only who takes them all has them all freed.
        let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
    }
    Ok(FreePages {
        free: count("freelist_count")?,
        all: count("page_count")?,
    })
}

/// Pages of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreePages {
    /// Those that hold nothing.
    pub free: u64,
    /// All of them.
    pub all: u64,
}

fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// What a row weighs beside its body. The migration to schema 3 has the same number.
pub(super) const ROW_BYTES: u64 = 160;
/// Offsets for which the ids of removed messages are remembered.
const RETIRED_KEPT: i64 = 1_000_000;
/// Names in one event, at most.
const NAMED: usize = 100;
/// The states of sends that are over.
const ENDS: [&str; 5] = ["sent", "failed", "expired", "unknown", "cancelled"];
pub(super) const OLDEST: &str = "SELECT \"offset\", received_us, octet_length(body) FROM events
     ORDER BY \"offset\" LIMIT ?1";
pub(super) const ENDED: &str =
    "SELECT id, created_us FROM outbox WHERE state = ?1 ORDER BY id LIMIT ?2";
