//! How much one client may ask for.

use crate::stage;
use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::sandbox::{Event, HttpFault, HttpRule};
use agentchatd_tests::stage::until;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const EIGHT_MIB: usize = 8 << 20;

/// A request of exactly so many bytes, for `daemon.version` with a member it does not know.
fn request_of(bytes: usize) -> String {
    let frame = r#"{"jsonrpc":"2.0","id":1,"method":"daemon.version","params":{"x":""}}"#;
    let filler = "x".repeat(bytes - frame.len());
    frame.replace(r#""x":"""#, &format!(r#""x":"{filler}""#))
}

#[test]
fn a_request_of_8_mib_is_read_and_one_byte_more_ends_the_connection() {
    let stage = stage();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    let answer = raw.say(&request_of(EIGHT_MIB));
    assert_eq!(answer["error"]["code"], -32602, "it was read");
    let answer = raw.say(&request_of(EIGHT_MIB + 1));
    assert_eq!(answer["error"]["code"], -32600);
    assert_eq!(answer["error"]["data"]["limit_bytes"], EIGHT_MIB);
    assert_eq!(raw.line().unwrap(), None, "then the connection closes");
    let mut next = stage.connect(&daemon);
    next.ok("daemon.version", json!({}));
}

/// The most memory that the daemon ever had resident, in bytes.
fn peak(daemon: &Daemon) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid()));
    let status = status.expect("the daemon runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.expect("the kernel tells it") << 10
}

#[test]
fn a_batch_of_millions_costs_one_error_and_little_memory() {
    const SOON: Duration = Duration::from_secs(20);
    const LITTLE: u64 = 100_000_000;
    let stage = stage();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    raw.ok("daemon.version", json!({}));
    let before = peak(&daemon);
    let started = Instant::now();
    let batch = format!("[1{}]", ",1".repeat((EIGHT_MIB - 3) / 2));
    let answer = raw.say(&batch);
    assert_eq!(answer["error"]["code"], -32600, "one error, not an array");
    assert_eq!(answer["error"]["data"]["limit_entries"], 1024);
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    let more = peak(&daemon) - before;
    assert!(more < LITTLE, "{more} bytes for one batch");
    raw.ok("daemon.version", json!({}));
}

#[test]
fn a_batch_of_1024_is_answered_and_one_more_is_refused() {
    let stage = stage();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    let batch = |entries: u64| {
        let one = |id| json!({"jsonrpc": "2.0", "id": id, "method": "daemon.version"});
        Value::Array((0..entries).map(one).collect()).to_string()
    };
    let answers = raw.say(&batch(1024));
    assert_eq!(answers.as_array().unwrap().len(), 1024);
    assert_eq!(raw.say(&batch(1025))["error"]["code"], -32600);
}

#[test]
fn the_limit_of_a_request_can_be_set() {
    let mut stage = stage();
    stage.env("AGENTCHATD_SOCKET_MAX_REQUEST_BYTES", "65536");
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    let answer = raw.say(&request_of(65537));
    assert_eq!(answer["error"]["data"]["limit_bytes"], 65536);
}

#[test]
fn thousands_of_pipelined_requests_are_all_answered() {
    const MANY: u64 = 5000;
    let stage = stage();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    let mut all = String::new();
    for id in 0..MANY {
        let request = json!({"jsonrpc": "2.0", "id": id, "method": "daemon.version"});
        all.push_str(&format!("{request}\n"));
    }
    // Written whole before anything is read, but for what the socket's buffers take.
    let mut writer = raw.second_hand().unwrap();
    let writing =
        std::thread::spawn(move || std::io::Write::write_all(&mut writer, all.as_bytes()));
    let answered: BTreeSet<u64> = (0..MANY)
        .map(|_| raw.hear()["id"].as_u64().unwrap())
        .collect();
    writing.join().unwrap().unwrap();
    assert_eq!(answered.len() as u64, MANY);
}

#[test]
fn over_1024_requests_that_wait_lose_nothing() {
    const MANY: u64 = 1500;
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let mut writer = raw.second_hand().unwrap();
    let writing = std::thread::spawn(move || {
        for id in 0..MANY {
            let params = json!({"after": 0, "wait_ms": 60000, "limit": 1});
            let request =
                json!({"jsonrpc": "2.0", "id": id, "method": "events.fetch", "params": params});
            std::io::Write::write_all(&mut writer, format!("{request}\n").as_bytes()).unwrap();
        }
    });
    raw.silent();
    let mut other = stage.connect(&daemon);
    other.ok("daemon.version", json!({}));
    stage.bob_says("this ends the wait");
    let answered: BTreeSet<u64> = (0..MANY)
        .map(|_| raw.hear()["id"].as_u64().unwrap())
        .collect();
    writing.join().unwrap();
    assert_eq!(answered.len() as u64, MANY);
}

#[test]
fn a_subscription_over_the_bound_is_refused() {
    let mut stage = stage();
    stage.env("AGENTCHATD_SOCKET_MAX_SUBSCRIPTIONS", "2");
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    let first = raw.subscribe(json!({}));
    raw.subscribe(json!({}));
    let error = raw.refused(-32008, "events.subscribe", json!({}));
    assert_eq!(error["data"]["limit"], "max_subscriptions");
    raw.ok(
        "events.unsubscribe",
        json!({"subscription": first["subscription"]}),
    );
    raw.subscribe(json!({}));
    stage.connect(&daemon).subscribe(json!({}));
}

#[test]
fn a_connection_over_the_bound_is_served_when_another_ends() {
    let mut stage = stage();
    stage.env("AGENTCHATD_SOCKET_MAX_CONNECTIONS", "2");
    let daemon = stage.start();
    let mut kept = Vec::new();
    // The connection that looked whether the daemon serves may still hold a place.
    for _ in 0..2 {
        let mut raw = stage.connect(&daemon);
        raw.ok("daemon.version", json!({}));
        kept.push(raw);
    }
    let mut third = stage.connect(&daemon);
    third.start("daemon.version", &json!({})).unwrap();
    third.silent();
    for raw in &mut kept {
        raw.ok("daemon.version", json!({}));
    }
    drop(kept);
    assert!(third.hear().get("result").is_some());
}

#[test]
fn pipelined_sends_to_one_destination_keep_the_order_in_which_they_were_written() {
    const MANY: usize = 300;
    let stage = stage();
    let daemon = stage.ready();
    // One attempt that has to be made again does not let the others pass.
    stage.sandbox.faults(|faults| {
        let rule = HttpRule::next("POST /v1/messages", HttpFault::Html(502));
        faults.http.push(HttpRule { skip: 3, ..rule });
    });
    let mut raw = stage.connect(&daemon);
    for number in 0..MANY {
        let delivery = if number % 2 == 0 { "wait" } else { "queue" };
        let params = json!({"to": "bob", "text": format!("{number}"), "delivery": delivery});
        raw.start("messages.send", &params).unwrap();
    }
    for _ in 0..MANY {
        let answer = raw.hear();
        assert!(answer.get("result").is_some(), "{answer}");
    }
    let all_there = || {
        stage
            .sandbox
            .journal()
            .count(|event| matches!(event, Event::Sent { .. }))
    };
    until("all sent", || {
        if all_there() == MANY {
            Ok(())
        } else {
            Err(format!("{}", all_there()))
        }
    });
    let sent = stage
        .sandbox
        .messages_for("bob")
        .into_values()
        .next()
        .unwrap();
    let texts: Vec<String> = sent
        .iter()
        .map(|message| message.content["text"].as_str().unwrap().to_owned())
        .collect();
    let expected: Vec<String> = (0..MANY).map(|number| number.to_string()).collect();
    assert_eq!(texts, expected);
}

#[test]
fn one_destination_that_waits_holds_up_no_other() {
    let stage = stage();
    let daemon = stage.ready();
    stage.sandbox.faults(|faults| {
        let wait = HttpFault::error_after(429, "RATE_LIMITED", "600");
        faults.http.push(HttpRule::next("POST /v1/messages", wait));
    });
    let mut raw = stage.connect(&daemon);
    let queued = json!({"to": "bob", "text": "waits", "delivery": "queue"});
    raw.ok("messages.send", queued);
    stage.seen_from(0, |event| matches!(event, Event::Http { status: 429, .. }));
    let started = Instant::now();
    raw.ok("messages.send", json!({"to": "ann", "text": "does not"}));
    assert!(started.elapsed() < Duration::from_secs(5));
}
