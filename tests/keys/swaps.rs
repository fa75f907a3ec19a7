//! The rotation of a key under load: nothing is lost, nothing comes twice, nothing parks.

use crate::{
    ROTATE_VERIFY, answer_late, begun, goes_over, is_current, read, rotate, stage, watcher,
};
use agentchatd_tests::sandbox::{Event, HttpFault, HttpRule, To};
use agentchatd_tests::stage::until;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How long the platform keeps the answer with the new key back.
const LATE: Duration = Duration::from_millis(400);

#[test]
fn messages_flow_in_both_directions_through_a_rotation() {
    const EACH: usize = 80;
    const BEFORE: usize = 5;
    let stage = stage();
    let daemon = stage.ready();
    let mut watcher = watcher(&stage, &daemon);
    let mut consumer = stage.connect(&daemon);
    consumer.subscribe(json!({"consumer": "all", "from": "earliest", "ack": "auto"}));
    let mut sender = stage.connect(&daemon);
    let mut raw = stage.connect(&daemon);
    answer_late(&stage, ROTATE_VERIFY, LATE);
    let proof = begun(&mut raw);

    let (written, sent) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let rotated = std::thread::scope(|scope| {
        let writes = scope.spawn(|| {
            for number in 0..EACH {
                let from = if number % 2 == 0 { "bob" } else { "ann" };
                let text = format!("in {number}");
                stage.sandbox.send(from, To::Handle("dora"), text.as_str());
                written.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(8));
            }
        });
        let sends = scope.spawn(|| {
            for number in 0..EACH {
                let to = if number % 2 == 0 { "bob" } else { "ann" };
                let text = format!("out {number}");
                let answer = sender.ok("messages.send", json!({"to": to, "text": text}));
                assert_eq!(answer["replayed"], false, "{answer}");
                sent.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(4));
            }
        });
        until("messages flow in both directions", || {
            let flow = [&written, &sent].map(|count| count.load(Ordering::Relaxed));
            if flow.iter().all(|count| *count >= BEFORE) {
                return Ok(());
            }
            Err(format!("{flow:?}"))
        });
        let rotated = raw.ok("agents.rotate_key_verify", proof.clone());
        writes.join().expect("all is written");
        sends.join().expect("all is sent");
        rotated
    });

    assert_eq!(rotated["saved"], true, "{rotated}");
    goes_over(&mut watcher);
    assert!(is_current(&stage, "dora", &rotated["api_key"]));
    assert_eq!(
        read(&stage.setup.key_file()).trim_end(),
        rotated["api_key"].as_str().unwrap()
    );
    let log = stage.log_is_whole(&daemon);
    // One by one: what the platform has of each conversation, and what the log has of it.
    let mut logged: BTreeMap<String, Vec<(u64, String)>> = BTreeMap::new();
    for event in &log {
        assert_eq!(event["late"], false, "{event}");
        let conversation = event["conversation_id"].as_str().unwrap().to_owned();
        let (seq, id) = (event["seq"].as_u64().unwrap(), &event["message_id"]);
        let rows = logged.entry(conversation).or_default();
        rows.push((seq, id.as_str().unwrap().to_owned()));
    }
    let mut truth: BTreeMap<String, Vec<(u64, String)>> = BTreeMap::new();
    for message in stage.sandbox.messages_for("dora").into_values().flatten() {
        let rows = truth.entry(message.conversation_id.clone()).or_default();
        rows.push((message.seq, message.id.clone()));
    }
    assert_eq!(logged, truth);
    assert_eq!(log.len(), 2 * EACH);
    // And so has the consumer, that was attached all the time.
    let mut given: Vec<Value> = Vec::new();
    while given.len() < 2 * EACH {
        let event = consumer.event();
        if !event["offset"].is_null() {
            given.push(event);
        }
    }
    let place = |event: &Value| (event["offset"].clone(), event["message_id"].clone());
    assert_eq!(
        given.iter().map(place).collect::<Vec<_>>(),
        log.iter().map(place).collect::<Vec<_>>()
    );
    let status = raw.ok("daemon.status", json!({}));
    assert_eq!(status["connection"]["connected_total"], 2, "one swap");
    assert_eq!(status["connection"]["last_close"]["code"], 1008);
    watcher.silent();
}

#[test]
fn sends_that_are_under_way_at_the_swap_land_once() {
    let stage = stage();
    let daemon = stage.ready();
    let mut watcher = watcher(&stage, &daemon);
    let mut raw = stage.connect(&daemon);
    let proof = begun(&mut raw);
    // They reach the platform with the old key, some while it is replaced, some after that.
    for (route, times, what) in [
        ("POST /v1/messages", 4, HttpFault::Delay(LATE / 2)),
        ("POST /v1/messages", 4, HttpFault::Delay(LATE * 2)),
    ] {
        stage.sandbox.faults(|faults| {
            faults.http.push(HttpRule {
                route: route.to_owned(),
                skip: 0,
                times: Some(times),
                what,
            });
        });
    }
    answer_late(&stage, ROTATE_VERIFY, LATE);
    let mut sender = stage.connect(&daemon);
    let peers: Vec<String> = (0..8).map(|number| format!("peer{number}")).collect();
    for peer in &peers {
        stage.sandbox.agent(peer);
        let send = json!({"to": peer, "text": "once", "timeout_ms": 20_000});
        sender.start("messages.send", &send).unwrap();
    }
    let rotated = raw.ok("agents.rotate_key_verify", proof);
    assert_eq!(rotated["saved"], true, "{rotated}");
    for _ in &peers {
        let answer = sender.hear();
        assert!(answer["result"]["message"]["id"].is_string(), "{answer}");
    }
    goes_over(&mut watcher);
    let truth = stage.sandbox.messages_for("dora");
    let all: Vec<_> = truth.into_values().flatten().collect();
    assert_eq!(all.len(), peers.len());
    stage.log_is_whole(&daemon);
}

#[test]
fn rotations_at_once_take_turns_and_the_last_key_counts() {
    let stage = stage();
    let mut daemon = stage.ready();
    let mut watcher = watcher(&stage, &daemon);
    let mut raws: Vec<_> = (0..3).map(|_| stage.connect(&daemon)).collect();
    let proofs: Vec<Value> = raws.iter_mut().map(begun).collect();
    answer_late(&stage, ROTATE_VERIFY, LATE);
    for (raw, proof) in raws.iter_mut().zip(&proofs) {
        raw.start("agents.rotate_key_verify", proof).unwrap();
    }
    let answers: Vec<Value> = raws.iter_mut().map(|raw| raw.hear()).collect();
    let keys: Vec<&Value> = answers
        .iter()
        .map(|answer| &answer["result"]["api_key"])
        .collect();
    let current = keys.iter().filter(|key| is_current(&stage, "dora", key));
    assert_eq!(current.count(), 1, "{answers:?}");
    goes_over(&mut watcher);
    stage.settle(&daemon);
    stage.bob_says("still here");
    stage.log_is_whole(&daemon);
    daemon.stop().unwrap();
    let key = read(&stage.setup.key_file());
    assert!(is_current(&stage, "dora", &json!(key.trim_end())));
}

#[test]
fn a_reload_in_the_middle_takes_nothing_back() {
    let stage = stage();
    let daemon = stage.ready();
    let mut watcher = watcher(&stage, &daemon);
    let mut raw = stage.connect(&daemon);
    let proof = begun(&mut raw);
    answer_late(&stage, ROTATE_VERIFY, LATE);
    let before = stage.sandbox.journal().len();
    raw.start("agents.rotate_key_verify", &proof).unwrap();
    stage.seen_from(before, |event| matches!(event, Event::Close { .. }));
    for _ in 0..5 {
        crate::signal(&daemon, "HUP");
        stage.connect(&daemon).ok("daemon.reload", json!({}));
    }
    assert_eq!(raw.hear()["result"]["saved"], true);
    crate::signal(&daemon, "HUP");
    goes_over(&mut watcher);
    stage.connect(&daemon).ok("daemon.reload", json!({}));
    stage.bob_says("hi");
    stage.log_is_whole(&daemon);
    let status = raw.ok("daemon.status", json!({}));
    assert_eq!(status["connection"]["connected_total"], 2);
}

#[test]
fn a_key_is_kept_although_its_caller_is_gone_or_waits_no_longer() {
    for is_gone in [true, false] {
        let stage = stage();
        let daemon = stage.ready();
        let mut watcher = watcher(&stage, &daemon);
        let mut raw = stage.connect(&daemon);
        let mut proof = begun(&mut raw);
        answer_late(&stage, ROTATE_VERIFY, LATE * 2);
        if is_gone {
            raw.start("agents.rotate_key_verify", &proof).unwrap();
            until("the request is out", || {
                if stage.sandbox.agent("dora").key() == stage.setup.key {
                    return Err("the key is the old one".to_owned());
                }
                Ok(())
            });
            drop(raw);
        } else {
            proof["timeout_ms"] = json!(100);
            let error = raw.refused(-32002, "agents.rotate_key_verify", proof);
            assert!(
                error["message"].as_str().unwrap().contains("kept"),
                "{error}"
            );
        }
        goes_over(&mut watcher);
        let key = read(&stage.setup.key_file());
        assert!(is_current(&stage, "dora", &json!(key.trim_end())));
    }
}

#[test]
fn one_rotation_after_the_other_loses_nothing() {
    let stage = stage();
    let daemon = stage.ready();
    let mut watcher = watcher(&stage, &daemon);
    let mut raw = stage.connect(&daemon);
    for number in 0..5 {
        stage.bob_says(&format!("before {number}"));
        let rotated = rotate(&mut raw);
        assert_eq!(rotated["saved"], true, "{rotated}");
        stage.bob_says(&format!("after {number}"));
        goes_over(&mut watcher);
    }
    assert_eq!(stage.log_is_whole(&daemon).len(), 10);
}
