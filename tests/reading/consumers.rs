//! The list of durable consumers, and how they are moved and forgotten.

use crate::{offsets, redelivered, stage, with_log};
use serde_json::{Value, json};

#[test]
fn the_list_shows_where_each_consumer_stands() {
    let stage = stage();
    let daemon = with_log(&stage, &["a", "b", "c"]);
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"consumer": "one", "from": "earliest"}));
    raw.events(3);
    raw.ack("one", 1);
    raw.ok("events.fetch", json!({"consumer": "two", "from": "now"}));
    let list = raw.ok("consumers.list", json!({}));
    assert_eq!(list.as_array().unwrap().len(), 2);
    let one = list
        .as_array()
        .unwrap()
        .iter()
        .find(|info| info["name"] == "one")
        .unwrap();
    assert_eq!(one["mode"], "exclusive");
    assert_eq!(one["acked_offset"], 1);
    assert_eq!(one["lag"], 2);
    assert_eq!(one["attached"], true);
    assert_eq!(one["filter"], Value::Null);
    assert!(
        one["created_at"].is_string() && one["last_seen_at"].is_string(),
        "{one}"
    );
    let two = list
        .as_array()
        .unwrap()
        .iter()
        .find(|info| info["name"] == "two")
        .unwrap();
    let shown = (&two["acked_offset"], &two["lag"], &two["attached"]);
    assert_eq!(shown, (&json!(3), &json!(0), &json!(false)));
    let status = raw.ok("daemon.status", json!({}));
    assert_eq!(
        (&status["consumers"], &status["subscriptions"]),
        (&json!(2), &json!(1))
    );
}

#[test]
fn a_deleted_consumer_is_gone_for_good_and_its_subscription_ends() {
    let stage = stage();
    let mut daemon = with_log(&stage, &["a"]);
    let mut raw = stage.connect(&daemon);
    let opened = raw.subscribe(json!({"consumer": "c", "from": "earliest"}));
    raw.events(1);
    let mut other = stage.connect(&daemon);
    assert_eq!(other.ok("consumers.delete", json!({"name": "c"})), true);
    let closed = raw.notice();
    assert_eq!(closed["method"], "events.closed");
    assert_eq!(closed["params"]["subscription"], opened["subscription"]);
    let error = other.refused(-32006, "consumers.delete", json!({"name": "c"}));
    assert_eq!(error["data"]["what"], "consumer");
    other.refused(-32006, "events.ack", json!({"consumer": "c", "offset": 1}));
    daemon.kill().unwrap();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    assert_eq!(raw.ok("consumers.list", json!({})), json!([]));
    raw.subscribe(json!({"consumer": "c", "from": "earliest"}));
    assert_eq!(
        redelivered(&raw.events(1)),
        [false],
        "a new one of the same name"
    );
}

#[test]
fn a_seek_moves_a_consumer_to_any_place() {
    let stage = stage();
    let daemon = with_log(&stage, &["a", "b", "c"]);
    let mut raw = stage.connect(&daemon);
    raw.ok("events.fetch", json!({"consumer": "c", "from": "now"}));
    for (to, acked) in [
        (json!("earliest"), 0),
        (json!("now"), 3),
        (json!({"offset": 2}), 1),
        (json!({"time": "2001-01-01T00:00:00Z"}), 0),
    ] {
        let answer = raw.ok("consumers.seek", json!({"name": "c", "to": to}));
        assert_eq!(answer["acked_offset"], acked, "{to}");
        let info = &raw.ok("consumers.list", json!({}))[0];
        assert_eq!(
            (&info["acked_offset"], &info["lag"]),
            (&json!(acked), &json!(3 - acked))
        );
    }
    raw.refused(
        -32006,
        "consumers.seek",
        json!({"name": "nobody", "to": "now"}),
    );
}

#[test]
fn a_seek_under_a_live_subscription_goes_on_from_the_new_place() {
    let stage = stage();
    let mut daemon = with_log(&stage, &["a", "b", "c"]);
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"consumer": "c", "from": "earliest"}));
    raw.events(3);
    raw.ack("c", 3);
    raw.ok("consumers.seek", json!({"name": "c", "to": {"offset": 2}}));
    let events = raw.events(2);
    assert_eq!(
        (offsets(&events), redelivered(&events)),
        (vec![2, 3], vec![true, true])
    );
    daemon.kill().unwrap();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    assert_eq!(
        raw.ok("consumers.list", json!({}))[0]["acked_offset"],
        1,
        "it is on disk"
    );
}

#[test]
fn a_consumer_exists_as_soon_as_its_subscription_is_answered() {
    let stage = stage();
    let mut daemon = with_log(&stage, &["a"]);
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"consumer": "c"}));
    daemon.kill().unwrap();
    let daemon = stage.ready();
    stage.bob_says("b");
    let mut raw = stage.connect(&daemon);
    let opened = raw.subscribe(json!({"consumer": "c", "from": "earliest"}));
    assert_eq!(
        opened["next_offset"], 2,
        "where it was made, not where this one would"
    );
    assert_eq!(offsets(&raw.events(1)), [2]);
}
