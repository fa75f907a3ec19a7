//! Where a subscription starts, what it shows, and who may hold a consumer.

use crate::{offsets, stage, text, with_log};
use agentchatd_tests::sandbox::To;
use serde_json::{Value, json};

#[test]
fn an_event_has_every_member_of_the_contract_and_the_payload_of_the_platform() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let opened = raw.subscribe(json!({}));
    assert_eq!(opened["next_offset"], 1);
    assert_eq!(opened["consumer"], Value::Null);
    let message = stage.bob_says("hi");
    let notice = raw.notice();
    assert_eq!(notice["jsonrpc"], "2.0");
    assert_eq!(notice["method"], "events.event");
    assert_eq!(notice["params"]["subscription"], opened["subscription"]);
    assert!(notice.get("id").is_none());
    let event = &notice["params"]["result"];
    assert_eq!(event["offset"], 1);
    assert_eq!(event["type"], "message.new");
    assert_eq!(event["conversation_id"], message.conversation_id);
    assert_eq!(event["message_id"], message.id);
    assert_eq!(event["seq"], 1);
    assert_eq!(event["source"], "live");
    assert_eq!(event["late"], false);
    assert!(event["received_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(event["payload"]["sender"], "bob");
    assert_eq!(text(event), "hi");
    assert!(event.get("redelivered").is_none());
}

#[test]
fn a_subscription_starts_where_it_is_told() {
    let stage = stage();
    let daemon = with_log(&stage, &["a", "b", "c"]);
    let log = stage.log(&daemon);
    let mut raw = stage.connect(&daemon);
    let third = log[2]["received_at"].clone();
    for (from, next, first) in [
        (json!("now"), 4, "d"),
        (json!("earliest"), 1, "a"),
        (json!({"offset": 2}), 2, "b"),
        (json!({"offset": 1}), 1, "a"),
        (json!({"offset": 0}), 1, "a"),
        (json!({"offset": 4}), 4, "d"),
        (json!({"time": third}), 3, "c"),
        (json!({"time": "2001-01-01T00:00:00Z"}), 1, "a"),
        (json!({"time": "2001-01-01T02:00:00.5+02:00"}), 1, "a"),
        (json!({"time": "2999-01-01T00:00:00Z"}), 4, "d"),
    ] {
        let opened = raw.subscribe(json!({"from": from}));
        if let Some(time) = from["time"]
            .as_str()
            .filter(|time| time.starts_with("20") && *time == third)
        {
            // Several events may bear the same millisecond.
            let first = log
                .iter()
                .position(|event| event["received_at"] == time)
                .unwrap();
            assert_eq!(opened["next_offset"], first + 1, "{from}");
        } else {
            assert_eq!(opened["next_offset"], next, "{from}");
            if next < 4 {
                assert_eq!(text(&raw.event()), first, "{from}");
            }
        }
        raw.ok(
            "events.unsubscribe",
            json!({"subscription": opened["subscription"]}),
        );
        raw.notifications.clear();
    }
    let mut live = stage.connect(&daemon);
    live.subscribe(json!({}));
    stage.bob_says("d");
    assert_eq!(text(&live.event()), "d");
}

#[test]
fn the_answer_comes_before_the_first_event() {
    let stage = stage();
    let daemon = with_log(&stage, &["a", "b"]);
    for _ in 0..20 {
        let mut raw = stage.connect(&daemon);
        raw.subscribe(json!({"from": "earliest"}));
        assert_eq!(raw.notifications.len(), 0);
        assert_eq!(offsets(&raw.events(2)), [1, 2]);
    }
}

#[test]
fn a_known_consumer_goes_on_after_its_acked_offset_whatever_from_says() {
    let stage = stage();
    let daemon = with_log(&stage, &["a", "b", "c"]);
    let mut raw = stage.connect(&daemon);
    let opened = raw.subscribe(json!({"consumer": "reader", "from": "earliest"}));
    assert_eq!(opened["consumer"], "reader");
    raw.events(3);
    assert_eq!(raw.ack("reader", 1)["acked_offset"], 1);
    drop(raw);
    for from in [json!("now"), json!("earliest"), json!({"offset": 3})] {
        let mut raw = stage.connect(&daemon);
        let opened = raw.subscribe(json!({"consumer": "reader", "from": from}));
        assert_eq!(opened["next_offset"], 2);
        assert_eq!(offsets(&raw.events(2)), [2, 3]);
    }
}

#[test]
fn a_consumer_is_held_by_one_subscription_and_the_conflict_names_the_holder() {
    let stage = stage();
    let daemon = stage.ready();
    let mut first = stage.connect(&daemon);
    first.subscribe(json!({"consumer": "one"}));
    let mut second = stage.connect(&daemon);
    let error = second.refused(-32005, "events.subscribe", json!({"consumer": "one"}));
    assert_eq!(error["data"]["consumer"], "one");
    assert_eq!(error["data"]["reason"], "attached");
    assert_eq!(error["data"]["holder_pid"], std::process::id());
    assert!(error["data"]["holder_uid"].is_u64());
    first.refused(-32005, "events.subscribe", json!({"consumer": "one"}));
    stage.bob_says("hi");
    assert_eq!(text(&first.event()), "hi", "the first goes on");
    second.subscribe(json!({"consumer": "other"}));
}

#[test]
fn a_takeover_ends_the_first_subscription_and_tells_it() {
    let stage = stage();
    let daemon = stage.ready();
    let mut first = stage.connect(&daemon);
    let opened = first.subscribe(json!({"consumer": "one"}));
    let mut second = stage.connect(&daemon);
    second.subscribe(json!({"consumer": "one", "takeover": true}));
    let closed = first.notice();
    assert_eq!(closed["method"], "events.closed");
    assert_eq!(closed["params"]["subscription"], opened["subscription"]);
    assert!(closed["params"]["reason"].is_string(), "{closed}");
    stage.bob_says("hi");
    assert_eq!(text(&second.event()), "hi");
    first.silent();
    first.ok("daemon.version", json!({}));
    let gone = json!({"subscription": opened["subscription"]});
    first.refused(-32006, "events.unsubscribe", gone);
}

#[test]
fn a_consumer_is_free_again_when_its_connection_closes_or_it_unsubscribes() {
    let stage = stage();
    let daemon = stage.ready();
    let mut first = stage.connect(&daemon);
    first.subscribe(json!({"consumer": "one"}));
    drop(first);
    let mut second = stage.connect(&daemon);
    let opened = second.subscribe(json!({"consumer": "one"}));
    let name = json!({"subscription": opened["subscription"]});
    assert_eq!(second.ok("events.unsubscribe", name.clone()), true);
    let error = second.refused(-32006, "events.unsubscribe", name);
    assert_eq!(error["data"]["what"], "subscription");
    assert_eq!(error["data"]["id"], opened["subscription"]);
    stage.bob_says("unheard");
    second.silent();
    second.subscribe(json!({"consumer": "one"}));
    assert_eq!(text(&second.event()), "unheard");
}

#[test]
fn several_subscriptions_of_one_connection_are_told_apart() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let one = raw.subscribe(json!({"filter": {"senders": ["bob"]}}));
    let two = raw.subscribe(json!({"filter": {"senders": ["@ann"]}}));
    assert_ne!(one["subscription"], two["subscription"]);
    stage.bob_says("from bob");
    assert_eq!(raw.notice()["params"]["subscription"], one["subscription"]);
    stage.sandbox.send("ann", To::Handle("dora"), "from ann");
    assert_eq!(raw.notice()["params"]["subscription"], two["subscription"]);
}

#[test]
fn pitfall_39_every_subscriber_gets_every_event_and_a_slow_one_slows_nobody() {
    const MANY: usize = 2000;
    let stage = stage();
    let daemon = stage.ready();
    let mut slow = stage.connect(&daemon);
    slow.subscribe(json!({"consumer": "slow", "max_in_flight": 10000}));
    let mut quick = stage.connect(&daemon);
    quick.subscribe(json!({}));
    for number in 0..MANY {
        stage.bob_says(&format!("{number} {}", "x".repeat(500)));
    }
    let expected: Vec<u64> = (1..=MANY as u64).collect();
    assert_eq!(offsets(&quick.events(MANY)), expected);
    assert_eq!(offsets(&slow.events(MANY)), expected, "later, from the log");
}

#[test]
fn a_stopping_daemon_tells_those_who_subscribe_that_it_goes_away() {
    let stage = stage();
    let mut daemon = stage.ready();
    let mut subscriber = stage.connect(&daemon);
    subscriber.subscribe(json!({"filter": {"types": ["message.new"]}}));
    let mut bystander = stage.connect(&daemon);
    bystander.ok("daemon.version", json!({}));
    assert!(daemon.stop().unwrap().success());
    let notice = subscriber.notice();
    assert_eq!(notice["method"], "daemon.going_away", "{notice}");
    assert!(notice["params"]["reason"].is_string());
    assert!(notice["params"]["retry_in_ms"].is_u64());
    while let Some(line) = subscriber.line().unwrap() {
        assert_eq!(line["method"], "events.closed", "{line}");
    }
    assert_eq!(bystander.line().unwrap(), None);
}
