//! What must hold after each kill, and in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use agentchatd_tests::daemon::{Daemon, Setup};
use agentchatd_tests::sandbox::{Event, Sandbox};
use rusqlite::{Connection, OpenFlags};

use crate::run::until;

/// What the daemon acknowledged, over the socket or by a cursor. A cursor also settles rows that
/// became visible behind it after the page was read; those the daemon never saw, and the promise
/// for them is that history brings them, which [`at_rest`] judges.
#[derive(Default)]
pub(crate) struct Acknowledged {
    shown: BTreeSet<String>,
    ids: BTreeSet<String>,
    /// Journal entries that were looked at.
    read: usize,
}

impl Acknowledged {
    /// Promise 1: the platform may have been told only of what stands in the database.
    pub(crate) fn stand_on_disk(&mut self, sandbox: &Sandbox, database: &Path, kill: u64) {
        let entries = sandbox.journal().entries_from(self.read);
        self.read += entries.len();
        for entry in entries {
            match entry.event {
                Event::SyncPage { agent, message_ids } if agent == "me" => {
                    self.shown.extend(message_ids);
                }
                Event::AckFrame {
                    agent, message_id, ..
                } if agent == "me" => {
                    self.ids.insert(message_id);
                }
                Event::AckCursor {
                    agent, message_ids, ..
                } if agent == "me" => {
                    let seen = message_ids.into_iter().filter(|id| self.shown.contains(id));
                    self.ids.extend(seen);
                }
                _ => {}
            }
        }
        let missing = not_on_disk(database, &self.ids);
        // What stands there once stays; in the end the whole log is looked at.
        self.ids.clear();
        assert!(
            missing.is_empty(),
            "after kill {kill} acknowledged but not on disk: {missing:?}"
        );
    }
}

fn open(database: &Path) -> Connection {
    // Read and write: after a kill the WAL is recovered by whoever opens first.
    Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE).expect("it opens")
}

fn not_on_disk(database: &Path, ids: &BTreeSet<String>) -> Vec<String> {
    let connection = open(database);
    let mut statement = connection
        .prepare(
            "SELECT EXISTS (SELECT 1 FROM events WHERE message_id = ?1)
                 OR EXISTS (SELECT 1 FROM parked WHERE message_id = ?1)",
        )
        .expect("the tables are there");
    let mut stands = |id: &String| -> bool {
        let found = statement.query_row([id], |row| row.get(0));
        found.expect("it can be looked up")
    };
    ids.iter().filter(|id| !stands(id)).cloned().collect()
}

/// One event as the consumer or the database tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    offset: u64,
    kind: String,
    message_id: String,
    conversation: String,
    seq: Option<u64>,
    late: bool,
}

/// Waits until everything has arrived, then judges; a line with the figures.
pub(crate) fn at_rest(
    sandbox: &Sandbox,
    setup: &Setup,
    daemon: &Daemon,
    consumed: &Path,
    sent: &[String],
) -> String {
    let patience = Duration::from_secs(180);
    until("the log lacks messages", patience, || {
        let truth = truth(sandbox);
        let log: BTreeSet<String> = log(&setup.database())
            .into_iter()
            .map(|event| event.message_id)
            .collect();
        let missing: Vec<&String> = truth.iter().filter(|id| !log.contains(*id)).collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(format!("{} of {}: {missing:?}", missing.len(), truth.len()))
        }
    });
    until("sends are unfinished", patience, || {
        let open = unfinished(&setup.database());
        if open == 0 {
            Ok(())
        } else {
            Err(format!("{open} entries"))
        }
    });
    let last = log(&setup.database())
        .last()
        .map_or(0, |event| event.offset);
    until("the consumer lags", patience, || {
        let seen = read(consumed)
            .iter()
            .map(|(event, _)| event.offset)
            .max()
            .unwrap_or(0);
        if seen >= last {
            Ok(())
        } else {
            Err(format!("at {seen} of {last}"))
        }
    });
    daemon.ready().expect("the daemon is well in the end");

    let log = log(&setup.database());
    once_and_in_order(&log);
    let doubled = consumer_saw_everything(&log, &read(consumed));
    let landed = sends_ended_as_one_message(sandbox, &setup.database(), sent);
    let late = log.iter().filter(|event| event.late).count();
    format!(
        "{} events in the log, lost 0, twice 0, out of order 0 ({late} marked late); \
         {landed} sends landed once; the consumer saw {doubled} again, all marked redelivered",
        log.len(),
    )
}

fn truth(sandbox: &Sandbox) -> Vec<String> {
    sandbox
        .messages_for("me")
        .into_values()
        .flatten()
        .map(|message| message.id)
        .collect()
}

fn log(database: &Path) -> Vec<Seen> {
    let connection = open(database);
    let mut statement = connection
        .prepare(
            "SELECT \"offset\", type, coalesce(message_id, '-'), coalesce(conversation_id, '-'),
                    seq, late
             FROM events ORDER BY \"offset\"",
        )
        .expect("the table is there");
    let rows = statement.query_map([], |row| {
        Ok(Seen {
            offset: row.get::<_, i64>(0)?.cast_unsigned(),
            kind: row.get(1)?,
            message_id: row.get(2)?,
            conversation: row.get(3)?,
            seq: row.get::<_, Option<i64>>(4)?.map(i64::cast_unsigned),
            late: row.get(5)?,
        })
    });
    rows.expect("it can be read")
        .collect::<Result<_, _>>()
        .expect("rows are whole")
}

fn unfinished(database: &Path) -> i64 {
    open(database)
        .query_row(
            "SELECT count(*) FROM outbox WHERE state IN ('queued', 'sending')",
            [],
            |row| row.get(0),
        )
        .expect("the outbox can be counted")
}

/// Promises 3 and 4.
fn once_and_in_order(log: &[Seen]) {
    let mut ids = BTreeSet::new();
    let mut tops: BTreeMap<&str, u64> = BTreeMap::new();
    for (place, event) in log.iter().enumerate() {
        assert_eq!(event.offset, place as u64 + 1, "offsets have no holes");
        if !event.kind.starts_with("message.") || event.message_id == "-" {
            continue;
        }
        assert!(
            ids.insert(&event.message_id),
            "{} stands twice",
            event.message_id
        );
        let seq = event.seq.expect("the sandbox numbers every message");
        let top = tops.entry(&event.conversation).or_default();
        assert_eq!(
            event.late,
            seq <= *top,
            "order or its mark is wrong at {event:?}, top {top}"
        );
        *top = seq.max(*top);
    }
}

/// Each offset reached the consumer; again only with the mark. How many came again.
fn consumer_saw_everything(log: &[Seen], consumed: &[(Seen, bool)]) -> usize {
    let mut seen: BTreeMap<u64, &Seen> = BTreeMap::new();
    let mut doubled = 0;
    for (event, redelivered) in consumed {
        if let Some(first) = seen.insert(event.offset, event) {
            assert_eq!(first, event, "an offset never changes its event");
            assert!(redelivered, "{event:?} came again without the mark");
            doubled += 1;
        }
    }
    for event in log {
        assert_eq!(
            seen.get(&event.offset),
            Some(&event),
            "lost on the way to the consumer"
        );
    }
    doubled
}

fn read(consumed: &Path) -> Vec<(Seen, bool)> {
    let text = std::fs::read_to_string(consumed).unwrap_or_default();
    text.lines().filter_map(parse).collect()
}

fn parse(line: &str) -> Option<(Seen, bool)> {
    let fields: Vec<&str> = line.split(' ').collect();
    let &[
        offset,
        kind,
        message_id,
        conversation,
        seq,
        late,
        redelivered,
    ] = fields.as_slice()
    else {
        return None;
    };
    let seen = Seen {
        offset: offset.parse().ok()?,
        kind: kind.into(),
        message_id: message_id.into(),
        conversation: conversation.into(),
        seq: seq.parse().ok(),
        late: late == "true",
    };
    Some((seen, redelivered == "true"))
}

/// Each accepted send is one message upstream, or an honest failure.
fn sends_ended_as_one_message(sandbox: &Sandbox, database: &Path, sent: &[String]) -> usize {
    let upstream: Vec<String> = sandbox
        .messages_for("me")
        .into_values()
        .flatten()
        .filter(|message| message.sender == "me")
        .map(|message| message.client_msg_id)
        .collect();
    let connection = open(database);
    for id in sent {
        let copies = upstream.iter().filter(|other| *other == id).count();
        let state: String = connection
            .query_row(
                "SELECT state FROM outbox WHERE client_msg_id = ?1",
                [id],
                |row| row.get(0),
            )
            .unwrap_or_else(|error| panic!("{id} was accepted and is not in the outbox: {error}"));
        assert_eq!((copies, state.as_str()), (1, "sent"), "{id}");
    }
    sent.len()
}
