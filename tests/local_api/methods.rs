//! Which methods there are, how their parameters may stand, and what the simple ones answer.

use crate::stage;
use agentchatd_tests::sandbox::{Event, HttpFault, HttpRule, To};
use serde_json::{Value, json};

#[test]
fn methods_that_this_version_lacks_are_unknown() {
    let stage = stage();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    for method in [
        "events.nack",
        "consumers.dead",
        "sync.ack",
        "Daemon.version",
        "daemon_version",
        "daemon.version ",
        "events.event",
        "",
        "rpc",
    ] {
        raw.refused(-32601, method, json!({}));
        raw.refused(-32601, method, json!([1, 2]));
    }
}

#[test]
fn parameters_stand_by_position_only_where_a_method_has_one() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let message = stage.bob_says("hi");
    stage.logged(&daemon, |event| event["message_id"] == message.id);
    raw.ok("messages.mark_read", json!([message.id]));
    let opened = raw.subscribe(json!({"consumer": "a"}));
    assert_eq!(
        raw.ok("events.unsubscribe", json!([opened["subscription"]])),
        true
    );
    assert_eq!(raw.ok("consumers.delete", json!(["a"])), true);
    raw.ok("daemon.version", json!([]));
    raw.ok("daemon.status", json!([]));
    for (method, params) in [
        ("messages.send", json!(["bob", "x"])),
        ("events.subscribe", json!(["a"])),
        ("events.ack", json!(["a", 1])),
        ("consumers.seek", json!(["a", "now"])),
        ("messages.list", json!(["conv_1"])),
        ("daemon.version", json!([1])),
        ("consumers.delete", json!(["a", "b"])),
    ] {
        raw.refused(-32602, method, params);
    }
}

#[test]
fn params_may_be_left_out() {
    let stage = stage();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    let request = |method: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}"}}"#);
    for method in [
        "daemon.version",
        "daemon.status",
        "consumers.list",
        "outbox.list",
    ] {
        let answer = raw.say(&request(method));
        assert!(answer.get("result").is_some(), "{method}: {answer}");
    }
    assert_eq!(raw.say(&request("messages.send"))["error"]["code"], -32602);
}

#[test]
fn the_version_names_program_and_api() {
    let stage = stage();
    let daemon = stage.start();
    let version = stage.connect(&daemon).ok("daemon.version", json!({}));
    assert_eq!(version["name"], "agentchatd");
    assert_eq!(version["api"], 1);
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert!(version["features"].is_array());
}

#[test]
fn the_status_has_every_member_of_the_contract() {
    let stage = stage();
    let daemon = stage.ready();
    stage.bob_says("hi");
    stage.log_is_whole(&daemon);
    let status = stage.connect(&daemon).ok("daemon.status", json!({}));
    let members = |of: &Value, names: &[&str]| {
        let object = of
            .as_object()
            .unwrap_or_else(|| panic!("an object, not {of}"));
        for name in names {
            assert!(object.contains_key(*name), "{name} in {of}");
        }
    };
    members(
        &status,
        &[
            "version",
            "pid",
            "started_at",
            "uptime_ms",
            "agent",
            "connection",
            "sync",
            "log",
            "ordering",
            "outbox",
            "consumers",
            "subscriptions",
            "clients",
            "storage",
            "socket",
            "platform",
            "config_path",
            "warnings",
        ],
    );
    members(&status["agent"], &["handle", "status", "paused_by_owner"]);
    members(
        &status["connection"],
        &[
            "state",
            "reason",
            "since",
            "attempt",
            "ack_mode",
            "last_close",
            "connected_total",
            "rapid_reconnects",
        ],
    );
    let sync = [
        "last_delivery_id",
        "acked_delivery_id",
        "last_drain_at",
        "drained_total",
    ];
    members(&status["sync"], &sync);
    members(
        &status["log"],
        &["first_offset", "last_offset", "events", "bytes"],
    );
    let ordering = [
        "conversations",
        "parked",
        "gaps_open",
        "gaps_recovered",
        "gaps_absent",
        "gaps_failed",
    ];
    members(&status["ordering"], &ordering);
    members(&status["outbox"], &["queued", "in_flight", "failed"]);
    members(&status["storage"], &["path", "bytes", "durability"]);
    assert_eq!(status["pid"], daemon.pid());
    assert_eq!(status["agent"]["handle"], "dora");
    assert_eq!(status["connection"]["connected_total"], 1);
    assert_eq!(status["log"]["events"], 1);
    assert_eq!(status["log"]["last_offset"], 1);
    assert_eq!(status["storage"]["durability"], "full");
    assert_eq!(status["ordering"]["conversations"], 1);
}

#[test]
fn health_has_every_member_of_the_contract_and_is_ok_once_connected() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"consumer": "a"}));
    let health = raw.ok("daemon.health", json!({}));
    assert_eq!(health["verdict"], "ok", "{health}");
    assert!(health["since"].is_string());
    assert_eq!(health["reasons"], json!([]));
    let receive = health["receive"].as_object().unwrap();
    for name in [
        "last_frame_at",
        "last_sync_at",
        "gaps_open",
        "oldest_unacked_age_ms",
    ] {
        assert!(receive.contains_key(name), "{name} in {health}");
    }
    for name in ["oldest_queued_age_ms", "failing"] {
        assert!(health["send"].as_object().unwrap().contains_key(name));
    }
    let consumer = &health["consumers"][0];
    assert_eq!(consumer["name"], "a");
    assert_eq!(consumer["lag"], 0);
    assert_eq!(consumer["attached"], true);
    assert!(
        consumer
            .as_object()
            .unwrap()
            .contains_key("oldest_unacked_age_ms")
    );
}

#[test]
fn calls_that_are_passed_on_answer_what_the_platform_says() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let message = stage.bob_says("hi");
    stage.logged(&daemon, |event| event["message_id"] == message.id);
    assert_eq!(raw.ok("agents.me", json!({}))["handle"], "dora");
    let conversations = raw.ok("conversations.list", json!({"limit": 5}));
    assert_eq!(conversations[0]["id"], message.conversation_id);
    let list = json!({"conversation_id": message.conversation_id, "limit": 10});
    assert_eq!(raw.ok("messages.list", list)[0]["id"], message.id);
    let after = json!({"conversation_id": message.conversation_id, "after_seq": 1});
    assert_eq!(raw.ok("messages.list", after), json!([]));
    let read = raw.ok("messages.mark_read", json!({"message_id": message.id}));
    assert!(read.is_object());
    stage.seen_from(
        0,
        |event| matches!(event, Event::Read { message_id, .. } if *message_id == message.id),
    );
    assert!(raw.ok("sync.peek", json!({"limit": 5})).is_array());
    let drained = raw.ok("sync.drain", json!({}));
    assert!(
        drained["drained"].is_u64() && drained["acked"].is_u64(),
        "{drained}"
    );
}

#[test]
fn drain_brings_what_was_never_pushed() {
    let mut stage = stage();
    stage.env("AGENTCHATD_REALTIME_SYNC_INTERVAL_S", "3600");
    stage.env("AGENTCHATD_REALTIME_RECONCILE_INTERVAL_S", "3600");
    let daemon = stage.ready();
    let quiet = agentchatd_tests::sandbox::Draft::text("quiet").quiet();
    let message = stage.sandbox.send("bob", To::Handle("dora"), quiet);
    let mut raw = stage.connect(&daemon);
    let peeked = raw.ok("sync.peek", json!({}));
    assert_eq!(peeked[0]["id"], message.id, "looking leaves it there");
    assert_eq!(
        raw.ok("sync.drain", json!({})),
        json!({"drained": 1, "acked": 1})
    );
    assert_eq!(raw.ok("sync.peek", json!({})), json!([]));
    stage.logged(&daemon, |event| event["message_id"] == message.id);
}

#[test]
fn an_error_of_the_platform_comes_with_code_class_and_all_else_that_it_said() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let error = raw.refused(
        -32001,
        "messages.list",
        json!({"conversation_id": "conv_unknown"}),
    );
    let data = &error["data"];
    assert_eq!(data["status"], 403);
    assert_eq!(data["code"], "FORBIDDEN");
    assert_eq!(data["class"], "ForbiddenError");
    for member in ["message", "request_id", "retry_after_ms", "details"] {
        assert!(
            data.as_object().unwrap().contains_key(member),
            "{member} in {data}"
        );
    }
    stage.sandbox.faults(|faults| {
        let odd = HttpFault::error(418, "TEAPOT");
        faults.http.push(HttpRule::next("GET /v1/agents/me", odd));
    });
    let data = raw.refused(-32001, "agents.me", json!({}))["data"].clone();
    assert_eq!(
        (&data["code"], &data["class"]),
        (&json!("TEAPOT"), &json!("AgentChatError"))
    );
}

#[test]
fn every_method_answers_not_configured_without_a_key() {
    let mut stage = stage();
    stage.setup.key = String::new();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    let status = raw.ok("daemon.status", json!({}));
    assert_eq!(status["connection"]["state"], "disconnected");
    assert_eq!(status["connection"]["reason"], "not_configured");
    assert_eq!(status["agent"], Value::Null);
    for (method, params) in [
        ("messages.send", json!({"to": "bob", "text": "x"})),
        ("messages.list", json!({"conversation_id": "c"})),
        ("messages.mark_read", json!({"message_id": "m"})),
        ("agents.me", json!({})),
        ("agents.rotate_key", json!({})),
        (
            "agents.rotate_key_verify",
            json!({"pending_id": "p", "code": "123456"}),
        ),
        ("conversations.list", json!({})),
        ("sync.peek", json!({})),
        ("sync.drain", json!({})),
    ] {
        let error = raw.refused(-32003, method, params);
        assert!(error["data"]["hint"].is_string(), "{error}");
    }
    raw.ok("events.fetch", json!({}));
    assert_eq!(raw.ok("daemon.health", json!({}))["verdict"], "parked");
}
