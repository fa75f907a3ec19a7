//! What was given before says so, and nothing else does.

use crate::{offsets, redelivered, stage, with_log};
use serde_json::json;

#[test]
fn what_was_given_and_not_acked_comes_again_with_the_mark_and_the_rest_without() {
    let stage = stage();
    let daemon = with_log(&stage, &["a", "b", "c", "d"]);
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"consumer": "c", "from": "earliest", "max_in_flight": 2}));
    raw.events(2);
    raw.silent();
    drop(raw);
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"consumer": "c"}));
    let events = raw.events(4);
    assert_eq!(offsets(&events), [1, 2, 3, 4]);
    assert_eq!(redelivered(&events), [true, true, false, false]);
}

#[test]
fn the_mark_is_exact_over_a_kill_of_the_daemon() {
    let stage = stage();
    let mut daemon = with_log(&stage, &["a", "b", "c", "d", "e"]);
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"consumer": "c", "from": "earliest", "max_in_flight": 3}));
    raw.events(3);
    raw.ack("c", 1);
    raw.events(1);
    raw.silent();
    daemon.kill().unwrap();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"consumer": "c"}));
    stage.bob_says("f");
    let events = raw.events(5);
    assert_eq!(offsets(&events), [2, 3, 4, 5, 6]);
    let expected = [true, true, true, false, false];
    assert_eq!(
        redelivered(&events),
        expected,
        "5 was in the log and never given"
    );
}

#[test]
fn events_that_were_made_while_nobody_read_are_new_after_a_kill() {
    let stage = stage();
    let mut daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"consumer": "c"}));
    stage.bob_says("seen");
    raw.events(1);
    drop(raw);
    stage.bob_says("unseen");
    stage.log_is_whole(&daemon);
    daemon.kill().unwrap();
    stage.bob_says("made while it was down");
    let daemon = stage.ready();
    stage.log_is_whole(&daemon);
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"consumer": "c"}));
    assert_eq!(redelivered(&raw.events(3)), [true, false, false]);
}

#[test]
fn the_mark_is_exact_over_a_kill_in_the_middle_of_a_stream() {
    let stage = stage();
    let mut daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"consumer": "c", "from": "earliest", "max_in_flight": 10000}));
    for number in 0..500 {
        stage.bob_says(&number.to_string());
    }
    // Killed while it gives: how far it got is told by the connection's own end.
    raw.events(100);
    daemon.kill().unwrap();
    let mut given = 100;
    while let Ok(Some(_)) = raw.line() {
        given += 1;
    }
    let daemon = stage.ready();
    stage.log_is_whole(&daemon);
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"consumer": "c", "max_in_flight": 10000}));
    let events = raw.events(500);
    assert_eq!(offsets(&events), (1..=500).collect::<Vec<u64>>());
    let marks = redelivered(&events);
    assert!(
        marks[..given].iter().all(|mark| *mark),
        "all {given} that came have the mark"
    );
    let marked = marks.iter().filter(|mark| **mark).count();
    assert!(
        marks[marked..].iter().all(|mark| !mark),
        "and the mark ends once"
    );
}

#[test]
fn a_takeover_marks_what_the_first_one_was_given() {
    let stage = stage();
    let daemon = with_log(&stage, &["a", "b"]);
    let mut first = stage.connect(&daemon);
    first.subscribe(json!({"consumer": "c", "from": "earliest", "max_in_flight": 1}));
    first.events(1);
    let mut second = stage.connect(&daemon);
    second.subscribe(json!({"consumer": "c", "takeover": true}));
    let events = second.events(2);
    assert_eq!(
        (offsets(&events), redelivered(&events)),
        (vec![1, 2], vec![true, false])
    );
}

#[test]
fn an_ephemeral_subscription_never_marks() {
    let stage = stage();
    let daemon = with_log(&stage, &["a", "b"]);
    for _ in 0..2 {
        let mut raw = stage.connect(&daemon);
        raw.subscribe(json!({"from": "earliest"}));
        assert_eq!(redelivered(&raw.events(2)), [false, false]);
    }
}

#[test]
fn a_fetch_that_is_repeated_marks_what_it_gave_before() {
    let stage = stage();
    let mut daemon = with_log(&stage, &["a", "b", "c"]);
    let mut raw = stage.connect(&daemon);
    let fetch = json!({"consumer": "c", "from": "earliest", "limit": 2});
    let events = raw.ok("events.fetch", fetch)["events"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(
        (offsets(&events), redelivered(&events)),
        (vec![1, 2], vec![false, false])
    );
    daemon.kill().unwrap();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let all = json!({"consumer": "c"});
    let events = raw.ok("events.fetch", all)["events"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(
        (offsets(&events), redelivered(&events)),
        (vec![1, 2, 3], vec![true, true, false])
    );
}
