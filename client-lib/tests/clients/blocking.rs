//! The connection that needs nothing but the standard library.

use std::io::ErrorKind;

use agentchatd_client::api::{ConsumersList, DaemonVersion};
use agentchatd_client::blocking::{Connection, Error};
use agentchatd_client::types::{EventNotice, NoParams, notification};
use serde_json::json;

use crate::fake::Daemon;

/// Runs a client on a thread beside the fake daemon.
async fn beside<T: Send + 'static>(
    daemon: &Daemon,
    client: impl FnOnce(Connection) -> T + Send + 'static,
    serve: impl AsyncFnOnce(crate::fake::Peer),
) -> T {
    let path = daemon.path();
    let client = tokio::task::spawn_blocking(move || {
        client(Connection::connect(path).expect("the daemon is there"))
    });
    let serve = async { serve(daemon.accept().await).await };
    let (result, ()) = tokio::join!(client, serve);
    result.expect("the client does not panic")
}

#[tokio::test]
async fn a_call_gives_its_result_although_notifications_come_in_between() {
    let daemon = Daemon::start();
    let client = |mut connection: Connection| {
        let version = connection.call::<DaemonVersion>(&NoParams {}).unwrap();
        let first = connection.next_notification().unwrap();
        let second = connection.next_notification().unwrap();
        (version, first, second)
    };
    let (version, first, second) = beside(&daemon, client, async |mut peer| {
        let request = peer.request().await;
        assert_eq!(request["jsonrpc"], "2.0");
        peer.events([4]).await;
        peer.raw(b"\n").await;
        let result = json!({"name": "agentchatd", "version": "0.1.0", "api": 1, "features": []});
        peer.answer(&request, result).await;
        peer.events([5]).await;
    })
    .await;
    assert_eq!(version.api, 1);
    let offsets = [first, second].map(|notice| {
        assert_eq!(notice.method, notification::EVENT);
        serde_json::from_str::<EventNotice>(notice.params.get())
            .unwrap()
            .result
            .offset
    });
    assert_eq!(offsets, [Some(4), Some(5)]);
}

#[tokio::test]
async fn an_error_and_a_cut_are_told_apart() {
    let daemon = Daemon::start();
    let client = |mut connection: Connection| {
        let refused = connection.call::<ConsumersList>(&NoParams {}).unwrap_err();
        let cut = connection.call::<ConsumersList>(&NoParams {}).unwrap_err();
        (refused, cut)
    };
    let (refused, cut) = beside(&daemon, client, async |mut peer| {
        let request = peer.request().await;
        peer.refuse(&request, -32009, json!(null)).await;
        peer.request().await;
        peer.raw(b"{\"jsonrpc\":\"2.0\"").await;
    })
    .await;
    assert!(matches!(refused, Error::Rpc(error) if error.code == -32009));
    assert!(matches!(cut, Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof));
}

#[tokio::test]
async fn a_result_of_null_is_a_result() {
    let daemon = Daemon::start();
    let client = |mut connection: Connection| connection.request("x.y", &json!({})).unwrap();
    let result = beside(&daemon, client, async |mut peer| {
        let request = peer.request().await;
        peer.answer(&request, json!(null)).await;
    })
    .await;
    assert_eq!(result.get(), "null");
}
