//! The same id again: the recorded outcome, or a conflict.

use crate::{entry_in, next_send, stage, stored};
use agentchatd_tests::sandbox::{Draft, HttpFault, To};
use serde_json::{Value, json};

#[test]
fn the_same_id_again_gives_the_recorded_outcome_with_no_second_request() {
    let stage = stage();
    let mut daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let send = json!({"to": "bob", "text": "once", "client_msg_id": "id-1"});
    let first = raw.ok("messages.send", send.clone());
    let again = raw.ok("messages.send", send.clone());
    assert_eq!(again["message"], first["message"]);
    assert_eq!(again["offset"], first["offset"]);
    assert_eq!(again["client_msg_id"], "id-1");
    assert_eq!(
        (&first["replayed"], &again["replayed"]),
        (&json!(false), &json!(true))
    );
    daemon.kill().unwrap();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let after_restart = raw.ok("messages.send", send);
    assert_eq!(after_restart["message"], first["message"]);
    assert_eq!(after_restart["replayed"], true);
    let queued = json!({"to": "bob", "text": "once", "client_msg_id": "id-1", "delivery": "queue"});
    assert_eq!(raw.ok("messages.send", queued)["queued"], true);
    assert_eq!(stage.send_requests(), 1);
    assert_eq!(stored(&stage), 1);
}

#[test]
fn a_recorded_failure_is_given_again_also_after_a_restart() {
    let stage = stage();
    let mut daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let send = json!({"to": "nobody", "text": "x", "client_msg_id": "id-1"});
    let first = raw.refused(-32001, "messages.send", send.clone());
    let again = raw.refused(-32001, "messages.send", send.clone());
    assert_eq!(again["data"], first["data"]);
    daemon.kill().unwrap();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let after_restart = raw.refused(-32001, "messages.send", send);
    assert_eq!(after_restart["data"], first["data"]);
    assert_eq!(stage.send_requests(), 1);
}

#[test]
fn two_callers_with_the_same_id_at_once_share_one_request() {
    let stage = stage();
    let daemon = stage.ready();
    next_send(
        &stage,
        HttpFault::DelayAnswer(std::time::Duration::from_millis(200)),
    );
    let mut one = stage.connect(&daemon);
    let mut two = stage.connect(&daemon);
    let send = json!({"to": "bob", "text": "once", "client_msg_id": "id-1"});
    one.start("messages.send", &send).unwrap();
    two.start("messages.send", &send).unwrap();
    let (first, second) = (one.hear()["result"].clone(), two.hear()["result"].clone());
    assert_eq!(first["message"]["id"], second["message"]["id"]);
    assert!(first["message"]["id"].is_string());
    assert_eq!(stage.send_requests(), 1);
}

#[test]
fn the_same_id_with_another_content_or_address_is_a_conflict() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let send = json!({"to": "bob", "text": "one", "client_msg_id": "id-1"});
    let first = raw.ok("messages.send", send.clone());
    for (member, value) in [
        ("text", json!("two")),
        ("to", json!("ann")),
        ("metadata", json!({"k": 1})),
        ("type", json!("structured")),
    ] {
        let mut other = send.clone();
        other[member] = value;
        let error = raw.refused(-32010, "messages.send", other);
        assert_eq!(error["data"]["client_msg_id"], "id-1", "{member}");
        assert_eq!(error["data"]["message"], first["message"], "{member}");
    }
    let queued = json!({"to": "bob", "text": "two", "client_msg_id": "id-1", "delivery": "queue"});
    raw.refused(-32010, "messages.send", queued);
    assert_eq!(stage.send_requests(), 1);
}

#[test]
fn pitfall_59_what_means_the_same_is_no_conflict() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let send = |number: u32, content: &str, to: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":{number},"method":"messages.send","params":{{"to":"{to}","client_msg_id":"id-1","content":{content}}}}}"#
        )
    };
    let first = raw.say(&send(
        1,
        r#"{"text":"t","data":{"a":1.0,"b":[9007199254740993,-0.0],"c":{"x":"é","y":1e2}}}"#,
        "bob",
    ));
    assert_eq!(
        first["result"]["replayed"], false,
        "the platform's answer is the same message"
    );
    let again = raw.say(&send(
        2,
        r#"{"data":{"c":{"y":100,"x":"\u00e9"},"b":[9007199254740992,0],"a":1},"text":"t"}"#,
        "@bob",
    ));
    assert_eq!(again["result"]["replayed"], true, "{again}");
    assert_eq!(stage.send_requests(), 1);
}

#[test]
fn pitfall_32_an_id_that_another_program_used_upstream_for_another_message_is_a_conflict() {
    let stage = stage();
    let mut daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let elsewhere = |text: &str, id: &str, to: &str| {
        stage
            .sandbox
            .send("dora", To::Handle(to), Draft::text(text).client_msg_id(id))
    };
    let other_text = elsewhere("something else", "id-1", "bob");
    let send = json!({"to": "bob", "text": "mine", "client_msg_id": "id-1"});
    let error = raw.refused(-32010, "messages.send", send.clone());
    assert_eq!(error["data"]["client_msg_id"], "id-1");
    assert_eq!(error["data"]["message"]["id"], other_text.id);
    let other_address = elsewhere("mine", "id-2", "ann");
    let error = raw.refused(
        -32010,
        "messages.send",
        json!({"to": "bob", "text": "mine", "client_msg_id": "id-2"}),
    );
    assert_eq!(error["data"]["message"]["id"], other_address.id);
    let same = elsewhere("mine", "id-3", "bob");
    let answer = raw.ok(
        "messages.send",
        json!({"to": "bob", "text": "mine", "client_msg_id": "id-3"}),
    );
    assert_eq!(
        (&answer["message"]["id"], &answer["replayed"]),
        (&json!(same.id), &json!(true))
    );
    assert_eq!(
        entry_in(&stage, &daemon, "id-1", "failed")["last_error"]["code"],
        -32010
    );
    daemon.kill().unwrap();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let again = raw.refused(-32010, "messages.send", send);
    assert_eq!(
        again["data"]["message"]["id"], other_text.id,
        "also after a restart"
    );
    stage.log_is_whole(&daemon);
}

#[test]
fn an_entry_of_the_outbox_shows_all_about_it() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    raw.ok(
        "messages.send",
        json!({"to": "@bob", "text": "x", "client_msg_id": "id-1"}),
    );
    let page = raw.ok("outbox.list", json!({"state": "sent"}));
    let entry = &page["entries"][0];
    for member in [
        "outbox_id",
        "client_msg_id",
        "state",
        "to",
        "conversation_id",
        "attempts",
        "created_at",
        "next_attempt_at",
        "expires_at",
        "last_error",
        "message",
    ] {
        assert!(
            entry.as_object().unwrap().contains_key(member),
            "{member} in {entry}"
        );
    }
    assert_eq!(entry["client_msg_id"], "id-1");
    assert_eq!(
        (&entry["state"], &entry["attempts"]),
        (&json!("sent"), &json!(1))
    );
    assert_eq!(entry["message"]["client_msg_id"], "id-1");
    assert_eq!(entry["to"], "bob");
    assert_eq!(
        raw.ok("outbox.list", json!({"state": "queued"}))["entries"],
        json!([])
    );
    assert_eq!(raw.ok("outbox.list", json!({}))["next_after"], Value::Null);
}
