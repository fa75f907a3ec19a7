//! What bounds the daemon: the bare disk and the bare socket, with nothing of ours in between.

use rusqlite::{Connection, OpenFlags, params};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A row of the log, as the daemon stored it.
#[derive(Debug)]
pub(crate) struct Row {
    conversation: String,
    message: String,
    seq: i64,
    sender: String,
    body: String,
}

/// The messages in a daemon's database.
pub(crate) fn rows_of(database: &Path) -> io::Result<Vec<Row>> {
    let read = || -> rusqlite::Result<Vec<Row>> {
        let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let mut statement = connection.prepare(
            "SELECT conversation_id, message_id, seq, sender, body FROM events
             WHERE type = 'message.new' ORDER BY \"offset\"",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(Row {
                conversation: row.get(0)?,
                message: row.get(1)?,
                seq: row.get(2)?,
                sender: row.get(3)?,
                body: row.get(4)?,
            })
        })?;
        rows.collect()
    };
    read().map_err(io::Error::other)
}

/// A bare database: what the daemon's log is, with nothing around it. Each commit has its fsync.
#[derive(Debug)]
pub(crate) struct Disk {
    connection: Connection,
    offset: i64,
    // Removed last.
    _dir: TempDir,
}

impl Disk {
    pub(crate) fn open(dir: &Path) -> io::Result<Self> {
        let dir = tempfile::Builder::new().prefix("bench-").tempdir_in(dir)?;
        let open = || -> rusqlite::Result<Connection> {
            let connection = Connection::open(dir.path().join("bare.db"))?;
            connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.execute_batch(
                "CREATE TABLE events (
                     \"offset\" INTEGER PRIMARY KEY, type TEXT NOT NULL,
                     received_us INTEGER NOT NULL, conversation_id TEXT, message_id TEXT,
                     seq INTEGER, source TEXT NOT NULL, late INTEGER NOT NULL, sender TEXT,
                     body TEXT NOT NULL) STRICT;
                 CREATE UNIQUE INDEX events_message ON events (message_id);",
            )?;
            Ok(connection)
        };
        let connection = open().map_err(io::Error::other)?;
        Ok(Self {
            connection,
            offset: 0,
            _dir: dir,
        })
    }

    /// A bare loop of inserts, so many rows a commit: rows/s.
    pub(crate) fn inserts(&mut self, rows: &[Row], rows_per_commit: usize) -> io::Result<f64> {
        let begun = Instant::now();
        for group in rows.chunks(rows_per_commit) {
            self.commit(group).map_err(io::Error::other)?;
        }
        Ok(rows.len() as f64 / begun.elapsed().as_secs_f64())
    }

    /// Commits of one row at a pace, as messages come one at a time: seconds of each.
    pub(crate) fn single_commits(&mut self, count: u32, pace: Duration) -> io::Result<Vec<f64>> {
        at_a_pace(count, pace, || {
            let row = Row {
                conversation: "conv_0123456789abcdef".to_owned(),
                message: format!("msg_{:016}", self.offset),
                seq: self.offset,
                sender: "peer".to_owned(),
                body: "x".repeat(BODY_BYTES),
            };
            let begun = Instant::now();
            self.commit(&[row]).map_err(io::Error::other)?;
            Ok(begun.elapsed().as_secs_f64())
        })
    }

    fn commit(&mut self, rows: &[Row]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        {
            let mut statement = transaction.prepare_cached(
                "INSERT INTO events (\"offset\", type, received_us, conversation_id, message_id,
                                     seq, source, late, sender, body)
                 VALUES (?1, 'message.new', ?2, ?3, ?4, ?5, 'sync', 0, ?6, ?7)",
            )?;
            for row in rows {
                self.offset += 1;
                statement.execute(params![
                    self.offset,
                    RECEIVED_US,
                    row.conversation,
                    row.message,
                    row.seq,
                    row.sender,
                    row.body,
                ])?;
            }
        }
        transaction.commit()
    }
}

fn at_a_pace(
    count: u32,
    pace: Duration,
    mut step: impl FnMut() -> io::Result<f64>,
) -> io::Result<Vec<f64>> {
    let begun = Instant::now();
    (0..count)
        .map(|number| {
            sleep_until(begun + pace * number);
            step()
        })
        .collect()
}

/// A server that gives back what it is given, on a Unix socket, one thread.
#[derive(Debug)]
pub(crate) struct Echo {
    client: UnixStream,
    // Keeps the socket's file until the end.
    _dir: TempDir,
}

impl Echo {
    pub(crate) fn start(dir: &Path) -> io::Result<Self> {
        let dir = tempfile::Builder::new().prefix("bench-").tempdir_in(dir)?;
        let path = dir.path().join("echo.sock");
        let listener = UnixListener::bind(&path)?;
        thread::spawn(move || -> io::Result<()> {
            let (mut stream, _) = listener.accept()?;
            let mut buffer = vec![0; ECHO_BYTES];
            loop {
                let length = stream.read(&mut buffer)?;
                if length == 0 {
                    return Ok(());
                }
                stream.write_all(&buffer[..length])?;
            }
        });
        let client = UnixStream::connect(&path)?;
        Ok(Self { client, _dir: dir })
    }

    /// The client's end.
    pub(crate) fn client(&self) -> io::Result<UnixStream> {
        self.client.try_clone()
    }

    /// Lines at a pace: half the way there and back, seconds of each.
    pub(crate) fn hops(&self, count: u32, pace: Duration) -> io::Result<Vec<f64>> {
        let mut reader = BufReader::new(self.client()?);
        let line = format!("{}\n", "x".repeat(BODY_BYTES));
        let mut back = String::new();
        at_a_pace(count, pace, || {
            let begun = Instant::now();
            reader.get_mut().write_all(line.as_bytes())?;
            back.clear();
            reader.read_line(&mut back)?;
            Ok(begun.elapsed().as_secs_f64() / 2.0)
        })
    }
}

/// Sleeps until a moment of the schedule; at once where it has passed.
pub(crate) fn sleep_until(at: Instant) {
    let left = at.saturating_duration_since(Instant::now());
    if !left.is_zero() {
        thread::sleep(left);
    }
}

/// About what a message of the benchmark has.
const BODY_BYTES: usize = 700;
/// A time like any other.
const RECEIVED_US: i64 = 1_700_000_000_000_000;
/// Read by the echo server at a time.
const ECHO_BYTES: usize = 64 << 10;
