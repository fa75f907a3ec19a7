//! Pulling events, with a long poll.

use crate::{offsets, stage, text, with_log};
use agentchatd_tests::sandbox::To;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The offsets of a page, and where the next one begins.
fn page(answer: &Value) -> (Vec<u64>, u64) {
    (
        offsets(answer["events"].as_array().expect("a list")),
        answer["next_after"].as_u64().expect("an offset"),
    )
}

#[test]
fn a_fetch_begins_with_the_first_event_and_pages_on() {
    let stage = stage();
    let daemon = with_log(&stage, &["a", "b", "c"]);
    let mut raw = stage.connect(&daemon);
    let mut fetch = |params: Value| page(&raw.ok("events.fetch", params));
    assert_eq!(fetch(json!({})), (vec![1, 2, 3], 3));
    assert_eq!(fetch(json!({"limit": 2})), (vec![1, 2], 2));
    assert_eq!(fetch(json!({"after": 2})), (vec![3], 3));
    assert_eq!(fetch(json!({"after": 3})), (vec![], 3));
    assert_eq!(fetch(json!({"from": "earliest", "limit": 1})), (vec![1], 1));
    assert_eq!(fetch(json!({"from": "now"})), (vec![], 3));
    assert_eq!(fetch(json!({"from": {"offset": 3}})), (vec![3], 3));
    assert_eq!(
        fetch(json!({"from": {"time": "2001-01-01T00:00:00Z"}})),
        (vec![1, 2, 3], 3)
    );
    assert_eq!(fetch(json!({"after": 0})), (vec![1, 2, 3], 3));
}

#[test]
fn whoever_looks_for_the_first_event_while_it_is_committed_does_not_pass_it_over() {
    let mut stage = stage();
    stage.setup = stage.setup.faulty().expect("it builds");
    // Between the look at the log's beginning and the one at its end.
    stage.env("FAILPOINTS", "bounds-begun=sleep(400)");
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    raw.start("events.fetch", &json!({"from": "earliest"}))
        .expect("it is written");
    let first = stage.sandbox.send("bob", To::Handle("dora"), "the first");
    let answer = raw.line().expect("it is read").expect("it is answered");
    stage.logged(&daemon, |event| event["message_id"] == first.id);
    let (given, after) = page(&answer["result"]);
    let rest = page(
        &stage
            .connect(&daemon)
            .ok("events.fetch", json!({"after": after})),
    )
    .0;
    assert_eq!([given, rest].concat(), vec![1], "{answer}");
}

#[test]
fn a_fetch_that_waits_is_answered_by_the_next_event() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let id = raw
        .start("events.fetch", &json!({"wait_ms": 60_000}))
        .unwrap();
    raw.silent();
    stage.bob_says("here");
    let answer = raw.hear();
    assert_eq!(answer["id"], id);
    assert_eq!(text(&answer["result"]["events"][0]), "here");
    assert_eq!(answer["result"]["next_after"], 1);
}

#[test]
fn a_fetch_waits_no_longer_than_it_was_told() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let started = Instant::now();
    let answer = raw.ok("events.fetch", json!({"wait_ms": 200}));
    assert_eq!(page(&answer), (vec![], 0));
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(200), "{took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    let started = Instant::now();
    raw.ok("events.fetch", json!({}));
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "no wait by default"
    );
}

#[test]
fn a_fetch_waits_for_an_event_that_passes_and_moves_past_the_others() {
    let stage = stage();
    let daemon = with_log(&stage, &["a", "b"]);
    let mut raw = stage.connect(&daemon);
    let filter = json!({"senders": ["ann"]});
    let answer = raw.ok("events.fetch", json!({"filter": filter}));
    assert_eq!(page(&answer), (vec![], 2));
    let answer = raw.ok("events.fetch", json!({"filter": filter, "wait_ms": 100}));
    assert_eq!(page(&answer), (vec![], 2));
    raw.start(
        "events.fetch",
        &json!({"filter": filter, "wait_ms": 60_000}),
    )
    .unwrap();
    stage.bob_says("not wanted");
    raw.silent();
    stage.sandbox.send("ann", To::Handle("dora"), "wanted");
    let answer = raw.hear()["result"].clone();
    assert_eq!(page(&answer), (vec![4], 4));
}

#[test]
fn a_fetch_with_a_consumer_starts_after_its_acked_offset_and_acks_nothing() {
    let stage = stage();
    let daemon = with_log(&stage, &["a", "b", "c"]);
    let mut raw = stage.connect(&daemon);
    let fetch = json!({"consumer": "hook", "from": "earliest"});
    assert_eq!(
        page(&raw.ok("events.fetch", fetch.clone())),
        (vec![1, 2, 3], 3)
    );
    assert_eq!(
        page(&raw.ok("events.fetch", fetch.clone())),
        (vec![1, 2, 3], 3)
    );
    assert_eq!(raw.ok("consumers.list", json!({}))[0]["acked_offset"], 0);
    raw.ack("hook", 2);
    assert_eq!(page(&raw.ok("events.fetch", fetch)), (vec![3], 3));
    let info = &raw.ok("consumers.list", json!({}))[0];
    assert_eq!(
        (&info["attached"], &info["lag"]),
        (&json!(false), &json!(1))
    );
}

#[test]
fn a_new_consumer_of_a_fetch_starts_now_by_default() {
    let stage = stage();
    let mut daemon = with_log(&stage, &["a", "b"]);
    let mut raw = stage.connect(&daemon);
    assert_eq!(
        page(&raw.ok("events.fetch", json!({"consumer": "new"}))),
        (vec![], 2)
    );
    stage.bob_says("c");
    stage.log_is_whole(&daemon);
    daemon.kill().unwrap();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let again = raw.ok("events.fetch", json!({"consumer": "new"}));
    assert_eq!(page(&again), (vec![3], 3), "it was made on disk");
}

#[test]
fn a_fetch_that_waits_ends_when_the_daemon_stops() {
    let stage = stage();
    let mut daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let id = raw
        .start("events.fetch", &json!({"wait_ms": 60_000}))
        .unwrap();
    raw.silent();
    let started = Instant::now();
    assert!(daemon.stop().unwrap().success());
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!(raw.hear()["id"], id);
}
