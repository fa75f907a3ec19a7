//! What the log says of the end of a send, and expiry.

use crate::{entry_in, every_send, no_faults, stage, stored};
use agentchatd_tests::sandbox::{Event, HttpFault};
use serde_json::{Value, json};
use std::time::Duration;

#[test]
fn the_outcome_of_a_queued_send_is_an_event() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"consumer": "c"}));
    let send = |to: &str, id: &str| json!({"to": to, "text": "x", "delivery": "queue", "client_msg_id": id});
    let good = raw.ok("messages.send", send("bob", "good"));
    assert_eq!(good["queued"], true);
    assert_eq!(good["client_msg_id"], "good");
    assert!(good["outbox_id"].is_string(), "{good}");
    let event = raw.event();
    assert_eq!(event["type"], "message.sent");
    assert_eq!(event["payload"]["client_msg_id"], "good");
    let bad = raw.ok("messages.send", send("nobody", "bad"));
    let event = raw.event();
    assert_eq!(event["type"], "message.failed");
    assert_eq!(event["source"], "local");
    for member in ["conversation_id", "message_id", "seq"] {
        assert_eq!(event.get(member), Some(&Value::Null), "{member}");
    }
    let payload = &event["payload"];
    assert_eq!(payload["client_msg_id"], "bad");
    assert_eq!(payload["outbox_id"], bad["outbox_id"]);
    assert_eq!(payload["state"], "failed");
    assert_eq!(payload["error"]["code"], -32001);
    assert_eq!(payload["error"]["data"]["code"], "AGENT_NOT_FOUND");
}

#[test]
fn a_queued_send_is_on_disk_when_it_is_answered() {
    let stage = stage();
    let mut daemon = stage.ready();
    every_send(&stage, HttpFault::DropBefore);
    let mut raw = stage.connect(&daemon);
    let send = json!({"to": "bob", "text": "x", "delivery": "queue", "client_msg_id": "id-1"});
    raw.ok("messages.send", send);
    daemon.kill().unwrap();
    no_faults(&stage);
    let daemon = stage.ready();
    entry_in(&stage, &daemon, "id-1", "sent");
    assert_eq!(stored(&stage), 1);
    stage.log_is_whole(&daemon);
}

#[test]
fn a_send_under_way_when_the_daemon_is_killed_lands_once() {
    let stage = stage();
    let mut daemon = stage.ready();
    crate::next_send(&stage, HttpFault::DelayAnswer(Duration::from_secs(30)));
    let mut raw = stage.connect(&daemon);
    let send = json!({"to": "bob", "text": "x", "client_msg_id": "id-1"});
    raw.start("messages.send", &send).unwrap();
    stage.seen_from(0, |event| matches!(event, Event::Sent { .. }));
    daemon.kill().unwrap();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let answer = raw.ok("messages.send", send);
    assert_eq!(answer["message"]["content"]["text"], "x");
    assert_eq!(stored(&stage), 1);
    stage.log_is_whole(&daemon);
}

#[test]
fn what_is_not_taken_before_its_time_is_expired() {
    let mut stage = stage();
    stage.env("AGENTCHATD_HTTP_MAX_DELAY_MS", "50");
    let daemon = stage.ready();
    every_send(&stage, HttpFault::error(429, "RATE_LIMITED"));
    let mut raw = stage.connect(&daemon);
    let send = json!({"to": "bob", "text": "x", "client_msg_id": "id-1", "expires_in_ms": 300});
    let error = raw.refused(-32011, "messages.send", send.clone());
    assert_eq!(error["data"]["client_msg_id"], "id-1");
    let entry = entry_in(&stage, &daemon, "id-1", "expired");
    assert_eq!(error["data"]["outbox_id"], entry["outbox_id"]);
    let event = stage.logged(&daemon, |event| event["type"] == "message.failed");
    assert_eq!(event["payload"]["state"], "expired");
    let last_answer = &event["payload"]["error"]["data"]["code"];
    assert_eq!(last_answer, "RATE_LIMITED", "{event}");
    no_faults(&stage);
    raw.refused(-32011, "messages.send", send);
    assert_eq!(stored(&stage), 0);
}

#[test]
fn an_entry_whose_attempt_was_cut_off_is_not_called_expired_before_history_is_asked() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    raw.ok("messages.send", json!({"to": "bob", "text": "before"}));
    every_send(&stage, HttpFault::DropAfter);
    let send = json!({"to": "bob", "text": "x", "client_msg_id": "id-1", "expires_in_ms": 300});
    let answer = raw.ok("messages.send", send);
    assert_eq!(answer["message"]["content"]["text"], "x", "it had landed");
    entry_in(&stage, &daemon, "id-1", "sent");
    assert_eq!(stored(&stage), 2);
}

#[test]
fn a_recipient_with_much_unread_is_warned_of() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    stage.sandbox.set_backlog("bob", Some(6000));
    let send = json!({"to": "bob", "text": "x", "client_msg_id": "id-1"});
    let warning = json!({"recipient_handle": "bob", "undelivered_count": 6000});
    let answer = raw.ok("messages.send", send.clone());
    assert_eq!(answer["backlog_warning"], warning);
    let event = stage.logged(&daemon, |event| event["type"] == "backlog.warning");
    assert_eq!(event["payload"], warning);
    assert_eq!(event["source"], "local");
    assert_eq!(
        raw.ok("messages.send", send)["backlog_warning"],
        warning,
        "as recorded"
    );
}
