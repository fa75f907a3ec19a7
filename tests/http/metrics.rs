//! `GET /metrics`: what happened to a daemon can be read from its figures.

use crate::stage;
use serde_json::json;

/// The value of the line that begins so.
fn figure(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find(|line| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(' '))
    })?;
    line.rsplit(' ').next()?.parse().ok()
}

#[test]
fn what_happened_can_be_read_from_the_figures() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let first = stage.bob_says("one");
    let second = stage.bob_says("two");
    stage.logged(&daemon, |event| event["message_id"] == first.id);
    stage.logged(&daemon, |event| event["message_id"] == second.id);
    raw.ok("messages.send", json!({"to": "bob", "text": "three"}));
    raw.ok("consumers.list", json!({}));
    raw.subscribe(json!({"consumer": "hook", "from": "earliest"}));
    raw.refused(-32602, "messages.send", json!({"to": "bob"}));
    raw.refused(-32601, "no.such.method", json!({}));

    let mut http = daemon.http().unwrap();
    let open = [("accept", "application/openmetrics-text; version=1.0.0")];
    let reply = http.call("GET", "/metrics", &open, b"").unwrap();
    let kind = reply.head.header("content-type").unwrap();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    assert!(reply.body.ends_with(b"# EOF\n"));
    let reply = http.call("GET", "/metrics", &[], b"").unwrap();
    assert_eq!(reply.status(), 200);
    let kind = reply.head.header("content-type").unwrap();
    assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
    let text = String::from_utf8(reply.body.clone()).unwrap();
    let at_least = |name: &str, least: f64| {
        let value = figure(&text, name).unwrap_or_else(|| panic!("{name} is not in\n{text}"));
        assert!(value >= least, "{name} is {value}\n{text}");
    };
    at_least("agentchatd_connection{state=\"ready\"}", 1.0);
    at_least("agentchatd_connects_total", 1.0);
    at_least("agentchatd_frames_total{type=\"message\"}", 2.0);
    at_least("agentchatd_messages_total{source=\"live\"}", 2.0);
    at_least("agentchatd_messages_total{source=\"local\"}", 1.0);
    at_least("agentchatd_send_seconds_count{result=\"taken\"}", 1.0);
    at_least("agentchatd_outbox{state=\"sent\"}", 1.0);
    at_least("agentchatd_commit_seconds_count", 2.0);
    at_least("agentchatd_log_last_offset", 3.0);
    at_least("agentchatd_consumer_lag{consumer=\"hook\"}", 3.0);
    at_least("agentchatd_subscribers", 1.0);
    at_least(
        "agentchatd_rpc_calls_total{method=\"messages.send\",outcome=\"ok\"}",
        1.0,
    );
    at_least(
        "agentchatd_rpc_calls_total{method=\"messages.send\",outcome=\"-32602\"}",
        1.0,
    );
    at_least(
        "agentchatd_rpc_calls_total{method=\"unknown\",outcome=\"-32601\"}",
        1.0,
    );
}
