//! JSON-RPC in the body of a POST, and the plain routes.

use crate::{stage, version};
use agentchatd_tests::sandbox::Options;
use serde_json::{Value, json};

#[test]
fn a_request_is_answered_at_both_paths_with_its_id_as_it_was_written() {
    let stage = stage();
    let daemon = stage.start();
    let mut http = daemon.http().unwrap();
    for path in ["/", "/rpc"] {
        for id in [
            "1",
            "\"a\\u0041\"",
            "null",
            "-1.50",
            "123456789012345678901234567890",
        ] {
            let kind = [("content-type", "application/json; charset=utf-8")];
            let reply = http
                .call("POST", path, &kind, version(id).as_bytes())
                .unwrap();
            assert_eq!(reply.status(), 200);
            assert_eq!(reply.head.header("content-type"), Some("application/json"));
            let text = String::from_utf8(reply.body.clone()).unwrap();
            let head = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":"#);
            assert!(text.starts_with(&head), "{text}");
            assert_eq!(reply.json()["result"]["name"], "agentchatd");
        }
    }
}

#[test]
fn a_batch_is_answered_as_one_array_and_notifications_with_nothing() {
    let stage = stage();
    let daemon = stage.start();
    let mut http = daemon.http().unwrap();
    let note = r#"{"jsonrpc":"2.0","method":"daemon.version"}"#;
    let batch = format!("[{},{note},5,{}]", version("1"), version("\"b\""));
    let reply = http.post(&batch).unwrap();
    assert_eq!(reply.status(), 200);
    let answers = reply.json();
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), 3, "the notification has no answer");
    let of = |id: Value| answers.iter().find(|answer| answer["id"] == id).unwrap();
    assert_eq!(of(json!(1))["result"]["api"], 1);
    assert_eq!(of(json!("b"))["result"]["api"], 1);
    assert_eq!(of(json!(null))["error"]["code"], -32600);
    for silent in [note.to_owned(), format!("[{note},{note}]")] {
        let reply = http.post(&silent).unwrap();
        assert_eq!((reply.status(), reply.body.len()), (204, 0), "{silent}");
    }
}

#[test]
fn errors_are_those_of_ndjson_under_status_200() {
    let stage = stage();
    let daemon = stage.start();
    let mut http = daemon.http().unwrap();
    let mut raw = stage.connect(&daemon);
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"method":"no.such"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"messages.list","params":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"messages.list","params":{"conversation_id":5}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"events.ack","params":{"consumer":"x","offset":1}}"#,
        r#"{"jsonrpc":"1.0","id":1,"method":"daemon.version"}"#,
        r#"{"jsonrpc":"2.0","id":{},"method":"daemon.version"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"daemon.version","params":5}"#,
        "[]",
    ] {
        let reply = http.post(body).unwrap();
        assert_eq!(reply.status(), 200, "{body}");
        assert_eq!(reply.json(), raw.say(body), "{body}");
        assert!(reply.json()["error"]["code"].is_i64());
    }
}

#[test]
fn what_is_no_json_has_status_400_and_the_connection_lives_on() {
    let stage = stage();
    let daemon = stage.start();
    let mut http = daemon.http().unwrap();
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let lone = r#"{"jsonrpc":"2.0","id":1,"method":"daemon.version","params":{"a":"\ud800"}}"#;
    let bodies: [&[u8]; 8] = [
        b"hello",
        b" ",
        b"{\"a\":1,}",
        b"{\"a\":\"\xff\"}",
        b"{} {}",
        b"{\"a\":\"\n\"}",
        &deep(129).into_bytes(),
        lone.as_bytes(),
    ];
    for body in bodies {
        let reply = http.post(body).unwrap();
        assert_eq!(reply.status(), 400, "{}", String::from_utf8_lossy(body));
        assert_eq!(reply.json()["error"]["code"], -32700);
        assert_eq!(reply.json()["id"], Value::Null);
    }
    let reply = http.post(deep(128)).unwrap();
    assert_eq!(
        reply.json()[0]["error"]["code"],
        -32600,
        "{:?}",
        reply.json()
    );
    assert_eq!(http.post(version("1")).unwrap().json()["id"], 1);
}

#[test]
fn a_body_laid_out_over_many_lines_is_one_request() {
    let stage = stage();
    let daemon = stage.ready();
    let mut http = daemon.http().unwrap();
    let body = "{\n  \"jsonrpc\": \"2.0\",\r\n  \"id\": 1,\n  \"method\": \"messages.send\",\n\
                \"params\": {\n\"to\": \"bob\",\n \"data\": {\n \"a\": [\n1\n]\n}\n}\n}\n";
    let reply = http.post(body).unwrap();
    let content = &reply.json()["result"]["message"]["content"];
    assert_eq!(content["data"], json!({"a": [1]}), "{:?}", reply.json());
    let event = stage.logged(&daemon, |event| event["type"] == "message.sent");
    assert_eq!(event["payload"]["content"]["data"], json!({"a": [1]}));
}

#[test]
fn a_subscription_needs_a_connection_that_streams() {
    let stage = stage();
    let daemon = stage.start();
    let mut http = daemon.http().unwrap();
    for (method, params, code) in [
        ("events.subscribe", json!({"consumer": "x"}), -32600),
        ("events.unsubscribe", json!({"subscription": "x"}), -32006),
        (
            "events.ack",
            json!({"subscription": "x", "offset": 1}),
            -32006,
        ),
    ] {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let answer = http.post(request.to_string()).unwrap().json();
        assert_eq!(answer["error"]["code"], code, "{answer}");
    }
    let consumers = stage.connect(&daemon).result("consumers.list", &json!({}));
    assert_eq!(consumers.unwrap(), json!([]), "nothing is left behind");
}

#[test]
fn the_type_of_the_body_is_json_or_what_curl_says_or_nothing() {
    let stage = stage();
    let daemon = stage.start();
    let body = version("1");
    for kind in [
        "application/json",
        "Application/JSON; charset=UTF-8",
        "application/x-www-form-urlencoded",
    ] {
        let mut http = daemon.http().unwrap();
        let reply = http.call("POST", "/rpc", &[("content-type", kind)], body.as_bytes());
        assert_eq!(reply.unwrap().status(), 200, "{kind}");
    }
    let mut http = daemon.http().unwrap();
    let reply = http.call("POST", "/rpc", &[], body.as_bytes()).unwrap();
    assert_eq!(reply.status(), 200);
    for kind in ["text/plain", "application/xml", "application/jsonx"] {
        let mut http = daemon.http().unwrap();
        let reply = http.call("POST", "/rpc", &[("content-type", kind)], body.as_bytes());
        let reply = reply.unwrap();
        assert_eq!(reply.status(), 415, "{kind}");
        assert_eq!(reply.json()["error"]["code"], -32600);
    }
}

#[test]
fn the_probes_tell_a_process_that_serves_from_one_that_receives() {
    let stage = stage();
    let daemon = stage.ready();
    let mut http = daemon.http().unwrap();
    let reply = http.fetch("/healthz").unwrap();
    assert_eq!(
        (reply.status(), reply.json()),
        (200, json!({"status": "ok"}))
    );
    let reply = http.fetch("/readyz").unwrap();
    assert_eq!(reply.status(), 200, "{:?}", reply.json());
    assert_eq!(reply.json()["verdict"], "ok");
    let reply = http.call("HEAD", "/healthz", &[], b"").unwrap();
    assert_eq!(reply.status(), 200);
    assert_eq!(http.fetch("/healthz?probe=1").unwrap().status(), 200);
}

#[test]
fn a_daemon_that_is_parked_serves_and_is_not_ready() {
    let mut stage =
        agentchatd_tests::stage::Stage::with(env!("CARGO_BIN_EXE_agentchatd"), Options::modern());
    stage.setup.key.clear();
    let daemon = stage.start();
    let mut http = daemon.http().unwrap();
    assert_eq!(http.fetch("/healthz").unwrap().status(), 200);
    let reply = http.fetch("/readyz").unwrap();
    assert_eq!(reply.status(), 503, "{:?}", reply.json());
    assert_ne!(reply.json()["verdict"], "ok");
    assert!(
        reply.json()["reasons"].is_array(),
        "the answer of daemon.health"
    );
}

#[test]
fn other_paths_and_methods_are_refused_in_json() {
    let stage = stage();
    let daemon = stage.start();
    let mut http = daemon.http().unwrap();
    for (method, path, status, allow) in [
        ("GET", "/nothing", 404, None),
        ("POST", "/rpc/", 404, None),
        ("GET", "/rpc", 405, Some("POST")),
        ("PUT", "/rpc", 405, Some("POST")),
        ("POST", "/healthz", 405, Some("GET, HEAD")),
        ("DELETE", "/readyz", 405, Some("GET, HEAD")),
    ] {
        let reply = http.call(method, path, &[], b"").unwrap();
        assert_eq!(reply.status(), status, "{method} {path}");
        assert_eq!(reply.head.header("allow"), allow, "{method} {path}");
        assert!(reply.json()["error"]["message"].is_string());
    }
}
