//! What a message may say, and where it may go.

use crate::stage;
use agentchatd_tests::sandbox::To;
use serde_json::{Value, json};

#[test]
fn each_form_of_content_reaches_the_platform_as_what_it_is() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    for (form, kind, content) in [
        (json!({"text": "hi"}), "text", json!({"text": "hi"})),
        (json!({"text": ""}), "text", json!({"text": ""})),
        (json!({"content": "hi"}), "text", json!({"text": "hi"})),
        (
            json!({"data": {"a": [1, null]}}),
            "structured",
            json!({"data": {"a": [1, null]}}),
        ),
        (
            json!({"content": {"text": "t", "data": {}}}),
            "text",
            json!({"text": "t", "data": {}}),
        ),
        (
            json!({"data": {}, "type": "text"}),
            "text",
            json!({"data": {}}),
        ),
        (
            json!({"text": "x", "type": "structured"}),
            "structured",
            json!({"text": "x"}),
        ),
    ] {
        let mut params = form.clone();
        params["to"] = json!("bob");
        params["metadata"] = json!({"reply_to": "msg_1"});
        let answer = raw.ok("messages.send", params);
        let message = &answer["message"];
        assert_eq!(message["content"], content, "{form}");
        assert_eq!(message["type"], kind, "{form}");
        assert_eq!(message["metadata"], json!({"reply_to": "msg_1"}));
        assert_eq!(message["client_msg_id"], answer["client_msg_id"]);
        assert_eq!(answer["replayed"], false);
        assert_eq!(answer["backlog_warning"], Value::Null);
    }
}

#[test]
fn an_attachment_that_is_unknown_is_the_platforms_word() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let params = json!({"to": "bob", "attachment_id": "att_unknown"});
    let data = raw.refused(-32001, "messages.send", params)["data"].clone();
    assert_eq!(
        (&data["status"], &data["code"]),
        (&json!(404), &json!("ATTACHMENT_NOT_FOUND"))
    );
    assert_eq!(data["class"], "NotFoundError");
}

#[test]
fn pitfall_34_a_handle_is_taken_with_and_without_its_sign_and_a_group_by_its_id() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let group = stage.sandbox.group("ann", "friends", &["dora", "bob"]);
    let mut direct = Vec::new();
    for to in ["bob", "@bob", "@Bob"] {
        let answer = raw.ok("messages.send", json!({"to": to, "text": "x"}));
        direct.push(answer["message"]["conversation_id"].clone());
    }
    assert!(direct.iter().all(|id| *id == direct[0]), "{direct:?}");
    let params = json!({"conversation_id": group, "text": "to all"});
    let answer = raw.ok("messages.send", params);
    assert_eq!(answer["message"]["conversation_id"], group);
    let error = raw.refused(
        -32001,
        "messages.send",
        json!({"to": "nobody", "text": "x"}),
    );
    assert_eq!(error["data"]["code"], "AGENT_NOT_FOUND");
}

#[test]
fn pitfall_32_an_id_is_made_where_none_is_given() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let mut id = || {
        let answer = raw.ok("messages.send", json!({"to": "bob", "text": "same"}));
        answer["client_msg_id"].as_str().unwrap().to_owned()
    };
    let (one, two) = (id(), id());
    assert_ne!(one, two);
    for id in [one, two] {
        assert_eq!(id.len(), 36, "a UUID: {id}");
        assert_eq!(&id[14..15], "7", "of version 7: {id}");
    }
}

#[test]
fn an_own_message_stands_in_the_log_where_its_seq_belongs() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    stage.bob_says("one");
    stage.log_is_whole(&daemon);
    let answer = raw.ok("messages.send", json!({"to": "bob", "text": "two"}));
    assert_eq!(answer["offset"], 2);
    stage.bob_says("three");
    let log = stage.log_is_whole(&daemon);
    assert_eq!(log[1]["type"], "message.sent");
    assert_eq!(log[1]["source"], "local");
    assert_eq!(log[1]["seq"], 2);
    assert_eq!(log[1]["payload"], answer["message"]);
    let types: Vec<&Value> = log.iter().map(|event| &event["type"]).collect();
    assert_eq!(types, ["message.new", "message.sent", "message.new"]);
}

#[test]
fn a_message_that_another_client_of_the_agent_sent_is_logged_once_it_is_seen() {
    let stage = stage();
    let daemon = stage.ready();
    stage.bob_says("one");
    stage
        .sandbox
        .send("dora", To::Handle("bob"), "from elsewhere");
    stage.bob_says("three");
    let log = stage.log_is_whole(&daemon);
    let own = log
        .iter()
        .find(|event| event["type"] == "message.sent")
        .unwrap();
    assert_eq!(own["payload"]["content"]["text"], "from elsewhere");
    let is_gap = |event: &&Value| event["type"] == "sequence.gap";
    if let Some(gap) = log.iter().find(is_gap) {
        assert_eq!(gap["payload"]["recovered"], true, "{gap}");
    }
}

#[test]
fn a_reply_that_overtakes_the_answer_is_no_gap() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    stage.bob_says("one");
    stage.log_is_whole(&daemon);
    let keep_back =
        agentchatd_tests::sandbox::HttpFault::DelayAnswer(std::time::Duration::from_millis(300));
    crate::next_send(&stage, keep_back);
    raw.start("messages.send", &json!({"to": "bob", "text": "two"}))
        .unwrap();
    stage.seen_from(0, |event| matches!(event, agentchatd_tests::sandbox::Event::Sent { agent, .. } if agent == "dora"));
    stage.bob_says("three");
    assert_eq!(raw.hear()["result"]["message"]["seq"], 2);
    let log = stage.log_is_whole(&daemon);
    let seqs: Vec<u64> = log
        .iter()
        .filter_map(|event| event["seq"].as_u64())
        .collect();
    assert_eq!(seqs, [1, 2, 3]);
    assert!(
        log.iter().all(|event| event["type"] != "sequence.gap"),
        "{log:#?}"
    );
}
