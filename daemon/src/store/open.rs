//! Opening the database: pragmas, migrations, and the refusal of what is newer than we are.

use std::{
    fs::OpenOptions,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, Transaction};
use rusqlite_migration::{M, Migrations};
use tokio::sync::mpsc;

use super::{
    damage::Damage,
    error::StoreError,
    jobs::{JOB_QUEUE, Writer},
    reader::Reader,
    snapshot::{Loaded, load},
    writer::{Committed, WriterThread},
};
use crate::failpoint;

/// When a commit counts as durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// After an fsync: survives a power cut.
    Full,
    /// SQLite's WAL default: survives a crash of the daemon, not one of the machine.
    Normal,
}

/// An open store.
#[derive(Debug)]
pub struct Store {
    /// Changes.
    pub writer: Writer,
    /// Queries.
    pub reader: Reader,
    /// What each commit did, in order. Never longer than the writer's queue.
    pub committed: mpsc::UnboundedReceiver<Committed>,
    /// What the database held when it was opened.
    pub loaded: Loaded,
    /// The database file.
    pub path: PathBuf,
}

impl Store {
    /// Opens or makes `state.db` in `dir` and starts its threads. Blocking.
    pub fn open(dir: &Path, durability: Durability) -> Result<Self, StoreError> {
        let path = dir.join(FILE);
        make_private(&path)?;
        let mut connection = Connection::open(&path)?;
        refuse_newer(&connection, &path)?;
        prepare(&connection, durability)?;
        migrate(&mut connection)?;
        may_shrink(&connection, &path)?;
        let loaded = load(&connection)?;
        let (committed_sender, committed) = mpsc::unbounded_channel();
        let (jobs, receiver) = mpsc::channel(JOB_QUEUE);
        let damage = Damage::none_of(&path, &committed_sender);
        WriterThread::start(connection, receiver, committed_sender, damage.clone())?;
        let reader = Reader::start(damage)?;
        Ok(Self {
            writer: Writer::new(jobs),
            reader,
            committed,
            loaded,
            path,
        })
    }
}

/// Makes the file readable by its owner alone before SQLite makes it by the umask; the WAL and the
/// shared memory take their mode from it.
pub(super) fn make_private(path: &Path) -> Result<(), StoreError> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(PRIVATE)
        .open(path)
        .map(|_| ())
        .map_err(|error| StoreError::Io(error.to_string()))
}

pub(super) fn refuse_newer(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > SCHEMA_VERSION {
        return Err(StoreError::Newer {
            path: path.into(),
            found,
            known: SCHEMA_VERSION,
        });
    }
    Ok(())
}

pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Migrations::new(steps())
        .to_latest(connection)
        .map_err(|error| match error {
            rusqlite_migration::Error::RusqliteError { err, .. } => err.into(),
            other => StoreError::Refused(other.to_string()),
        })?;
    if found < SCHEMA_VERSION {
        failpoint::reach("migrated");
    }
    Ok(())
}

/// Lets the file become shorter again. A database from before schema 3 has to be written anew for
/// that, once; where there is no room for it, it goes on as it is, and what is free in it is used again.
fn may_shrink(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let mode: u32 = connection.query_row("PRAGMA auto_vacuum", [], |row| row.get(0))?;
    if mode == INCREMENTAL {
        return Ok(());
    }
    tracing::info!(path = %path.display(), "the database is written anew, once, so that it can shrink");
    let rewritten = connection
        .pragma_update(None, "auto_vacuum", INCREMENTAL)
        .and_then(|()| connection.execute_batch("VACUUM"));
    match rewritten.map_err(StoreError::from) {
        Ok(()) => Ok(()),
        Err(error @ StoreError::Corrupt(_)) => Err(error),
        Err(error) => {
            tracing::warn!(%error, "the database stays as it is: its file cannot shrink");
            Ok(())
        }
    }
}

pub(super) fn prepare(connection: &Connection, durability: Durability) -> Result<(), StoreError> {
    // Of effect before the first page is written. In any other database it would be a write, and a
    // start on a full disk needs none.
    let pages: u32 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    if pages == 0 {
        connection.pragma_update(None, "auto_vacuum", INCREMENTAL)?;
    }
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Io(format!(
            "journal mode is {mode}: the file system lacks locks"
        )));
    }
    connection.pragma_update(
        None,
        "synchronous",
        match durability {
            Durability::Full => "FULL",
            Durability::Normal => "NORMAL",
        },
    )?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

/// Nobody but the owner.
const PRIVATE: u32 = 0o600;
/// The database's name in the state dir.
pub(super) const FILE: &str = "state.db";
/// A reader's checkpoint or a backup may hold the lock for a moment.
const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);
/// Statements kept prepared.
const STATEMENTS: usize = 64;

/// One file a step, never edited after a release.
pub(super) fn steps() -> Vec<M<'static>> {
    let reached = |_: &Transaction<'_>| {
        failpoint::reach("migrating");
        Ok(())
    };
    vec![
        M::up(include_str!("sql/0001_init.sql")),
        M::up(include_str!("sql/0002_outbox_steering.sql")),
        M::up_with_hook(include_str!("sql/0003_retention.sql"), reached),
    ]
}
/// What `user_version` says once every step has run.
pub(super) const SCHEMA_VERSION: u32 = 3;
/// `PRAGMA auto_vacuum`: free pages are given back when that is asked for.
const INCREMENTAL: u32 = 2;
