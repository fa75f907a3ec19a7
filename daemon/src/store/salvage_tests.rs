use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use agentchatd_engine::{ConversationRecord, Op, SeqSet, Source};
use proptest::prelude::*;
use rusqlite::Connection;

use super::tests::{commit, draft, open_in, row};
use super::{ConsumerRow, Durability, Salvaged, Store, salvage};

const EVENTS: u64 = 400;
const PAGE: usize = 4_096;

/// A database with a conversation of four hundred messages, a consumer and a send, closed in order.
async fn made() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open_in(&dir);
    let log = |seq| {
        let body = format!(r#"{{"id":"m{seq}","text":"{}"}}"#, "x".repeat(700));
        Op::Log {
            row: agentchatd_engine::Row {
                body: body.into(),
                ..row("c", seq)
            },
            own: false,
            source: Source::Live,
            late: false,
        }
    };
    let mut ops: Vec<Op> = (1..=EVENTS).map(log).collect();
    ops.push(Op::Conversation(ConversationRecord {
        id: "c".into(),
        frontier: EVENTS,
        anchor: 0,
        top: EVENTS,
        holes: SeqSet::default(),
    }));
    ops.push(Op::OutboxInsert {
        draft: draft("a", "f"),
        sending: false,
    });
    ops.push(Op::Bind {
        handle: "me".into(),
        birth_us: 5,
    });
    commit(&mut store, 1, ops).await;
    let consumer = ConsumerRow {
        name: "shop".into(),
        filter: None,
        acked: 7,
        given: 9,
        max_in_flight: 1,
        created_at_us: 1,
        last_seen_at_us: 1,
    };
    store.writer.put_consumer(consumer).await.unwrap();
    store.writer.close().await.unwrap();
    dir
}

/// Turns every byte of these pages over; the first page is number 0.
fn damage(dir: &Path, pages: impl IntoIterator<Item = usize>) {
    let path = dir.join("state.db");
    let mut bytes = fs::read(&path).unwrap();
    for page in pages {
        for byte in bytes.iter_mut().skip(page * PAGE).take(PAGE) {
            *byte = !*byte;
        }
    }
    fs::write(&path, bytes).unwrap();
}

fn bodies(path: &Path) -> BTreeSet<(i64, String)> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection
        .prepare("SELECT \"offset\", body FROM events")
        .unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

/// Goes on with what was saved, as the printed commands do.
fn take(dir: &Path, salvaged: &Salvaged) -> Store {
    fs::remove_file(dir.join("state.db")).unwrap();
    fs::rename(&salvaged.path, dir.join("state.db")).unwrap();
    Store::open(dir, Durability::Full).unwrap()
}

#[tokio::test]
async fn of_a_sound_database_everything_is_saved_and_nothing_is_wanted() {
    let dir = made().await;
    let before = bodies(&dir.path().join("state.db"));
    let salvaged = salvage(dir.path()).unwrap();
    assert_eq!((salvaged.events, salvaged.lost_events), (EVENTS, 0));
    assert_eq!(salvaged.wanted, 0);
    assert_eq!(bodies(&salvaged.path), before);
    let again = salvage(dir.path()).unwrap_err().to_string();
    assert!(again.contains("is there already"), "{again}");
    let store = take(dir.path(), &salvaged);
    assert_eq!(store.loaded.last_offset, EVENTS);
    assert_eq!(store.loaded.engine.bound, Some(("me".into(), 5)));
    let consumer = store.reader.consumer("shop").await.unwrap().unwrap();
    assert_eq!((consumer.acked, consumer.given), (7, 9));
    assert_eq!(store.reader.outbox(None, 0, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn around_damaged_pages_every_row_is_saved_and_what_is_missing_becomes_a_hole() {
    let dir = made().await;
    let path = dir.path().join("state.db");
    let before = bodies(&path);
    let pages = fs::read(&path).unwrap().len() / PAGE;
    // Leaves of the log in two places; a page holds five messages.
    damage(dir.path(), [pages / 2, pages / 2 + 1, pages / 2 + 9]);
    let damaged = fs::read(&path).unwrap();
    let salvaged = salvage(dir.path()).unwrap();
    assert_eq!(fs::read(&path).unwrap(), damaged, "it is left as it is");
    let saved = bodies(&salvaged.path);
    assert!(saved.is_subset(&before));
    let lost = EVENTS - saved.len() as u64;
    assert!(lost > 0 && lost <= 30, "{lost}");
    assert_eq!((salvaged.lost_events, salvaged.wanted), (lost, lost));
    let store = take(dir.path(), &salvaged);
    let holes: u64 = store.loaded.engine.conversations[0]
        .holes
        .iter()
        .map(|(first, last)| last - first + 1)
        .sum();
    assert_eq!(holes, lost);
}

/// Changes a closed database behind the daemon's back.
fn alter(dir: &Path, sql: &str) {
    let connection = Connection::open(dir.join("state.db")).unwrap();
    assert!(connection.execute(sql, []).unwrap() > 0, "{sql}");
}

#[tokio::test]
async fn offsets_of_lost_events_are_not_given_out_again() {
    let dir = made().await;
    let tail = format!("DELETE FROM events WHERE \"offset\" > {}", EVENTS - 10);
    alter(dir.path(), &tail);
    let salvaged = salvage(dir.path()).unwrap();
    assert_eq!((salvaged.lost_events, salvaged.wanted), (10, 10));
    let store = take(dir.path(), &salvaged);
    assert_eq!(store.loaded.last_offset, EVENTS);
}

#[tokio::test]
async fn what_is_no_json_any_more_is_lost_and_wanted_again() {
    let dir = made().await;
    alter(
        dir.path(),
        "UPDATE events SET body = substr(body, 1, 99) WHERE \"offset\" IN (7, 8)",
    );
    let salvaged = salvage(dir.path()).unwrap();
    assert_eq!((salvaged.lost_events, salvaged.wanted), (2, 2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_is_damaged_nothing_is_made_up(
        pages in prop::collection::vec(1_usize..110, 1..6),
        cut in prop::option::of(2_usize..110),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let dir = runtime.block_on(made());
        let path = dir.path().join("state.db");
        let before = bodies(&path);
        damage(dir.path(), pages);
        if let Some(pages) = cut {
            let bytes = fs::read(&path).unwrap();
            fs::write(&path, &bytes[..bytes.len().min(pages * PAGE)]).unwrap();
        }
        match salvage(dir.path()) {
            Ok(salvaged) => {
                prop_assert!(bodies(&salvaged.path).is_subset(&before));
                take(dir.path(), &salvaged);
            }
            Err(error) => prop_assert!(matches!(error, super::StoreError::Corrupt(_)), "{error}"),
        }
    }
}
