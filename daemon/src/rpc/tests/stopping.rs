use std::time::Duration;

use serde_json::json;

use super::harness::{Sends, Server};
use crate::feed::testing::MemoryStore;
use crate::rpc::Limits;

#[tokio::test]
async fn a_connection_with_a_subscription_is_told_and_then_closed() {
    let server = Server::with_events(2).await;
    let (mut reader, mut idle, silent) = (
        server.client().await,
        server.client().await,
        server.client().await,
    );
    reader
        .subscribe(json!({"consumer": "c", "from": "earliest"}))
        .await;
    reader.offsets(2).await;
    idle.ok("daemon.version", json!({})).await;
    server.shutdown.cancel();
    let notice = reader.value().await;
    assert_eq!(notice["method"], "daemon.going_away");
    assert!(notice["params"]["reason"].is_string() && notice["params"]["retry_in_ms"].is_u64());
    assert_eq!(reader.line().await, None);
    assert_eq!(idle.line().await, None, "nothing to tell one without");
    let store = server.stop().await;
    assert_eq!(
        store.row("c").unwrap().given,
        2,
        "the exact value is on disk"
    );
    drop(silent);
}

#[tokio::test]
async fn what_is_under_way_is_finished_and_what_comes_then_is_refused() {
    let server = Server::with_events(0).await;
    let mut client = server.client().await;
    client
        .send(1, "events.fetch", json!({"wait_ms": 60_000}))
        .await;
    client.silence().await;
    server.shutdown.cancel();
    let answer = client.value().await;
    assert_eq!(answer["result"]["events"], json!([]));
    assert_eq!(client.line().await, None);
    server.stop().await;
}

#[tokio::test]
async fn while_it_drains_new_requests_are_refused() {
    let limits = Limits {
        drain: Duration::from_millis(300),
        ..Limits::default()
    };
    let server = Server::with(MemoryStore::empty(), limits, Sends::Silent).await;
    let mut client = server.client().await;
    client
        .send(1, "messages.send", json!({"to": "bob", "text": "x"}))
        .await;
    server
        .until("it is accepted", |server| {
            !server.drafts.lock().unwrap().is_empty()
        })
        .await;
    server.shutdown.cancel();
    client.send(2, "daemon.version", json!({})).await;
    let answer = client.value().await;
    assert_eq!(
        (&answer["id"], &answer["error"]["code"]),
        (&json!(2), &json!(-32009))
    );
    // The send never ends; it is cut off when the time is over.
    assert_eq!(client.line().await, None);
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_cannot_keep_the_daemon() {
    let limits = Limits {
        drain: Duration::from_millis(200),
        ..Limits::default()
    };
    let server = Server::with(MemoryStore::with_events(1..=20_000), limits, Sends::Sent).await;
    let mut stuck = server.client().await;
    let params = json!({"consumer": "c", "from": "earliest", "max_in_flight": 10_000});
    stuck.subscribe(params).await;
    stuck.offsets(1).await;
    let store = server.stop().await;
    assert!(store.row("c").unwrap().given > 0);
}
