//! What an image must hold.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::load::{Fact, Told};

/// Facts that an image does not bear out.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    pub(crate) lost: Vec<Fact>,
    /// Facts that were looked up.
    pub(crate) checked: usize,
}

/// Writes the files of an image into a folder.
pub(crate) fn lay_out(files: &BTreeMap<PathBuf, Vec<u8>>, state: &Path, folder: &Path) {
    fs::create_dir_all(folder).expect("a folder can be made");
    for (path, bytes) in files {
        if let Ok(name) = path.strip_prefix(state) {
            fs::write(folder.join(name), bytes).expect("it can be written");
        }
    }
}

/// Opens the database of an image as SQLite does after a power cut, and looks up everything that
/// had been told before it.
pub(crate) fn judge(folder: &Path, told: &[Told], cut: usize) -> Losses {
    let held = Held::of(&folder.join("state.db"));
    let mut losses = Losses::default();
    for told in told.iter().filter(|told| told.records <= cut) {
        losses.checked += 1;
        let stands = match &told.fact {
            Fact::Acknowledged(id) => held.messages.contains(id),
            Fact::Accepted(id) => held.sends.contains(id),
            Fact::Done(offset) => held.acked >= *offset,
            Fact::Given(offset, id) => held.offsets.get(offset) == Some(id),
        };
        if !stands {
            losses.lost.push(told.fact.clone());
        }
    }
    losses
}

/// What a database holds of what facts speak of.
#[derive(Debug, Default)]
struct Held {
    messages: BTreeSet<String>,
    offsets: BTreeMap<u64, String>,
    sends: BTreeSet<String>,
    acked: u64,
}

impl Held {
    fn of(database: &Path) -> Self {
        if !database.exists() {
            return Self::default();
        }
        let connection = Connection::open(database).expect("it opens");
        // The image is a copy: nothing of it needs to last.
        connection
            .pragma_update(None, "synchronous", "OFF")
            .expect("a setting");
        let sound: String = connection
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap_or_else(|error| panic!("{}: {error}", database.display()));
        assert_eq!(sound, "ok", "{}", database.display());
        let tables: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .expect("it can be read");
        if tables == 0 {
            return Self::default();
        }
        let offsets: BTreeMap<u64, String> = rows(
            &connection,
            "SELECT \"offset\", message_id FROM events WHERE message_id IS NOT NULL",
            |row| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?)),
        )
        .into_iter()
        .collect();
        let parked = rows(&connection, "SELECT message_id FROM parked", |row| {
            row.get(0)
        });
        Self {
            messages: offsets.values().cloned().chain(parked).collect(),
            offsets,
            sends: rows(&connection, "SELECT client_msg_id FROM outbox", |row| {
                row.get(0)
            })
            .into_iter()
            .collect(),
            acked: rows(&connection, "SELECT acked FROM consumers", |row| {
                row.get::<_, i64>(0)
            })
            .first()
            .map_or(0, |acked| acked.cast_unsigned()),
        }
    }
}

fn rows<T>(
    connection: &Connection,
    sql: &str,
    read: fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Vec<T> {
    let mut statement = connection.prepare(sql).expect("the table is there");
    let rows = statement.query_map([], read).expect("it can be read");
    rows.collect::<Result<_, _>>().expect("rows are whole")
}
