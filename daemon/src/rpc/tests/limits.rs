use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::harness::{Sends, Server};
use crate::feed::testing::MemoryStore;
use crate::rpc::Limits;
use crate::rpc::request::MAX_BATCH_ENTRIES;

async fn server(limits: Limits) -> Server {
    Server::with(MemoryStore::empty(), limits, Sends::Sent).await
}

#[tokio::test]
async fn a_request_over_the_limit_is_answered_before_it_ends_and_then_it_is_over() {
    let server = server(Limits {
        max_request_bytes: 64 << 10,
        ..Limits::default()
    })
    .await;
    let mut client = server.client().await;
    // More than the socket's own buffers hold, and never a closing bracket.
    let long = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":1,\"x\":\"{}",
        "x".repeat(1 << 20)
    );
    client.write.write_all(long.as_bytes()).await.unwrap();
    let answer = client.value().await;
    assert_eq!(answer["error"]["code"], -32600);
    assert_eq!(answer["error"]["data"]["limit_bytes"], 64 << 10);
    assert_eq!(client.line().await, None);
}

#[tokio::test]
async fn a_request_of_exactly_the_limit_is_served() {
    let limit = 64 << 10;
    let server = server(Limits {
        max_request_bytes: limit,
        ..Limits::default()
    })
    .await;
    let mut client = server.client().await;
    let head = r#"{"jsonrpc":"2.0","id":7,"method":"daemon.version","x":""#;
    let request = format!("{head}{}\"}}", "x".repeat(limit - head.len() - 2));
    assert_eq!(request.len(), limit);
    client.say(&format!("{request}\n")).await;
    assert_eq!(client.value().await["id"], 7);
}

#[tokio::test]
async fn reading_pauses_at_the_bound_and_nothing_is_dropped() {
    const COUNT: usize = 3000;
    let server = server(Limits::default()).await;
    let mut client = server.client().await;
    let pad = "x".repeat(500);
    let waiting = |id| {
        let params = json!({"wait_ms": 60_000});
        let method = "events.fetch";
        json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params, "pad": pad})
    };
    let text: Vec<_> = (0..COUNT).map(|id| waiting(id).to_string()).collect();
    // One half in lines, one in batches; far more than the socket's buffers hold.
    let (lines, rest) = text.split_at(COUNT / 2);
    let batches = rest
        .chunks(MAX_BATCH_ENTRIES)
        .map(|batch| format!("[{}]\n", batch.join(",")));
    let input = format!("{}{}", lines.concat(), batches.collect::<String>());
    let written = AtomicBool::new(false);
    let release = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        assert!(
            !written.load(Ordering::SeqCst),
            "all was read although nothing is answered"
        );
        server.publish(1..=1);
    };
    let (answers, ()) = tokio::join!(client.pipeline(&input, COUNT, &written), release);
    let ids: BTreeSet<_> = answers.iter().map(|answer| answer["id"].as_u64()).collect();
    assert_eq!(ids.len(), COUNT);
}

#[tokio::test]
async fn subscriptions_of_a_connection_are_bounded() {
    let server = server(Limits {
        max_subscriptions: 2,
        ..Limits::default()
    })
    .await;
    let mut client = server.client().await;
    let first = client.subscribe(json!({})).await;
    client.subscribe(json!({})).await;
    let error = client.error("events.subscribe", json!({})).await;
    assert_eq!(
        (&error["code"], &error["data"]["limit"]),
        (&json!(-32008), &json!("max_subscriptions"))
    );
    let error = client
        .error("events.subscribe", json!({"consumer": "new"}))
        .await;
    assert_eq!(error["code"], -32008);
    assert!(server.store.row("new").is_none(), "nothing was made");
    client
        .ok("events.unsubscribe", json!({"subscription": first}))
        .await;
    client.subscribe(json!({})).await;
}

#[tokio::test]
async fn connections_past_the_bound_wait_for_a_place() {
    let server = server(Limits {
        max_connections: 1,
        ..Limits::default()
    })
    .await;
    let mut first = server.client().await;
    first.ok("daemon.version", json!({})).await;
    let mut second = server.client().await;
    second.send(1, "daemon.version", json!({})).await;
    second.silence().await;
    drop(first);
    assert_eq!(second.value().await["id"], 1);
}

#[tokio::test]
async fn nesting_over_the_bound_is_no_json() {
    let server = server(Limits::default()).await;
    let mut client = server.client().await;
    let deep = |n: usize| {
        let value = format!("{}1{}", "[".repeat(n), "]".repeat(n));
        format!("{{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"daemon.version\",\"x\":{value}}}\n")
    };
    client.say(&deep(127)).await;
    assert_eq!(client.value().await["id"], 7);
    client.say(&deep(128)).await;
    assert_eq!(client.value().await["error"]["code"], -32700);
    client.ok("daemon.version", json!({})).await;
}
