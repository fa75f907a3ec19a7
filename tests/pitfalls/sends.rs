//! Pitfalls of what goes out.

use crate::{asks, connects, of_type, stage};
use agentchatd_tests::http::Http;
use agentchatd_tests::sandbox::{Event, HttpFault, HttpRule, InboxMode, Setting};
use agentchatd_tests::stage::{SOON, Stage};
use serde_json::json;

const SEND: &str = "POST /v1/messages";

fn next(stage: &Stage, route: &str, what: HttpFault) {
    let rule = HttpRule::next(route, what);
    stage.sandbox.faults(|faults| faults.http.push(rule));
}

/// The request id of each request to this path.
fn request_ids(stage: &Stage, path: &str) -> Vec<String> {
    let of = |event: &Event| match event {
        Event::Http {
            path: at, headers, ..
        } if at == path => headers
            .iter()
            .find(|(name, _)| name == "x-request-id")
            .map(|(_, value)| value.clone()),
        _ => None,
    };
    let entries = stage.sandbox.journal().entries();
    entries
        .iter()
        .filter_map(|entry| of(&entry.event))
        .collect()
}

#[test]
fn pitfall_51_text_that_the_platform_can_never_take_is_refused_here_with_its_place() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let send = |params: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"messages.send","params":{params}}}"#)
    };
    for (params, path) in [
        (r#"{"to":"bob","text":"a\u0000b"}"#, "/text"),
        (r#"{"to":"bob","content":{"text":"\u0000"}}"#, "/content"),
        (r#"{"to":"bob","data":{"a":[{"\u0000":1}]}}"#, "/data"),
        (
            r#"{"to":"bob","text":"x","metadata":{"a":"\u0000"}}"#,
            "/metadata",
        ),
        (
            r#"{"to":"bob","text":"\u0000","delivery":"queue"}"#,
            "/text",
        ),
    ] {
        let request = send(params);
        let mut http = Http::connect(daemon.socket(), SOON).unwrap();
        for answer in [raw.say(&request), http.post(&request).unwrap().json()] {
            let error = &answer["error"];
            assert_eq!(error["code"], -32602, "{params}: {answer}");
            let place = error["data"]["path"].as_str().unwrap();
            assert!(place.starts_with(path), "{params}: {answer}");
            assert!(error["message"].is_string());
        }
    }
    // Half of a surrogate pair is no text at all.
    for text in [r"\ud800", r"x\udfff", r"\ud800\ud800"] {
        let request = send(&format!(r#"{{"to":"bob","text":"{text}"}}"#));
        let mut http = Http::connect(daemon.socket(), SOON).unwrap();
        for answer in [raw.say(&request), http.post(&request).unwrap().json()] {
            assert_eq!(answer["error"]["code"], -32700, "{text}: {answer}");
        }
    }
    assert_eq!(raw.ok("outbox.list", json!({}))["entries"], json!([]));
    assert_eq!(stage.send_requests(), 0);
    let whole = raw.say(&send(r#"{"to":"bob","text":"\ud83d\ude00 \\u0000"}"#));
    let text = &whole["result"]["message"]["content"]["text"];
    assert_eq!(text, "\u{1f600} \\u0000", "{whole}");
}

#[test]
fn pitfall_52_an_empty_500_is_logged_with_method_path_and_our_own_id() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    next(&stage, SEND, HttpFault::Empty500);
    raw.ok("messages.send", json!({"to": "bob", "text": "x"}));
    let ids = request_ids(&stage, "/v1/messages");
    assert_eq!(ids.len(), 2);
    let log = stage.log_text();
    let line = log.lines().find(|line| line.contains(&ids[0]));
    let line = line.unwrap_or_else(|| panic!("{} in {log}", ids[0]));
    for word in ["POST", "/v1/messages", "500"] {
        assert!(line.contains(word), "{word} in {line}");
    }
    // A call that is passed on has no code and no id of the platform's either.
    next(&stage, "POST /v1/contacts", HttpFault::Empty500);
    let data = raw.refused(-32001, "contacts.add", json!({"handle": "bob"}))["data"].clone();
    assert_eq!(data["status"], 500);
    assert!(
        data["code"].is_null() && data["request_id"].is_null(),
        "{data}"
    );
}

#[test]
fn pitfall_59_a_replay_in_other_spelling_is_the_same_message() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    stage.sandbox.faults(|faults| faults.dress.reversed = true);
    let content =
        r#"{"text":"t","data":{"z":1.0,"a":[1e2,{"y":9007199254740993,"b":null}],"m":-0.0}}"#;
    let request = |id: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"messages.send","params":{{"to":"bob","client_msg_id":"{id}","content":{content},"metadata":{{"k":2.50}}}}}}"#
        )
    };
    // Its first answer is lost; the second is a replay, with the numbers as the platform has them.
    next(&stage, SEND, HttpFault::DropAfter);
    let answer = raw.say(&request("id-1"));
    assert_eq!(answer["result"]["replayed"], true, "{answer}");
    let data = answer["result"]["message"]["content"]["data"].to_string();
    assert!(!data.contains("9007199254740993"), "rounded: {data}");
    // Refused on its second attempt, it is found in history by its meaning too.
    next(&stage, SEND, HttpFault::DropAfter);
    next(&stage, SEND, HttpFault::error(403, "BLOCKED"));
    let answer = raw.say(&request("id-2"));
    assert_eq!(answer["result"]["replayed"], true, "{answer}");
    let log = stage.log_is_whole(&daemon);
    assert_eq!(of_type(&log, "message.sent").len(), 2);
}

#[test]
fn pitfall_63_an_inbox_that_closes_in_a_running_talk_fails_that_send_alone() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    stage.bob_says("hi");
    raw.ok("messages.send", json!({"to": "bob", "text": "hello"}));
    stage
        .sandbox
        .set("bob", &Setting::InboxMode(InboxMode::ContactsOnly));
    assert_eq!(asks(&stage, "bob", "DELETE", "/v1/contacts/dora", ""), 200);
    let before = stage.send_requests();
    let send = json!({"to": "bob", "text": "are you there?"});
    let data = raw.refused(-32001, "messages.send", send)["data"].clone();
    assert_eq!(data["code"], "INBOX_RESTRICTED", "{data}");
    assert_eq!(stage.send_requests() - before, 1, "no second attempt");
    // The talk goes on in the other direction, and in both once the entry is back.
    stage.bob_says("one way");
    stage.log_is_whole(&daemon);
    stage.sandbox.set("bob", &Setting::Contact("dora".into()));
    raw.ok("messages.send", json!({"to": "bob", "text": "there!"}));
    assert_eq!(connects(&stage), 1);
}

#[test]
fn pitfall_64_a_report_blocks_and_an_answer_after_it_fails_at_once() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    stage.bob_says("spam");
    stage.log_is_whole(&daemon);
    raw.ok("contacts.report", json!({"handle": "bob"}));
    let before = stage.send_requests();
    let send = json!({"to": "bob", "text": "stop it", "client_msg_id": "id-1"});
    let data = raw.refused(-32001, "messages.send", send)["data"].clone();
    assert_eq!(data["class"], "BlockedError");
    let failed = raw.ok("outbox.list", json!({"state": "failed"}));
    assert_eq!(failed["entries"][0]["client_msg_id"], "id-1", "{failed}");
    assert_eq!(stage.send_requests() - before, 1, "no second attempt");
    raw.ok("messages.send", json!({"to": "ann", "text": "good news"}));
    assert_eq!(connects(&stage), 1);
    assert_eq!(raw.ok("daemon.health", json!({}))["verdict"], "ok");
}
