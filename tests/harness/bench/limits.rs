//! What bounds the daemon: the bare disk and the bare socket, with nothing of ours in between.

use crate::report::median;
use rusqlite::{Connection, OpenFlags, params};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

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

/// The same rows by a bare loop of inserts, so many a commit, each commit with its fsync: rows/s.
pub(crate) fn inserts(dir: &Path, rows: &[Row], rows_per_commit: usize) -> io::Result<f64> {
    let took = insert(dir, rows, rows_per_commit, None).map_err(io::Error::other)?;
    Ok(rows.len() as f64 / took.iter().sum::<f64>())
}

/// One row a commit, in seconds: the median. With a `pace`, each begins that long after the one
/// before, as messages do that come one at a time.
pub(crate) fn one_commit(dir: &Path, count: usize, pace: Option<Duration>) -> io::Result<f64> {
    let rows: Vec<Row> = (0..count)
        .map(|number| Row {
            conversation: "conv_0123456789abcdef".to_owned(),
            message: format!("msg_{number:016}"),
            seq: number as i64,
            sender: "peer".to_owned(),
            body: "x".repeat(BODY_BYTES),
        })
        .collect();
    let mut took = insert(dir, &rows, 1, pace).map_err(io::Error::other)?;
    Ok(median(&mut took))
}

fn insert(
    dir: &Path,
    rows: &[Row],
    rows_per_commit: usize,
    pace: Option<Duration>,
) -> Result<Vec<f64>, Box<dyn std::error::Error + Send + Sync>> {
    let dir = tempfile::Builder::new().prefix("bench-").tempdir_in(dir)?;
    let mut connection = Connection::open(dir.path().join("bare.db"))?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(
        "CREATE TABLE events (
             \"offset\" INTEGER PRIMARY KEY, type TEXT NOT NULL, received_us INTEGER NOT NULL,
             conversation_id TEXT, message_id TEXT, seq INTEGER, source TEXT NOT NULL,
             late INTEGER NOT NULL, sender TEXT, body TEXT NOT NULL) STRICT;
         CREATE UNIQUE INDEX events_message ON events (message_id);",
    )?;
    let mut took = Vec::new();
    let mut offset = 0;
    let begun = Instant::now();
    for (number, group) in rows.chunks(rows_per_commit).enumerate() {
        if let Some(pace) = pace {
            sleep_until(begun + pace * u32::try_from(number)?);
        }
        let at = Instant::now();
        let transaction = connection.transaction()?;
        {
            let mut statement = transaction.prepare_cached(
                "INSERT INTO events (\"offset\", type, received_us, conversation_id, message_id,
                                     seq, source, late, sender, body)
                 VALUES (?1, 'message.new', ?2, ?3, ?4, ?5, 'sync', 0, ?6, ?7)",
            )?;
            for row in group {
                offset += 1;
                statement.execute(params![
                    offset,
                    1_700_000_000_000_000_i64,
                    row.conversation,
                    row.message,
                    row.seq,
                    row.sender,
                    row.body,
                ])?;
            }
        }
        transaction.commit()?;
        took.push(at.elapsed().as_secs_f64());
    }
    Ok(took)
}

/// A server that gives back what it is given, on a Unix socket, one thread.
#[derive(Debug)]
pub(crate) struct Echo {
    client: UnixStream,
    // Keeps the socket's file until the end.
    _dir: tempfile::TempDir,
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

    /// Half the way of a line there and back, in seconds: the median.
    pub(crate) fn hop(&self, count: usize, pace: Option<Duration>) -> io::Result<f64> {
        let mut reader = BufReader::new(self.client()?);
        let line = format!("{}\n", "x".repeat(BODY_BYTES));
        let (mut back, mut took) = (String::new(), Vec::new());
        let begun = Instant::now();
        for number in 0..count {
            if let Some(pace) = pace {
                let number = u32::try_from(number).unwrap_or(u32::MAX);
                sleep_until(begun + pace * number);
            }
            let at = Instant::now();
            reader.get_mut().write_all(line.as_bytes())?;
            back.clear();
            reader.read_line(&mut back)?;
            took.push(at.elapsed().as_secs_f64() / 2.0);
        }
        Ok(median(&mut took))
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
/// Read by the echo server at a time.
const ECHO_BYTES: usize = 64 << 10;
