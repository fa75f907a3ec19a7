use agentchatd_engine::{Op, RetentionBounds, SendEnd};
use proptest::prelude::*;
use rusqlite::Connection;

use super::tests::{commit, draft, log, open_in};
use super::{Committed, ConsumerRow, Durability, Step, Stepped, Store, retention};

const QUARTER_MIB: u64 = 1 << 18;
/// Later than anything in these tests.
const MUCH_LATER: i64 = i64::MAX / 8;

fn step(max_bytes: u64, rows: u32) -> Step {
    Step {
        bounds: RetentionBounds {
            max_age_us: i64::MAX / 4,
            max_bytes,
        },
        now_us: MUCH_LATER,
        rows,
    }
}

fn consumer(name: &str, acked: u64) -> ConsumerRow {
    ConsumerRow {
        name: name.into(),
        filter: None,
        acked,
        given: acked,
        max_in_flight: 1,
        created_at_us: 1,
        last_seen_at_us: 1,
    }
}

/// One step after the other until nothing more goes; what each did.
async fn run(store: &Store, step: Step) -> Vec<Stepped> {
    let mut all = Vec::new();
    loop {
        let stepped = store.writer.retain(step).await.expect("a step");
        let is_over = stepped.removed == 0;
        all.push(stepped);
        if is_over {
            return all;
        }
    }
}

async fn kept(store: &Store) -> Vec<u64> {
    let events = store.reader.events(0, 10_000, usize::MAX).await.unwrap();
    events.iter().map(|event| event.offset).collect()
}

fn whole(dir: &tempfile::TempDir) -> Connection {
    Connection::open(dir.path().join("state.db")).expect("it opens")
}

fn weighed(dir: &tempfile::TempDir) -> (u64, u64) {
    let sql = "SELECT log_bytes, (SELECT coalesce(sum(octet_length(body) + 160), 0) FROM events)
               FROM checkpoint";
    let figures = whole(dir).query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
    let (noted, counted): (i64, i64) = figures.unwrap();
    (noted.cast_unsigned(), counted.cast_unsigned())
}

#[tokio::test]
async fn the_oldest_events_go_until_the_log_is_within_its_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open_in(&dir);
    commit(&mut store, 1, (1..=100).map(log).collect()).await;
    let (noted, counted) = weighed(&dir);
    assert_eq!(noted, counted);
    let half = counted / 2;
    let steps = run(&store, step(half, 7)).await;
    assert!(steps.iter().all(|stepped| stepped.removed <= 7));
    let (noted, counted) = weighed(&dir);
    assert_eq!(noted, counted, "what is removed is taken off");
    assert!(
        counted <= half && counted + 400 > half,
        "{counted} of {half}"
    );
    let left = kept(&store).await;
    assert_eq!(left.last(), Some(&100));
    assert!(left.windows(2).all(|pair| pair[1] == pair[0] + 1));
}

#[tokio::test]
async fn offsets_are_not_reused_although_everything_was_removed() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open_in(&dir);
    commit(&mut store, 1, vec![log(1), log(2), log(3)]).await;
    run(&store, step(0, 100)).await;
    assert_eq!(kept(&store).await, [0; 0]);
    store.writer.close().await.unwrap();
    drop(store);
    let mut store = open_in(&dir);
    let (report, _) = commit(&mut store, 2, vec![log(4)]).await;
    assert_eq!(report.offsets, [Some(4)]);
}

#[tokio::test]
async fn a_message_that_was_removed_enters_no_second_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open_in(&dir);
    commit(&mut store, 1, vec![log(1), log(2)]).await;
    run(&store, step(0, 100)).await;
    let (report, events) = commit(&mut store, 2, vec![log(2), log(3), log(1)]).await;
    assert_eq!(report.offsets, [None, Some(3), None]);
    assert_eq!(events.len(), 1);
}

#[tokio::test]
async fn age_alone_is_a_reason_too() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open_in(&dir);
    commit(&mut store, 1, vec![log(1), log(2)]).await;
    let received = store.reader.events(0, 1, usize::MAX).await.unwrap()[0].received_at_us;
    let by_age = |now_us| Step {
        bounds: RetentionBounds {
            max_age_us: 1_000,
            max_bytes: u64::MAX,
        },
        now_us,
        rows: 10,
    };
    run(&store, by_age(received + 1_000)).await;
    assert_eq!(kept(&store).await, [1, 2]);
    run(&store, by_age(received + 1_000_000_000)).await;
    assert_eq!(kept(&store).await, [0; 0]);
}

#[tokio::test]
async fn what_a_consumer_has_not_acknowledged_stays_until_four_times_the_bound_and_is_told_of() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open_in(&dir);
    commit(&mut store, 1, (1..=100).map(log).collect()).await;
    for (name, acked) in [("slow", 10), ("fast", 100)] {
        let made = store.writer.put_consumer(consumer(name, acked)).await;
        made.unwrap();
    }
    let (_, all) = weighed(&dir);
    run(&store, step(all / 3, 9)).await;
    let held: Vec<u64> = (11..=100).collect();
    assert_eq!(kept(&store).await, held, "only what both have acknowledged");
    // An eighth: the log is more than four times too large.
    let steps = run(&store, step(all / 8, 9)).await;
    let left = kept(&store).await;
    let (_, now) = weighed(&dir);
    // The event that tells of it has come in behind.
    assert!(now <= all / 8 * 4 + 300 && left[0] > 11, "{now} of {all}");
    let robbed: Vec<_> = steps.iter().flat_map(|stepped| &stepped.robbed).collect();
    assert_eq!(robbed, ["slow"], "told once");
    let told = match store.committed.recv().await.unwrap() {
        Committed::Done { events, .. } => events,
        Committed::Failed(error) => panic!("{error}"),
    };
    assert_eq!((told.len(), &*told[0].kind), (1, "log.truncated"));
    let gone = left[0] - 1;
    assert_eq!(
        &*told[0].payload,
        format!(r#"{{"first_offset":11,"last_offset":{gone},"consumers":["slow"]}}"#)
    );
    assert_eq!(told[0].offset, 101);
}

#[tokio::test]
async fn a_crash_between_the_removal_and_its_event_keeps_neither_from_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open_in(&dir);
    commit(&mut store, 1, (1..=50).map(log).collect()).await;
    store
        .writer
        .put_consumer(consumer("slow", 0))
        .await
        .unwrap();
    let stepped = store.writer.retain(step(0, 20)).await.unwrap();
    assert_eq!((stepped.removed, stepped.robbed.len()), (20, 0));
    drop(store);
    let store = open_in(&dir);
    let steps = run(&store, step(u64::MAX, 20)).await;
    assert_eq!(steps.last().unwrap().robbed, ["slow"]);
    let events = store.reader.events(50, 10, usize::MAX).await.unwrap();
    assert_eq!(&*events[0].kind, "log.truncated");
    assert!(
        events[0].payload.contains(r#""last_offset":20"#),
        "{}",
        events[0].payload
    );
}

#[tokio::test]
async fn ended_sends_go_by_age_and_unfinished_ones_stay() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open_in(&dir);
    let insert = |id: &str| Op::OutboxInsert {
        draft: draft(id, "f"),
        sending: false,
    };
    commit(&mut store, 1, ["a", "b", "c"].map(insert).into()).await;
    let ended = Op::OutboxEnded {
        id: 2,
        end: SendEnd::Failed,
        error: "null".into(),
    };
    commit(&mut store, 2, vec![ended]).await;
    let old = Step {
        bounds: RetentionBounds {
            max_age_us: 1,
            max_bytes: u64::MAX,
        },
        now_us: MUCH_LATER,
        rows: 10,
    };
    run(&store, old).await;
    let left = store.reader.outbox(None, 0, 10).await.unwrap();
    let left: Vec<_> = left.iter().map(|entry| &*entry.client_msg_id).collect();
    assert_eq!(left, ["a", "c"]);
}

#[tokio::test]
async fn the_file_becomes_shorter_by_what_is_given_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open_in(&dir);
    for token in 1..=40 {
        let first = token * 100;
        commit(&mut store, token, (first..first + 100).map(log).collect()).await;
    }
    store.writer.shrink(0).await.unwrap();
    let length = || {
        std::fs::metadata(dir.path().join("state.db"))
            .unwrap()
            .len()
    };
    let before = length();
    assert!(before > QUARTER_MIB, "{before}");
    run(&store, step(0, 500)).await;
    let mut pages = store.writer.shrink(0).await.unwrap();
    assert!(pages.free > pages.all / 2, "{pages:?}");
    while pages.free > 0 {
        let left = store.writer.shrink(50).await.unwrap();
        assert!(left.free < pages.free && pages.free - left.free <= 50);
        pages = left;
    }
    store.writer.shrink(0).await.unwrap();
    // The ids of what was removed stay.
    assert!(length() < before / 2, "{} of {before}", length());
}

#[tokio::test]
async fn a_database_of_schema_two_is_weighed_and_can_shrink() {
    let dir = tempfile::tempdir().unwrap();
    let old = whole(&dir);
    for step in [
        include_str!("sql/0001_init.sql"),
        include_str!("sql/0002_outbox_steering.sql"),
        "INSERT INTO events VALUES (1, 'x', 1, NULL, 'm', NULL, 'live', 0, NULL, '{\"é\":1}');
         UPDATE checkpoint SET last_offset = 1;
         PRAGMA user_version = 2;",
    ] {
        old.execute_batch(step).unwrap();
    }
    drop(old);
    let store = Store::open(dir.path(), Durability::Full).unwrap();
    assert_eq!(kept(&store).await, [1]);
    assert_eq!(weighed(&dir), (168, 168));
    let mode: u32 = whole(&dir)
        .query_row("PRAGMA auto_vacuum", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, 2);
}

#[test]
fn its_queries_sort_nothing_and_read_no_more_than_they_take() {
    let dir = tempfile::tempdir().unwrap();
    drop(open_in(&dir));
    for (query, wanted) in [
        (retention::OLDEST, "SCAN events"),
        (retention::ENDED, "outbox_state"),
    ] {
        let plan: Vec<String> = whole(&dir)
            .prepare(&format!(
                "EXPLAIN QUERY PLAN {}",
                query.replace("?1", "1").replace("?2", "1")
            ))
            .unwrap()
            .query_map([], |row| row.get(3))
            .and_then(Iterator::collect)
            .unwrap();
        let plan = plan.join("; ");
        assert!(
            plan.contains(wanted) && !plan.contains("TEMP"),
            "{query}: {plan}"
        );
    }
}

/// What may happen to a log and its consumers.
#[derive(Debug, Clone)]
enum Turn {
    Append(u64),
    Ack(usize, u64),
    Retain(u64, u32),
    Reopen,
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        (1_u64..30).prop_map(Turn::Append),
        (0_usize..2, 0_u64..100).prop_map(|(who, part)| Turn::Ack(who, part)),
        (0_u64..8_000, 1_u32..20).prop_map(|(bytes, rows)| Turn::Retain(bytes, rows)),
        Just(Turn::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn in_no_order_of_events_is_something_removed_that_is_waited_for_and_not_told(
        turns in prop::collection::vec(turn(), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(schedule(turns))?;
    }
}

async fn schedule(turns: Vec<Turn>) -> Result<(), TestCaseError> {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open_in(&dir);
    let mut acked = [0_u64; 2];
    for name in ["one", "two"] {
        let made = store.writer.put_consumer(consumer(name, 0)).await;
        made.unwrap();
    }
    let (mut last, mut token, mut seq) = (0, 0, 0);
    for turn in turns {
        match turn {
            Turn::Append(count) => {
                token += 1;
                let ops = (seq + 1..=seq + count).map(log).collect();
                seq += count;
                let (report, _) = commit(&mut store, token, ops).await;
                let fresh: Vec<u64> = report.offsets.into_iter().flatten().collect();
                prop_assert_eq!(fresh, (last + 1..=last + count).collect::<Vec<_>>());
                last += count;
            }
            Turn::Ack(who, part) => {
                acked[who] = acked[who].max(last * part / 100);
                let name = ["one", "two"][who];
                let moved = store.writer.ack_consumer(name, acked[who], last).await;
                moved.unwrap();
            }
            Turn::Retain(bytes, rows) => {
                let first = kept(&store).await.first().copied().unwrap_or(last + 1);
                let before = weighed(&dir).1;
                let steps = run(&store, step(bytes, rows)).await;
                let told: usize = steps.iter().map(|stepped| stepped.robbed.len()).sum();
                if told > 0 {
                    last += 1;
                    store.committed.recv().await.unwrap();
                }
                let left = kept(&store).await.first().copied().unwrap_or(last + 1);
                let waited_for = acked[0].min(acked[1]) + 1;
                if left > first && left > waited_for {
                    prop_assert!(before > bytes * 4, "only past four times the bound");
                    prop_assert!(told > 0, "and it is told");
                } else {
                    prop_assert_eq!(told, 0);
                }
                let (noted, counted) = weighed(&dir);
                prop_assert_eq!(noted, counted);
            }
            Turn::Reopen => {
                drop(store);
                store = open_in(&dir);
            }
        }
        let all = kept(&store).await;
        prop_assert!(all.windows(2).all(|pair| pair[1] == pair[0] + 1));
        prop_assert!(all.last().is_none_or(|&end| end == last));
    }
    Ok(())
}
