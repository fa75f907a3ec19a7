//! What a database held before the program of today saw it, read by SQL alone.

use crate::{Version, copy};
use rusqlite::Connection;
use serde_json::Value;
use std::path::Path;

/// The content of an old database.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Past {
    pub(crate) schema: u32,
    pub(crate) events: Vec<Event>,
    pub(crate) consumers: Vec<Consumer>,
    /// `client_msg_id` and state of each entry, in the order of their ids.
    pub(crate) outbox: Vec<(String, String)>,
    /// The messages behind a hole.
    pub(crate) parked: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) offset: i64,
    pub(crate) kind: String,
    pub(crate) sender: Option<String>,
    pub(crate) body: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Consumer {
    pub(crate) name: String,
    pub(crate) filter: Option<Value>,
    pub(crate) acked: i64,
    pub(crate) given: i64,
}

impl Past {
    /// Reads a copy of its own, for reading folds the WAL in.
    pub(crate) fn of(version: &Version) -> Self {
        let dir = tempfile::tempdir().expect("a folder can be made");
        copy(version, dir.path());
        Self::read(&open(&dir.path().join("state.db")))
    }

    /// What a database holds, of whatever version.
    pub(crate) fn read(connection: &Connection) -> Self {
        Self {
            schema: schema(connection),
            events: rows(
                connection,
                "SELECT \"offset\", type, sender, body FROM events ORDER BY \"offset\"",
                |row| {
                    Ok(Event {
                        offset: row.get(0)?,
                        kind: row.get(1)?,
                        sender: row.get(2)?,
                        body: row.get(3)?,
                    })
                },
            ),
            consumers: rows(
                connection,
                "SELECT name, filter, acked, given FROM consumers ORDER BY name",
                |row| {
                    let filter: Option<String> = row.get(1)?;
                    Ok(Consumer {
                        name: row.get(0)?,
                        filter: filter
                            .map(|text| serde_json::from_str(&text).expect("a filter is JSON")),
                        acked: row.get(2)?,
                        given: row.get(3)?,
                    })
                },
            ),
            outbox: rows(
                connection,
                "SELECT client_msg_id, state FROM outbox ORDER BY id",
                |row| Ok((row.get(0)?, row.get(1)?)),
            ),
            parked: rows(
                connection,
                "SELECT message_id FROM parked ORDER BY seq",
                |row| row.get(0),
            ),
        }
    }
}

impl Consumer {
    /// Whether its filter lets an event through; of what filters can say, what the fixtures' do.
    pub(crate) fn wants(&self, event: &Event) -> bool {
        let Some(filter) = &self.filter else {
            return true;
        };
        let is_listed = |name: &str, value: Option<&str>| {
            let list = filter.get(name).and_then(Value::as_array);
            list.is_none_or(|list| list.iter().any(|one| one.as_str() == value))
        };
        is_listed("types", Some(&event.kind)) && is_listed("senders", event.sender.as_deref())
    }
}

/// Opens a database that is there.
pub(crate) fn open(path: &Path) -> Connection {
    Connection::open(path).expect("a database")
}

/// What a database says of its schema.
pub(crate) fn schema(connection: &Connection) -> u32 {
    connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .expect("every database has a version")
}

fn rows<T>(
    connection: &Connection,
    query: &str,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Vec<T> {
    let mut statement = connection.prepare(query).expect("the tables are there");
    let rows = statement.query_map([], read).expect("it can be read");
    rows.map(|row| row.expect("of these types")).collect()
}
