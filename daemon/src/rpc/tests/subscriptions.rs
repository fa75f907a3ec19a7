use std::sync::Arc;

use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::harness::{Sends, Server};
use crate::event::LogEvent;
use crate::feed::testing::MemoryStore;
use crate::rpc::Limits;

fn count(offsets: std::ops::RangeInclusive<u64>) -> Vec<u64> {
    offsets.collect()
}

#[tokio::test]
async fn events_come_after_the_answer_in_order_from_the_store_and_then_live() {
    let server = Server::with_events(600).await;
    let mut client = server.client().await;
    let told = client
        .ok("events.subscribe", json!({"from": "earliest"}))
        .await;
    assert_eq!(
        (&told["next_offset"], &told["consumer"]),
        (&json!(1), &json!(null))
    );
    assert_eq!(client.offsets(600).await.0, count(1..=600));
    server.publish(601..=605);
    assert_eq!(client.offsets(5).await.0, count(601..=605));
}

#[tokio::test]
async fn a_subscription_starts_where_it_was_asked_to() {
    let server = Server::with_events(10).await;
    for (from, first) in [
        (json!("now"), 11),
        (json!("earliest"), 1),
        (json!({"offset": 4}), 4),
        (json!({"time": "1970-01-01T00:00:07Z"}), 7),
    ] {
        let mut client = server.client().await;
        let told = client.ok("events.subscribe", json!({"from": from})).await;
        assert_eq!(told["next_offset"], first, "{from}");
        if first <= 10 {
            assert_eq!(client.event().await["offset"], first, "{from}");
        }
    }
}

#[tokio::test]
async fn only_what_passes_the_filter_comes() {
    let server = Server::with_events(9).await;
    let mut client = server.client().await;
    let filter = json!({"conversations": ["conv_0"]});
    client
        .subscribe(json!({"from": "earliest", "filter": filter}))
        .await;
    assert_eq!(client.offsets(3).await.0, [3, 6, 9]);
    client.silence().await;
    server.publish(10..=12);
    assert_eq!(client.offsets(1).await.0, [12]);
}

#[tokio::test]
async fn after_unsubscribing_nothing_comes_any_more() {
    let server = Server::with_events(2000).await;
    let mut client = server.client().await;
    let subscription = client.subscribe(json!({"from": "earliest"})).await;
    client.offsets(5).await;
    client
        .send(
            99,
            "events.unsubscribe",
            json!({"subscription": subscription}),
        )
        .await;
    loop {
        let value = client.value().await;
        if value["id"] == 99 {
            assert_eq!(value["result"], true);
            break;
        }
    }
    client.silence().await;
    let error = client
        .error("events.unsubscribe", json!({"subscription": subscription}))
        .await;
    assert_eq!(
        (&error["code"], &error["data"]["what"]),
        (&json!(-32006), &json!("subscription"))
    );
}

#[tokio::test]
async fn a_client_that_does_not_read_slows_nobody() {
    let server = Server::with_events(0).await;
    let mut stuck = server.client().await;
    let mut quick = server.client().await;
    stuck.subscribe(json!({})).await;
    quick.subscribe(json!({})).await;
    // Far more than all the buffers of the stuck one hold.
    let payload: Arc<str> = format!("\"{}\"", "x".repeat(4000)).into();
    let big = |offset| {
        let kind = "message.new".into();
        Arc::new(LogEvent {
            offset,
            kind,
            payload: payload.clone(),
            source: "live",
            ..LogEvent::default()
        })
    };
    for round in 0..40_u64 {
        let events: Vec<_> = (1..=250).map(|n| big(round * 250 + n)).collect();
        server.store.push(events.clone());
        server.feed.publish(events);
        let (offsets, _) = quick.offsets(250).await;
        assert_eq!(offsets.last(), Some(&(round * 250 + 250)));
    }
    // And the slow one misses nothing: it is served from the log.
    assert_eq!(stuck.offsets(10_000).await.0, count(1..=10_000));
}

#[tokio::test]
async fn ephemeral_events_are_live_only_and_have_no_offset() {
    let server = Server::with_events(1).await;
    let typing = |n| {
        Arc::new(LogEvent {
            kind: "typing.start".into(),
            seq: Some(n),
            ..LogEvent::default()
        })
    };
    server.feed.publish_ephemeral(&typing(1));
    let mut client = server.client().await;
    client.subscribe(json!({"consumer": "c"})).await;
    server.feed.publish_ephemeral(&typing(2));
    let event = client.event().await;
    assert_eq!(
        (&event["type"], &event["seq"]),
        (&json!("typing.start"), &json!(2))
    );
    assert!(event["offset"].is_null() && event["redelivered"].is_null());
    assert_eq!(
        server.store.row("c").unwrap().acked,
        1,
        "it moves no offset"
    );
}

#[tokio::test]
async fn a_slow_reader_is_told_how_many_ephemeral_events_it_lost() {
    let server = Server::with_events(0).await;
    let mut client = server.client().await;
    client.subscribe(json!({})).await;
    let payload: Arc<str> = format!("\"{}\"", "x".repeat(4000)).into();
    let typing = |n| {
        let kind = "typing.start".into();
        Arc::new(LogEvent {
            kind,
            seq: Some(n),
            payload: payload.clone(),
            ..LogEvent::default()
        })
    };
    const COUNT: u64 = 5000;
    for n in 0..COUNT {
        server.feed.publish_ephemeral(&typing(n));
        if n % 100 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let (mut got, mut lost) = (0, 0);
    while got + lost < COUNT {
        let value = client.value().await;
        if value["method"] == "events.lagged" {
            lost += value["params"]["dropped"].as_u64().unwrap();
        } else {
            got += 1;
        }
    }
    assert_eq!(got + lost, COUNT);
    assert!(lost > 0 && got >= 256, "{got} got, {lost} lost");
}

#[tokio::test]
async fn a_client_that_closed_its_writing_side_keeps_its_subscription_until_it_is_gone() {
    let server = Server::with_events(3).await;
    let mut client = server.client().await;
    client
        .subscribe(json!({"consumer": "c", "from": "earliest"}))
        .await;
    client.write.shutdown().await.unwrap();
    assert_eq!(client.offsets(3).await.0, [1, 2, 3]);
    server.publish(4..=4);
    assert_eq!(client.offsets(1).await.0, [4]);
    drop(client);
    let attached = |server: &Server| {
        server
            .feed
            .consumers()
            .find("c")
            .unwrap()
            .snapshot()
            .unwrap()
            .attached
    };
    server
        .until("its end is noticed", |server| !attached(server))
        .await;
}

#[tokio::test]
async fn fetch_pages_waits_and_passes_over_what_the_filter_leaves_out() {
    let server = Server::with_events(9).await;
    let mut client = server.client().await;
    let offsets = |page: &serde_json::Value| -> Vec<u64> {
        let events = page["events"].as_array().unwrap().iter();
        events
            .map(|event| event["offset"].as_u64().unwrap())
            .collect()
    };
    let page = client.ok("events.fetch", json!({"limit": 4})).await;
    assert_eq!(
        (offsets(&page), &page["next_after"]),
        (count(1..=4), &json!(4))
    );
    let filter = json!({"conversations": ["conv_0"]});
    let page = client
        .ok("events.fetch", json!({"after": 6, "filter": filter}))
        .await;
    assert_eq!((offsets(&page), &page["next_after"]), (vec![9], &json!(9)));
    let none = json!({"types": ["x"]});
    let page = client.ok("events.fetch", json!({"filter": none})).await;
    assert_eq!((offsets(&page), &page["next_after"]), (vec![], &json!(9)));
    let page = client
        .ok("events.fetch", json!({"after": 9, "wait_ms": 10}))
        .await;
    assert_eq!((offsets(&page), &page["next_after"]), (vec![], &json!(9)));
    client
        .send(2, "events.fetch", json!({"after": 9, "wait_ms": 60_000}))
        .await;
    client.silence().await;
    server.publish(10..=10);
    assert_eq!(offsets(&client.value().await["result"]), [10]);
}

#[tokio::test]
async fn a_stuck_answer_does_not_hold_up_another_connection() {
    let server = Server::with(
        MemoryStore::with_events(1..=2000),
        Limits::default(),
        Sends::Sent,
    )
    .await;
    let mut stuck = server.client().await;
    let fetch =
        json!({"jsonrpc": "2.0", "id": 1, "method": "events.fetch", "params": {"limit": 1000}});
    // It asks for far more than it ever reads; reading its requests stops at some point.
    let mut asked = 0;
    let asking = async {
        loop {
            stuck.say(&format!("{fetch}\n")).await;
            asked += 1;
        }
    };
    let _ = tokio::time::timeout(std::time::Duration::from_millis(300), asking).await;
    assert!(asked > 0);
    let mut quick = server.client().await;
    quick.ok("daemon.version", json!({})).await;
}

#[tokio::test]
async fn an_ephemeral_subscription_may_have_a_window_as_well() {
    let server = Server::with_events(5).await;
    let mut client = server.client().await;
    let params = json!({"from": "earliest", "ack": "manual", "max_in_flight": 2});
    let subscription = client.subscribe(params).await;
    assert_eq!(client.offsets(2).await.0, [1, 2]);
    client.silence().await;
    client
        .ok(
            "events.ack",
            json!({"subscription": subscription, "offset": 2}),
        )
        .await;
    assert_eq!(client.offsets(2).await.0, [3, 4]);
    assert_eq!(client.ok("consumers.list", json!({})).await, json!([]));
}
