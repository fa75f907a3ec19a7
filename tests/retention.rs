//! The log is kept within `[storage] retention_bytes`: by the real daemon, while messages come, and
//! killed in the middle of a step.

use std::collections::BTreeSet;
use std::time::Duration;

use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::sandbox::To;
use agentchatd_tests::stage::{Stage, until};
use serde_json::{Value, json};

/// The least that may be set.
const BOUND: u64 = 1 << 20;
/// The text of one message.
const TEXT_BYTES: usize = 20_000;

fn stage() -> Stage {
    let mut stage = Stage::new(env!("CARGO_BIN_EXE_agentchatd"));
    stage.env("AGENTCHATD_STORAGE_RETENTION_BYTES", &BOUND.to_string());
    stage
}

/// Bob writes so many long messages; their ids.
fn writes(stage: &Stage, count: usize) -> Vec<String> {
    let text = "x".repeat(TEXT_BYTES);
    let send = || stage.sandbox.send("bob", To::Handle("dora"), &*text).id;
    (0..count).map(|_| send()).collect()
}

/// What a consumer is given until the log ends with this message, all of it acknowledged.
fn takes(stage: &Stage, daemon: &Daemon, consumer: &str, last: &str) -> Vec<Value> {
    let mut raw = stage.connect(daemon);
    let mut taken: Vec<Value> = Vec::new();
    let fetch = json!({"consumer": consumer, "from": "earliest", "limit": 50, "wait_ms": 2000});
    while taken.last().is_none_or(|event| event["message_id"] != last) {
        let page = raw.ok("events.fetch", fetch.clone());
        let events = page["events"].as_array().expect("a list");
        if let Some(end) = events.last() {
            let ack = json!({"consumer": consumer, "offset": end["offset"]});
            raw.ok("events.ack", ack);
        }
        taken.extend(events.iter().cloned());
    }
    taken
}

fn log_of(stage: &Stage, daemon: &Daemon) -> Value {
    stage.connect(daemon).ok("daemon.status", json!({}))["log"].clone()
}

/// Waits until the log is within `times` the bound.
fn is_cut(stage: &Stage, daemon: &Daemon, times: u64) -> Value {
    let mut log = Value::Null;
    until("the log is within its bound", || {
        log = log_of(stage, daemon);
        let bytes = log["bytes"].as_u64().expect("a number");
        // A message or two are written behind the last look.
        if bytes <= times * BOUND + 3 * TEXT_BYTES as u64 {
            Ok(())
        } else {
            Err(log.to_string())
        }
    });
    log
}

#[test]
fn what_everybody_has_acknowledged_goes_and_the_file_becomes_shorter() {
    let stage = stage();
    let daemon = stage.ready();
    let ids = writes(&stage, 150);
    let taken = takes(&stage, &daemon, "shop", ids.last().expect("some"));
    let new: Vec<_> = taken
        .iter()
        .filter_map(|e| e["message_id"].as_str())
        .collect();
    assert_eq!(new, ids, "each once and in order");
    let log = is_cut(&stage, &daemon, 1);
    assert!(log["first_offset"].as_u64() > Some(50), "{log}");
    assert_eq!(log["last_offset"], 150);
    until("the file is shorter", || {
        let bytes = std::fs::metadata(stage.setup.database())
            .expect("it is there")
            .len();
        // Some room stays for what comes.
        if bytes < 3 * BOUND {
            Ok(())
        } else {
            Err(bytes.to_string())
        }
    });
    // What AgentChat shows again is known, although its row is gone.
    let again = stage.connect(&daemon).ok("sync.drain", json!({}));
    assert_eq!(again["drained"], 0);
    let next = writes(&stage, 1);
    let event = stage.logged(&daemon, |event| event["message_id"] == next[0]);
    assert_eq!(event["offset"], 151);
}

#[test]
fn what_a_consumer_waits_for_stays_to_four_times_the_bound_and_its_loss_is_told() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    // It is made, and never comes back.
    raw.ok(
        "events.fetch",
        json!({"consumer": "asleep", "from": "earliest"}),
    );
    let ids = writes(&stage, 150);
    takes(&stage, &daemon, "shop", ids.last().expect("some"));
    let log = log_of(&stage, &daemon);
    assert_eq!(log["first_offset"], 1, "three times the bound: {log}");
    let more = writes(&stage, 120);
    takes(&stage, &daemon, "shop", more.last().expect("some"));
    let log = is_cut(&stage, &daemon, 4);
    let first = log["first_offset"].as_u64().expect("a number");
    assert!(first > 1, "{log}");
    let told = stage.logged(&daemon, |event| event["type"] == "log.truncated");
    assert_eq!(told["payload"]["first_offset"], 1, "{told}");
    assert_eq!(told["payload"]["consumers"], json!(["asleep"]));
    until("the warning", || {
        let status = raw.ok("daemon.status", json!({}));
        let warnings = status["warnings"].to_string();
        if warnings.contains("asleep") {
            Ok(())
        } else {
            Err(warnings)
        }
    });
    // What is removed may still be in memory until then.
    let mut daemon = daemon;
    assert!(daemon.stop().expect("it stops").success());
    let daemon = stage.ready();
    let asleep = json!({"consumer": "asleep", "limit": 1});
    let page = stage.connect(&daemon).ok("events.fetch", asleep);
    let kept = page["events"][0]["offset"].as_u64();
    assert!(kept >= Some(first), "it goes on with the first event kept");
}

#[test]
fn killed_in_the_middle_of_a_step_nothing_is_lost_or_comes_twice() {
    // Only the daemon that is killed removes anything, so there is always something to remove.
    let mut stage = Stage::new(env!("CARGO_BIN_EXE_agentchatd"));
    let bound = ("AGENTCHATD_STORAGE_RETENTION_BYTES", BOUND.to_string());
    let mut seen: Vec<(u64, String)> = Vec::new();
    let mut ids: Vec<String> = Vec::new();
    for round in 0..KILLS {
        let mut daemon = stage.ready();
        ids.extend(writes(&stage, 70));
        for event in takes(&stage, &daemon, "shop", ids.last().expect("some")) {
            let offset = event["offset"].as_u64().expect("an offset");
            seen.push((
                offset,
                event["message_id"].as_str().unwrap_or("-").to_owned(),
            ));
        }
        daemon.kill().expect("it can be killed");
        let step = ["retention-step", "retention-stepped"][round % 2];
        let mut armed = stage.setup.killed_at(step, 1).expect("it builds");
        armed.env.push((bound.0.into(), bound.1.clone()));
        let mut daemon = armed.spawn().expect("it starts");
        let status = daemon
            .wait(Duration::from_secs(30))
            .expect("it gets to its step");
        assert!(!status.success(), "{step}: {status}");
    }
    stage.env(bound.0, &bound.1);
    let daemon = stage.ready();
    is_cut(&stage, &daemon, 1);
    let offsets: BTreeSet<u64> = seen.iter().map(|(offset, _)| *offset).collect();
    assert_eq!(
        offsets.len(),
        seen.len(),
        "what was acknowledged is not given again"
    );
    let given: Vec<&String> = seen.iter().map(|(_, id)| id).collect();
    assert_eq!(
        given,
        ids.iter().collect::<Vec<_>>(),
        "each once and in order"
    );
    let log = log_of(&stage, &daemon);
    assert_eq!(log["last_offset"], ids.len());
}

/// Kills in the last test.
const KILLS: usize = 12;
