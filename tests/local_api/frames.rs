//! `typing.start`, `typing.stop`, `realtime.send`.

use crate::stage;
use agentchatd_tests::sandbox::{Event, HelloOk, Options};
use agentchatd_tests::stage::Stage;
use serde_json::{Value, json};
use std::time::Duration;

/// The types of the frames that the platform got, hello and ack left out.
fn frames(stage: &Stage) -> Vec<String> {
    let entries = stage.sandbox.journal().entries_from(0).into_iter();
    entries
        .filter_map(|entry| match entry.event {
            Event::ClientFrame { frame, .. } => Some(frame),
            _ => None,
        })
        .collect()
}

fn typing() -> Value {
    json!({"conversation_id": "conv_1"})
}

#[test]
fn frames_go_out_in_order_over_the_socket() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let sent = json!({"sent": true});
    assert_eq!(raw.ok("typing.start", typing()), sent);
    let frame =
        json!({"type": "message.read_ack", "payload": {"conversation_id": "c", "through_seq": 1}});
    assert_eq!(raw.ok("realtime.send", json!({"frame": frame})), sent);
    assert_eq!(raw.ok("typing.stop", json!(["conv_1"])), sent);
    stage.seen_from(
        0,
        |event| matches!(event, Event::ClientFrame { frame, .. } if frame == "typing.stop"),
    );
    assert_eq!(
        frames(&stage),
        ["typing.start", "message.read_ack", "typing.stop"]
    );
    let long = json!({"frame": {"type": "x", "text": "x".repeat(1_100_000)}});
    assert_eq!(
        raw.refused(-32602, "realtime.send", long)["data"]["path"],
        "/frame"
    );
    assert_eq!(frames(&stage).len(), 3);
}

#[test]
fn before_the_handshake_is_answered_nothing_is_said_and_the_caller_knows() {
    let stage = stage();
    stage
        .sandbox
        .faults(|faults| faults.hello_ok = HelloOk::Late(Duration::from_millis(1500)));
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    stage.seen_from(0, |event| matches!(event, Event::Ready { .. }));
    for method in ["typing.start", "typing.stop"] {
        let data = raw.refused(-32002, method, typing())["data"].clone();
        assert!(
            data["reason"]
                .as_str()
                .expect("a reason")
                .contains("authenticating"),
            "{data}"
        );
    }
    raw.refused(-32002, "realtime.send", json!({"frame": {"type": "x"}}));
    stage.settle(&daemon);
    raw.ok("typing.start", typing());
    stage.seen_from(0, |event| matches!(event, Event::ClientFrame { .. }));
    assert_eq!(
        frames(&stage),
        ["typing.start"],
        "what was refused is not sent later"
    );
    let status = raw.ok("daemon.status", json!({}));
    assert_eq!(status["connection"]["connected_total"], 1);
}

#[test]
fn on_the_header_path_frames_wait_for_a_server_that_says_nothing() {
    let mut stage = Stage::with(
        env!("CARGO_BIN_EXE_agentchatd"),
        Stage::unlimited(Options::april()),
    );
    stage.env("AGENTCHATD_REALTIME_AUTH", "header");
    stage.env("AGENTCHATD_REALTIME_HELLO_TIMEOUT_MS", "500");
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    raw.ok("typing.start", typing());
    stage.seen_from(
        0,
        |event| matches!(event, Event::ClientFrame { frame, .. } if frame == "typing.start"),
    );
    let closed = |event: &Event| matches!(event, Event::Close { .. });
    assert_eq!(stage.sandbox.journal().count(closed), 0);
}

#[test]
fn without_a_key_or_a_connection_a_frame_is_refused() {
    let mut stage = stage();
    let key = std::mem::take(&mut stage.setup.key);
    let daemon = stage.start();
    stage
        .connect(&daemon)
        .refused(-32003, "typing.start", typing());
    drop(daemon);
    stage.setup.key = format!("{key}_wrong");
    let daemon = stage.start();
    daemon
        .status_until(|status| status["connection"]["state"] == "parked")
        .expect("the key is refused");
    let error = stage
        .connect(&daemon)
        .refused(-32002, "typing.start", typing());
    assert!(
        error["data"]["reason"]
            .as_str()
            .expect("a reason")
            .contains("parked"),
        "{error}"
    );
}
