//! What a caller is told while the platform is away or refuses the key.

use crate::{entry_in, every_send, no_faults, stage, stored};
use agentchatd_tests::sandbox::{AccountStatus, Cut, HttpFault, HttpRule};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[test]
fn a_caller_whose_time_runs_out_is_told_the_entry_that_goes_on() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    every_send(&stage, HttpFault::DropBefore);
    let send = json!({"to": "bob", "text": "x", "client_msg_id": "id-1", "timeout_ms": 300});
    let started = Instant::now();
    let error = raw.refused(-32002, "messages.send", send.clone());
    let took = started.elapsed();
    assert!(
        took >= Duration::from_millis(300) && took < Duration::from_secs(5),
        "{took:?}"
    );
    let data = &error["data"];
    assert!(data["reason"].is_string());
    assert!(data.as_object().unwrap().contains_key("attempts"));
    assert!(data.as_object().unwrap().contains_key("retry_after_ms"));
    no_faults(&stage);
    let entry = entry_in(&stage, &daemon, "id-1", "sent");
    assert_eq!(data["outbox_id"], entry["outbox_id"]);
    assert_eq!(raw.ok("messages.send", send)["replayed"], true);
    assert_eq!(stored(&stage), 1);
}

#[test]
fn with_no_network_a_send_is_queued_and_goes_out_later() {
    let mut stage = stage();
    let right = stage.setup.base_url.clone();
    // Nothing listens there: the port of a listener that is gone.
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    stage.setup.base_url = format!("http://{gone}");
    let mut daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    let queue = json!({"to": "bob", "text": "one", "delivery": "queue", "client_msg_id": "id-1"});
    assert_eq!(raw.ok("messages.send", queue)["queued"], true);
    let wait = json!({"to": "bob", "text": "two", "timeout_ms": 200, "client_msg_id": "id-2"});
    let error = raw.refused(-32002, "messages.send", wait);
    assert!(error["data"]["outbox_id"].is_string(), "{error}");
    let error = raw.refused(-32002, "agents.me", json!({"timeout_ms": 500}));
    assert!(error["data"]["reason"].is_string(), "{error}");
    assert!(error["data"]["attempts"].as_u64().unwrap() >= 1, "{error}");
    assert!(daemon.stop().unwrap().success());
    stage.setup.base_url = right;
    let daemon = stage.ready();
    entry_in(&stage, &daemon, "id-1", "sent");
    entry_in(&stage, &daemon, "id-2", "sent");
    let texts: Vec<String> = stage
        .sandbox
        .messages_for("bob")
        .into_values()
        .next()
        .unwrap()
        .iter()
        .map(|message| message.content["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(texts, ["one", "two"], "in order");
}

#[test]
fn pitfall_43_a_refused_key_parks_the_daemon_and_callers_are_told_what_the_platform_said() {
    let mut stage = stage();
    stage.setup.key = "ac_not_a_key_of_anybody".into();
    let daemon = stage.start();
    let status = daemon
        .status_until(|status| status["connection"]["state"] == "parked")
        .unwrap();
    assert!(status["connection"]["reason"].is_string());
    let mut raw = stage.connect(&daemon);
    let data = raw.refused(-32001, "agents.me", json!({}))["data"].clone();
    assert_eq!(
        (&data["status"], &data["class"]),
        (&json!(401), &json!("UnauthorizedError"))
    );
    let started = Instant::now();
    let send = json!({"to": "bob", "text": "x", "client_msg_id": "id-1"});
    let data = raw.refused(-32001, "messages.send", send)["data"].clone();
    assert!(started.elapsed() < Duration::from_secs(5), "at once");
    assert_eq!(
        (&data["status"], &data["class"]),
        (&json!(401), &json!("UnauthorizedError"))
    );
    assert_eq!(data["state"], "queued");
    assert!(data["outbox_id"].is_string());
    let queue = json!({"to": "bob", "text": "y", "delivery": "queue"});
    assert_eq!(raw.ok("messages.send", queue)["queued"], true);
    assert_eq!(raw.ok("daemon.health", json!({}))["verdict"], "parked");
    assert_eq!(
        stage.send_requests(),
        0,
        "nothing is sent in a name that is not known"
    );
}

#[test]
fn a_suspension_parks_and_what_waits_goes_out_when_the_daemon_is_told_to_look_again() {
    let stage = stage();
    let mut daemon = stage.ready();
    stage.sandbox.set_status("dora", AccountStatus::Suspended);
    let parked = daemon.status_until(|status| status["connection"]["state"] == "parked");
    let status = parked.unwrap();
    assert_eq!(status["connection"]["last_close"]["code"], 1008);
    assert_eq!(
        status["connection"]["last_close"]["reason"],
        "Account suspended"
    );
    let mut raw = stage.connect(&daemon);
    let send = json!({"to": "bob", "text": "x", "client_msg_id": "id-1"});
    let started = Instant::now();
    let error = raw.call("messages.send", &send).unwrap()["error"].clone();
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "nobody waits for it: {error}"
    );
    assert_eq!(error["data"]["state"], "queued");
    let entry = entry_in(&stage, &daemon, "id-1", "queued");
    assert_eq!(error["data"]["outbox_id"], entry["outbox_id"]);
    stage.sandbox.set_status("dora", AccountStatus::Active);
    assert!(daemon.stop().unwrap().success());
    let daemon = stage.ready();
    entry_in(&stage, &daemon, "id-1", "sent");
}

#[test]
fn sends_go_on_while_the_socket_is_away() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    stage.sandbox.faults(|faults| {
        for _ in 0..1000 {
            faults
                .connect
                .push_back(agentchatd_tests::sandbox::ConnectFault::ResetUpgrade);
        }
    });
    stage.sandbox.cut("dora", &Cut::Reset);
    let answer = raw.ok("messages.send", json!({"to": "bob", "text": "x"}));
    assert_ne!(answer["offset"], Value::Null);
    stage.sandbox.faults(|faults| faults.connect.clear());
    stage.settle(&daemon);
}

#[test]
fn passed_on_calls_are_tried_again_where_that_does_no_harm() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let message = stage.bob_says("hi");
    stage.log_is_whole(&daemon);
    let fail_once = |route: &str| {
        let rule = HttpRule::next(route, HttpFault::Html(502));
        stage.sandbox.faults(|faults| faults.http.push(rule));
    };
    fail_once("GET /v1/agents/me");
    raw.ok("agents.me", json!({}));
    let route = format!("POST /v1/messages/{}/read", message.id);
    fail_once(&route);
    let data = raw.refused(
        -32001,
        "messages.mark_read",
        json!({"message_id": message.id}),
    )["data"]
        .clone();
    assert_eq!(
        (&data["status"], &data["class"]),
        (&json!(502), &json!("ServerError"))
    );
    fail_once(&route);
    raw.ok(
        "messages.mark_read",
        json!({"message_id": message.id, "idempotency_key": "read-once-0001"}),
    );
}
