use serde_json::json;

use super::harness::{Sends, Server};
use crate::rpc::Limits;

fn acked(server: &Server, name: &str) -> u64 {
    server.store.row(name).map_or(0, |row| row.acked)
}

#[tokio::test]
async fn the_window_holds_back_what_is_not_acknowledged() {
    let server = Server::with_events(10).await;
    let mut client = server.client().await;
    let params = json!({"consumer": "c", "from": "earliest", "max_in_flight": 3});
    let subscription = client.subscribe(params).await;
    assert_eq!(client.offsets(3).await.0, [1, 2, 3]);
    client.silence().await;
    let result = client
        .ok("events.ack", json!({"consumer": "c", "offset": 2}))
        .await;
    assert_eq!(result, json!({"acked_offset": 2}));
    assert_eq!(acked(&server, "c"), 2);
    assert_eq!(client.offsets(2).await.0, [4, 5]);
    client.silence().await;
    let back = client
        .ok(
            "events.ack",
            json!({"subscription": subscription, "offset": 1}),
        )
        .await;
    assert_eq!(back, json!({"acked_offset": 2}), "going back is a no-op");
    let error = client
        .error("events.ack", json!({"consumer": "c", "offset": 9}))
        .await;
    assert_eq!(
        (&error["code"], &error["data"]["path"]),
        (&json!(-32602), &json!("/offset"))
    );
    let error = client
        .error("events.ack", json!({"consumer": "x", "offset": 1}))
        .await;
    assert_eq!(
        (&error["code"], &error["data"]["id"]),
        (&json!(-32006), &json!("x"))
    );
}

#[tokio::test]
async fn a_consumer_that_reconnects_gets_every_event_after_the_acknowledged_one_again() {
    let server = Server::with_events(6).await;
    let mut client = server.client().await;
    client
        .subscribe(json!({"consumer": "c", "from": "earliest", "max_in_flight": 4}))
        .await;
    assert_eq!(client.offsets(4).await.0, [1, 2, 3, 4]);
    client
        .ok("events.ack", json!({"consumer": "c", "offset": 1}))
        .await;
    assert_eq!(client.offsets(1).await.0, [5]);
    drop(client);
    let mut client = server.client().await;
    // `from` means nothing for a consumer that is known.
    let params = json!({"consumer": "c", "from": "now"});
    let told = client.ok("events.subscribe", params).await;
    assert_eq!(told["next_offset"], 2);
    assert_eq!(
        client.offsets(5).await,
        (vec![2, 3, 4, 5, 6], vec![2, 3, 4, 5])
    );
}

#[tokio::test]
async fn what_was_given_before_a_kill_is_marked_after_it() {
    let server = Server::with_events(6).await;
    let mut client = server.client().await;
    client
        .subscribe(json!({"consumer": "c", "from": "earliest", "max_in_flight": 4}))
        .await;
    client.offsets(4).await;
    // A kill: nothing is detached or written; only what is on disk by now counts.
    let store = crate::feed::testing::MemoryStore::with_events(1..=6);
    crate::hub::Backing::put_consumer(&*store, server.store.row("c").unwrap())
        .await
        .unwrap();
    drop((server, client));
    let server = Server::with(store, Limits::default(), Sends::Sent).await;
    let mut client = server.client().await;
    client.subscribe(json!({"consumer": "c"})).await;
    let (offsets, again) = client.offsets(6).await;
    assert_eq!(offsets, [1, 2, 3, 4, 5, 6]);
    assert_eq!(again[..4], [1, 2, 3, 4]);
}

#[tokio::test]
async fn after_an_orderly_stop_only_what_was_written_is_marked() {
    let server = Server::with_events(6).await;
    let mut client = server.client().await;
    client
        .subscribe(json!({"consumer": "c", "from": "earliest", "max_in_flight": 4}))
        .await;
    client.offsets(4).await;
    let server = Server::with(server.stop().await, Limits::default(), Sends::Sent).await;
    let mut client = server.client().await;
    client.subscribe(json!({"consumer": "c"})).await;
    assert_eq!(
        client.offsets(6).await,
        (vec![1, 2, 3, 4, 5, 6], vec![1, 2, 3, 4])
    );
}

#[tokio::test]
async fn a_second_subscription_is_refused_with_the_holder_or_takes_over() {
    let server = Server::with_events(3).await;
    let (mut first, mut second) = (server.client().await, server.client().await);
    let subscription = first
        .subscribe(json!({"consumer": "c", "from": "earliest"}))
        .await;
    assert_eq!(first.offsets(3).await.0, [1, 2, 3]);
    let error = second
        .error("events.subscribe", json!({"consumer": "c"}))
        .await;
    assert_eq!(
        (&error["code"], &error["data"]["reason"]),
        (&json!(-32005), &json!("attached"))
    );
    assert_eq!(error["data"]["holder_pid"], std::process::id());
    second
        .subscribe(json!({"consumer": "c", "takeover": true}))
        .await;
    assert_eq!(second.offsets(3).await, (vec![1, 2, 3], vec![1, 2, 3]));
    let closed = first.value().await;
    assert_eq!(closed["method"], "events.closed");
    assert_eq!(
        closed["params"],
        json!({"subscription": subscription, "reason": "takeover"})
    );
    server.publish(4..=4);
    assert_eq!(second.offsets(1).await.0, [4]);
    first.silence().await;
    first.ok("daemon.version", json!({})).await;
}

#[tokio::test]
async fn a_holder_that_does_not_read_is_taken_over_all_the_same() {
    let server = Server::with_events(20_000).await;
    let (mut stuck, mut second) = (server.client().await, server.client().await);
    let params = json!({"consumer": "c", "from": "earliest", "max_in_flight": 10_000});
    stuck.subscribe(params.clone()).await;
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let takeover = json!({"consumer": "c", "max_in_flight": 10_000, "takeover": true});
    second.subscribe(takeover).await;
    assert_eq!(second.offsets(10_000).await.0.len(), 10_000);
}

#[tokio::test]
async fn with_auto_an_event_is_acknowledged_once_it_is_written_and_not_before() {
    let server = Server::with_events(20_000).await;
    let mut client = server.client().await;
    client
        .subscribe(json!({"consumer": "c", "from": "earliest", "ack": "auto"}))
        .await;
    // The client reads nothing: what does not fit into the socket's buffer is not written.
    let mut before = 0;
    server
        .until("something is written", |server| acked(server, "c") > 0)
        .await;
    loop {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let now = acked(&server, "c");
        if now == before {
            break;
        }
        before = now;
    }
    assert!(before < 20_000, "{before}");
    let (offsets, _) = client.offsets(20_000).await;
    assert_eq!(offsets.last(), Some(&20_000));
    server
        .until("all is acknowledged", |server| acked(server, "c") == 20_000)
        .await;
}

#[tokio::test]
async fn the_filter_is_kept_with_the_consumer() {
    let server = Server::with_events(6).await;
    let filter = json!({"conversations": ["conv_0"]});
    let mut client = server.client().await;
    client
        .subscribe(json!({"consumer": "c", "from": "earliest", "filter": filter}))
        .await;
    assert_eq!(client.offsets(2).await.0, [3, 6]);
    drop(client);
    let store = server.stop().await;
    let server = Server::with(store, Limits::default(), Sends::Sent).await;
    let mut client = server.client().await;
    let other = json!({"consumer": "c", "filter": {"types": ["x"]}});
    let error = client.error("events.subscribe", other).await;
    assert_eq!(
        (&error["code"], &error["data"]["reason"]),
        (&json!(-32005), &json!("filter_differs"))
    );
    let listed = client.ok("consumers.list", json!({})).await;
    assert_eq!(
        (&listed[0]["filter"], &listed[0]["lag"]),
        (&filter, &json!(2))
    );
    client.subscribe(json!({"consumer": "c"})).await;
    assert_eq!(client.offsets(2).await.0, [3, 6]);
    let replace = json!({"consumer": "c", "filter": {}, "replace_filter": true, "takeover": true});
    let mut third = server.client().await;
    let told = third.ok("events.subscribe", replace).await;
    assert!(told["filter"].is_null());
    assert_eq!(third.offsets(6).await.0, [1, 2, 3, 4, 5, 6]);
    assert_eq!(server.store.row("c").unwrap().filter, None);
}

#[tokio::test]
async fn seeking_moves_an_attached_consumer_in_both_directions() {
    let server = Server::with_events(5).await;
    let mut client = server.client().await;
    client
        .subscribe(json!({"consumer": "c", "from": "earliest"}))
        .await;
    client.offsets(5).await;
    client
        .ok("events.ack", json!({"consumer": "c", "offset": 5}))
        .await;
    let mut other = server.client().await;
    let result = other
        .ok("consumers.seek", json!({"name": "c", "to": {"offset": 3}}))
        .await;
    assert_eq!(result, json!({"acked_offset": 2}));
    assert_eq!(client.offsets(3).await, (vec![3, 4, 5], vec![3, 4, 5]));
    other
        .ok("consumers.seek", json!({"name": "c", "to": "now"}))
        .await;
    assert_eq!(acked(&server, "c"), 5);
    server.publish(6..=6);
    assert_eq!(client.offsets(1).await, (vec![6], vec![]));
}

#[tokio::test]
async fn a_consumer_that_is_deleted_ends_and_starts_anew() {
    let server = Server::with_events(3).await;
    let mut client = server.client().await;
    client
        .subscribe(json!({"consumer": "c", "from": "earliest"}))
        .await;
    client.offsets(3).await;
    let mut other = server.client().await;
    assert_eq!(other.ok("consumers.delete", json!(["c"])).await, true);
    let closed = client.value().await;
    assert_eq!(
        (&closed["method"], &closed["params"]["reason"]),
        (&json!("events.closed"), &json!("deleted"))
    );
    assert_eq!(
        other.error("consumers.delete", json!({"name": "c"})).await["code"],
        -32006
    );
    let told = client
        .ok("events.subscribe", json!({"consumer": "c"}))
        .await;
    assert_eq!(told["next_offset"], 4);
}

#[tokio::test]
async fn a_fetch_with_a_consumer_gives_again_until_it_is_acknowledged() {
    let server = Server::with_events(4).await;
    let mut client = server.client().await;
    let params = json!({"consumer": "c", "from": "earliest", "limit": 2});
    let again = |page: &serde_json::Value| page["events"][0]["redelivered"] == true;
    let page = client.ok("events.fetch", params.clone()).await;
    assert_eq!(
        (page["events"][0]["offset"].as_u64(), again(&page)),
        (Some(1), false)
    );
    let page = client.ok("events.fetch", params.clone()).await;
    assert_eq!(
        (page["events"][0]["offset"].as_u64(), again(&page)),
        (Some(1), true)
    );
    let next = page["next_after"].clone();
    client
        .ok("events.ack", json!({"consumer": "c", "offset": next}))
        .await;
    let page = client.ok("events.fetch", params).await;
    assert_eq!(
        (page["events"][0]["offset"].as_u64(), again(&page)),
        (Some(3), false)
    );
}

#[tokio::test]
async fn where_the_disk_refuses_nothing_is_promised() {
    let server = Server::with_events(4).await;
    let mut client = server.client().await;
    server.store.fail(true);
    let params = json!({"consumer": "c", "from": "earliest"});
    assert_eq!(
        client.error("events.subscribe", params.clone()).await["code"],
        -32007
    );
    assert_eq!(
        client.error("events.fetch", params.clone()).await["code"],
        -32007
    );
    server.store.fail(false);
    assert_eq!(client.ok("consumers.list", json!({})).await, json!([]));
    client.subscribe(params).await;
    client.offsets(4).await;
    server.store.fail(true);
    let error = client
        .error("events.ack", json!({"consumer": "c", "offset": 4}))
        .await;
    assert_eq!(error["code"], -32007);
    assert_eq!(acked(&server, "c"), 0);
}

#[tokio::test]
async fn with_auto_an_unsubscribed_consumer_goes_on_after_what_was_written() {
    let server = Server::with_events(5).await;
    let mut client = server.client().await;
    let params = json!({"consumer": "c", "from": "earliest", "ack": "auto"});
    let subscription = client.subscribe(params.clone()).await;
    client.offsets(5).await;
    client
        .ok("events.unsubscribe", json!({"subscription": subscription}))
        .await;
    assert_eq!(acked(&server, "c"), 5);
    server.publish(6..=6);
    client.subscribe(params).await;
    assert_eq!(client.offsets(1).await, (vec![6], vec![]));
}

#[tokio::test]
async fn with_auto_a_jump_back_is_not_undone_by_what_was_written_before_it() {
    let server = Server::with_events(5).await;
    let mut client = server.client().await;
    client
        .subscribe(json!({"consumer": "c", "from": "earliest", "ack": "auto"}))
        .await;
    client.offsets(5).await;
    let mut other = server.client().await;
    let to = json!({"name": "c", "to": {"offset": 2}});
    other.ok("consumers.seek", to).await;
    assert_eq!(
        client.offsets(4).await,
        (vec![2, 3, 4, 5], vec![2, 3, 4, 5])
    );
    server
        .until("all is acknowledged again", |server| {
            acked(server, "c") == 5
        })
        .await;
}
