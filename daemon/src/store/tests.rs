use std::sync::Arc;

use agentchatd_engine::{
    ConversationRecord, Cursor, Draft, GapReason, GapReport, Inserted, Lane, Op, Report, Row,
    SendEnd, SeqSet, Source, Token,
};

use super::{Committed, ConsumerRow, Durability, Store, StoreError, open};
use crate::event::LogEvent;

pub(super) fn row(conversation: &str, seq: u64) -> Row {
    Row {
        message_id: format!("msg_{conversation}_{seq}").into(),
        conversation_id: conversation.into(),
        seq: Some(seq),
        sender: Some("bob".into()),
        client_msg_id: None,
        created_at: None,
        undelivered: true,
        joined: None,
        body: format!(r#"{{"id":"m{seq}","big":12345678901234567890123}}"#).into(),
    }
}

pub(super) fn log(seq: u64) -> Op {
    Op::Log {
        row: row("c", seq),
        own: false,
        source: Source::Live,
        late: false,
    }
}

pub(super) fn open_in(dir: &tempfile::TempDir) -> Store {
    Store::open(dir.path(), Durability::Full).expect("a new database opens")
}

pub(super) async fn commit(
    store: &mut Store,
    token: u64,
    ops: Vec<Op>,
) -> (Report, Vec<Arc<LogEvent>>) {
    store
        .writer
        .commit(Token(token), ops)
        .await
        .expect("the writer lives");
    match store
        .committed
        .recv()
        .await
        .expect("every commit is reported")
    {
        Committed::Done {
            mut reports,
            events,
            ..
        } => {
            assert_eq!(reports.len(), 1);
            let (reported, report) = reports.remove(0);
            assert_eq!(reported, Token(token));
            (report, events)
        }
        Committed::Failed(error) => panic!("{error}"),
    }
}

pub(super) fn draft(client_msg_id: &str, fingerprint: &str) -> Draft {
    Draft {
        client_msg_id: client_msg_id.into(),
        lane: Lane::To("alice".into()),
        body: r#"{"to":"alice"}"#.into(),
        fingerprint: fingerprint.into(),
        expires_us: 99,
    }
}

#[tokio::test]
async fn pitfall_36_a_message_id_enters_once_and_offsets_have_no_holes() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open_in(&dir);
    let (report, events) = commit(&mut store, 1, vec![log(1), log(1), log(2)]).await;
    assert_eq!(report.offsets, [Some(1), None, Some(2)]);
    assert_eq!(
        events.iter().map(|event| event.offset).collect::<Vec<_>>(),
        [1, 2]
    );
    // A duplicate at the end of a transaction takes no offset either.
    let (report, _) = commit(&mut store, 2, vec![log(2)]).await;
    assert_eq!(report.offsets, [None]);
    let (report, _) = commit(&mut store, 3, vec![log(2), log(3)]).await;
    assert_eq!(report.offsets, [None, Some(3)]);
    let kept = store.reader.events(0, 100, usize::MAX).await.unwrap();
    assert_eq!(
        kept.iter().map(|event| event.seq).collect::<Vec<_>>(),
        [Some(1), Some(2), Some(3)]
    );
}

#[tokio::test]
async fn the_payload_comes_back_byte_for_byte() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open_in(&dir);
    commit(&mut store, 1, vec![log(1)]).await;
    let kept = store.reader.events(0, 1, usize::MAX).await.unwrap();
    assert_eq!(
        &*kept[0].payload,
        r#"{"id":"m1","big":12345678901234567890123}"#
    );
}

#[tokio::test]
async fn state_survives_a_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open_in(&dir);
    let holes: SeqSet = [(2, 3), (7, 7)].into_iter().collect();
    let record = ConversationRecord {
        id: "c".into(),
        frontier: 9,
        anchor: 1,
        top: 8,
        holes,
    };
    let ops = vec![
        Op::Bind {
            handle: "me".into(),
            birth_us: 5,
        },
        Op::Conversation(record.clone()),
        Op::Park {
            row: row("c", 12),
            own: false,
            source: Source::Sync,
        },
        Op::SyncSeen(Cursor("\"del_1\"".into())),
        Op::SyncAcked(Cursor("7".into())),
        Op::Reconciled { at_us: 77 },
        Op::OutboxInsert {
            draft: draft("a", "f"),
            sending: true,
        },
        log(1),
    ];
    commit(&mut store, 1, ops).await;
    store.writer.close().await.unwrap();
    drop(store);
    let loaded = open_in(&dir).loaded;
    assert_eq!(loaded.engine.bound, Some(("me".into(), 5)));
    assert_eq!(loaded.engine.conversations, [record]);
    assert_eq!(loaded.engine.parked[0].seq, 12);
    assert_eq!(loaded.engine.reconciled_us, Some(77));
    assert_eq!(loaded.sync_seen.as_deref(), Some("\"del_1\""));
    assert_eq!(loaded.sync_acked.as_deref(), Some("7"));
    assert_eq!(loaded.last_offset, 1);
    let entry = &loaded.engine.outbox[0];
    assert!(
        entry.ambiguous,
        "an attempt that was under way may have landed"
    );
    assert_eq!((entry.id, entry.attempts), (1, 1));
}

#[tokio::test]
async fn a_parked_row_gets_its_offset_when_it_is_released() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open_in(&dir);
    commit(
        &mut store,
        1,
        vec![Op::Park {
            row: row("c", 2),
            own: true,
            source: Source::Live,
        }],
    )
    .await;
    assert_eq!(store.reader.bounds().await.unwrap(), (0, 0));
    let ops = vec![
        log(1),
        Op::Unpark {
            message_id: "msg_c_2".into(),
        },
    ];
    let (report, events) = commit(&mut store, 2, ops).await;
    assert_eq!(report.offsets, [Some(1), Some(2)]);
    assert_eq!(
        (&*events[1].kind, events[1].source, events[1].seq),
        ("message.sent", "live", Some(2))
    );
    let again = commit(
        &mut store,
        3,
        vec![Op::Unpark {
            message_id: "msg_c_2".into(),
        }],
    )
    .await;
    assert_eq!(again.0.offsets, [None]);
}

#[tokio::test]
async fn a_send_is_taken_in_once_and_told_apart_by_meaning() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open_in(&dir);
    let insert = |fingerprint| {
        vec![Op::OutboxInsert {
            draft: draft("a", fingerprint),
            sending: false,
        }]
    };
    assert_eq!(
        commit(&mut store, 1, insert("f")).await.0.inserted,
        Some(Inserted::New(1))
    );
    let same = commit(&mut store, 2, insert("f")).await.0.inserted;
    assert_eq!(same, Some(Inserted::Known { id: 1, same: true }));
    let other = commit(&mut store, 3, insert("g")).await.0.inserted;
    assert_eq!(other, Some(Inserted::Known { id: 1, same: false }));
}

#[tokio::test]
async fn the_end_of_a_send_is_recorded_and_logged() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open_in(&dir);
    let insert = |id| Op::OutboxInsert {
        draft: draft(id, "f"),
        sending: false,
    };
    commit(&mut store, 1, vec![insert("a"), insert("b")]).await;
    let sent = Op::OutboxSent {
        id: 1,
        message_id: "msg_c_1".into(),
        message: r#"{"id":"msg_c_1"}"#.into(),
        replayed: true,
        backlog: Some(r#"{"recipient_handle":"x","undelivered_count":5000}"#.into()),
    };
    let failed = Op::OutboxEnded {
        id: 2,
        end: SendEnd::Failed,
        error: r#"{"code":-32001}"#.into(),
    };
    let (_, events) = commit(&mut store, 2, vec![log(1), sent, failed]).await;
    let kinds: Vec<&str> = events.iter().map(|event| &*event.kind).collect();
    assert_eq!(kinds, ["message.new", "backlog.warning", "message.failed"]);
    let payload: serde_json::Value = serde_json::from_str(&events[2].payload).unwrap();
    assert_eq!(payload["client_msg_id"], "b");
    assert_eq!(payload["error"]["code"], -32001);
    let recorded = store.reader.recorded(1).await.unwrap().unwrap();
    assert_eq!(
        (
            recorded.row.state.as_str(),
            recorded.replayed,
            recorded.offset
        ),
        ("sent", true, Some(1))
    );
    let listed = store
        .reader
        .outbox(Some("failed".into()), 0, 10)
        .await
        .unwrap();
    assert_eq!(
        listed
            .iter()
            .map(|entry| entry.outbox_id)
            .collect::<Vec<_>>(),
        [2]
    );
}

#[tokio::test]
async fn a_gap_is_an_event_of_its_conversation() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open_in(&dir);
    let gap = GapReport {
        conversation_id: "c".into(),
        expected_seq: 2,
        buffered_seq: 4,
        missing: vec![(2, 3)],
        gap_ms: 10,
        reason: GapReason::AbsentUpstream,
    };
    let (_, events) = commit(&mut store, 1, vec![Op::LogGap(gap)]).await;
    let payload: serde_json::Value = serde_json::from_str(&events[0].payload).unwrap();
    assert_eq!(payload["missing"], serde_json::json!([[2, 3]]));
    assert_eq!(payload["recovered"], false);
    assert_eq!(payload["reason"], "absent_upstream");
}

#[tokio::test]
async fn consumers_are_kept_and_their_time_is_found_by_halving() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open_in(&dir);
    let consumer = ConsumerRow {
        name: "w".into(),
        filter: Some("{}".into()),
        acked: 3,
        given: 4,
        max_in_flight: 256,
        created_at_us: 1,
        last_seen_at_us: 2,
    };
    store.writer.put_consumer(consumer.clone()).await.unwrap();
    store.writer.ack_consumer("w", 8, 9).await.unwrap();
    let kept = store.reader.consumer("w").await.unwrap().unwrap();
    assert_eq!(
        kept,
        ConsumerRow {
            acked: 8,
            given: 9,
            ..consumer
        }
    );
    assert!(store.writer.delete_consumer("w").await.unwrap());
    assert!(!store.writer.delete_consumer("w").await.unwrap());
    for seq in 1..=20 {
        commit(&mut store, seq, vec![log(seq)]).await;
    }
    let all = store.reader.events(0, 100, usize::MAX).await.unwrap();
    for event in &all {
        let before = all
            .iter()
            .filter(|other| other.received_at_us < event.received_at_us)
            .count();
        let found = store
            .reader
            .offset_before(event.received_at_us)
            .await
            .unwrap();
        assert_eq!(found, before as u64);
    }
    assert_eq!(store.reader.offset_before(i64::MAX).await.unwrap(), 20);
    assert_eq!(store.reader.offset_before(0).await.unwrap(), 0);
}

#[tokio::test]
async fn pitfall_36_a_failed_commit_leaves_nothing_and_later_ones_wait_for_a_reload() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open_in(&dir);
    commit(&mut store, 1, vec![log(1)]).await;
    // From outside, as a damaged disk would: the table is gone.
    let other = rusqlite::Connection::open(dir.path().join("state.db")).unwrap();
    other
        .execute_batch("ALTER TABLE parked RENAME TO hidden")
        .unwrap();
    let park = Op::Park {
        row: row("c", 9),
        own: false,
        source: Source::Live,
    };
    store
        .writer
        .commit(Token(2), vec![log(2), park])
        .await
        .unwrap();
    assert!(matches!(
        store.committed.recv().await,
        Some(Committed::Failed(_))
    ));
    store.writer.commit(Token(3), vec![log(3)]).await.unwrap();
    other
        .execute_batch("ALTER TABLE hidden RENAME TO parked")
        .unwrap();
    assert_eq!(store.writer.reload().await.unwrap().last_offset, 1);
    let (report, _) = commit(&mut store, 4, vec![log(4)]).await;
    assert_eq!(report.offsets, [Some(2)]);
    let seqs: Vec<_> = store
        .reader
        .events(0, 10, usize::MAX)
        .await
        .unwrap()
        .iter()
        .map(|e| e.seq)
        .collect();
    assert_eq!(seqs, [Some(1), Some(4)]);
}

#[test]
fn a_database_of_a_newer_program_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    drop(open_in(&dir));
    let other = rusqlite::Connection::open(dir.path().join("state.db")).unwrap();
    other.pragma_update(None, "user_version", 99).unwrap();
    let error = Store::open(dir.path(), Durability::Full).unwrap_err();
    assert!(
        matches!(error, StoreError::Newer { found: 99, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("state.db"));
}

#[test]
fn a_file_that_is_no_database_is_reported_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    std::fs::write(&path, "not a database, but somebody's words ".repeat(40)).unwrap();
    let error = Store::open(dir.path(), Durability::Full).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
    assert!(
        std::fs::read_to_string(&path)
            .unwrap()
            .starts_with("not a database")
    );
}

#[test]
fn only_the_owner_can_read_the_database_whatever_the_umask() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let _store = open_in(&dir);
    for name in ["state.db", "state.db-wal"] {
        let mode = std::fs::metadata(dir.path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn the_schema_steps_are_valid_and_counted() {
    rusqlite_migration::Migrations::new(open::steps())
        .validate()
        .unwrap();
    assert_eq!(open::steps().len(), open::SCHEMA_VERSION as usize);
}

#[test]
fn every_query_of_the_hot_paths_uses_an_index() {
    let dir = tempfile::tempdir().unwrap();
    drop(open_in(&dir));
    let connection = rusqlite::Connection::open(dir.path().join("state.db")).unwrap();
    for (query, wanted) in [
        (
            "SELECT * FROM events WHERE \"offset\" > 5 ORDER BY \"offset\" LIMIT 9",
            "INTEGER PRIMARY KEY",
        ),
        (
            "SELECT \"offset\" FROM events WHERE message_id = 'm'",
            "events_message",
        ),
        ("SELECT * FROM parked WHERE message_id = 'm'", "PRIMARY KEY"),
        (
            "SELECT id, fingerprint FROM outbox WHERE client_msg_id = 'c'",
            "sqlite_autoindex_outbox_1",
        ),
        (
            "SELECT * FROM outbox WHERE state = 'queued' AND id > 4 ORDER BY id LIMIT 9",
            "outbox_state",
        ),
        (
            "SELECT count(*) FROM outbox WHERE state = 'queued'",
            "outbox_state",
        ),
        (
            "SELECT * FROM outbox WHERE state IN ('queued', 'sending') ORDER BY coalesce(place, id)",
            "outbox_state",
        ),
        (
            "SELECT created_us FROM outbox WHERE state = 'queued' ORDER BY id LIMIT 1",
            "outbox_state",
        ),
    ] {
        let plan: Vec<String> = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {query}"))
            .unwrap()
            .query_map([], |row| row.get(3))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let plan = plan.join("; ");
        assert!(
            plan.contains("SEARCH") && plan.contains(wanted),
            "{query}: {plan}"
        );
    }
}
