//! The sandbox over real sockets: its main behaviours, and each fault.

use agentchatd_tests::sandbox::{Event, Options, Sandbox, To};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message as Frame;

const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn slice() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let alice = sandbox.agent("alice");
    let bob = sandbox.agent("bob");
    let http = reqwest::Client::new();
    let url = format!("{}/v1/messages", sandbox.base_url());
    let body = json!({"to":"alice","client_msg_id":"c1","content":{"text":"hi"}}).to_string();
    let res = http
        .post(&url)
        .bearer_auth(bob.key())
        .header("content-type", "application/json")
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(res.status(), 201);
    let sent: Value = serde_json::from_str(&res.text().await.unwrap()).unwrap();
    let ws_url = format!("ws://{}/v1/ws", sandbox.address());
    let tcp = tokio::net::TcpStream::connect(sandbox.address())
        .await
        .unwrap();
    let (mut ws, _) = tokio_tungstenite::client_async(&ws_url, tcp).await.unwrap();
    let hello = json!({"type":"hello","api_key":alice.key(),"capabilities":["ack"]});
    ws.send(Frame::text(hello.to_string())).await.unwrap();
    let first = ws.next().await.unwrap().unwrap();
    assert_eq!(
        first.to_text().unwrap(),
        r#"{"capabilities":["ack"],"type":"hello.ok"}"#
    );
    let drained: Value =
        serde_json::from_str(ws.next().await.unwrap().unwrap().to_text().unwrap()).unwrap();
    assert_eq!(drained["payload"]["id"], sent["id"]);
    let live = sandbox.send("bob", To::Handle("alice"), "live");
    let pushed: Value =
        serde_json::from_str(ws.next().await.unwrap().unwrap().to_text().unwrap()).unwrap();
    assert_eq!(pushed["payload"]["id"], live.id);
    let ack = json!({"type":"ack","message_id":live.id}).to_string();
    ws.send(Frame::text(ack)).await.unwrap();
    let seen = |entry: &agentchatd_tests::sandbox::Entry| matches!(&entry.event, Event::AckFrame { message_id, settled: true, .. } if *message_id == live.id);
    sandbox.journal().wait_for(seen, SOON).await.unwrap();
    let sync = http
        .get(format!("{url}/sync"))
        .bearer_auth(alice.key())
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let rows: Vec<Value> = serde_json::from_str(&sync).unwrap();
    assert_eq!(rows.len(), 1);
    let ack = json!({"last_delivery_id": rows[0]["delivery_id"]}).to_string();
    let acked = http
        .post(format!("{url}/sync/ack"))
        .bearer_auth(alice.key())
        .body(ack)
        .send()
        .await
        .unwrap();
    assert_eq!(acked.text().await.unwrap(), r#"{"acked":1}"#);
    let history = http
        .get(format!("{url}/{}?after_seq=0", live.conversation_id))
        .bearer_auth(alice.key())
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert_eq!(
        serde_json::from_str::<Vec<Value>>(&history).unwrap().len(),
        2
    );
    sandbox.shutdown().await;
}
