//! Saving what can be read of a damaged database into a new one.
//!
//! The damaged files are copied and never touched. Tables are walked by their keys: a damaged page
//! makes a range of rows unreadable, and the first readable row behind it is found by halving. What
//! is missing of a conversation is written down as holes, so that the daemon asks AgentChat's
//! history for it once it runs on the new database; such messages come as `late`.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use agentchatd_engine::{ConversationRecord, SeqSet};
use rusqlite::{Connection, types::Value};

use super::{
    error::StoreError,
    open::{Durability, FILE, make_private, migrate, prepare, refuse_newer},
    retention::ROW_BYTES,
    snapshot,
};

/// What was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// The new database.
    pub path: PathBuf,
    /// Events in it.
    pub events: u64,
    /// Events of the old one that could not be read.
    pub lost_events: u64,
    /// Rows of the other tables in it, by table.
    pub rows: Vec<(&'static str, u64)>,
    /// Messages that will be looked for in history.
    pub wanted: u64,
}

/// Makes `state.db.salvaged` beside a damaged `state.db`. Hold the state directory's lock.
///
/// # Errors
/// Not even the schema can be read, the new file is there already, or it cannot be written.
pub fn salvage(dir: &Path) -> Result<Salvaged, StoreError> {
    let damaged = dir.join(FILE);
    let target = dir.join(SALVAGED);
    if target.exists() {
        let text = format!("{} is there already: move it away", target.display());
        return Err(StoreError::Refused(text));
    }
    let work = tempfile::Builder::new()
        .prefix(".salvage-")
        .tempdir_in(dir)
        .map_err(unwritable)?;
    let copy = work.path().join("damaged.db");
    fs::copy(&damaged, &copy).map_err(unwritable)?;
    let log = |path: &Path| PathBuf::from(format!("{}-wal", path.display()));
    match fs::copy(log(&damaged), log(&copy)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unwritable(error)),
        _ => {}
    }
    let old = Connection::open(&copy)?;
    refuse_newer(&old, &damaged)?;
    let fresh = work.path().join("fresh.db");
    make_private(&fresh)?;
    let mut new = Connection::open(&fresh)?;
    prepare(&new, Durability::Full)?;
    migrate(&mut new)?;
    let transaction = new.transaction()?;
    let mut rows = Vec::new();
    for table in &TABLES {
        rows.push((table.name, copy_table(&old, &transaction, table)?));
    }
    let (events, lost_events) = weigh(&old, &transaction)?;
    let wanted = want(&transaction)?;
    transaction.commit()?;
    new.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    drop(new);
    fs::rename(&fresh, &target).map_err(unwritable)?;
    rows.retain(|(name, _)| *name != "events");
    Ok(Salvaged {
        path: target,
        events,
        lost_events,
        rows,
        wanted,
    })
}

/// A table and how it is walked.
struct Table {
    name: &'static str,
    /// A whole number by which rows can be halved; none where the key is text.
    number: Option<&'static str>,
    key: &'static str,
    /// Columns with JSON text.
    json: &'static [&'static str],
}

const TABLES: [Table; 6] = [
    Table::numbered("events", "\"offset\"", &["body"]),
    Table::numbered("outbox", "id", &["body"]),
    Table::numbered("retired", "\"offset\"", &[]),
    Table::named("parked", "message_id", &["body"]),
    Table::named("conversations", "id", &[]),
    Table::named("consumers", "name", &[]),
];

impl Table {
    const fn numbered(
        name: &'static str,
        key: &'static str,
        json: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            number: Some(key),
            key,
            json,
        }
    }

    const fn named(name: &'static str, key: &'static str, json: &'static [&'static str]) -> Self {
        Self {
            name,
            number: None,
            key,
            json,
        }
    }
}

/// Copies the rows that can be read; how many.
fn copy_table(old: &Connection, new: &Connection, table: &Table) -> Result<u64, StoreError> {
    let columns: Vec<String> = columns(new, table.name)?
        .into_iter()
        .filter(|column| has(old, table.name, column))
        .collect();
    if columns.is_empty() {
        return Ok(0);
    }
    let list: Vec<String> = columns.iter().map(|name| format!("\"{name}\"")).collect();
    let list = list.join(", ");
    let marks = vec!["?"; columns.len()].join(", ");
    let insert = format!(
        "INSERT OR IGNORE INTO {} ({list}) VALUES ({marks})",
        table.name
    );
    let json: Vec<usize> = table
        .json
        .iter()
        .filter_map(|name| columns.iter().position(|column| column == name))
        .collect();
    let mut saved = 0;
    let mut keep = |row: &[Value]| {
        let whole = json.iter().all(|&place| is_json(&row[place]));
        // What does not fit its column was never written by us.
        let fits = whole
            && new
                .prepare_cached(&insert)
                .and_then(|mut statement| statement.execute(rusqlite::params_from_iter(row)))
                .is_ok_and(|inserted| inserted > 0);
        saved += u64::from(fits);
    };
    let select = format!("SELECT {list} FROM {}", table.name);
    match table.number {
        Some(key) => by_number(old, &select, key, &mut keep),
        None => from_both_ends(old, &select, table.key, &mut keep),
    }
    Ok(saved)
}

/// Walks upwards; behind what cannot be read, the next readable row is found by halving. The key is
/// the first column.
fn by_number(old: &Connection, select: &str, key: &str, keep: &mut impl FnMut(&[Value])) {
    let forward = format!("{select} WHERE {key} > ?1 ORDER BY {key}");
    let one = format!("{forward} LIMIT 1");
    let readable = |after: i64| {
        old.query_row(&one, [after], |row| {
            values(row, row.as_ref().column_count()).ok_or(rusqlite::Error::InvalidQuery)
        })
        .is_ok()
    };
    let mut after = 0_i64;
    while let Some(last) = walk(old, &forward, after, keep) {
        // Doubling steps until a row can be read behind the damage, then back to its first one.
        let (mut deaf, mut step) = (last, 1_i64);
        let mut heard = loop {
            let there = last.saturating_add(step);
            if readable(there) {
                break there;
            }
            if step > FURTHEST {
                return;
            }
            (deaf, step) = (there, step.saturating_mul(2));
        };
        while heard - deaf > 1 {
            let middle = deaf + (heard - deaf) / 2;
            if readable(middle) {
                heard = middle;
            } else {
                deaf = middle;
            }
        }
        after = heard;
    }
}

/// Reads rows until the end (`None`) or until one cannot be read: the last key before it.
fn walk(old: &Connection, sql: &str, after: i64, keep: &mut impl FnMut(&[Value])) -> Option<i64> {
    let mut last = after;
    let Ok(mut statement) = old.prepare(sql) else {
        return Some(last);
    };
    let width = statement.column_count();
    let Ok(mut rows) = statement.query([after]) else {
        return Some(last);
    };
    loop {
        match rows.next() {
            Ok(None) => return None,
            Err(_) => return Some(last),
            Ok(Some(row)) => {
                let Some(values) = values(row, width) else {
                    return Some(last);
                };
                if let Value::Integer(number) = values[0] {
                    last = last.max(number);
                }
                keep(&values);
            }
        }
    }
}

/// Reads upwards to the first damage, then downwards to the last one.
fn from_both_ends(old: &Connection, select: &str, key: &str, keep: &mut impl FnMut(&[Value])) {
    for order in ["ASC", "DESC"] {
        let sql = format!("{select} ORDER BY {key} {order}");
        let Ok(mut statement) = old.prepare(&sql) else {
            continue;
        };
        let width = statement.column_count();
        let Ok(mut rows) = statement.query([]) else {
            continue;
        };
        loop {
            match rows.next() {
                Ok(None) => return,
                Err(_) => break,
                Ok(Some(row)) => {
                    if let Some(values) = values(row, width) {
                        keep(&values);
                    }
                }
            }
        }
    }
}

fn values(row: &rusqlite::Row<'_>, width: usize) -> Option<Vec<Value>> {
    (0..width).map(|place| row.get(place).ok()).collect()
}

fn is_json(value: &Value) -> bool {
    match value {
        Value::Text(text) => serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok(),
        _ => false,
    }
}

fn columns(connection: &Connection, table: &str) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
    let names = statement.query_map([table], |row| row.get(0))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}

fn has(connection: &Connection, table: &str, column: &str) -> bool {
    columns(connection, table).is_ok_and(|names| names.iter().any(|name| name == column))
}

/// Whose log it is, how far it goes and what it weighs; the events in it, and those that are missing.
fn weigh(old: &Connection, new: &Connection) -> Result<(u64, u64), StoreError> {
    // Where this row is gone too, the log itself tells whose it is and since when.
    let known: Option<(i64, Option<String>, Option<i64>)> = old
        .query_row(
            "SELECT last_offset, handle, birth_us FROM checkpoint WHERE id = 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .ok();
    let (first, last, count, bytes): (i64, i64, i64, i64) = new.query_row(
        &format!(
            "SELECT coalesce(min(\"offset\"), 0), coalesce(max(\"offset\"), 0), count(*),
                 coalesce(sum(octet_length(body) + {ROW_BYTES}), 0) FROM events"
        ),
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
    )?;
    let (told, handle, birth_us) = known.unwrap_or_default();
    let retired: i64 = new.query_row(
        "SELECT coalesce(max(\"offset\"), 0) FROM retired",
        [],
        |row| row.get(0),
    )?;
    let end = told.max(last).max(retired);
    new.execute(
        "UPDATE checkpoint SET last_offset = ?1, log_bytes = ?2,
             handle = coalesce(?3, (SELECT sender FROM events WHERE type = 'message.sent' LIMIT 1)),
             birth_us = coalesce(?4, (SELECT min(received_us) FROM events))
         WHERE id = 1",
        (end, bytes, handle, birth_us),
    )?;
    // What stood before the first event that is there may have been removed in order.
    let begin = if retired == 0 {
        1
    } else {
        first.min(retired + 1).max(1)
    };
    let should = if end == 0 { 0 } else { end - begin + 1 };
    Ok((
        count.cast_unsigned(),
        (should - count).max(0).cast_unsigned(),
    ))
}

/// Writes what is missing of each conversation down as holes; how many messages that are.
fn want(new: &Connection) -> Result<u64, StoreError> {
    let mut seqs: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut statement = new.prepare(
        "SELECT conversation_id, seq FROM events
         WHERE conversation_id IS NOT NULL AND message_id IS NOT NULL AND seq > 0
         UNION ALL SELECT conversation_id, seq FROM parked ORDER BY 1, 2",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let seq: i64 = row.get(1)?;
        seqs.entry(row.get(0)?)
            .or_default()
            .push(seq.cast_unsigned());
    }
    let was_cut: bool = new.query_row("SELECT EXISTS (SELECT 1 FROM retired)", [], |row| {
        row.get(0)
    })?;
    let mut known: BTreeMap<String, ConversationRecord> = snapshot::conversations(new)?
        .into_iter()
        .map(|record| (record.id.to_string(), record))
        .collect();
    let mut wanted = 0;
    for (id, seqs) in seqs {
        let (first, top) = (seqs[0], seqs[seqs.len() - 1]);
        let record = known.remove(&id).unwrap_or_else(|| ConversationRecord {
            id: id.as_str().into(),
            frontier: top,
            anchor: first - 1,
            top,
            holes: SeqSet::default(),
        });
        let from = if was_cut { first } else { record.anchor + 1 };
        let mut missing: Vec<(u64, u64)> = record.holes.iter().collect();
        let mut next = from;
        for seq in seqs.into_iter().chain([record.frontier + 1]) {
            if seq > next && next <= record.frontier {
                missing.push((next, (seq - 1).min(record.frontier)));
            }
            next = next.max(seq + 1);
        }
        let holes: SeqSet = missing.into_iter().collect();
        wanted += holes
            .iter()
            .map(|(first, last)| last - first + 1)
            .sum::<u64>();
        snapshot::keep_conversation(new, &ConversationRecord { holes, ..record })?;
    }
    Ok(wanted)
}

fn unwritable(error: io::Error) -> StoreError {
    StoreError::Io(error.to_string())
}

/// The new database's name in the state directory.
const SALVAGED: &str = "state.db.salvaged";
/// How far behind damage a readable row is looked for, in keys.
const FURTHEST: i64 = 1 << 40;
