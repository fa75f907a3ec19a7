//! The daemon is killed at each step of an attempt: the next one sends again with the same id, and
//! there is one message.

use crate::{SEND, entry_in, stored};
use agentchatd_tests::daemon::build_with;
use agentchatd_tests::sandbox::{Event, HttpFault, HttpRule};
use agentchatd_tests::stage::{SOON, Stage};
use serde_json::{Value, json};
use std::time::Duration;

/// A platform, and the daemon that can be killed at named steps.
fn faulty() -> Stage {
    let binary = build_with("agentchatd", "agentchatd-faulty", "failpoints");
    let binary = binary.expect("the daemon with failpoints is built");
    Stage::new(binary.to_str().expect("a plain path"))
}

/// The ids of all requests for a send.
fn ids_asked_for(stage: &Stage) -> Vec<String> {
    let entries = stage.sandbox.journal().entries();
    let bodies = entries.into_iter().filter_map(|entry| match entry.event {
        Event::Http {
            method, path, body, ..
        } if format!("{method} {path}") == SEND => Some(body),
        _ => None,
    });
    bodies
        .map(|body| {
            let body: Value = serde_json::from_str(&body).expect("a body of JSON");
            body["client_msg_id"].as_str().expect("an id").to_owned()
        })
        .collect()
}

/// Sends once with the process dying at a step; how many requests were made in the end.
fn killed_at(step: &str) -> usize {
    let mut stage = faulty();
    stage.env("FAILPOINTS", &format!("{step}=1*return"));
    let mut daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let send = json!({"to": "bob", "text": "x", "client_msg_id": "id-1"});
    raw.start("messages.send", &send).expect("the daemon reads");
    let status = daemon.wait(SOON).expect("it dies at the step");
    assert_eq!(status.code(), None, "by a signal, at {step}");
    stage.env("FAILPOINTS", "");
    let daemon = stage.ready();
    entry_in(&stage, &daemon, "id-1", "sent");
    let answer = stage.connect(&daemon).ok("messages.send", send);
    assert_eq!(answer["message"]["content"]["text"], "x", "{step}");
    assert_eq!(stored(&stage), 1, "one message, {step}");
    let sent = |event: &Value| event["type"] == "message.sent";
    let log = stage.log_is_whole(&daemon);
    assert_eq!(log.iter().filter(|event| sent(event)).count(), 1, "{step}");
    let asked = ids_asked_for(&stage);
    assert!(asked.iter().all(|id| id == "id-1"), "{step}: {asked:?}");
    asked.len()
}

#[test]
fn a_kill_at_each_step_of_a_send_ends_with_one_message_under_its_id() {
    for (step, requests) in [
        ("send-accepted", 1),
        ("request-ready", 1),
        ("answer-read", 2),
        ("answer-stored", 1),
    ] {
        assert_eq!(killed_at(step), requests, "requests, {step}");
    }
}

#[test]
fn a_kill_between_the_request_and_its_answer_sends_again_with_the_same_id() {
    let stage = Stage::new(env!("CARGO_BIN_EXE_agentchatd"));
    let mut daemon = stage.ready();
    let waits = HttpFault::DelayAnswer(Duration::from_secs(60));
    stage
        .sandbox
        .faults(|faults| faults.http.push(HttpRule::next(SEND, waits)));
    let mut raw = stage.connect(&daemon);
    let send = json!({"to": "bob", "text": "x", "client_msg_id": "id-1", "delivery": "queue"});
    raw.ok("messages.send", send);
    stage.seen_from(0, |event| {
        matches!(event, Event::Sent { replay: false, .. })
    });
    daemon.kill().expect("it dies");
    let daemon = stage.ready();
    let entry = entry_in(&stage, &daemon, "id-1", "sent");
    assert_eq!(entry["attempts"], 2);
    let again = |event: &Event| matches!(event, Event::Sent { client_msg_id, replay: true, .. } if client_msg_id == "id-1");
    assert_eq!(
        stage.sandbox.journal().count(again),
        1,
        "the platform knew it"
    );
    assert_eq!(stored(&stage), 1);
    stage.log_is_whole(&daemon);
}
