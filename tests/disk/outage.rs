//! What must hold while the disk refuses, and after it, whatever made it refuse.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::raw::Raw;
use agentchatd_tests::sandbox::Event;
use agentchatd_tests::stage::{Stage, until};
use rusqlite::Connection;
use serde_json::{Value, json};

/// The disk or the database refused (`local-api.md` 2).
pub(crate) const STORAGE_ERROR: i64 = -32007;

/// A daemon with a log of five messages, a durable consumer that has acknowledged two of them, and
/// a send that waits in the outbox: what an outage could damage.
pub(crate) struct Peace {
    pub(crate) daemon: Daemon,
    pub(crate) raw: Raw,
    log: Vec<Value>,
    waiting: Value,
}

impl Peace {
    /// Before the outage.
    pub(crate) fn of(stage: &Stage) -> Self {
        Self::with(stage, stage.ready())
    }

    /// The same with a daemon that runs already.
    pub(crate) fn with(stage: &Stage, daemon: Daemon) -> Self {
        for number in 1..=5 {
            stage.bob_says(&format!("before {number}"));
        }
        stage.log_is_whole(&daemon);
        let mut raw = stage.connect(&daemon);
        raw.ok(
            "events.fetch",
            json!({"consumer": "keeper", "from": "earliest"}),
        );
        raw.ack("keeper", 2);
        // Nobody is called so: AgentChat refuses it, and it can be put back in line.
        raw.ok("messages.send", send("nobody-here", "failed-before"));
        let mut waiting = Value::Null;
        until("the send has failed", || {
            waiting = raw.ok("outbox.get", json!({"client_msg_id": "failed-before"}));
            if waiting["state"] == "failed" {
                return Ok(());
            }
            Err(waiting.to_string())
        });
        let log = stage.log(&daemon);
        Self {
            daemon,
            raw,
            log,
            waiting,
        }
    }

    /// The disk refuses already: messages come, and none of it is acknowledged, accepted or hidden.
    pub(crate) fn is_over(&mut self, stage: &Stage, database: &Path) {
        let during: BTreeSet<String> = (1..=3)
            .map(|number| stage.bob_says(&format!("during {number}")).id)
            .collect();
        self.is_down(&["storage_error"]);
        self.refuses_changes();
        self.serves_what_needs_no_disk();
        let mut reader = stage.connect(&self.daemon);
        let read = reader.ok("events.fetch", json!({"after": 0, "limit": 1000}));
        assert_eq!(read["events"], json!(self.log), "the log can be read");
        acknowledged_is_on_disk(stage, database);
        let told: Vec<_> = acknowledged(stage).intersection(&during).cloned().collect();
        assert!(
            told.is_empty(),
            "acknowledged, and nothing can be on disk: {told:?}"
        );
    }

    /// Waits for the verdict that the disk deserves; the words that its reason must have.
    pub(crate) fn is_down(&mut self, words: &[&str]) {
        let raw = &mut self.raw;
        until("the verdict is down", || {
            let health = raw.ok("daemon.health", json!({}));
            let reasons = health["reasons"].to_string();
            if health["verdict"] == "down" && words.iter().all(|word| reasons.contains(word)) {
                return Ok(());
            }
            Err(health.to_string())
        });
    }

    /// Everything that has to reach the disk before it is answered.
    pub(crate) fn refuses_changes(&mut self) {
        let raw = &mut self.raw;
        for (method, params) in [
            ("messages.send", send("bob", "refused-during")),
            ("events.ack", json!({"consumer": "keeper", "offset": 3})),
            ("events.subscribe", json!({"consumer": "new-during"})),
            (
                "events.fetch",
                json!({"consumer": "fetched-during", "from": "earliest"}),
            ),
            ("consumers.delete", json!({"name": "keeper"})),
            (
                "consumers.seek",
                json!({"name": "keeper", "to": "earliest"}),
            ),
            ("outbox.retry", json!({"client_msg_id": "failed-before"})),
            ("sync.drain", json!({})),
        ] {
            let error = raw.refused(STORAGE_ERROR, method, params);
            let reason = error["data"]["reason"].as_str();
            assert!(reason.is_some_and(|it| !it.is_empty()), "{method}: {error}");
        }
        let names = consumer_names(raw);
        assert_eq!(names, ["keeper"], "nothing was made or deleted");
        let entry = raw.ok("outbox.get", json!({"client_msg_id": "failed-before"}));
        assert_eq!(entry, self.waiting, "the entry stays as it was");
        raw.refused(
            -32006,
            "outbox.get",
            json!({"client_msg_id": "refused-during"}),
        );
    }

    fn serves_what_needs_no_disk(&mut self) {
        self.raw.ok("daemon.version", json!({}));
        let status = self.raw.ok("daemon.status", json!({}));
        assert_eq!(status["pid"], self.daemon.pid(), "the same process serves");
        let ready = self
            .daemon
            .http()
            .and_then(|mut http| http.fetch("/readyz"));
        assert_eq!(ready.expect("an answer").status(), 503);
    }

    /// The disk takes writes again: all goes on by itself, and nothing is missing or double.
    pub(crate) fn returns(&mut self, stage: &Stage, database: &Path) {
        let raw = &mut self.raw;
        until("the verdict is not down", || {
            let health = raw.ok("daemon.health", json!({}));
            if health["verdict"] == "down" {
                return Err(health.to_string());
            }
            Ok(())
        });
        let log = stage.log_is_whole(&self.daemon);
        assert_eq!(log[..self.log.len()], self.log, "what stood there stays");
        // The id that was refused is free: the same message is taken now.
        raw.ok("messages.send", send("bob", "refused-during"));
        raw.ok("messages.send", send("bob", "after"));
        for id in ["refused-during", "after"] {
            stage.logged(&self.daemon, |event| {
                event["type"] == "message.sent" && event["payload"]["client_msg_id"] == id
            });
        }
        assert_eq!(consumer_names(raw), ["keeper"]);
        raw.ack("keeper", 3);
        stage.bob_says("after");
        let log = stage.log_is_whole(&self.daemon);
        let copies = |id: &str| {
            let is_it = |event: &&Value| event["payload"]["client_msg_id"] == id;
            log.iter()
                .filter(|event| event["type"] == "message.sent")
                .filter(is_it)
                .count()
        };
        assert_eq!((copies("refused-during"), copies("after")), (1, 1));
        acknowledged_is_on_disk(stage, database);
        let status = raw.ok("daemon.status", json!({}));
        assert_eq!(status["pid"], self.daemon.pid(), "without a restart");
        assert!(
            !stage.log_text().contains("panicked"),
            "{}",
            stage.log_text()
        );
    }
}

/// Parameters of a send that need not be waited for.
pub(crate) fn send(to: &str, id: &str) -> Value {
    json!({"to": to, "text": id, "client_msg_id": id, "delivery": "queue"})
}

fn consumer_names(raw: &mut Raw) -> Vec<String> {
    let list = raw.ok("consumers.list", json!({}));
    let names = list.as_array().expect("a list").iter();
    names
        .map(|consumer| consumer["name"].as_str().expect("a name").to_owned())
        .collect()
}

/// What the daemon acknowledged, over the socket or by a cursor.
pub(crate) fn acknowledged(stage: &Stage) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for entry in stage.sandbox.journal().entries() {
        match entry.event {
            Event::AckFrame {
                agent, message_id, ..
            } if agent == "dora" => {
                ids.insert(message_id);
            }
            Event::AckCursor {
                agent, message_ids, ..
            } if agent == "dora" => ids.extend(message_ids),
            _ => {}
        }
    }
    ids
}

/// Promise 1, looked up in the file itself.
pub(crate) fn acknowledged_is_on_disk(stage: &Stage, database: &Path) {
    let acknowledged = acknowledged(stage);
    let disk = ids_on_disk(database);
    let missing: Vec<_> = acknowledged.difference(&disk).collect();
    assert!(missing.is_empty(), "acknowledged, not on disk: {missing:?}");
}

/// The messages that a database holds, in the log or behind a hole. Looked up in a copy, which may
/// lie elsewhere: SQLite would not find its way through `/proc/PID/root`.
pub(crate) fn ids_on_disk(database: &Path) -> BTreeSet<String> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let copy = folder.path().join("state.db");
    // The database first: what the log of a moment later says of it holds.
    for suffix in ["db", "db-wal"] {
        let from = database.with_extension(suffix);
        if from.exists() {
            fs::copy(from, copy.with_extension(suffix)).expect("it can be copied");
        }
    }
    let connection = Connection::open(&copy).expect("it opens");
    let mut statement = connection
        .prepare(
            "SELECT message_id FROM events WHERE message_id IS NOT NULL
             UNION SELECT message_id FROM parked",
        )
        .expect("the tables are there");
    let ids = statement
        .query_map([], |row| row.get(0))
        .expect("they can be read");
    ids.collect::<Result<_, _>>().expect("ids are text")
}
