//! Events as they come, held against the schemas of their types.

use crate::described::Described;
use crate::stage;
use agentchatd_client::types::kind;
use agentchatd_tests::sandbox::{Cut, Draft, To};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn schema_of<'d>(described: &'d Described, event: &Value) -> &'d Value {
    let mut kinds = described.document["x-events"]
        .as_array()
        .expect("a list")
        .iter();
    let kind = kinds.find(|kind| kind["name"] == event["type"]);
    let kind = kind.unwrap_or_else(|| panic!("{event} is not described"));
    assert_eq!(kind["logged"], !event["offset"].is_null(), "{event}");
    &kind["schema"]
}

#[test]
fn every_type_that_the_daemon_knows_is_described() {
    let described = Described::new();
    let listed = described.document["x-events"].as_array().unwrap();
    let listed: BTreeSet<_> = listed
        .iter()
        .filter_map(|kind| kind["name"].as_str())
        .collect();
    for name in [
        kind::MESSAGE_NEW,
        kind::MESSAGE_SENT,
        kind::MESSAGE_FAILED,
        kind::MESSAGE_READ,
        kind::GROUP_INVITE_RECEIVED,
        kind::GROUP_DELETED,
        kind::CONTACT_BLOCKED,
        kind::RATE_LIMIT_WARNING,
        kind::BACKLOG_WARNING,
        kind::SEQUENCE_GAP,
        kind::LOG_TRUNCATED,
        kind::TYPING_START,
        kind::TYPING_STOP,
        kind::PRESENCE_UPDATE,
        kind::CONNECTION_STATE,
    ] {
        assert!(listed.contains(name), "{name}");
    }
}

/// Frames of the platform, in each form that it is known to use.
const FRAMES: &[&str] = &[
    r#"{"type":"typing.start","payload":{"conversation_id":"conv_1","sender":"bob"}}"#,
    r#"{"type":"typing.stop","payload":{"conversation_id":"conv_1","sender":"bob"}}"#,
    r#"{"type":"presence.update","payload":{"handle":"bob","status":"busy","custom_message":null}}"#,
    r#"{"type":"message.read","payload":{"message_id":"m","read_by":"bob","read_at":"2026-11-23T12:00:00Z"}}"#,
    r#"{"type":"message.read","payload":{"conversation_id":"c","through_seq":4,"reader":"bob"}}"#,
    r#"{"type":"group.invite.received","payload":{"id":"gri_1","group_id":"grp_1","group_name":"g","group_description":null,"group_avatar_url":null,"group_member_count":2,"inviter_handle":"bob","created_at":"2026-11-23T12:00:00Z"}}"#,
    r#"{"type":"group.deleted","payload":{"group_id":"grp_1","deleted_by_handle":"bob","deleted_at":"2026-11-23T12:00:00Z"}}"#,
    r#"{"type":"contact.blocked","payload":{"blocked_by":"bob"}}"#,
    r#"{"type":"rate_limit.warning","payload":{"limit":60,"remaining":3}}"#,
];

#[test]
fn an_event_of_each_type_fits_its_schema() {
    let described = Described::new();
    let mut stage = stage();
    stage.env("AGENTCHATD_REALTIME_SYNC_INTERVAL_S", "3600");
    stage.env("AGENTCHATD_REALTIME_RECONCILE_INTERVAL_S", "3600");
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({ "from": "earliest" }));
    stage.bob_says("one");
    stage.log_is_whole(&daemon);
    let unheard = Draft::text("two").quiet();
    stage.sandbox.send("bob", To::Handle("dora"), unheard);
    stage.bob_says("three, behind a hole");
    stage.logged(&daemon, |event| event["type"] == "sequence.gap");
    for frame in FRAMES {
        assert_eq!(stage.sandbox.send_frame("dora", frame), 1);
    }
    raw.ok(
        "messages.send",
        json!({ "to": "ann", "data": { "a": [1, null] }, "metadata": {} }),
    );
    raw.refused(
        -32001,
        "messages.send",
        json!({ "to": "nobody-here", "text": "x" }),
    );
    stage.sandbox.set_backlog("bob", Some(6000));
    raw.ok("messages.send", json!({ "to": "bob", "text": "four" }));
    let cut = Cut::Clean {
        code: 1013,
        reason: "overload".into(),
    };
    stage.logged(&daemon, |event| event["type"] == "rate_limit.warning");
    assert_eq!(stage.sandbox.cut("dora", &cut), 1);

    let mut missing: BTreeSet<_> = described.document["x-events"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|kind| kind["name"].as_str())
        .collect();
    // The log is too short here to be cut; `retention.rs` sees that one.
    assert!(missing.remove(kind::LOG_TRUNCATED));
    while !missing.is_empty() {
        let Ok(Some(notice)) = raw.notification() else {
            panic!("no event of {missing:?}; {}", stage.log_text());
        };
        let event = &notice["params"]["result"];
        described.fits("an event", schema_of(&described, event), event);
        missing.remove(event["type"].as_str().expect("a type"));
    }
    for event in stage.log_is_whole(&daemon) {
        described.fits("a logged event", schema_of(&described, &event), &event);
    }
}

#[test]
fn the_schema_of_an_event_refuses_another_type_and_another_payload() {
    let described = Described::new();
    let event = |kind: &str, payload: Value| {
        json!({
            "offset": 1, "type": kind, "received_at": "2026-11-23T12:00:00Z", "source": "local",
            "conversation_id": null, "message_id": null, "seq": null, "late": false, "payload": payload,
        })
    };
    let warning = json!({ "recipient_handle": "bob", "undelivered_count": 5000 });
    let good = event("backlog.warning", warning.clone());
    let validator = described.validator(schema_of(&described, &good));
    assert!(validator.is_valid(&good));
    assert!(!validator.is_valid(&event("message.new", warning)));
    assert!(!validator.is_valid(&event("backlog.warning", json!({ "recipient_handle": 7 }))));
}
