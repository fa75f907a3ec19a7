use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::json;

use super::harness::{Sends, Server};
use crate::feed::testing::MemoryStore;
use crate::rpc::Limits;

#[tokio::test]
async fn pipelined_sends_reach_the_driver_in_the_order_in_which_they_were_written() {
    pipelined_sends_keep_their_order().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pipelined_sends_keep_their_order_on_several_threads() {
    pipelined_sends_keep_their_order().await;
}

async fn pipelined_sends_keep_their_order() {
    const COUNT: usize = 5000;
    let server = Server::start().await;
    let mut client = server.client().await;
    let mut text = String::new();
    for n in 0..COUNT {
        let params =
            json!({"to": "bob", "text": n.to_string(), "client_msg_id": format!("id-{n}")});
        let request =
            json!({"jsonrpc": "2.0", "id": n, "method": "messages.send", "params": params});
        text.push_str(&request.to_string());
        if n % 3 == 0 {
            text.push('\n');
        }
    }
    let answers = client.pipeline(&text, COUNT, &AtomicBool::new(false)).await;
    assert!(answers.iter().all(|answer| answer["error"].is_null()));
    let drafts = server.drafts.lock().unwrap();
    let order: Vec<_> = drafts
        .iter()
        .map(|draft| draft.client_msg_id.clone())
        .collect();
    let expected: Vec<_> = (0..COUNT).map(|n| format!("id-{n}")).collect();
    assert_eq!(order, expected);
}

#[tokio::test]
async fn a_send_is_answered_in_both_forms() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let sent = client
        .ok("messages.send", json!({"to": "@Bob", "text": "hi"}))
        .await;
    assert_eq!(sent["message"]["id"], "msg_1");
    assert_eq!(
        (&sent["replayed"], &sent["offset"]),
        (&json!(false), &json!(1))
    );
    assert!(sent["backlog_warning"].is_null());
    let made = sent["client_msg_id"].as_str().unwrap();
    assert_eq!(made.as_bytes()[14], b'7', "a UUIDv7: {made}");
    let params = json!({"to": "bob", "text": "hi", "client_msg_id": "mine", "delivery": "queue"});
    let queued = client.ok("messages.send", params).await;
    assert_eq!(
        queued,
        json!({"queued": true, "client_msg_id": "mine", "outbox_id": "2"})
    );
    let drafts = server.drafts.lock().unwrap();
    assert_eq!(drafts[0].to.as_deref(), Some("bob"));
    assert!(drafts[0].wait && !drafts[1].wait);
}

#[tokio::test]
async fn a_send_whose_time_runs_out_names_the_entry_that_goes_on() {
    let store = MemoryStore::empty();
    let server = Server::with(store, Limits::default(), Sends::Silent).await;
    let mut client = server.client().await;
    let params = json!({"to": "bob", "text": "hi", "timeout_ms": 20});
    let error = client.error("messages.send", params).await;
    assert_eq!(error["code"], -32002);
    assert_eq!(error["data"]["outbox_id"], "1");
}

#[tokio::test]
async fn a_quick_call_does_not_wait_behind_a_slow_one() {
    let store = MemoryStore::empty();
    let server = Server::with(store, Limits::default(), Sends::Silent).await;
    let mut client = server.client().await;
    client
        .send(
            5,
            "messages.send",
            json!({"to": "bob", "text": "hi", "timeout_ms": 60_000}),
        )
        .await;
    client.ok("daemon.version", json!({})).await;
}

#[tokio::test]
async fn a_caller_that_goes_away_takes_nothing_back() {
    let store = MemoryStore::empty();
    let server = Arc::new(Server::with(store, Limits::default(), Sends::Silent).await);
    let mut client = server.client().await;
    for n in 0..50 {
        client
            .send(n, "messages.send", json!({"to": "bob", "text": "hi"}))
            .await;
    }
    drop(client);
    server
        .until("all fifty are accepted", |server| {
            server.drafts.lock().unwrap().len() == 50
        })
        .await;
}
