//! What is no JSON, and what is JSON and no request: -32700 and -32600.

use crate::stage;
use agentchatd_tests::raw::Raw;
use serde_json::Value;

/// The connection still answers.
fn lives_on(raw: &mut Raw) {
    let answer = raw.say(r#"{"jsonrpc":"2.0","id":"alive","method":"daemon.version"}"#);
    assert_eq!(answer["id"], "alive", "{answer}");
    assert!(answer.get("result").is_some());
}

#[test]
fn what_is_no_json_is_a_parse_error_and_the_next_line_is_heard() {
    let stage = stage();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    let deep = |n: usize| {
        let (open, close) = ("[".repeat(n), "]".repeat(n));
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"daemon.version","params":{{"a":{open}{close}}}}}"#
        )
    };
    for line in [
        "hello",
        "{",
        "{\"a\":",
        r#"{"jsonrpc":"2.0","id":1,"method":"daemon.version",}"#,
        "{]",
        "[1,]",
        "{\"a\":01}",
        "}",
        "nul",
        r#"{"jsonrpc":"2.0","id":1,"method":"messages.send","params":{"to":"bob","text":"\ud800"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"messages.send","params":{"to":"bob","text":"\udc00x"}}"#,
        &deep(127),
        &deep(5000),
    ] {
        let answer = raw.say(line);
        assert_eq!(answer["error"]["code"], -32700, "{line}: {answer}");
        assert_eq!(answer["id"], Value::Null);
        assert_eq!(answer["jsonrpc"], "2.0");
        lives_on(&mut raw);
    }
    let at_the_limit = raw.say(&deep(126));
    assert_eq!(
        at_the_limit["error"]["code"], -32602,
        "128 levels are JSON: {at_the_limit}"
    );
}

#[test]
fn what_is_not_utf8_is_a_parse_error_and_the_next_line_is_heard() {
    let stage = stage();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    for bytes in [
        &b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}\n"[..],
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xed\xa0\x80\"}\n",
        b"{\xc0\xaf}\n",
    ] {
        raw.write(bytes).unwrap();
        assert_eq!(raw.hear()["error"]["code"], -32700);
        lives_on(&mut raw);
    }
}

#[test]
fn a_first_line_that_is_no_json_is_answered_like_any_other() {
    let stage = stage();
    let daemon = stage.start();
    for line in ["hello", "\"text\"", "17", "true", "\u{7f}"] {
        let mut raw = stage.connect(&daemon);
        let answer = raw.say(line);
        let code = &answer["error"]["code"];
        assert!(*code == -32700 || *code == -32600, "{line}: {answer}");
        lives_on(&mut raw);
    }
}

#[test]
fn what_is_no_request_is_refused_with_its_id_where_it_can_be_read() {
    let stage = stage();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    for (line, id) in [
        (r#"{}"#, "null"),
        (r#"{"id":1,"method":"daemon.version"}"#, "1"),
        (r#"{"jsonrpc":"1.0","id":1,"method":"daemon.version"}"#, "1"),
        (r#"{"jsonrpc":2.0,"id":1,"method":"daemon.version"}"#, "1"),
        (
            r#"{"jsonrpc":"2.0","id":{},"method":"daemon.version"}"#,
            "null",
        ),
        (
            r#"{"jsonrpc":"2.0","id":[],"method":"daemon.version"}"#,
            "null",
        ),
        (
            r#"{"jsonrpc":"2.0","id":true,"method":"daemon.version"}"#,
            "null",
        ),
        (r#"{"jsonrpc":"2.0","id":"x"}"#, "\"x\""),
        (r#"{"jsonrpc":"2.0","id":"x","method":7}"#, "\"x\""),
        (
            r#"{"jsonrpc":"2.0","id":"x","method":"daemon.version","params":7}"#,
            "\"x\"",
        ),
        (
            r#"{"jsonrpc":"2.0","id":"x","method":"daemon.version","params":"y"}"#,
            "\"x\"",
        ),
        (
            r#"{"jsonrpc":"2.0","id":"x","method":"daemon.version","params":true}"#,
            "\"x\"",
        ),
        (r#"[5]"#, "null"),
    ] {
        let answer = raw.say(line);
        let answer = answer.get(0).unwrap_or(&answer);
        assert_eq!(answer["error"]["code"], -32600, "{line}: {answer}");
        assert_eq!(answer["id"].to_string(), id, "{line}");
    }
    lives_on(&mut raw);
}
