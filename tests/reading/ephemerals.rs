//! Events that are live only.

use crate::{stage, text};
use agentchatd_tests::sandbox::Cut;
use agentchatd_tests::stage::SOON;
use serde_json::{Value, json};

#[test]
fn typing_and_presence_come_live_with_no_offset_and_are_not_kept() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"consumer": "c", "from": "earliest"}));
    for (kind, payload) in [
        (
            "typing.start",
            r#"{"conversation_id":"conv_1","sender":"bob"}"#,
        ),
        (
            "typing.stop",
            r#"{"conversation_id":"conv_1","sender":"bob","new":12345678901234567890123}"#,
        ),
        (
            "presence.update",
            r#"{"handle":"bob","status":"online","custom_message":null}"#,
        ),
    ] {
        stage.sandbox.send_frame(
            "dora",
            &format!(r#"{{"type":"{kind}","payload":{payload}}}"#),
        );
        let line = raw.text_line().unwrap().unwrap();
        assert!(line.contains(payload), "unchanged: {line}");
        let event = serde_json::from_str::<Value>(&line).unwrap()["params"]["result"].clone();
        assert_eq!(event["type"], kind);
        for member in ["offset", "message_id", "seq"] {
            assert_eq!(event.get(member), Some(&Value::Null), "{member} in {event}");
        }
        assert_eq!(event["source"], "live");
        assert_eq!(event["late"], false);
        assert!(event["received_at"].is_string());
    }
    assert_eq!(stage.log(&daemon), [] as [Value; 0]);
    stage.bob_says("kept");
    assert_eq!(raw.event()["offset"], 1);
}

#[test]
fn a_filter_holds_for_ephemeral_events_too() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"filter": {"types": ["typing.start"]}}));
    let frame = |kind: &str| format!(r#"{{"type":"{kind}","payload":{{"conversation_id":"c"}}}}"#);
    stage.sandbox.send_frame("dora", &frame("typing.stop"));
    stage.sandbox.send_frame("dora", &frame("typing.start"));
    assert_eq!(raw.event()["type"], "typing.start");
}

#[test]
fn the_states_of_the_connection_are_told() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"filter": {"types": ["connection.state"]}}));
    let cut = Cut::Clean {
        code: 1013,
        reason: "overload".into(),
    };
    assert_eq!(stage.sandbox.cut("dora", &cut), 1);
    let mut states = Vec::new();
    loop {
        let event = raw.event();
        let state = &event["payload"];
        assert_eq!(event["type"], "connection.state");
        assert_eq!(
            (&event["offset"], &event["source"]),
            (&Value::Null, &json!("local"))
        );
        for member in ["state", "reason", "code", "attempt", "retry_in_ms"] {
            assert!(
                state.as_object().unwrap().contains_key(member),
                "{member} in {state}"
            );
        }
        let name = state["state"].as_str().unwrap().to_owned();
        // Told again with what it is about: dialing, say.
        if states.last() != Some(&name) {
            states.push(name);
        }
        if state["state"] == "disconnected" {
            assert_eq!(state["code"], 1013, "{state}");
        }
        if state["state"] == "ready" {
            break;
        }
    }
    assert_eq!(
        states,
        [
            "disconnected",
            "connecting",
            "authenticating",
            "draining",
            "ready"
        ]
    );
    let status = stage.connect(&daemon).ok("daemon.status", json!({}));
    assert_eq!(status["connection"]["last_close"]["code"], 1013);
    assert_eq!(status["connection"]["last_close"]["reason"], "overload");
    assert_eq!(status["connection"]["connected_total"], 2);
}

#[test]
fn only_ephemeral_events_are_dropped_for_a_slow_reader_and_it_is_told_how_many() {
    const MANY: u64 = 6000;
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let opened = raw.subscribe(json!({"filter": {"types": ["typing.start", "message.new"]}}));
    let filler = "x".repeat(300);
    for number in 0..MANY {
        let frame = format!(
            r#"{{"type":"typing.start","payload":{{"conversation_id":"c","n":{number},"x":"{filler}"}}}}"#
        );
        stage.sandbox.send_frame("dora", &frame);
    }
    stage.bob_says("the last word");
    stage.log_is_whole(&daemon);
    let (mut came, mut dropped, mut said) = (0, 0, false);
    while !said || came + dropped < MANY {
        let Some(notice) = raw.line_within(SOON).unwrap() else {
            panic!("{came} came and {dropped} were dropped of {MANY}; said: {said}");
        };
        if notice["method"] == "events.lagged" {
            assert_eq!(notice["params"]["subscription"], opened["subscription"]);
            dropped += notice["params"]["dropped"].as_u64().expect("how many");
        } else if notice["params"]["result"]["type"] == "typing.start" {
            came += 1;
        } else {
            assert_eq!(text(&notice["params"]["result"]), "the last word");
            said = true;
        }
    }
    assert!(dropped > 0, "the reader was slow");
    assert_eq!(came + dropped, MANY);
}
