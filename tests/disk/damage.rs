//! Database files that a crash, a torn write or a bad disk left damaged.

use std::fs;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::sandbox::{Event, Message};
use agentchatd_tests::stage::{Stage, until};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::ended;
use crate::outage::{STORAGE_ERROR, acknowledged, acknowledged_is_on_disk, send};

fn stage() -> Stage {
    Stage::new(env!("CARGO_BIN_EXE_agentchatd"))
}

/// A stage whose daemon has logged so many messages of some length and has ended in order.
fn with_a_log(messages: usize) -> Stage {
    let stage = stage();
    let mut daemon = stage.ready();
    for number in 0..messages {
        stage.bob_says(&format!("{number} {}", "x".repeat(900)));
    }
    stage.log_is_whole(&daemon);
    assert!(daemon.stop().expect("it stops").success());
    stage
}

#[test]
fn a_database_that_was_cut_off_is_refused_by_name_and_left_alone() {
    let stage = with_a_log(60);
    let database = stage.setup.database();
    let whole = fs::read(&database).expect("it can be read");
    for length in [whole.len() / 2, whole.len() / 2 + 1000, whole.len() - 4096] {
        fs::write(&database, &whole[..length]).expect("it can be written");
        let (status, said) = ended(&stage.setup);
        assert_eq!(status.code(), Some(74), "{length}: {said}");
        for word in [database.to_str().expect("text"), "salvage"] {
            assert!(said.contains(word), "{length}: {word}: {said}");
        }
        let left = fs::read(&database).expect("it can be read");
        assert_eq!(left, &whole[..length], "it is left as it is");
    }
}

/// A page of the database becomes garbage; its number counts from 1.
fn spoil(database: &Path, page: u64) {
    let file = fs::File::options().write(true).open(database);
    let written = file
        .expect("it opens")
        .write_all_at(&[0xa5; 4096], (page - 1) * 4096);
    written.expect("it can be written");
}

/// The root pages of the things that belong to the log.
fn roots_of_the_log(database: &Path, kind: &str) -> Vec<u64> {
    let connection = Connection::open(database).expect("it opens");
    let mut statement = connection
        .prepare("SELECT rootpage FROM sqlite_schema WHERE tbl_name = 'events' AND type = ?1")
        .expect("a query");
    let roots = statement.query_map([kind], |row| row.get::<_, i64>(0));
    let roots = roots.expect("it can be read");
    roots
        .map(|root| root.expect("a number").cast_unsigned())
        .collect()
}

/// A page with events that are neither the first nor the last ones.
fn a_middle_page(database: &Path) -> u64 {
    let root = roots_of_the_log(database, "table")[0];
    let bytes = fs::read(database).expect("it can be read");
    let page = &bytes[usize::try_from(root - 1).expect("small") * 4096..][..4096];
    assert_eq!(page[0], 5, "the log has more than one page");
    let cells = usize::from(u16::from_be_bytes([page[3], page[4]]));
    let place = 12 + cells / 2 * 2;
    let cell = usize::from(u16::from_be_bytes([page[place], page[place + 1]]));
    let child: [u8; 4] = page[cell..cell + 4].try_into().expect("four bytes");
    u32::from_be_bytes(child).into()
}

/// The daemon has met damage: it says so, takes nothing, acknowledges nothing, and stays.
fn gives_up_the_file(stage: &Stage, daemon: &Daemon, before: &fs::Metadata) {
    let database = stage.setup.database();
    let name = database.to_str().expect("text");
    let mut raw = stage.connect(daemon);
    until("the verdict is down", || {
        let health = raw.ok("daemon.health", json!({}));
        let reasons = health["reasons"].to_string();
        if health["verdict"] == "down" && reasons.contains(name) && reasons.contains("salvage") {
            return Ok(());
        }
        Err(health.to_string())
    });
    let error = raw.refused(STORAGE_ERROR, "messages.send", send("bob", "into-damage"));
    for word in [name, "salvage"] {
        assert!(
            error["data"]["reason"].to_string().contains(word),
            "{error}"
        );
    }
    raw.refused(
        STORAGE_ERROR,
        "events.subscribe",
        json!({"consumer": "into-damage"}),
    );
    let connects = stage.sandbox.journal().connects("dora");
    let during: Vec<Message> = (0..3)
        .map(|n| stage.bob_says(&format!("during {n}")))
        .collect();
    // The daemon has tried the file again by then, more than once.
    std::thread::sleep(std::time::Duration::from_secs(4));
    let health = raw.ok("daemon.health", json!({}));
    assert_eq!(health["verdict"], "down", "{health}");
    let told = acknowledged(stage);
    assert!(
        !during.iter().any(|message| told.contains(&message.id)),
        "acknowledged into a damaged file"
    );
    assert_eq!(
        stage.sandbox.journal().connects("dora"),
        connects,
        "no storm"
    );
    let now = fs::metadata(&database).expect("it is there");
    assert_eq!(now.ino(), before.ino(), "never made anew");
    assert!(now.len() >= before.len());
    raw.ok("daemon.status", json!({}));
    assert!(
        !stage.log_text().contains("panicked"),
        "{}",
        stage.log_text()
    );
}

#[test]
fn damage_that_a_reader_meets_ends_the_use_of_the_file_and_names_it() {
    let stage = with_a_log(60);
    let database = stage.setup.database();
    spoil(&database, a_middle_page(&database));
    let before = fs::metadata(&database).expect("it is there");
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let error = raw.refused(
        STORAGE_ERROR,
        "events.fetch",
        json!({"after": 0, "limit": 1000}),
    );
    let reason = error["data"]["reason"].to_string();
    for word in [database.to_str().expect("text"), "salvage"] {
        assert!(reason.contains(word), "{error}");
    }
    gives_up_the_file(&stage, &daemon, &before);
}

#[test]
fn damage_that_a_commit_meets_ends_the_use_of_the_file_and_names_it() {
    let stage = with_a_log(3);
    let database = stage.setup.database();
    for root in roots_of_the_log(&database, "index") {
        spoil(&database, root);
    }
    let before = fs::metadata(&database).expect("it is there");
    let daemon = stage.ready();
    stage.bob_says("meets the damage");
    gives_up_the_file(&stage, &daemon, &before);
}

#[test]
fn a_log_that_a_crash_left_behind_is_taken_over_whole() {
    let stage = stage();
    let mut daemon = stage.ready();
    for number in 0..30 {
        stage.bob_says(&number.to_string());
    }
    let log = stage.log_is_whole(&daemon);
    daemon.kill().expect("it can be killed");
    let wal = stage.setup.database().with_extension("db-wal");
    let length = fs::metadata(wal).expect("it is there").len();
    assert!(length > 0, "the crash left it");
    let daemon = stage.ready();
    stage.bob_says("after");
    let now = stage.log_is_whole(&daemon);
    assert_eq!(now[..log.len()], log);
}

/// The bytes of a write-ahead log that its last commit begins with: the end of the last but one.
fn last_commit(wal: &[u8]) -> usize {
    const HEADER: usize = 32;
    const FRAME: usize = 24 + 4096;
    let mut ends: Vec<usize> = Vec::new();
    for (number, frame) in wal[HEADER..].chunks_exact(FRAME).enumerate() {
        let is_of_this_log = frame[8..16] == wal[16..24];
        if is_of_this_log && frame[4..8] != [0; 4] {
            ends.push(HEADER + (number + 1) * FRAME);
        }
    }
    ends[ends.len() - 2]
}

/// What a broken disk makes of a write-ahead log.
type Tear = fn(Vec<u8>) -> Vec<u8>;

#[test]
fn a_log_whose_tail_is_torn_is_used_up_to_there_and_the_platform_fills_up_the_rest() {
    let torn: [(&str, Tear); 4] = [
        ("garbage behind it", |wal| [wal, vec![0x5a; 5000]].concat()),
        ("its last bytes missing", |wal| {
            wal[..wal.len() - 100].to_vec()
        }),
        ("its last commit missing", |wal| {
            wal[..last_commit(&wal)].to_vec()
        }),
        ("a bit of its last commit turned over", |mut wal| {
            let place = last_commit(&wal) + 200;
            wal[place] ^= 1;
            wal
        }),
    ];
    for (how, tear) in torn {
        let stage = stage();
        let mut daemon = stage.ready();
        for number in 0..10 {
            stage.bob_says(&number.to_string());
        }
        stage.log_is_whole(&daemon);
        daemon.kill().expect("it can be killed");
        let path = stage.setup.database().with_extension("db-wal");
        let wal = fs::read(&path).expect("it is there");
        fs::write(&path, tear(wal)).expect("it can be written");
        let daemon = stage.ready();
        stage.bob_says("after");
        // A commit that was acknowledged and is gone is found by the comparison with history.
        let log = stage.log_is_whole(&daemon);
        let new = |event: &&Value| event["type"] == "message.new";
        assert_eq!(log.iter().filter(new).count(), 11, "{how}");
        acknowledged_is_on_disk(&stage, &stage.setup.database());
        let settled = |event: &Event| matches!(event, Event::Ready { ghost: false, .. });
        assert_eq!(
            stage.sandbox.journal().count(settled),
            2,
            "{how}: one start, one connection"
        );
    }
}
