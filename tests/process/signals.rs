//! SIGTERM, SIGINT, SIGHUP.

use crate::{signal, stage};
use agentchatd_tests::sandbox::{AccountStatus, Event, HttpFault, HttpRule};
use serde_json::json;
use std::time::{Duration, Instant};

#[test]
fn a_signal_to_stop_ends_with_0_and_leaves_no_socket() {
    for name in ["TERM", "INT"] {
        let stage = stage();
        let mut daemon = stage.ready();
        signal(&daemon, name);
        let status = daemon.wait(Duration::from_secs(10)).unwrap();
        assert_eq!(status.code(), Some(0), "{name}: {}", stage.log_text());
        assert!(!stage.setup.socket().exists());
        let wal = stage.setup.dir.join("state/state.db-wal");
        assert!(
            std::fs::metadata(wal).map_or(0, |file| file.len()) == 0,
            "checkpointed"
        );
    }
}

#[test]
fn a_send_under_way_is_finished_and_answered_before_the_end() {
    let stage = stage();
    let mut daemon = stage.ready();
    let slow = HttpFault::DelayAnswer(Duration::from_millis(1500));
    stage
        .sandbox
        .faults(|faults| faults.http.push(HttpRule::next("POST /v1/messages", slow)));
    let mut raw = stage.connect(&daemon);
    let id = raw
        .start("messages.send", &json!({"to": "bob", "text": "last words"}))
        .unwrap();
    stage.seen_from(0, |event| matches!(event, Event::Sent { .. }));
    signal(&daemon, "TERM");
    let answer = raw.hear();
    assert_eq!(answer["id"], id);
    assert_eq!(
        answer["result"]["message"]["content"]["text"], "last words",
        "{answer}"
    );
    assert_eq!(
        daemon.wait(Duration::from_secs(10)).unwrap().code(),
        Some(0)
    );
    let daemon = stage.ready();
    let log = stage.log_is_whole(&daemon);
    assert_eq!(log.len(), 1);
}

#[test]
fn a_send_that_takes_too_long_does_not_hold_the_end_up_and_lands_once() {
    let stage = stage();
    let mut daemon = stage.ready();
    let slow = HttpFault::DelayAnswer(Duration::from_secs(60));
    stage
        .sandbox
        .faults(|faults| faults.http.push(HttpRule::next("POST /v1/messages", slow)));
    let mut raw = stage.connect(&daemon);
    let send = json!({"to": "bob", "text": "last words", "client_msg_id": "id-1"});
    raw.start("messages.send", &send).unwrap();
    stage.seen_from(0, |event| matches!(event, Event::Sent { .. }));
    signal(&daemon, "TERM");
    let started = Instant::now();
    let status = daemon.wait(Duration::from_secs(15)).unwrap();
    assert!(
        started.elapsed() < Duration::from_secs(12),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(status.code(), Some(0), "{}", stage.log_text());
    let daemon = stage.ready();
    let answer = stage.connect(&daemon).ok("messages.send", send);
    assert_eq!(answer["message"]["content"]["text"], "last words");
    let stored = |event: &Event| matches!(event, Event::Sent { replay: false, .. });
    assert_eq!(stage.sandbox.journal().count(stored), 1);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let stage = stage();
    let mut daemon = stage.ready();
    let slow = HttpFault::DelayAnswer(Duration::from_secs(60));
    stage
        .sandbox
        .faults(|faults| faults.http.push(HttpRule::next("POST /v1/messages", slow)));
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({}));
    raw.start("messages.send", &json!({"to": "bob", "text": "x"}))
        .unwrap();
    stage.seen_from(0, |event| matches!(event, Event::Sent { .. }));
    signal(&daemon, "TERM");
    let mut line = raw.hear();
    while line["method"] != "daemon.going_away" {
        line = raw.hear();
    }
    let started = Instant::now();
    signal(&daemon, "TERM");
    daemon.wait(Duration::from_secs(15)).unwrap();
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn a_hangup_reads_the_key_again() {
    let mut stage = stage();
    let right = std::mem::replace(&mut stage.setup.key, "ac_wrong_wrong_wrong".into());
    let daemon = stage.start();
    daemon
        .status_until(|status| status["connection"]["state"] == "parked")
        .unwrap();
    stage.setup.key = right;
    stage.setup.write_key().unwrap();
    signal(&daemon, "HUP");
    stage.settle(&daemon);
    stage.bob_says("hi");
    stage.log_is_whole(&daemon);
}

#[test]
fn pitfall_44_a_key_that_was_rotated_elsewhere_parks_and_a_hangup_brings_the_new_one() {
    let mut stage = stage();
    let daemon = stage.ready();
    let agent = stage.sandbox.rotate_key("dora", "ac_sandbox_dora_second");
    let parked = daemon
        .status_until(|status| status["connection"]["state"] == "parked")
        .unwrap();
    assert_eq!(
        parked["connection"]["last_close"]["reason"],
        "API key rotated"
    );
    stage.bob_says("while it was parked");
    stage.setup.key = agent.key().to_owned();
    stage.setup.write_key().unwrap();
    signal(&daemon, "HUP");
    stage.settle(&daemon);
    stage.log_is_whole(&daemon);
}

#[test]
fn a_hangup_tries_a_parked_account_again() {
    let stage = stage();
    let daemon = stage.ready();
    stage.sandbox.set_status("dora", AccountStatus::Suspended);
    daemon
        .status_until(|status| status["connection"]["state"] == "parked")
        .unwrap();
    stage.sandbox.set_status("dora", AccountStatus::Active);
    signal(&daemon, "HUP");
    stage.settle(&daemon);
}

#[test]
fn a_hangup_disturbs_nothing_where_nothing_changed() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"filter": {"types": ["message.new", "connection.state"]}}));
    signal(&daemon, "HUP");
    stage.bob_says("hi");
    assert_eq!(raw.event()["type"], "message.new");
    let status = raw.ok("daemon.status", json!({}));
    assert_eq!(status["connection"]["connected_total"], 1);
}
