//! Acknowledgements: by hand, by themselves, and the window of what is not acknowledged yet.

use crate::{offsets, redelivered, stage, with_log};
use agentchatd_tests::stage::until;
use serde_json::json;

#[test]
fn no_more_than_the_window_is_sent_and_an_ack_moves_it() {
    let stage = stage();
    let daemon = with_log(&stage, &["a", "b", "c", "d", "e"]);
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"consumer": "c", "from": "earliest", "max_in_flight": 2}));
    assert_eq!(offsets(&raw.events(2)), [1, 2]);
    raw.silent();
    assert_eq!(raw.ack("c", 1)["acked_offset"], 1);
    assert_eq!(offsets(&raw.events(1)), [3]);
    raw.silent();
    assert_eq!(raw.ack("c", 3)["acked_offset"], 3, "all up to that offset");
    assert_eq!(offsets(&raw.events(2)), [4, 5]);
}

#[test]
fn an_ephemeral_subscription_with_manual_acks_has_a_window_too() {
    let stage = stage();
    let daemon = with_log(&stage, &["a", "b", "c"]);
    let mut raw = stage.connect(&daemon);
    let opened = raw.subscribe(json!({"from": "earliest", "ack": "manual", "max_in_flight": 1}));
    assert_eq!(offsets(&raw.events(1)), [1]);
    raw.silent();
    let ack = json!({"subscription": opened["subscription"], "offset": 1});
    assert_eq!(raw.ok("events.ack", ack)["acked_offset"], 1);
    assert_eq!(offsets(&raw.events(1)), [2]);
}

#[test]
fn an_ephemeral_subscription_needs_no_acks() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({}));
    for number in 0..600 {
        stage.bob_says(&number.to_string());
    }
    assert_eq!(raw.events(600).len(), 600, "more than any default window");
}

#[test]
fn going_back_with_an_ack_is_a_no_op() {
    let stage = stage();
    let daemon = with_log(&stage, &["a", "b", "c"]);
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"consumer": "c", "from": "earliest"}));
    raw.events(3);
    assert_eq!(raw.ack("c", 2)["acked_offset"], 2);
    assert_eq!(raw.ack("c", 1)["acked_offset"], 2);
    assert_eq!(raw.ack("c", 0)["acked_offset"], 2);
    assert_eq!(raw.ack("c", 2)["acked_offset"], 2);
    assert_eq!(raw.ok("consumers.list", json!({}))[0]["acked_offset"], 2);
}

#[test]
fn what_was_never_given_cannot_be_acknowledged() {
    let stage = stage();
    let daemon = with_log(&stage, &["a", "b", "c"]);
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"consumer": "c", "from": "earliest", "max_in_flight": 2}));
    raw.events(2);
    let error = raw.refused(-32602, "events.ack", json!({"consumer": "c", "offset": 3}));
    assert_eq!(error["data"]["path"], "/offset");
    raw.refused(
        -32602,
        "events.ack",
        json!({"consumer": "c", "offset": u64::MAX}),
    );
    assert_eq!(raw.ack("c", 2)["acked_offset"], 2);
}

#[test]
fn acks_name_a_consumer_or_a_subscription_that_is_there() {
    let stage = stage();
    let daemon = with_log(&stage, &["a"]);
    let mut raw = stage.connect(&daemon);
    let error = raw.refused(
        -32006,
        "events.ack",
        json!({"consumer": "nobody", "offset": 1}),
    );
    assert_eq!(error["data"]["what"], "consumer");
    assert_eq!(error["data"]["id"], "nobody");
    let error = raw.refused(
        -32006,
        "events.ack",
        json!({"subscription": "x", "offset": 1}),
    );
    assert_eq!(error["data"]["what"], "subscription");
    let opened = raw.subscribe(json!({"consumer": "c", "from": "earliest"}));
    raw.events(1);
    let by_subscription = json!({"subscription": opened["subscription"], "offset": 1});
    assert_eq!(raw.ok("events.ack", by_subscription)["acked_offset"], 1);
    let other_connection = &mut stage.connect(&daemon);
    assert_eq!(other_connection.ack("c", 1)["acked_offset"], 1);
}

#[test]
fn an_ack_is_on_disk_when_it_is_answered() {
    let stage = stage();
    let mut daemon = with_log(&stage, &["a", "b", "c"]);
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"consumer": "c", "from": "earliest"}));
    raw.events(3);
    raw.ack("c", 2);
    daemon.kill().unwrap();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    assert_eq!(raw.subscribe(json!({"consumer": "c"}))["next_offset"], 3);
    let events = raw.events(1);
    assert_eq!(
        (offsets(&events), redelivered(&events)),
        (vec![3], vec![true])
    );
}

#[test]
fn with_auto_acks_the_offset_moves_as_events_are_written() {
    let stage = stage();
    let daemon = with_log(&stage, &["a", "b", "c"]);
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"consumer": "c", "from": "earliest", "ack": "auto"}));
    raw.events(3);
    until("the offset moved", || {
        let acked = raw.ok("consumers.list", json!({}))[0]["acked_offset"].clone();
        if acked == 3 {
            Ok(())
        } else {
            Err(acked.to_string())
        }
    });
    drop(raw);
    let mut raw = stage.connect(&daemon);
    assert_eq!(raw.subscribe(json!({"consumer": "c"}))["next_offset"], 4);
    raw.silent();
}
