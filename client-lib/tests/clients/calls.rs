//! The async client.

use agentchatd_client::error::{ApiErrorData, NotFoundData};
use agentchatd_client::types::{ConsumerName, EventsFetchParams, NoParams, SendOutcome};
use agentchatd_client::{Client, ClientError, ErrorCode, api};
use serde_json::json;

use crate::fake::{Daemon, Peer};

async fn connected(daemon: &Daemon) -> (Client, Peer) {
    let path = daemon.path();
    let (client, peer) = tokio::join!(Client::connect(&path), daemon.accept());
    (client.expect("the daemon is there"), peer)
}

#[tokio::test]
async fn a_typed_call_goes_out_by_name_and_comes_back_as_its_result() {
    let daemon = Daemon::start();
    let (client, mut peer) = connected(&daemon).await;
    let serve = async {
        let request = peer.request().await;
        assert_eq!(request["method"], "messages.send");
        assert_eq!(request["params"]["to"], "@Bob");
        assert_eq!(request["params"]["text"], "hi");
        let message = json!({"id": "msg_1", "unknown": 12345678901234567890_u64});
        let result = json!({
            "message": message, "client_msg_id": "c", "replayed": false,
            "backlog_warning": null, "offset": 7,
        });
        peer.answer(&request, result).await;
    };
    let (outcome, ()) = tokio::join!(client.send_text("@Bob", "hi"), serve);
    let SendOutcome::Sent(sent) = outcome.unwrap() else {
        panic!("it was sent")
    };
    assert_eq!(sent.offset, Some(7));
    assert!(sent.message.get().contains("12345678901234567890"));
}

#[tokio::test]
async fn a_queued_send_is_told_from_a_sent_one() {
    let queued = r#"{"queued":true,"client_msg_id":"c","outbox_id":"o"}"#;
    let outcome: SendOutcome = serde_json::from_str(queued).unwrap();
    assert!(matches!(&outcome, SendOutcome::Queued(queued) if queued.outbox_id == "o"));
    assert_eq!(serde_json::to_string(&outcome).unwrap(), queued);
}

#[tokio::test]
async fn an_error_keeps_its_code_and_data() {
    let daemon = Daemon::start();
    let (client, mut peer) = connected(&daemon).await;
    let serve = async {
        let request = peer.request().await;
        peer.refuse(&request, -32006, json!({"what": "consumer", "id": "a"}))
            .await;
        let request = peer.request().await;
        let data = json!({
            "code": "GROUP_DELETED", "status": 410, "class": "GroupDeletedError", "message": "m",
            "request_id": null, "retry_after_ms": null, "details": {"x": 1}, "group_id": "g",
        });
        peer.refuse(&request, -32001, data).await;
    };
    let name = ConsumerName::new("a").unwrap();
    let calls = async { (client.ack(name, 1).await, client.me().await) };
    let ((ack, me), ()) = tokio::join!(calls, serve);
    let Err(ClientError::Rpc(error)) = ack else {
        panic!("it was refused")
    };
    assert_eq!(error.kind(), Some(ErrorCode::NotFound));
    assert_eq!(error.data_as::<NotFoundData>().unwrap().what, "consumer");
    let Err(ClientError::Rpc(error)) = me else {
        panic!("it was refused")
    };
    let data: ApiErrorData = error.data_as().unwrap();
    assert_eq!((data.status, data.group_id.as_deref()), (410, Some("g")));
    assert_eq!(data.details.unwrap().get(), r#"{"x":1}"#);
}

#[tokio::test]
async fn calls_run_side_by_side() {
    let daemon = Daemon::start();
    let (client, mut peer) = connected(&daemon).await;
    let serve = async {
        let slow = peer.request().await;
        assert_eq!(slow["method"], "events.fetch");
        let quick = peer.request().await;
        let version = json!({"name": "agentchatd", "version": "0", "api": 1, "features": []});
        peer.answer(&quick, version).await;
        peer.answer(&slow, json!({"events": [], "next_after": 3}))
            .await;
    };
    let slow = client.fetch(EventsFetchParams::default());
    let quick = client.call::<api::DaemonVersion>(NoParams {});
    let (slow, quick, ()) = tokio::join!(slow, quick, serve);
    assert_eq!(slow.unwrap().next_after, 3);
    assert_eq!(quick.unwrap().api, 1);
}

#[tokio::test]
async fn a_lost_connection_is_an_error_and_not_a_wait() {
    let daemon = Daemon::start();
    let (client, mut peer) = connected(&daemon).await;
    let serve = async move {
        peer.request().await;
        peer.raw(br#"{"jsonrpc":"2.0","id":0,"resu"#).await;
    };
    let (result, ()) = tokio::join!(client.status(), serve);
    assert!(
        matches!(result, Err(ClientError::Disconnected { .. })),
        "{result:?}"
    );
    let again = client.status().await;
    assert!(
        matches!(again, Err(ClientError::Disconnected { .. })),
        "{again:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_daemon_is_waited_for_as_long_as_the_call_may_take() {
    let daemon = Daemon::start();
    let (client, _peer) = connected(&daemon).await;
    let begun = tokio::time::Instant::now();
    let result = client.me().await;
    assert!(
        matches!(result, Err(ClientError::Timeout { .. })),
        "{result:?}"
    );
    assert_eq!(begun.elapsed().as_secs(), 60);
}

#[tokio::test]
async fn nobody_at_the_socket_is_said_with_its_path() {
    let error = Client::connect("/nowhere/agentchatd.sock")
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("/nowhere/agentchatd.sock"),
        "{error}"
    );
}
