//! Parameters that a method refuses: -32602, with a JSON Pointer to what is wrong.

use crate::bad_params_passed_on::PASSED_ON;
use crate::stage;
use agentchatd_tests::sandbox::Event;
use serde_json::{Value, json};

/// Method, parameters, and where they are wrong.
const TABLE: &[(&str, &str, &str)] = &[
    ("events.subscribe", r#"{"colour":1}"#, "/colour"),
    ("events.subscribe", r#"{"consumer":"a b"}"#, "/consumer"),
    ("events.subscribe", r#"{"consumer":""}"#, "/consumer"),
    ("events.subscribe", r#"{"from":"yesterday"}"#, "/from"),
    (
        "events.subscribe",
        r#"{"from":{"offset":-1}}"#,
        "/from/offset",
    ),
    (
        "events.subscribe",
        r#"{"from":{"time":"noon"}}"#,
        "/from/time",
    ),
    (
        "events.subscribe",
        r#"{"filter":{"types":[1]}}"#,
        "/filter/types/0",
    ),
    (
        "events.subscribe",
        r#"{"filter":{"types":["a",7]}}"#,
        "/filter/types/1",
    ),
    (
        "events.subscribe",
        r#"{"filter":{"conversations":"c"}}"#,
        "/filter/conversations",
    ),
    (
        "events.subscribe",
        r#"{"filter":{"mentions_me":1}}"#,
        "/filter/mentions_me",
    ),
    (
        "events.subscribe",
        r#"{"filter":{"include_own":"no"}}"#,
        "/filter/include_own",
    ),
    (
        "events.subscribe",
        r#"{"filter":{"colour":1}}"#,
        "/filter/colour",
    ),
    ("events.subscribe", r#"{"ack":"later"}"#, "/ack"),
    (
        "events.subscribe",
        r#"{"max_in_flight":0}"#,
        "/max_in_flight",
    ),
    (
        "events.subscribe",
        r#"{"max_in_flight":10001}"#,
        "/max_in_flight",
    ),
    (
        "events.subscribe",
        r#"{"mode":"shared","consumer":"a"}"#,
        "/mode",
    ),
    ("events.subscribe", r#"{"mode":"mine"}"#, "/mode"),
    ("events.subscribe", r#"{"takeover":"yes"}"#, "/takeover"),
    (
        "events.subscribe",
        r#"{"replace_filter":1}"#,
        "/replace_filter",
    ),
    ("events.subscribe", r#"["a"]"#, ""),
    ("events.ack", "{}", "/offset"),
    ("events.ack", r#"{"consumer":"a","offset":"1"}"#, "/offset"),
    ("events.ack", r#"{"consumer":"a","offset":-1}"#, "/offset"),
    ("events.ack", r#"{"consumer":"a","offset":1.5}"#, "/offset"),
    (
        "events.ack",
        r#"{"consumer":"a","offsets":[1]}"#,
        "/offsets",
    ),
    ("events.fetch", r#"{"limit":0}"#, "/limit"),
    ("events.fetch", r#"{"limit":1001}"#, "/limit"),
    ("events.fetch", r#"{"wait_ms":60001}"#, "/wait_ms"),
    ("events.fetch", r#"{"wait_ms":-1}"#, "/wait_ms"),
    ("events.fetch", r#"{"after":"1"}"#, "/after"),
    ("events.fetch", r#"{"consumer":"a/b"}"#, "/consumer"),
    (
        "events.fetch",
        r#"{"filter":{"senders":[null]}}"#,
        "/filter/senders/0",
    ),
    ("events.unsubscribe", "{}", "/subscription"),
    (
        "events.unsubscribe",
        r#"{"subscription":7}"#,
        "/subscription",
    ),
    ("consumers.list", r#"{"x":1}"#, "/x"),
    ("consumers.delete", "{}", "/name"),
    ("consumers.delete", r#"{"name":"a b"}"#, "/name"),
    ("consumers.seek", r#"{"name":"a"}"#, "/to"),
    ("consumers.seek", r#"{"name":"a","to":"there"}"#, "/to"),
    ("consumers.seek", r#"{"to":"now"}"#, "/name"),
    ("messages.send", "{}", "/to"),
    ("messages.send", r#"{"to":"bob"}"#, "/text"),
    (
        "messages.send",
        r#"{"to":"bob","conversation_id":"grp_1","text":"x"}"#,
        "/to",
    ),
    (
        "messages.send",
        r#"{"to":"bob","text":"x","data":{}}"#,
        "/text",
    ),
    ("messages.send", r#"{"to":"bob","text":7}"#, "/text"),
    ("messages.send", r#"{"to":7,"text":"x"}"#, "/to"),
    ("messages.send", r#"{"to":"bob","data":"x"}"#, "/data"),
    ("messages.send", r#"{"to":"bob","content":7}"#, "/content"),
    (
        "messages.send",
        r#"{"to":"bob","text":"a\u0000b"}"#,
        "/text",
    ),
    (
        "messages.send",
        r#"{"to":"bob","data":{"k":["\u0000"]}}"#,
        "/data/k/0",
    ),
    (
        "messages.send",
        r#"{"to":"bob","content":{"text":"\u0000"}}"#,
        "/content/text",
    ),
    (
        "messages.send",
        r#"{"to":"bob","text":"x","metadata":{"m":"\u0000"}}"#,
        "/metadata/m",
    ),
    (
        "messages.send",
        r#"{"to":"bob","text":"x","metadata":7}"#,
        "/metadata",
    ),
    (
        "messages.send",
        r#"{"to":"bob","text":"x","client_msg_id":""}"#,
        "/client_msg_id",
    ),
    (
        "messages.send",
        r#"{"to":"bob","text":"x","delivery":"later"}"#,
        "/delivery",
    ),
    (
        "messages.send",
        r#"{"to":"bob","text":"x","timeout_ms":0}"#,
        "/timeout_ms",
    ),
    (
        "messages.send",
        r#"{"to":"bob","text":"x","expires_in_ms":0}"#,
        "/expires_in_ms",
    ),
    (
        "messages.send",
        r#"{"to":"bob","text":"x","colour":1}"#,
        "/colour",
    ),
    ("messages.list", "{}", "/conversation_id"),
    (
        "messages.list",
        r#"{"conversation_id":"c","limit":"x"}"#,
        "/limit",
    ),
    (
        "messages.list",
        r#"{"conversation_id":"c","before_seq":1,"after_seq":2}"#,
        "/before_seq",
    ),
    ("messages.mark_read", "{}", "/message_id"),
    (
        "messages.mark_read",
        r#"{"message_id":"m","timeout_ms":"x"}"#,
        "/timeout_ms",
    ),
    (
        "messages.mark_read",
        r#"{"message_id":"m\u0000"}"#,
        "/message_id",
    ),
    ("agents.register", r#"{"handle":"eve"}"#, "/email"),
    ("agents.register", r#"{"email":"e@x.org"}"#, "/handle"),
    (
        "agents.register",
        r#"{"email":"e\u0000","handle":"eve"}"#,
        "/email",
    ),
    (
        "agents.register",
        r#"{"email":"e@x.org","handle":"eve","display_name":7}"#,
        "/display_name",
    ),
    ("agents.recover", r#"{"handle":"eve"}"#, "/email"),
    (
        "agents.recover",
        r#"{"email":"e@x.org","save":true}"#,
        "/save",
    ),
    ("agents.verify", r#"{"code":"123456"}"#, "/pending_id"),
    ("agents.verify", r#"{"pending_id":"p"}"#, "/code"),
    (
        "agents.recover_verify",
        r#"{"pending_id":"p","code":"123456","save":"no"}"#,
        "/save",
    ),
    (
        "agents.recover_verify",
        r#"{"pending_id":"p","code":123456}"#,
        "/code",
    ),
    ("agents.rotate_key", r#"{"handle":".."}"#, "/handle"),
    (
        "agents.rotate_key_verify",
        r#"{"pending_id":"","code":"123456"}"#,
        "/pending_id",
    ),
    (
        "agents.rotate_key_verify",
        r#"{"pending_id":"p","code":"1","timeout_ms":0}"#,
        "/timeout_ms",
    ),
    ("agents.me", r#"{"handle":"bob"}"#, "/handle"),
    ("agents.me", r#"{"timeout_ms":0}"#, "/timeout_ms"),
    ("conversations.list", r#"{"limit":-1}"#, "/limit"),
    ("sync.peek", r#"{"limit":0}"#, "/limit"),
    ("sync.peek", r#"{"limit":501}"#, "/limit"),
    ("sync.drain", r#"{"timeout_ms":false}"#, "/timeout_ms"),
    ("outbox.list", r#"{"state":"lost"}"#, "/state"),
    ("outbox.list", r#"{"limit":1001}"#, "/limit"),
    ("outbox.get", "{}", "/outbox_id"),
    ("outbox.get", r#"{"outbox_id":1}"#, "/outbox_id"),
    (
        "outbox.get",
        r#"{"outbox_id":"1","client_msg_id":"a"}"#,
        "/outbox_id",
    ),
    ("outbox.retry", r#"{"client_msg_id":""}"#, "/client_msg_id"),
    ("outbox.retry", r#"{"outbox_id":"1","now":true}"#, "/now"),
    ("outbox.cancel", r#"["1"]"#, ""),
    (
        "outbox.cancel",
        r#"{"client_msg_id":"\u0000"}"#,
        "/client_msg_id",
    ),
    ("typing.start", "{}", "/conversation_id"),
    (
        "typing.start",
        r#"{"conversation_id":7}"#,
        "/conversation_id",
    ),
    ("typing.stop", r#"{"conversation_id":"c","x":1}"#, "/x"),
    ("realtime.send", "{}", "/frame"),
    ("realtime.send", r#"{"frame":"typing.start"}"#, "/frame"),
    ("realtime.send", r#"{"frame":{}}"#, "/frame/type"),
    ("realtime.send", r#"{"frame":{"type":1}}"#, "/frame/type"),
    ("realtime.send", r#"{"frame":{"type":""}}"#, "/frame/type"),
    (
        "realtime.send",
        r#"{"frame":{"type":"hello"}}"#,
        "/frame/type",
    ),
    (
        "realtime.send",
        r#"{"frame":{"t\u0079pe":"hello"}}"#,
        "/frame/type",
    ),
    (
        "realtime.send",
        r#"{"frame":{"type":"x","type":"hello"}}"#,
        "/frame/type",
    ),
    (
        "realtime.send",
        r#"{"frame":{"type":"ack","message_id":"m"}}"#,
        "/frame/type",
    ),
    (
        "realtime.send",
        r#"{"frame":{"type":"x","a":["\u0000"]}}"#,
        "/frame/a/0",
    ),
    ("webhooks.verify", r#"{"secret":"s"}"#, "/payload"),
    (
        "webhooks.verify",
        r#"{"payload":"","payload_base64":"","secret":"s"}"#,
        "/payload",
    ),
    ("webhooks.verify", r#"{"payload":"{}"}"#, "/secret"),
    (
        "webhooks.verify",
        r#"{"payload":"{}","secret":""}"#,
        "/secret",
    ),
    (
        "webhooks.verify",
        r#"{"payload":{},"secret":"s"}"#,
        "/payload",
    ),
    (
        "webhooks.verify",
        r#"{"payload_base64":"!","secret":"s"}"#,
        "/payload_base64",
    ),
    (
        "webhooks.verify",
        r#"{"payload":"{}","secret":"s","tolerance_seconds":-1}"#,
        "/tolerance_seconds",
    ),
    (
        "webhooks.verify",
        r#"{"payload":"{}","secret":"s","now":"1"}"#,
        "/now",
    ),
    (
        "webhooks.verify",
        r#"{"payload":"{}","secret":"s","timeout_ms":1}"#,
        "/timeout_ms",
    ),
    ("daemon.version", r#"{"x":1}"#, "/x"),
    ("daemon.status", r#"{"timeout_ms":5}"#, "/timeout_ms"),
    ("daemon.health", r#"{"x":1}"#, "/x"),
    ("daemon.reload", r#"{"file":"x"}"#, "/file"),
    ("daemon.set_log_level", "{}", "/level"),
    ("daemon.set_log_level", r#"{"level":"loud"}"#, "/level"),
    ("daemon.set_log_level", r#"{"level":"Info"}"#, "/level"),
    ("daemon.set_log_level", r#"[5]"#, "/0"),
    ("daemon.shutdown", r#"{"now":true}"#, "/now"),
    ("daemon.shutdown", r#"[1]"#, ""),
];

#[test]
fn a_bad_parameter_is_pointed_at_and_nothing_happens() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    for (method, params, path) in TABLE.iter().chain(PASSED_ON) {
        let request =
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
        let answer = raw.say(&request);
        assert_eq!(
            answer["error"]["code"], -32602,
            "{method} {params}: {answer}"
        );
        assert_eq!(
            answer["error"]["data"]["path"], *path,
            "{method} {params}: {answer}"
        );
        assert!(answer["error"]["message"].is_string());
    }
    assert_eq!(raw.ok("consumers.list", json!({})), json!([]));
    assert_eq!(raw.ok("outbox.list", json!({}))["entries"], json!([]));
    assert_eq!(stage.send_requests(), 0);
    // The daemon asks for what it needs by itself, and for none of this.
    let passed_on = stage.sandbox.journal().count(|event| {
        let Event::Http { method, path, .. } = event else {
            return false;
        };
        let own = ["/v1/messages/sync", "/v1/conversations", "/v1/agents/me"];
        method == "DELETE" || method == "PATCH" || !own.iter().any(|own| path.starts_with(own))
    });
    assert_eq!(passed_on, 0);
}

#[test]
fn a_message_over_32768_bytes_is_refused_here_and_one_of_that_size_is_sent() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let text = "x".repeat(32_768 - r#"{"text":""}"#.len());
    raw.ok("messages.send", json!({"to": "bob", "text": text}));
    let over = json!({"to": "bob", "text": format!("{text}x")});
    let error = raw.refused(-32602, "messages.send", over);
    assert_eq!(error["data"]["path"], "/text");
    let with_metadata = json!({"to": "bob", "text": text, "metadata": {"a": 1}});
    raw.refused(-32602, "messages.send", with_metadata);
    let in_umlauts = json!({"to": "bob", "content": {"text": "\u{e4}".repeat(16_384)}});
    let error = raw.refused(-32602, "messages.send", in_umlauts);
    assert_eq!(error["data"]["path"], "/content");
    assert_eq!(stage.send_requests(), 1);
}

#[test]
fn what_cannot_be_sent_is_refused_before_a_missing_key_is_told() {
    let mut stage = stage();
    stage.setup.key = String::new();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    raw.refused(-32602, "messages.send", json!({"to": "bob", "text": "\0"}));
    raw.refused(-32602, "messages.list", json!({"conversation_id": "\0"}));
    raw.refused(-32602, "agents.me", json!({"x": 1}));
    raw.refused(-32602, "groups.create", json!({}));
}

#[test]
fn null_stands_for_a_member_that_is_left_out() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    raw.ok("daemon.version", json!({}));
    raw.ok("agents.me", json!({"timeout_ms": null}));
    raw.subscribe(
        json!({"consumer": null, "filter": null, "from": null, "ack": null, "mode": null}),
    );
    let sent = json!({"to": "bob", "text": "x", "metadata": null, "client_msg_id": null, "delivery": null});
    let answer = raw.ok("messages.send", sent);
    assert!(answer["message"]["id"].is_string());
    assert_ne!(answer["client_msg_id"], Value::Null);
}
