use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::harness::{Sends, Server};
use crate::feed::testing::MemoryStore;
use crate::rpc::{Access, Limits};
use crate::store::OutboxRow;

const PING: &str = r#"{"jsonrpc":"2.0","id":7,"method":"daemon.version"}"#;

#[tokio::test]
async fn bad_input_is_answered_and_the_connection_lives_on() {
    let server = Server::start().await;
    let mut client = server.client().await;
    // The first byte decides the protocol, so a sound request goes first.
    client.ok("daemon.version", json!({})).await;
    for (input, code, id) in [
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\"", -32700, "null"),
        ("{hello}", -32700, "null"),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":{\"a\":\"\\ud800\"}}",
            -32700,
            "null",
        ),
        ("nonsense", -32700, "null"),
        ("17", -32600, "null"),
        ("[]", -32600, "null"),
        ("{}", -32600, "null"),
        ("{\"id\":5,\"method\":\"daemon.version\"}", -32600, "5"),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"daemon.version\"}",
            -32600,
            "null",
        ),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"daemon.version\",\"params\":3}",
            -32600,
            "\"a\"",
        ),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"no.such\"}",
            -32601,
            "1.5",
        ),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"daemon.version\",\"params\":{\"x\":1}}",
            -32602,
            "2",
        ),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"daemon.version\",\"params\":[1]}",
            -32602,
            "3",
        ),
    ] {
        client.say(&format!("{input}\n{PING}\n")).await;
        let answer = client.line().await.unwrap();
        let value: serde_json::Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(value["error"]["code"], code, "{input}: {answer}");
        assert!(
            answer.contains(&format!("\"id\":{id},")),
            "{input}: {answer}"
        );
        assert_eq!(client.value().await["id"], 7, "{input}");
    }
}

#[tokio::test]
async fn bytes_that_are_not_utf_8_are_no_json() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client
        .write
        .write_all(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}\n")
        .await
        .unwrap();
    assert_eq!(client.value().await["error"]["code"], -32700);
    client.say(PING).await;
    assert_eq!(client.value().await["id"], 7);
}

#[tokio::test]
async fn a_request_needs_no_line_break() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.say(PING).await;
    assert_eq!(client.value().await["result"]["name"], "agentchatd");
    client
        .say(&format!("{PING}{PING} [{PING}]\n\n\r\n{PING}\r\n"))
        .await;
    assert_eq!(client.value().await["id"], 7);
    assert_eq!(client.value().await["id"], 7);
    assert_eq!(client.value().await[0]["id"], 7);
    assert_eq!(client.value().await["id"], 7);
}

#[tokio::test]
async fn ids_come_back_as_they_were_written() {
    let server = Server::start().await;
    let mut client = server.client().await;
    for id in [
        "12345678901234567890123",
        "-0",
        "1.50",
        "1e400",
        "\"\\u0041\"",
        "null",
    ] {
        for method in ["daemon.version", "no.such"] {
            client
                .say(&format!(
                    r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}"}}"#
                ))
                .await;
            let line = client.line().await.unwrap();
            assert!(
                line.starts_with(&format!(r#"{{"jsonrpc":"2.0","id":{id},"#)),
                "{line}"
            );
        }
    }
}

#[tokio::test]
async fn a_notification_is_run_and_not_answered() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client
        .say(r#"{"jsonrpc":"2.0","method":"messages.send","params":{"to":"a","text":"x"}}"#)
        .await;
    client.say(r#"{"jsonrpc":"2.0","method":"no.such"}{"jsonrpc":"2.0","method":"daemon.version","params":{"x":1}}"#).await;
    client.say(PING).await;
    assert_eq!(client.value().await["id"], 7);
    assert_eq!(server.drafts.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_batch_is_answered_together() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let note = r#"{"jsonrpc":"2.0","method":"daemon.version"}"#;
    client
        .say(&format!(
            "[{PING},5,{note},{{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"x\"}}]\n"
        ))
        .await;
    let answer = client.value().await;
    let answers = answer.as_array().unwrap();
    assert_eq!(answers.len(), 3);
    let find = |id: serde_json::Value| answers.iter().find(|one| one["id"] == id).unwrap();
    assert_eq!(find(json!(7))["result"]["api"], 1);
    assert_eq!(find(json!(8))["error"]["code"], -32601);
    assert_eq!(find(json!(null))["error"]["code"], -32600);
    client.say(&format!("[{note},{note}]\n{PING}")).await;
    assert_eq!(
        client.value().await["id"],
        7,
        "a batch of notifications is not answered"
    );
}

#[tokio::test]
async fn parameters_go_by_position_only_where_there_is_one() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let result = client.ok("messages.mark_read", json!(["msg_1"])).await;
    assert!(result["asked"].as_str().unwrap().contains("msg_1"));
    let error = client.error("messages.send", json!(["bob", "text"])).await;
    assert_eq!(error["code"], -32602);
}

#[tokio::test]
async fn a_wrong_parameter_is_pointed_at() {
    let server = Server::start().await;
    let mut client = server.client().await;
    for (method, params, path) in [
        (
            "events.subscribe",
            json!({"filter": {"types": [1]}}),
            "/filter/types/0",
        ),
        (
            "events.subscribe",
            json!({"max_in_flight": 0}),
            "/max_in_flight",
        ),
        ("events.subscribe", json!({"mode": "shared"}), "/mode"),
        ("events.subscribe", json!({"consumer": "a b"}), "/consumer"),
        ("events.fetch", json!({"bogus": 1}), "/bogus"),
        ("messages.mark_read", json!({}), "/message_id"),
        (
            "messages.send",
            json!({"to": "a", "text": "x\u{0}y"}),
            "/text",
        ),
        (
            "messages.send",
            json!({"to": "a", "data": {"k": ["\u{0}"]}}),
            "/data/k/0",
        ),
        (
            "messages.send",
            json!({"to": "a", "text": "x".repeat(40_000)}),
            "/text",
        ),
    ] {
        let error = client.error(method, params).await;
        assert_eq!(error["code"], -32602, "{error}");
        assert_eq!(error["data"]["path"], path, "{error}");
    }
}

#[tokio::test]
async fn the_platforms_json_goes_through_unchanged() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client
        .send(
            1,
            "messages.list",
            json!({"conversation_id": "c", "limit": 5, "after_seq": 9}),
        )
        .await;
    let line = client.line().await.unwrap();
    assert!(line.contains(r#""big":12345678901234567890123"#), "{line}");
    assert!(
        line.contains("after_seq") && line.contains("limit"),
        "{line}"
    );
    let drained = client.ok("sync.drain", json!({})).await;
    assert_eq!(drained, json!({"drained": 3, "acked": 2}));
}

#[tokio::test]
async fn http_is_told_by_its_first_byte_and_nonsense_is_no_json() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.say("G").await;
    client.silence().await;
    client.say("ET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!(client.line().await.unwrap(), "HTTP/1.1 200 OK");
    let mut client = server.client().await;
    client.say("hello\n").await;
    assert_eq!(client.value().await["error"]["code"], -32700);
    client.say(&format!("{PING}\n")).await;
    assert_eq!(client.value().await["id"], 7, "a first line like any other");
}

#[tokio::test]
async fn a_client_that_closes_its_writing_side_still_gets_its_answers() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.say(&format!("{PING}\n{PING}")).await;
    client.write.shutdown().await.unwrap();
    assert_eq!(client.value().await["id"], 7);
    assert_eq!(client.value().await["id"], 7);
    assert_eq!(client.line().await, None);
}

#[tokio::test]
async fn a_scope_covers_the_methods_below_it_only() {
    let access = Access::by(|_| Some(agentchatd_client::Scope::Read));
    let store = MemoryStore::empty();
    let server = Server::with_access(store, Limits::default(), Sends::Sent, Some(access)).await;
    let mut client = server.client().await;
    client.ok("events.fetch", json!({})).await;
    let error = client
        .error("messages.send", json!({"to": "a", "text": "x"}))
        .await;
    assert_eq!(
        (&error["code"], &error["data"]["scope_needed"]),
        (&json!(-32004), &json!("send"))
    );
    let error = client.error("daemon.shutdown", json!({})).await;
    assert_eq!(error["data"]["scope_needed"], "admin");
    assert!(error["data"]["uid"].is_u64());
    assert_eq!(client.error("no.such", json!({})).await["code"], -32601);
}

#[tokio::test]
async fn the_outbox_is_listed_in_pages() {
    let server = Server::start().await;
    for id in 1..=3 {
        server.store.push_outbox(OutboxRow {
            outbox_id: id,
            client_msg_id: format!("id-{id}"),
            state: if id == 2 { "sent" } else { "queued" }.into(),
            to: Some("bob".into()),
            conversation_id: None,
            attempts: 1,
            created_at_us: 1_000_000,
            next_attempt_at_us: None,
            expires_at_us: Some(2_000_000),
            last_error: Some(r#"{"code":-32002}"#.into()),
            message: Some(r#"{"big":12345678901234567890123}"#.into()),
        });
    }
    let mut client = server.client().await;
    let page = client.ok("outbox.list", json!({"limit": 2})).await;
    assert_eq!(page["next_after"], 2);
    let entry = &page["entries"][0];
    assert_eq!(
        (&entry["outbox_id"], &entry["state"]),
        (&json!("1"), &json!("queued"))
    );
    assert_eq!(entry["expires_at"], "1970-01-01T00:00:02.000Z");
    assert_eq!(entry["last_error"]["code"], -32002);
    let page = client
        .ok("outbox.list", json!({"limit": 2, "after": 2}))
        .await;
    assert_eq!(
        (
            &page["next_after"],
            page["entries"].as_array().unwrap().len()
        ),
        (&json!(null), 1)
    );
    let page = client.ok("outbox.list", json!({"state": "sent"})).await;
    assert_eq!(page["entries"][0]["client_msg_id"], "id-2");
    let error = client.error("outbox.list", json!({"state": "lost"})).await;
    assert_eq!(error["data"]["path"], "/state");
}
