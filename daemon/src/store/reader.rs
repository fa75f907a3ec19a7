//! Queries, on threads with connections of their own.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row};
use tokio::sync::{mpsc, oneshot};

use super::{
    apply::source_of,
    damage::Damage,
    error::StoreError,
    rows::{Attempt, ConsumerRow, Counts, OutboxName, OutboxRow, Recorded},
};
use crate::{event::LogEvent, failpoint};

type Query = Box<dyn FnOnce(&Connection) + Send>;

/// The handle to the reading threads.
#[derive(Debug, Clone)]
pub struct Reader {
    threads: Arc<[mpsc::Sender<Query>]>,
    next: Arc<AtomicUsize>,
    damage: Damage,
}

impl Reader {
    pub(super) fn start(damage: Damage) -> Result<Self, StoreError> {
        let mut threads = Vec::new();
        for n in 0..THREADS {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(damage.path(), flags)?;
            connection.busy_timeout(std::time::Duration::from_secs(5))?;
            let (sender, mut queries) = mpsc::channel::<Query>(QUERY_QUEUE);
            thread::Builder::new()
                .name(format!("store-reader-{n}"))
                .spawn(move || {
                    while let Some(query) = queries.blocking_recv() {
                        query(&connection);
                    }
                })
                .map_err(|error| StoreError::Io(error.to_string()))?;
            threads.push(sender);
        }
        Ok(Self {
            threads: threads.into(),
            next: Arc::default(),
            damage,
        })
    }

    /// Events with an offset above `after`, rising; at most `limit`, and about `max_bytes` of
    /// them, but one at least where there is one.
    pub async fn events(
        &self,
        after: u64,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<Arc<LogEvent>>, StoreError> {
        self.ask(move |connection| events(connection, after, limit, max_bytes))
            .await
    }

    /// The first offset kept (0 where there is none) and the last one given out.
    pub async fn bounds(&self) -> Result<(u64, u64), StoreError> {
        self.ask(bounds).await
    }

    /// The highest offset received before this time, 0 where there is none.
    pub async fn offset_before(&self, time_us: i64) -> Result<u64, StoreError> {
        self.ask(move |connection| offset_before(connection, time_us))
            .await
    }

    /// All durable consumers, by name.
    pub async fn consumers(&self) -> Result<Vec<ConsumerRow>, StoreError> {
        self.ask(|connection| {
            let sql = format!("SELECT {CONSUMER} FROM consumers ORDER BY name");
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map([], consumer)?;
            rows.collect()
        })
        .await
    }

    /// One durable consumer.
    pub async fn consumer(&self, name: &str) -> Result<Option<ConsumerRow>, StoreError> {
        let name = name.to_owned();
        self.ask(move |connection| {
            let sql = format!("SELECT {CONSUMER} FROM consumers WHERE name = ?1");
            connection
                .prepare_cached(&sql)?
                .query_row([name], consumer)
                .optional()
        })
        .await
    }

    /// Outbox entries with an id above `after`, rising.
    pub async fn outbox(
        &self,
        state: Option<String>,
        after: u64,
        limit: usize,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        self.ask(move |connection| {
            let by_state = if state.is_some() {
                "state = ?3 AND"
            } else {
                "?3 IS NULL AND"
            };
            let sql = format!(
                "SELECT {OUTBOX} FROM outbox WHERE {by_state} id > ?1 ORDER BY id LIMIT ?2"
            );
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map((after.cast_signed(), limit, state), outbox_row)?;
            rows.collect()
        })
        .await
    }

    /// How many outbox entries are in which state.
    pub async fn outbox_states(&self) -> Result<Vec<(String, u64)>, StoreError> {
        self.ask(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT state, count(*) FROM outbox GROUP BY state")?;
            let count = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?));
            let states = statement.query_map([], count)?;
            states
                .map(|state| state.map(|(name, entries)| (name, entries.cast_unsigned())))
                .collect()
        })
        .await
    }

    /// One entry of the outbox.
    pub async fn outbox_entry(&self, name: OutboxName) -> Result<Option<OutboxRow>, StoreError> {
        self.ask(move |connection| match name {
            OutboxName::Id(id) => one_entry(connection, "id = ?1", [id.cast_signed()]),
            OutboxName::ClientMsgId(id) => one_entry(connection, "client_msg_id = ?1", [id]),
        })
        .await
    }

    /// What the next attempt of an entry posts.
    pub async fn attempt(&self, id: u64) -> Result<Option<Attempt>, StoreError> {
        self.ask(move |connection| {
            connection
                .prepare_cached("SELECT client_msg_id, body, created_us FROM outbox WHERE id = ?1")?
                .query_row([id.cast_signed()], |row| {
                    Ok(Attempt {
                        client_msg_id: row.get(0)?,
                        body: row.get::<_, String>(1)?.into(),
                        created_at_us: row.get(2)?,
                    })
                })
                .optional()
        })
        .await
    }

    /// What is on record for an entry.
    pub async fn recorded(&self, id: u64) -> Result<Option<Recorded>, StoreError> {
        self.ask(move |connection| {
            let sql = format!(
                "SELECT {OUTBOX}, replayed, backlog,
                        (SELECT \"offset\" FROM events WHERE events.message_id = outbox.message_id)
                 FROM outbox WHERE id = ?1"
            );
            connection
                .prepare_cached(&sql)?
                .query_row([id.cast_signed()], |row| {
                    Ok(Recorded {
                        row: outbox_row(row)?,
                        replayed: row.get(11)?,
                        backlog: row.get::<_, Option<String>>(12)?.map(Arc::from),
                        offset: row.get::<_, Option<i64>>(13)?.map(i64::cast_unsigned),
                    })
                })
                .optional()
        })
        .await
    }

    /// Figures for `daemon.status`.
    pub async fn counts(&self) -> Result<Counts, StoreError> {
        let damage = self.damage.clone();
        self.ask(move |connection| {
            let (first_offset, last_offset) = bounds(connection)?;
            let count = |state: &str| -> rusqlite::Result<u64> {
                connection
                    .prepare_cached("SELECT count(*) FROM outbox WHERE state = ?1")?
                    .query_row([state], |row| row.get::<_, i64>(0))
                    .map(i64::cast_unsigned)
            };
            let oldest_queued_us = connection
                .prepare_cached(
                    "SELECT created_us FROM outbox WHERE state = 'queued' ORDER BY id LIMIT 1",
                )?
                .query_row([], |row| row.get(0))
                .optional()?;
            let failing: i64 = connection
                .prepare_cached(
                    "SELECT count(*) FROM outbox WHERE state = 'queued' AND error IS NOT NULL",
                )?
                .query_row([], |row| row.get(0))?;
            let log_bytes: i64 = connection
                .prepare_cached("SELECT log_bytes FROM checkpoint WHERE id = 1")?
                .query_row([], |row| row.get(0))?;
            let size = |path: &Path| std::fs::metadata(path).map_or(0, |meta| meta.len());
            Ok(Counts {
                first_offset,
                last_offset,
                log_bytes: log_bytes.cast_unsigned(),
                bytes: size(damage.path()) + size(&damage.path().with_extension("db-wal")),
                queued: count("queued")?,
                in_flight: count("sending")?,
                failed: count("failed")?,
                failing: failing.cast_unsigned(),
                oldest_queued_us,
            })
        })
        .await
    }

    /// Has a question answered out of one state of the database, however many queries it takes: what
    /// is committed between two of them must not show in the second alone.
    async fn ask<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.threads.len();
        let job: Query = Box::new(move |connection| {
            let answer = connection.unchecked_transaction().and_then(|state| {
                let answer = query(&state)?;
                // Nothing was written; ending it is all.
                state.commit()?;
                Ok(answer)
            });
            let _ = reply.send(answer);
        });
        self.threads[turn]
            .send(job)
            .await
            .map_err(|_| StoreError::Closed)?;
        let answer = answer.await.map_err(|_| StoreError::Closed)?;
        answer.map_err(|error| self.damage.note(error.into()))
    }
}

fn bounds(connection: &Connection) -> rusqlite::Result<(u64, u64)> {
    let first: Option<i64> = connection
        .prepare_cached("SELECT \"offset\" FROM events ORDER BY \"offset\" LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    failpoint::reach("bounds-begun");
    let last: i64 = connection
        .prepare_cached("SELECT last_offset FROM checkpoint WHERE id = 1")?
        .query_row([], |row| row.get(0))?;
    Ok((first.unwrap_or(0).cast_unsigned(), last.cast_unsigned()))
}

fn events(
    connection: &Connection,
    after: u64,
    limit: usize,
    max_bytes: usize,
) -> rusqlite::Result<Vec<Arc<LogEvent>>> {
    let mut statement = connection.prepare_cached(
        "SELECT \"offset\", type, received_us, conversation_id, message_id, seq, source, late,
                sender, body
         FROM events WHERE \"offset\" > ?1 ORDER BY \"offset\" LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query((after.cast_signed(), limit))?;
    let mut events = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let event = event(row)?;
        bytes += event.weight();
        if bytes > max_bytes && !events.is_empty() {
            break;
        }
        events.push(Arc::new(event));
    }
    Ok(events)
}

fn event(row: &Row<'_>) -> rusqlite::Result<LogEvent> {
    let text = |column| -> rusqlite::Result<Option<Arc<str>>> {
        Ok(row.get_ref(column)?.as_str_or_null()?.map(Arc::from))
    };
    Ok(LogEvent {
        offset: row.get::<_, i64>(0)?.cast_unsigned(),
        kind: text(1)?.unwrap_or_default(),
        received_at_us: row.get(2)?,
        conversation_id: text(3)?,
        message_id: text(4)?,
        seq: row.get::<_, Option<i64>>(5)?.map(i64::cast_unsigned),
        source: source_of(row.get_ref(6)?.as_str()?),
        late: row.get(7)?,
        sender: text(8)?,
        payload: text(9)?.unwrap_or_default(),
        ..LogEvent::default()
    })
}

/// When the last event of the log was received; 0 where there is none.
pub(super) fn last_received(connection: &Connection) -> rusqlite::Result<i64> {
    let last = connection
        .prepare_cached("SELECT received_us FROM events ORDER BY \"offset\" DESC LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(last.unwrap_or(0))
}

/// Offsets and times rise together, so the place of a time is found by halving.
fn offset_before(connection: &Connection, time_us: i64) -> rusqlite::Result<u64> {
    let (first, last) = bounds(connection)?;
    if first == 0 {
        return Ok(last);
    }
    let mut statement = connection.prepare_cached(
        "SELECT received_us FROM events WHERE \"offset\" >= ?1 ORDER BY \"offset\" LIMIT 1",
    )?;
    let (mut low, mut high) = (first, last + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let at: Option<i64> = statement
            .query_row([middle.cast_signed()], |row| row.get(0))
            .optional()?;
        if at.is_some_and(|at| at < time_us) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low - 1)
}

fn consumer(row: &Row<'_>) -> rusqlite::Result<ConsumerRow> {
    Ok(ConsumerRow {
        name: row.get(0)?,
        filter: row.get(1)?,
        acked: row.get::<_, i64>(2)?.cast_unsigned(),
        given: row.get::<_, i64>(3)?.cast_unsigned(),
        max_in_flight: row.get(4)?,
        created_at_us: row.get(5)?,
        last_seen_at_us: row.get(6)?,
    })
}

fn one_entry(
    connection: &Connection,
    which: &str,
    name: impl rusqlite::Params,
) -> rusqlite::Result<Option<OutboxRow>> {
    let sql = format!("SELECT {OUTBOX} FROM outbox WHERE {which}");
    connection
        .prepare_cached(&sql)?
        .query_row(name, outbox_row)
        .optional()
}

fn outbox_row(row: &Row<'_>) -> rusqlite::Result<OutboxRow> {
    Ok(OutboxRow {
        outbox_id: row.get::<_, i64>(0)?.cast_unsigned(),
        client_msg_id: row.get(1)?,
        state: row.get(2)?,
        to: row.get(3)?,
        conversation_id: row.get(4)?,
        attempts: row.get(5)?,
        created_at_us: row.get(6)?,
        next_attempt_at_us: row.get(7)?,
        expires_at_us: row.get(8)?,
        last_error: row.get(9)?,
        message: row.get::<_, Option<String>>(10)?.map(Arc::from),
    })
}

const CONSUMER: &str = "name, filter, acked, given, max_in_flight, created_us, last_seen_us";
const OUTBOX: &str = "id, client_msg_id, state, recipient, conversation_id, attempts, created_us,
                      next_attempt_us, expires_us, error, message";
/// Threads that read.
const THREADS: usize = 2;
/// Queries that may wait for one of them.
const QUERY_QUEUE: usize = 256;
