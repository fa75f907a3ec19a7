//! What the platform says is kept as it was said.

use crate::{messages, stage};
use agentchatd_tests::sandbox::{Draft, To};
use serde_json::{Value, json};

/// Fetches and gives the line as it stands.
fn fetched(
    stage: &agentchatd_tests::stage::Stage,
    daemon: &agentchatd_tests::daemon::Daemon,
) -> String {
    let mut raw = stage.connect(daemon);
    raw.tell(r#"{"jsonrpc":"2.0","id":1,"method":"events.fetch"}"#);
    raw.text_line().ok().flatten().expect("a line")
}

#[test]
fn big_numbers_and_the_order_of_members_are_kept_through_socket_sync_and_restart() {
    let stage = stage();
    let content = r#"{"data":{"z":9007199254740993,"a":12345678901234567890123,"m":1.50,"e":1e2},"text":"x"}"#;
    let extra = r#""future":{"n":18446744073709551617,"b":null,"a":[]}"#;
    stage
        .sandbox
        .faults(|faults| faults.dress.extra = Some(extra.to_owned()));
    stage
        .sandbox
        .send("bob", To::Handle("dora"), Draft::raw(content).quiet());
    let mut daemon = stage.ready();
    stage
        .sandbox
        .send("bob", To::Handle("dora"), Draft::raw(content));
    stage.log_is_whole(&daemon);
    let line = fetched(&stage, &daemon);
    assert_eq!(line.matches(content).count(), 2, "{line}");
    assert_eq!(line.matches(extra).count(), 2, "{line}");
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"from": "earliest"}));
    assert!(raw.text_line().unwrap().unwrap().contains(content));
    daemon.kill().unwrap();
    let daemon = stage.ready();
    assert_eq!(fetched(&stage, &daemon), line);
}

#[test]
fn pitfall_35_messages_in_any_dress_are_read() {
    for (reversed, bare) in [(true, false), (false, true), (true, true)] {
        let stage = stage();
        stage.sandbox.faults(|faults| {
            faults.dress.reversed = reversed;
            faults.dress.bare = bare;
        });
        stage.bob_says("backlog");
        let daemon = stage.ready();
        stage.bob_says("live");
        stage.sandbox.send("ann", To::Handle("dora"), "of another");
        assert_eq!(
            messages(&stage.log_is_whole(&daemon)),
            3,
            "reversed {reversed}, bare {bare}"
        );
    }
}

#[test]
fn pitfall_35_events_of_every_other_type_are_logged_with_their_payload() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"consumer": "c"}));
    for (number, (kind, payload)) in [
        (
            "message.read",
            r#"{"message_id":"msg_1","read_by":"bob","read_at":"2026-01-01T00:00:00Z"}"#,
        ),
        (
            "message.read",
            r#"{"conversation_id":"conv_1","through_seq":9007199254740993,"reader":"bob"}"#,
        ),
        (
            "group.invite.received",
            r#"{"id":"inv_1","group_id":"grp_1","inviter":"bob"}"#,
        ),
        (
            "group.deleted",
            r#"{"group_id":"grp_1","deleted_by_handle":"ann","deleted_at":"x"}"#,
        ),
        ("contact.blocked", r#"{"handle":"bob"}"#),
        ("rate_limit.warning", r#"{"limit":60,"remaining":1}"#),
        ("moon.phase", r#"{"z":12345678901234567890123,"a":"full"}"#),
    ]
    .into_iter()
    .enumerate()
    {
        stage.sandbox.send_frame(
            "dora",
            &format!(r#"{{"type":"{kind}","payload":{payload}}}"#),
        );
        let line = raw.text_line().unwrap().unwrap();
        assert!(line.contains(&format!(r#""payload":{payload}"#)), "{line}");
        let event = serde_json::from_str::<Value>(&line).unwrap()["params"]["result"].clone();
        assert_eq!(
            (&event["type"], &event["offset"]),
            (&json!(kind), &json!(number + 1))
        );
        assert_eq!(
            (&event["source"], &event["late"]),
            (&json!("live"), &json!(false))
        );
        assert_eq!(event["seq"], Value::Null);
    }
}

#[test]
fn pitfall_35_frames_that_make_no_sense_disturb_nothing() {
    let stage = stage();
    let daemon = stage.ready();
    for frame in [
        "",
        "no json",
        "[]",
        "{}",
        "null",
        "7",
        r#"{"type":7}"#,
        r#"{"type":"message.new"}"#,
        r#"{"type":"message.new","payload":{}}"#,
        r#"{"type":"message.new","payload":{"id":7,"conversation_id":"c"}}"#,
        r#"{"type":"message.new","payload":null}"#,
        r#"{"type":"hello.ok"}"#,
    ] {
        assert_eq!(
            stage.sandbox.send_frame("dora", frame),
            1,
            "the socket holds after {frame}"
        );
    }
    stage.bob_says("hi");
    let log = stage.log_is_whole(&daemon);
    assert_eq!(log.len(), 1, "{log:#?}");
    let status = stage.connect(&daemon).ok("daemon.status", json!({}));
    assert_eq!(status["connection"]["connected_total"], 1);
}
