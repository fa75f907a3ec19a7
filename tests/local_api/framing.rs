//! How values, answers and ids stand in the stream.

use crate::stage;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const VERSION: &str = r#"{"jsonrpc":"2.0","id":1,"method":"daemon.version"}"#;

/// A call of `daemon.version` with this id.
fn version(id: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"daemon.version"}}"#)
}

#[test]
fn values_that_follow_each_other_with_no_line_break_are_each_answered() {
    let stage = stage();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    raw.write(version("1").as_bytes()).unwrap();
    assert_eq!(raw.hear()["id"], 1, "without any line break behind it");
    let many = [version("2"), version("3"), version("4")].concat();
    raw.write(many.as_bytes()).unwrap();
    let ids: BTreeSet<u64> = (0..3).map(|_| raw.hear()["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, [2, 3, 4].into());
}

#[test]
fn a_value_that_comes_byte_by_byte_is_answered_when_it_is_complete() {
    let stage = stage();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    for byte in VERSION.bytes() {
        raw.write(&[byte]).unwrap();
    }
    assert_eq!(raw.hear()["result"]["name"], "agentchatd");
}

#[test]
fn blank_lines_and_white_space_are_passed_over() {
    let stage = stage();
    let daemon = stage.start();
    for before in ["\n\n", " \t\r\n", "\r\n\r\n"] {
        let mut raw = stage.connect(&daemon);
        raw.write(before.as_bytes()).unwrap();
        assert_eq!(raw.say(VERSION)["id"], 1);
        raw.write(before.as_bytes()).unwrap();
        assert_eq!(raw.say(VERSION)["id"], 1);
    }
}

#[test]
fn a_last_line_that_is_no_json_and_has_no_end_costs_no_other_answer() {
    let stage = stage();
    let daemon = stage.start();
    for last in ["hello", "17", "\"x"] {
        let mut raw = stage.connect(&daemon);
        raw.start("events.fetch", &json!({"wait_ms": 300})).unwrap();
        raw.write(last.as_bytes()).unwrap();
        raw.finish().unwrap();
        let refusal = raw.hear();
        assert!(refusal["error"]["code"].is_number(), "{last}: {refusal}");
        assert!(raw.hear()["result"]["events"].is_array(), "{last}");
        assert_eq!(raw.line().unwrap(), None, "then it ends");
    }
    assert!(
        !stage.log_text().contains("panicked"),
        "{}",
        stage.log_text()
    );
}

#[test]
fn each_answer_is_one_line_of_json_rpc() {
    let stage = stage();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    raw.tell(VERSION);
    let line = raw.text_line().unwrap().unwrap();
    let answer: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(answer["jsonrpc"], "2.0");
    assert_eq!(answer["result"]["api"], 1);
    assert!(answer.get("error").is_none());
}

#[test]
fn ids_come_back_as_they_were_written() {
    let stage = stage();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    for id in [
        "1.0",
        "0",
        "-1",
        "1e3",
        "12345678901234567890123",
        "9007199254740993",
        "null",
        r#""x""#,
        r#""""#,
        r#""\u00e9\n""#,
    ] {
        let unknown = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"no.such"}}"#);
        for request in [version(id), unknown] {
            raw.tell(&request);
            let line = raw.text_line().unwrap().unwrap();
            let member = format!(r#""id":{id}"#);
            let after = line.split_once(&member).map(|(_, rest)| rest);
            assert!(
                after.is_some_and(|rest| rest.starts_with([',', '}'])),
                "{id}: {line}"
            );
        }
    }
}

#[test]
fn a_notification_is_run_and_not_answered() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    raw.tell(
        r#"{"jsonrpc":"2.0","method":"messages.send","params":{"to":"bob","text":"quietly"}}"#,
    );
    raw.tell(r#"{"jsonrpc":"2.0","method":"no.such.method"}"#);
    raw.tell(r#"{"jsonrpc":"2.0","method":"daemon.version","params":{"odd":1}}"#);
    assert_eq!(raw.say(&version("7"))["id"], 7, "nothing before it");
    stage.logged(&daemon, |event| event["type"] == "message.sent");
    raw.silent();
}

#[test]
fn a_batch_is_answered_with_one_array() {
    let stage = stage();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    let batch = format!(
        r#"[{},{{"jsonrpc":"2.0","method":"daemon.version"}},{},5,{{"jsonrpc":"2.0","id":"e","method":"no.such"}}]"#,
        version("1"),
        version("\"b\"")
    );
    let answers = raw.say(&batch);
    let answers = answers.as_array().expect("an array");
    let of = |id: Value| answers.iter().find(|answer| answer["id"] == id);
    assert_eq!(
        answers.len(),
        4,
        "the notification has no answer: {answers:?}"
    );
    assert_eq!(of(json!(1)).unwrap()["result"]["api"], 1);
    assert_eq!(of(json!("b")).unwrap()["result"]["api"], 1);
    assert_eq!(of(json!("e")).unwrap()["error"]["code"], -32601);
    assert_eq!(of(json!(null)).unwrap()["error"]["code"], -32600, "the 5");
}

#[test]
fn an_empty_batch_is_an_invalid_request_and_one_of_notifications_has_no_answer() {
    let stage = stage();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    let refused = raw.say("[]");
    assert_eq!(refused["error"]["code"], -32600);
    assert_eq!(refused["id"], Value::Null);
    raw.tell(r#"[{"jsonrpc":"2.0","method":"daemon.version"}]"#);
    assert_eq!(raw.say(VERSION)["id"], 1);
    raw.silent();
}

#[test]
fn what_a_client_asked_before_it_closed_its_side_is_answered() {
    let stage = stage();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    for id in 0..20 {
        raw.tell(&version(&id.to_string()));
    }
    raw.finish().unwrap();
    let answers = (0..20)
        .filter(|_| raw.hear().get("result").is_some())
        .count();
    assert_eq!(answers, 20);
    assert_eq!(raw.line().unwrap(), None, "then the daemon closes as well");
}

#[test]
fn answers_come_as_they_are_ready() {
    let stage = stage();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    let slow = raw
        .start("events.fetch", &json!({"after": 1000, "wait_ms": 60000}))
        .unwrap();
    let quick = raw.start("daemon.version", &json!({})).unwrap();
    assert_eq!(raw.hear()["id"], quick);
    raw.silent();
    assert!(slow < quick);
}

#[test]
fn http_is_told_apart_by_its_first_letter() {
    let stage = stage();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    raw.write(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .unwrap();
    let first = raw.text_line().unwrap().unwrap();
    assert!(first.starts_with("HTTP/1.1 "), "{first}");
}
