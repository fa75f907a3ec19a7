//! What HTTP asks of a caller's scope, and what becomes of a connection that is cut off.

use std::time::Duration;

use serde_json::{Value, json};

use super::harness::{Sends, Server};
use crate::feed::testing::MemoryStore;
use crate::rpc::{Access, Limits};

/// Asks on a connection of its own; the status and the body.
async fn ask(server: &Server, request: &str) -> (String, Value) {
    let mut client = server.client().await;
    client.say(request).await;
    let status = client.line().await.expect("an answer");
    while client.line().await.is_some_and(|line| !line.is_empty()) {}
    let body = client.line().await.unwrap_or_default();
    (status, serde_json::from_str(&body).unwrap_or_default())
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
}

#[tokio::test]
async fn a_caller_without_a_scope_gets_nothing_but_that_the_process_lives() {
    let nobody = Access::by(|_| None);
    let store = MemoryStore::with_events(1..=3);
    let server = Server::with_access(store, Limits::default(), Sends::Sent, Some(nobody)).await;
    for path in ["/events?from=earliest", "/readyz"] {
        let (status, body) = ask(&server, &get(path)).await;
        assert_eq!(status, "HTTP/1.1 403 Forbidden", "{path}");
        assert_eq!(body["error"]["code"], -32004);
        assert_eq!(body["error"]["data"]["scope_needed"], "read");
    }
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "events.fetch"}).to_string();
    let length = body.len();
    let post = format!(
        "POST /rpc HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    let (status, answer) = ask(&server, &post).await;
    assert_eq!(
        (status.as_str(), &answer["error"]["code"]),
        ("HTTP/1.1 200 OK", &json!(-32004))
    );
    assert_eq!(ask(&server, &get("/healthz")).await.0, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn a_request_that_outlasts_the_time_to_stop_is_cut_off() {
    let limits = Limits {
        drain: Duration::from_millis(100),
        ..Limits::default()
    };
    let server = Server::with(MemoryStore::empty(), limits, Sends::Silent).await;
    let mut client = server.client().await;
    let params = json!({"to": "bob", "text": "x"});
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "messages.send", "params": params});
    let body = body.to_string();
    let length = body.len();
    client
        .say(&format!(
            "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
        .await;
    server
        .until("the send is under way", |server| {
            !server.drafts.lock().unwrap().is_empty()
        })
        .await;
    server.stop().await;
    assert_eq!(client.line().await, None);
}
