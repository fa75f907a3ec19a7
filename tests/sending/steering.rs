//! `outbox.get`, `outbox.retry`, `outbox.cancel`.

use crate::{SEND, entry_in, every_send, next_send, no_faults, stage, stored};
use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::raw::Raw;
use agentchatd_tests::sandbox::{AccountStatus, Event, HttpFault, HttpRule};
use agentchatd_tests::stage::{NEVER, Stage};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A message for Bob that nobody waits for.
fn queue(raw: &mut Raw, id: &str) -> Value {
    raw.ok(
        "messages.send",
        json!({"to": "bob", "text": id, "client_msg_id": id, "delivery": "queue"}),
    )
}

fn by_id(id: &str) -> Value {
    json!({"client_msg_id": id})
}

/// Queues a message that AgentChat refuses for good, and waits for that end.
fn failed(stage: &Stage, daemon: &Daemon, id: &str) -> Value {
    next_send(stage, HttpFault::error(403, "BLOCKED"));
    queue(&mut stage.connect(daemon), id);
    entry_in(stage, daemon, id, "failed")
}

/// The texts of the own messages, in the order in which the platform took them.
fn texts(stage: &Stage) -> Vec<String> {
    let all = stage.sandbox.messages_for("bob").into_values().flatten();
    let mut all: Vec<_> = all.collect();
    all.sort_by_key(|message| message.seq);
    all.into_iter()
        .map(|message| {
            message.content["text"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect()
}

/// The states that `message.failed` events told of a message, in order.
fn ends(stage: &Stage, daemon: &Daemon, id: &str) -> Vec<Value> {
    let log = stage.log(daemon).into_iter();
    log.filter(|event| event["type"] == "message.failed" && event["payload"]["client_msg_id"] == id)
        .map(|event| event["payload"]["state"].clone())
        .collect()
}

#[test]
fn an_entry_is_found_by_either_of_its_names() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    raw.ok(
        "messages.send",
        json!({"to": "bob", "text": "x", "client_msg_id": "id-1"}),
    );
    let listed = raw.ok("outbox.list", json!({}))["entries"][0].clone();
    assert_eq!(raw.ok("outbox.get", by_id("id-1")), listed);
    let by_number = json!({"outbox_id": listed["outbox_id"]});
    assert_eq!(raw.ok("outbox.get", by_number), listed);
    for method in ["outbox.get", "outbox.retry", "outbox.cancel"] {
        for other in ["2", "01", "+1", "-1", "x", "99999999999999999999", ""] {
            let error = raw.refused(-32006, method, json!({"outbox_id": other}));
            assert_eq!(error["data"], json!({"what": "outbox_entry", "id": other}));
        }
        let error = raw.refused(-32006, method, by_id("id-2"));
        assert_eq!(error["data"]["id"], "id-2");
    }
}

#[test]
fn a_failed_message_goes_out_again_with_its_own_id_and_body() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let before = failed(&stage, &daemon, "id-1");
    let again = raw.ok("outbox.retry", by_id("id-1"));
    assert!(
        again["state"] == "queued" || again["state"] == "sending" || again["state"] == "sent",
        "{again}"
    );
    assert_eq!(again["outbox_id"], before["outbox_id"]);
    assert!(
        again["expires_at"].as_str() > before["expires_at"].as_str(),
        "a new time"
    );
    let sent = entry_in(&stage, &daemon, "id-1", "sent");
    assert_eq!(sent["attempts"], 2);
    assert_eq!(sent["message"]["client_msg_id"], "id-1");
    assert_eq!(texts(&stage), ["id-1"]);
    assert_eq!(ends(&stage, &daemon, "id-1"), ["failed"]);
    let event = stage.logged(&daemon, |event| event["type"] == "message.sent");
    assert_eq!(event["payload"]["client_msg_id"], "id-1");
    let answer = raw.ok(
        "messages.send",
        json!({"to": "bob", "text": "id-1", "client_msg_id": "id-1"}),
    );
    assert_eq!(
        answer["message"], sent["message"],
        "the recorded outcome is the new one"
    );
}

#[test]
fn a_retried_message_stands_at_the_end_of_its_lane_also_after_a_kill() {
    let stage = stage();
    let mut daemon = stage.ready();
    failed(&stage, &daemon, "first");
    every_send(&stage, HttpFault::error_after(429, "RATE_LIMITED", "2"));
    let mut raw = stage.connect(&daemon);
    queue(&mut raw, "second");
    queue(&mut raw, "third");
    stage.seen_from(0, |_| stage.send_requests() > 1);
    let again = raw.ok("outbox.retry", json!({"client_msg_id": "first"}));
    assert_eq!(again["state"], "queued");
    queue(&mut raw, "fourth");
    daemon.kill().expect("it dies");
    no_faults(&stage);
    let daemon = stage.ready();
    entry_in(&stage, &daemon, "fourth", "sent");
    assert_eq!(texts(&stage), ["second", "third", "first", "fourth"]);
}

#[test]
fn a_message_of_unknown_fate_that_had_landed_is_found_by_its_retry() {
    let mut stage = stage();
    stage.env("AGENTCHATD_HTTP_MAX_DELAY_MS", "50");
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    raw.ok("messages.send", json!({"to": "bob", "text": "before"}));
    stage.sandbox.faults(|faults| {
        faults
            .http
            .push(HttpRule::always(SEND, HttpFault::DropAfter));
        let away = HttpFault::error(403, "FORBIDDEN");
        for route in ["GET /v1/messages/*", "GET /v1/conversations*"] {
            faults.http.push(HttpRule::always(route, away.clone()));
        }
    });
    let send = json!({"to": "bob", "text": "x", "client_msg_id": "id-1", "delivery": "queue", "expires_in_ms": 1000});
    raw.ok("messages.send", send);
    // The search of history is given up after 63 s; nobody waits for that here.
    let searched = |event: &Event| matches!(event, Event::Http { method, path, .. } if method == "GET" && path.starts_with("/v1/conversations"));
    stage.seen_from(0, |_| stage.sandbox.journal().count(searched) > 3);
    let error = raw.refused(-32602, "outbox.cancel", by_id("id-1"));
    assert_eq!(error["data"]["reason"], "may_have_landed", "{error}");
    assert_eq!(error["data"]["path"], "/client_msg_id");
    no_faults(&stage);
    raw.ok("outbox.retry", by_id("id-1"));
    let sent = entry_in(&stage, &daemon, "id-1", "sent");
    assert_eq!(sent["message"]["client_msg_id"], "id-1");
    assert_eq!(stored(&stage), 2, "no second message");
}

#[test]
fn a_retry_by_hand_ends_a_wait_of_the_daemons_own_but_waits_for_a_retry_after() {
    let mut stage = stage();
    stage.env("AGENTCHATD_HTTP_BASE_DELAY_MS", "600000");
    stage.env("AGENTCHATD_HTTP_MAX_DELAY_MS", "600000");
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    next_send(&stage, HttpFault::error(503, "AWAY"));
    queue(&mut raw, "own");
    entry_in_wait(&stage, &daemon, "own");
    raw.ok("outbox.retry", by_id("own"));
    entry_in(&stage, &daemon, "own", "sent");

    next_send(&stage, HttpFault::error_after(429, "RATE_LIMITED", "3"));
    let started = Instant::now();
    queue(&mut raw, "told");
    let waits = entry_in_wait(&stage, &daemon, "told");
    let again = raw.ok("outbox.retry", by_id("told"));
    assert_eq!(again["next_attempt_at"], waits["next_attempt_at"]);
    entry_in(&stage, &daemon, "told", "sent");
    assert!(
        started.elapsed() >= Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
}

/// The entry, once it waits after an attempt.
fn entry_in_wait(stage: &Stage, daemon: &Daemon, id: &str) -> Value {
    let mut entry = Value::Null;
    agentchatd_tests::stage::until("an attempt that failed", || {
        entry = entry_in(stage, daemon, id, "queued");
        match entry["last_error"].is_object() {
            true => Ok(()),
            false => Err(entry.to_string()),
        }
    });
    entry
}

#[test]
fn a_cancelled_message_is_never_sent_and_whoever_waits_is_told() {
    let stage = stage();
    let mut daemon = stage.ready();
    stage.sandbox.faults(|faults| {
        let told = HttpFault::error_after(429, "RATE_LIMITED", "600");
        faults.http.push(HttpRule::next(SEND, told));
    });
    let mut raw = stage.connect(&daemon);
    queue(&mut raw, "head");
    entry_in_wait(&stage, &daemon, "head");
    let mut waiter = stage.connect(&daemon);
    let behind = json!({"to": "bob", "text": "behind", "client_msg_id": "behind"});
    waiter
        .start("messages.send", &behind)
        .expect("the daemon reads");
    entry_in(&stage, &daemon, "behind", "queued");
    queue(&mut raw, "last");
    let cancelled = raw.ok("outbox.cancel", by_id("behind"));
    assert_eq!(cancelled["state"], "cancelled");
    assert_eq!(cancelled["next_attempt_at"], Value::Null);
    let error = waiter.hear()["error"].clone();
    assert_eq!(
        (&error["code"], &error["data"]["state"]),
        (&json!(-32002), &json!("cancelled")),
        "{error}"
    );
    assert_eq!(texts(&stage), [""; 0], "the head of the lane waits on");
    assert_eq!(raw.ok("outbox.cancel", by_id("head"))["state"], "cancelled");
    daemon.kill().expect("it dies");
    let daemon = stage.ready();
    entry_in(&stage, &daemon, "last", "sent");
    assert_eq!(texts(&stage), ["last"]);
    for id in ["head", "behind"] {
        entry_in(&stage, &daemon, id, "cancelled");
        assert_eq!(ends(&stage, &daemon, id), ["cancelled"]);
    }
    let mut raw = stage.connect(&daemon);
    assert_eq!(
        raw.ok("outbox.cancel", by_id("head"))["state"],
        "cancelled",
        "again"
    );
    assert_eq!(
        ends(&stage, &daemon, "head"),
        ["cancelled"],
        "and nothing more is said"
    );
    let error = raw.refused(-32602, "outbox.retry", by_id("head"));
    assert_eq!(
        (&error["data"]["reason"], &error["data"]["state"]),
        (&json!("over"), &json!("cancelled"))
    );
    raw.refused(-32002, "messages.send", behind);
    assert_eq!(texts(&stage), ["last"]);
}

#[test]
fn a_failed_message_is_set_aside_and_one_that_was_sent_is_not() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let entry = failed(&stage, &daemon, "id-1");
    assert_eq!(raw.ok("daemon.status", json!({}))["outbox"]["failed"], 1);
    let cancelled = raw.ok("outbox.cancel", json!({"outbox_id": entry["outbox_id"]}));
    assert_eq!(cancelled["state"], "cancelled");
    assert_eq!(cancelled["last_error"], entry["last_error"]);
    assert_eq!(raw.ok("daemon.status", json!({}))["outbox"]["failed"], 0);
    assert_eq!(ends(&stage, &daemon, "id-1"), ["failed", "cancelled"]);
    raw.ok(
        "messages.send",
        json!({"to": "bob", "text": "x", "client_msg_id": "id-2"}),
    );
    for method in ["outbox.cancel", "outbox.retry"] {
        let data = raw.refused(-32602, method, by_id("id-2"))["data"].clone();
        assert_eq!(
            (&data["reason"], &data["state"]),
            (&json!("over"), &json!("sent"))
        );
    }
    assert_eq!(stage.send_requests(), 2);
}

#[test]
fn an_attempt_under_way_is_not_called_cancelled() {
    let stage = stage();
    let daemon = stage.ready();
    next_send(&stage, HttpFault::DelayAnswer(NEVER * 10));
    let mut raw = stage.connect(&daemon);
    queue(&mut raw, "id-1");
    stage.seen_from(0, |event| matches!(event, Event::Sent { .. }));
    let data = raw.refused(-32602, "outbox.cancel", by_id("id-1"))["data"].clone();
    assert_eq!(
        (&data["reason"], &data["state"]),
        (&json!("under_way"), &json!("sending"))
    );
    assert_eq!(raw.ok("outbox.retry", by_id("id-1"))["state"], "sending");
    entry_in(&stage, &daemon, "id-1", "sent");
    assert_eq!(stage.send_requests(), 1);
}

#[test]
fn a_retry_waits_for_the_account_and_an_outbox_that_is_full_takes_none() {
    let mut stage = stage();
    stage.env("AGENTCHATD_OUTBOX_MAX_ENTRIES", "1");
    let daemon = stage.ready();
    failed(&stage, &daemon, "id-1");
    stage.sandbox.set_status("dora", AccountStatus::Suspended);
    let parked = |status: &Value| status["connection"]["state"] == "parked";
    daemon.status_until(parked).expect("it parks");
    let mut raw = stage.connect(&daemon);
    queue(&mut raw, "id-2");
    let error = raw.refused(-32008, "outbox.retry", by_id("id-1"));
    assert_eq!(error["data"]["limit"], "outbox.max_entries");
    assert_eq!(raw.ok("outbox.cancel", by_id("id-2"))["state"], "cancelled");
    assert_eq!(raw.ok("outbox.retry", by_id("id-1"))["state"], "queued");
    assert_eq!(raw.ok("outbox.retry", by_id("id-1"))["state"], "queued");
    stage.sandbox.set_status("dora", AccountStatus::Active);
    raw.ok("daemon.reload", json!({}));
    entry_in(&stage, &daemon, "id-1", "sent");
    assert_eq!(texts(&stage), ["id-1"]);
}
