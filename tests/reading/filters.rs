//! Which events a reader wants.

use crate::{stage, text};
use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::sandbox::To;
use agentchatd_tests::stage::Stage;
use serde_json::{Value, json};

/// A log with messages of bob, ann and the agent itself, and an event of another type.
fn mixed(stage: &Stage) -> Daemon {
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    stage.bob_says("one from bob");
    stage
        .sandbox
        .send("ann", To::Handle("dora"), "one from ann");
    stage.log_is_whole(&daemon);
    raw.ok("messages.send", json!({"to": "bob", "text": "mine"}));
    stage
        .sandbox
        .send("ann", To::Handle("dora"), "hello @dora, how are you");
    stage.log_is_whole(&daemon);
    let unknown = r#"{"type":"moon.phase","payload":{"phase":"full"}}"#;
    assert_eq!(stage.sandbox.send_frame("dora", unknown), 1);
    stage.logged(&daemon, |event| event["type"] == "moon.phase");
    daemon
}

#[test]
fn each_form_of_filter_lets_pass_what_it_says() {
    let stage = stage();
    let daemon = mixed(&stage);
    let mut raw = stage.connect(&daemon);
    let with_bob = stage.log(&daemon)[0]["conversation_id"].clone();
    for (filter, expected) in [
        (json!({}), 5),
        (json!({"types": ["message.new"]}), 3),
        (json!({"types": ["message.new", "moon.phase"]}), 4),
        (json!({"types": []}), 0),
        (json!({"types": ["no.such"]}), 0),
        (json!({"conversations": [with_bob]}), 2),
        (json!({"conversations": []}), 0),
        (json!({"senders": ["bob"]}), 1),
        (json!({"senders": ["@Bob", "ANN"]}), 3),
        (json!({"senders": ["dora"]}), 1),
        (json!({"senders": ["dora"], "include_own": false}), 0),
        (json!({"include_own": false}), 4),
        (json!({"include_own": true}), 5),
        (json!({"mentions_me": true}), 1),
        (json!({"mentions_me": false}), 5),
        (json!({"mentions_me": true, "senders": ["bob"]}), 0),
        (
            json!({"types": ["message.new"], "senders": ["ann"], "mentions_me": true}),
            1,
        ),
    ] {
        let page = raw.ok("events.fetch", json!({"filter": filter}));
        assert_eq!(
            page["events"].as_array().unwrap().len(),
            expected,
            "{filter}: {page}"
        );
        assert_eq!(page["next_after"], 5, "past what was left out: {filter}");
        let opened = raw.subscribe(json!({"filter": filter, "from": "earliest"}));
        let given = raw.events(expected);
        assert_eq!(Value::from(given), page["events"], "{filter}");
        raw.ok("events.unsubscribe", json!([opened["subscription"]]));
    }
}

#[test]
fn a_filter_is_kept_with_its_consumer() {
    let stage = stage();
    let mut daemon = mixed(&stage);
    let filter = json!({"senders": ["ann"]});
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"consumer": "of-ann", "filter": filter, "from": "earliest"}));
    assert_eq!(text(&raw.event()), "one from ann");
    drop(raw);
    daemon.kill().unwrap();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"consumer": "of-ann"}));
    assert_eq!(text(&raw.event()), "one from ann");
    assert_eq!(text(&raw.event()), "hello @dora, how are you");
    let info = &raw.ok("consumers.list", json!({}))[0];
    assert_eq!(info["filter"], filter);
}

#[test]
fn another_filter_is_a_conflict_unless_it_is_to_replace_the_kept_one() {
    let stage = stage();
    let daemon = mixed(&stage);
    let mut raw = stage.connect(&daemon);
    let subscribe = |filter: Value| json!({"consumer": "c", "filter": filter, "from": "earliest"});
    let opened = raw.subscribe(subscribe(json!({"senders": ["ann"]})));
    raw.events(2);
    raw.ok("events.unsubscribe", json!([opened["subscription"]]));
    let other = subscribe(json!({"senders": ["bob"]}));
    let error = raw.refused(-32005, "events.subscribe", other.clone());
    assert_eq!(error["data"]["reason"], "filter_differs");
    assert_eq!(error["data"]["consumer"], "c");
    raw.refused(-32005, "events.subscribe", subscribe(json!({})));
    raw.refused(-32005, "events.fetch", other.clone());
    let same = raw.subscribe(subscribe(json!({"senders": ["@ann"], "include_own": true})));
    raw.events(2);
    raw.ok("events.unsubscribe", json!([same["subscription"]]));
    let mut replacing = other;
    replacing["replace_filter"] = json!(true);
    raw.subscribe(replacing);
    assert_eq!(text(&raw.event()), "one from bob");
    assert_eq!(
        raw.ok("consumers.list", json!({}))[0]["filter"],
        json!({"senders": ["bob"]})
    );
}

#[test]
fn what_the_filter_leaves_out_counts_neither_for_the_window_nor_for_the_lag() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let filter = json!({"senders": ["ann"]});
    raw.subscribe(json!({"consumer": "c", "filter": filter, "max_in_flight": 1}));
    for _ in 0..20 {
        stage.bob_says("not for c");
    }
    stage.sandbox.send("ann", To::Handle("dora"), "for c");
    let event = raw.event();
    assert_eq!(text(&event), "for c");
    assert_eq!(raw.ok("consumers.list", json!({}))[0]["lag"], 1);
    raw.ack("c", event["offset"].as_u64().unwrap());
    assert_eq!(raw.ok("consumers.list", json!({}))[0]["lag"], 0);
    stage.bob_says("not for c");
    stage.log_is_whole(&daemon);
    assert_eq!(raw.ok("consumers.list", json!({}))[0]["lag"], 0);
}
