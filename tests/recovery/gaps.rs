//! Holes: filled, proven absent, or told of; and what is late.

use crate::{no_polling, quietly, stage};
use agentchatd_tests::sandbox::{
    Draft, Event, HttpFault, HttpRule, PushFault, PushRule, Setting, To,
};
use serde_json::{Value, json};

fn seqs(log: &[Value]) -> Vec<u64> {
    log.iter()
        .filter_map(|event| event["seq"].as_u64())
        .collect()
}

fn gap_of(log: &[Value]) -> &Value {
    let gap = log.iter().find(|event| event["type"] == "sequence.gap");
    &gap.unwrap_or_else(|| panic!("a gap in {log:#?}"))["payload"]
}

#[test]
fn pitfall_66_pushes_that_overtake_each_other_are_put_in_order() {
    let stage = stage();
    let daemon = stage.ready();
    for number in 0..40 {
        if number % 3 == 0 {
            stage.sandbox.faults(|faults| {
                faults.push.push(PushRule::next("dora", PushFault::Swap));
            });
        }
        stage.bob_says(&number.to_string());
    }
    let log = stage.log_is_whole(&daemon);
    assert_eq!(seqs(&log), (1..=40).collect::<Vec<u64>>());
    assert!(log.iter().all(|event| event["late"] == false));
}

#[test]
fn a_hole_is_filled_from_history_and_told_of() {
    let mut stage = stage();
    no_polling(&mut stage);
    let daemon = stage.ready();
    stage.bob_says("one");
    stage.log_is_whole(&daemon);
    quietly(&stage, "two");
    stage.bob_says("three");
    let log = stage.log_is_whole(&daemon);
    assert_eq!(seqs(&log), [1, 2, 3]);
    let two = log.iter().find(|event| event["seq"] == 2).unwrap();
    assert_eq!(two["source"], "gap_fill");
    let gap = gap_of(&log);
    assert_eq!(gap["conversation_id"], two["conversation_id"]);
    assert_eq!(
        (&gap["expected_seq"], &gap["buffered_seq"]),
        (&json!(2), &json!(3))
    );
    assert_eq!(gap["missing"], json!([]), "nothing is any more");
    assert_eq!(
        (&gap["recovered"], &gap["reason"]),
        (&json!(true), &json!("gap_filled"))
    );
    assert!(gap["gap_ms"].is_u64(), "{gap}");
    let status = stage.connect(&daemon).ok("daemon.status", json!({}));
    assert_eq!(status["ordering"]["gaps_recovered"], 1);
    assert_eq!(status["ordering"]["gaps_open"], 0);
    assert_eq!(status["ordering"]["parked"], 0);
}

#[test]
fn a_hole_that_history_does_not_have_is_absent_and_holds_nothing_up() {
    let mut stage = stage();
    no_polling(&mut stage);
    let daemon = stage.ready();
    stage.bob_says("one");
    stage.log_is_whole(&daemon);
    let hidden = quietly(&stage, "two");
    stage.sandbox.set("dora", &Setting::HideMessage(hidden.id));
    stage.bob_says("three");
    let log = stage.log_is_whole(&daemon);
    assert_eq!(seqs(&log), [1, 3]);
    let gap = gap_of(&log);
    assert_eq!(
        (&gap["recovered"], &gap["reason"]),
        (&json!(false), &json!("absent_upstream"))
    );
    assert_eq!(gap["missing"], json!([[2, 2]]));
    let status = stage.connect(&daemon).ok("daemon.status", json!({}));
    assert_eq!(status["ordering"]["gaps_absent"], 1);
}

#[test]
fn pitfall_08_what_comes_after_its_place_was_given_up_is_marked_late() {
    let mut stage = stage();
    no_polling(&mut stage);
    let daemon = stage.ready();
    stage.bob_says("one");
    stage.log_is_whole(&daemon);
    stage.sandbox.faults(|faults| {
        faults.http.push(HttpRule::always(
            "GET /v1/messages/conv*",
            HttpFault::Html(502),
        ));
    });
    let two = quietly(&stage, "two");
    let three = stage.bob_says("three");
    stage.logged(&daemon, |event| event["message_id"] == three.id);
    let log = stage.log(&daemon);
    assert_eq!(seqs(&log), [1, 3]);
    assert_eq!(gap_of(&log)["reason"], "gap_fill_failed");
    stage.connect(&daemon).ok("sync.drain", json!({}));
    let event = stage.logged(&daemon, |event| event["message_id"] == two.id);
    assert_eq!(
        (&event["late"], &event["source"]),
        (&json!(true), &json!("sync"))
    );
    stage.log_is_whole(&daemon);
}

#[test]
fn a_hole_of_more_than_a_page_of_history_is_filled() {
    let mut stage = stage();
    no_polling(&mut stage);
    let daemon = stage.ready();
    stage.bob_says("one");
    stage.log_is_whole(&daemon);
    for number in 0..450 {
        quietly(&stage, &number.to_string());
    }
    stage.bob_says("last");
    let log = stage.log_is_whole(&daemon);
    assert_eq!(seqs(&log), (1..=452).collect::<Vec<u64>>());
}

#[test]
fn own_messages_and_a_group_joined_late_are_no_gaps() {
    let stage = stage();
    let group = stage.sandbox.group("ann", "old friends", &["bob"]);
    for number in 0..40 {
        stage
            .sandbox
            .send("bob", To::Conversation(&group), number.to_string().as_str());
    }
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    stage
        .sandbox
        .set("dora", &Setting::JoinGroup(group.clone()));
    stage
        .sandbox
        .send("ann", To::Conversation(&group), "welcome");
    raw.ok(
        "messages.send",
        json!({"conversation_id": group, "text": "thanks"}),
    );
    stage.sandbox.send("bob", To::Conversation(&group), "hello");
    let log = stage.log_is_whole(&daemon);
    assert!(
        log.iter().all(|event| event["type"] != "sequence.gap"),
        "{log:#?}"
    );
    assert!(
        log.iter().all(|event| event["seq"].as_u64().unwrap() > 40),
        "{log:#?}"
    );
}

#[test]
fn delivered_history_from_before_the_birth_is_not_imported() {
    let stage = stage();
    for number in 0..5 {
        let old =
            Draft::text(&number.to_string()).backdated(std::time::Duration::from_secs(86_400));
        let old = stage.sandbox.send("bob", To::Handle("dora"), old);
        stage.sandbox.set("dora", &Setting::Settled(old.id));
    }
    let waiting =
        Draft::text("old and never delivered").backdated(std::time::Duration::from_secs(80_000));
    let waiting = stage.sandbox.send("bob", To::Handle("dora"), waiting);
    let daemon = stage.ready();
    let live = stage.bob_says("new");
    stage.logged(&daemon, |event| event["message_id"] == live.id);
    // One whole comparison later.
    let compared = stage.sandbox.journal().len();
    for _ in 0..2 {
        stage.seen_from(
            compared,
            |event| matches!(event, Event::Http { path, .. } if path == "/v1/conversations"),
        );
    }
    let log = stage.log(&daemon);
    let ids: Vec<&str> = log
        .iter()
        .filter_map(|event| event["message_id"].as_str())
        .collect();
    assert_eq!(ids, [waiting.id, live.id]);
    assert!(
        log.iter().all(|event| event["type"] != "sequence.gap"),
        "{log:#?}"
    );
}
