//! Subscriptions that lose nothing.

use std::time::Duration;

use agentchatd_client::subscription::{Options, Subscription, SubscriptionError};
use agentchatd_client::types::{Event, Filter, Start, closed_reason};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::fake::{Daemon, PATIENCE, Peer, event_line, subscribed};

async fn open(daemon: &Daemon, options: Options, next: u64) -> (Subscription, Peer, Value) {
    let path = daemon.path();
    let (subscription, (peer, request)) = tokio::join!(
        Subscription::open(&path, options),
        daemon.accept_subscriber(next)
    );
    (subscription.expect("the daemon opens it"), peer, request)
}

fn durable() -> Options {
    Options::consumer("c").expect("the name is allowed")
}

async fn next(events: &mut Subscription) -> Result<Event, SubscriptionError> {
    let item = tokio::time::timeout(PATIENCE, events.next()).await;
    item.expect("something comes").expect("the stream goes on")
}

/// The offsets of the next events, a redelivered one as a negative number.
async fn take(events: &mut Subscription, count: usize) -> Vec<i64> {
    let mut offsets = Vec::new();
    for _ in 0..count {
        let event = next(events).await.expect("an event comes");
        let offset = i64::try_from(event.offset.expect("it is logged")).expect("it is small");
        offsets.push(if event.redelivered { -offset } else { offset });
    }
    offsets
}

#[tokio::test]
async fn events_come_in_order_and_are_acked_by_hand() {
    let daemon = Daemon::start();
    let (mut events, mut peer, request) = open(&daemon, durable(), 1).await;
    assert_eq!(request["params"]["consumer"], "c");
    peer.events(1..=3).await;
    assert_eq!(take(&mut events, 3).await, [1, 2, 3]);
    events.ack(2).await.unwrap();
    let ack = peer.request().await;
    assert_eq!(ack["method"], "events.ack");
    assert_eq!(ack["params"], json!({"consumer": "c", "offset": 2}));
    peer.answer(&ack, json!({"acked_offset": 2})).await;
    peer.events([4]).await;
    assert_eq!(take(&mut events, 1).await, [4]);
    assert_eq!(events.acked_offset(), 2);
}

#[tokio::test]
async fn a_connection_that_breaks_in_mid_line_loses_nothing() {
    let daemon = Daemon::start();
    let (mut events, mut peer, _) = open(&daemon, durable(), 1).await;
    peer.events(1..=2).await;
    let line = event_line(3);
    peer.raw(&line.as_bytes()[..line.len() / 2]).await;
    drop(peer);
    assert_eq!(take(&mut events, 2).await, [1, 2]);
    let serve = async {
        let (mut peer, request) = daemon.accept_subscriber(1).await;
        assert_eq!(request["params"]["consumer"], "c");
        peer.events(1..=3).await;
        peer
    };
    let (offsets, _peer) = tokio::join!(take(&mut events, 3), serve);
    assert_eq!(offsets, [-1, -2, 3]);
}

#[tokio::test]
async fn an_acknowledgement_from_before_the_break_goes_first_on_the_new_connection() {
    let daemon = Daemon::start();
    let (mut events, mut peer, _) = open(&daemon, durable(), 1).await;
    peer.events(1..=2).await;
    assert_eq!(take(&mut events, 2).await, [1, 2]);
    drop(peer);
    // The write may still find the old connection; either way the daemon has to hear of it again.
    events.ack(2).await.unwrap();
    let serve = async {
        let mut peer = daemon.accept().await;
        let ack = peer.request().await;
        assert_eq!(ack["params"], json!({"consumer": "c", "offset": 2}));
        peer.answer(&ack, json!({"acked_offset": 2})).await;
        let request = peer.request().await;
        assert_eq!(request["method"], "events.subscribe");
        peer.answer(&request, subscribed(&request, 3)).await;
        peer.events([3]).await;
        peer
    };
    let (offsets, _peer) = tokio::join!(take(&mut events, 1), serve);
    assert_eq!(offsets, [3]);
    assert_eq!(events.acked_offset(), 2);
}

/// Reads 1 to 3, acknowledges 1, loses the connection, and acknowledges 2 while the next one is
/// being opened; the daemon goes on from `next_offset` then.
async fn ack_while_opening(daemon: &Daemon, next_offset: u64) -> (Subscription, Peer) {
    let (mut events, mut peer, _) = open(daemon, durable(), 1).await;
    peer.events(1..=3).await;
    assert_eq!(take(&mut events, 3).await, [1, 2, 3]);
    events.ack(1).await.expect("it goes on");
    let ack = peer.request().await;
    peer.answer(&ack, json!({"acked_offset": 1})).await;
    drop(peer);
    let (mut peer, request) = tokio::select! {
        item = events.next() => panic!("nothing was sent, but {item:?} came"),
        asked = async {
            let mut peer = daemon.accept().await;
            let mut request = peer.request().await;
            if request["method"] == "events.ack" {
                peer.answer(&request, json!({"acked_offset": 1})).await;
                request = peer.request().await;
            }
            (peer, request)
        } => asked,
    };
    assert_eq!(request["method"], "events.subscribe");
    // Asked, and not answered yet: too late for what goes before the subscribe.
    events.ack(2).await.expect("it goes on");
    peer.answer(&request, subscribed(&request, next_offset))
        .await;
    (events, peer)
}

#[tokio::test]
async fn an_acknowledgement_made_while_the_connection_is_opened_follows_on_it() {
    let daemon = Daemon::start();
    let (mut events, mut peer) = ack_while_opening(&daemon, 2).await;
    let serve = async {
        let ack = peer.request().await;
        assert_eq!(ack["method"], "events.ack", "{ack}");
        assert_eq!(ack["params"], json!({"consumer": "c", "offset": 2}));
        peer.answer(&ack, json!({"acked_offset": 2})).await;
        peer.events(2..=3).await;
    };
    let (offsets, ()) = tokio::join!(take(&mut events, 2), serve);
    assert_eq!(offsets, [-2, -3]);
    assert_eq!(events.acked_offset(), 2);
}

#[tokio::test]
async fn an_acknowledgement_from_before_a_step_back_is_dropped() {
    let daemon = Daemon::start();
    let (mut events, mut peer) = ack_while_opening(&daemon, 1).await;
    peer.events(1..=2).await;
    assert_eq!(take(&mut events, 2).await, [-1, -2]);
    events.ack(1).await.unwrap();
    let ack = peer.request().await;
    assert_eq!(ack["params"]["offset"], 1, "the first one said on it");
}

#[tokio::test]
async fn an_ephemeral_reader_goes_on_after_its_last_event() {
    let daemon = Daemon::start();
    let (mut events, mut peer, request) = open(&daemon, Options::ephemeral(), 5).await;
    assert_eq!(request["params"]["from"], "now");
    peer.events(5..=6).await;
    assert_eq!(take(&mut events, 2).await, [5, 6]);
    drop(peer);
    let serve = async {
        let (mut peer, request) = daemon.accept_subscriber(7).await;
        assert_eq!(request["params"]["from"], json!({"offset": 7}));
        peer.events([7]).await;
        peer
    };
    let (offsets, _peer) = tokio::join!(take(&mut events, 1), serve);
    assert_eq!(offsets, [7]);
}

#[tokio::test]
async fn a_reader_from_now_that_saw_nothing_yet_misses_nothing_either() {
    let daemon = Daemon::start();
    let (mut events, peer, _) = open(&daemon, Options::ephemeral(), 5).await;
    drop(peer);
    let serve = async {
        let (mut peer, request) = daemon.accept_subscriber(5).await;
        assert_eq!(request["params"]["from"], json!({"offset": 5}));
        peer.events(5..=6).await;
        peer
    };
    let (offsets, _peer) = tokio::join!(take(&mut events, 2), serve);
    assert_eq!(offsets, [5, 6]);
}

#[tokio::test]
async fn a_restart_of_the_daemon_is_survived() {
    let mut daemon = Daemon::start();
    let (mut events, mut peer, _) = open(&daemon, durable(), 1).await;
    peer.events([1]).await;
    peer.notify(
        "daemon.going_away",
        json!({"reason": "stop", "retry_in_ms": 1}),
    )
    .await;
    drop(peer);
    assert_eq!(take(&mut events, 1).await, [1]);
    let serve = async {
        daemon = daemon.restart(Duration::from_millis(300)).await;
        let mut peer = daemon.accept().await;
        let request = peer.request().await;
        peer.refuse(&request, -32009, Value::Null).await;
        let (mut peer, _) = daemon.accept_subscriber(2).await;
        peer.events([2]).await;
        peer
    };
    let (offsets, _peer) = tokio::join!(take(&mut events, 1), serve);
    assert_eq!(offsets, [2]);
}

#[tokio::test]
async fn a_hole_is_an_error_and_the_events_are_asked_for_again() {
    let daemon = Daemon::start();
    let (mut events, mut peer, _) = open(&daemon, Options::ephemeral(), 1).await;
    peer.events([1, 3]).await;
    assert_eq!(take(&mut events, 1).await, [1]);
    let error = next(&mut events).await.unwrap_err();
    assert!(
        matches!(
            error,
            SubscriptionError::Hole {
                expected: 2,
                got: 3
            }
        ),
        "{error}"
    );
    assert!(!error.is_final());
    let serve = async {
        let (mut peer, request) = daemon.accept_subscriber(2).await;
        assert_eq!(request["params"]["from"], json!({"offset": 2}));
        peer.events([2, 3]).await;
        peer
    };
    let (offsets, _peer) = tokio::join!(take(&mut events, 2), serve);
    assert_eq!(offsets, [2, 3]);
}

#[tokio::test]
async fn an_offset_that_comes_twice_is_an_error_and_handed_out_once() {
    let daemon = Daemon::start();
    let (mut events, mut peer, _) = open(&daemon, Options::ephemeral(), 1).await;
    peer.events([1, 2, 2]).await;
    assert_eq!(take(&mut events, 2).await, [1, 2]);
    let error = next(&mut events).await.unwrap_err();
    assert!(
        matches!(error, SubscriptionError::NotRising { last: 2, got: 2 }),
        "{error}"
    );
    let serve = async {
        let (mut peer, _) = daemon.accept_subscriber(3).await;
        peer.events([3]).await;
        peer
    };
    let (offsets, _peer) = tokio::join!(take(&mut events, 1), serve);
    assert_eq!(offsets, [3]);
}

#[tokio::test]
async fn a_filter_leaves_holes_that_are_none() {
    let daemon = Daemon::start();
    let filter = Filter {
        types: Some(["message.new".into()].into()),
        ..Filter::default()
    };
    let options = Options::ephemeral().from(Start::Earliest).filter(filter);
    let (mut events, mut peer, request) = open(&daemon, options, 1).await;
    assert_eq!(
        request["params"]["filter"],
        json!({"types": ["message.new"]})
    );
    peer.events([3, 9]).await;
    assert_eq!(take(&mut events, 2).await, [3, 9]);
}

#[tokio::test]
async fn auto_ack_does_not_undo_that_the_consumer_was_moved_back() {
    let daemon = Daemon::start();
    let (mut events, mut peer, _) = open(&daemon, durable().auto_ack(), 1).await;
    peer.events(1..=5).await;
    take(&mut events, 5).await;
    peer.events([3]).await;
    next(&mut events).await.unwrap_err();
    let again = async { daemon.accept().await.request().await };
    tokio::select! {
        // An acknowledgement would move it forth again.
        request = again => assert_eq!(request["method"], "events.subscribe", "{request}"),
        event = next(&mut events) => panic!("{event:?}"),
    }
}

#[tokio::test]
async fn auto_ack_says_what_the_reader_is_done_with_and_no_more() {
    let daemon = Daemon::start();
    let (mut events, mut peer, _) = open(&daemon, durable().auto_ack(), 1).await;
    peer.events(1..=3).await;
    assert_eq!(take(&mut events, 3).await, [1, 2, 3]);
    // The third is still in the reader's hands; only asking for more says that it is done.
    let serve = async {
        let mut ack = peer.request().await;
        while ack["params"]["offset"] != 3 {
            assert!(
                ack["params"]["offset"]
                    .as_u64()
                    .is_some_and(|offset| offset < 3),
                "{ack}"
            );
            ack = peer.request().await;
        }
        peer.answer(&ack, json!({"acked_offset": 3})).await;
        peer.events([4]).await;
    };
    let (offsets, ()) = tokio::join!(take(&mut events, 1), serve);
    assert_eq!(offsets, [4]);
    assert_eq!(events.acked_offset(), 3);
}

#[tokio::test]
async fn auto_ack_writes_far_fewer_lines_than_there_are_events() {
    let daemon = Daemon::start();
    let (mut events, mut peer, _) = open(&daemon, durable().auto_ack(), 1).await;
    // Joined, because the kernel does not hold all of them at once.
    tokio::join!(take(&mut events, 300), peer.events(1..=300));
    let serve = async {
        let mut acks = 0;
        loop {
            let ack = peer.request().await;
            assert_eq!(ack["method"], "events.ack", "{ack}");
            acks += 1;
            if ack["params"]["offset"] == 300 {
                break;
            }
        }
        peer.events([301]).await;
        acks
    };
    let (_, acks) = tokio::join!(take(&mut events, 1), serve);
    assert!(acks < 30, "{acks} acknowledgements for 300 events");
}

#[tokio::test]
async fn an_end_by_takeover_is_final_and_one_by_seek_is_not() {
    let daemon = Daemon::start();
    let (mut events, mut peer, _) = open(&daemon, durable(), 5).await;
    peer.events([5]).await;
    let moved = json!({"subscription": "s", "reason": closed_reason::STORAGE_ERROR});
    peer.notify("events.closed", moved).await;
    assert_eq!(take(&mut events, 1).await, [5]);
    let serve = async {
        let (mut peer, _) = daemon.accept_subscriber(2).await;
        peer.events([2]).await;
        let taken = json!({"subscription": "s", "reason": closed_reason::TAKEN_OVER});
        peer.notify("events.closed", taken).await;
        peer
    };
    let (offsets, _peer) = tokio::join!(take(&mut events, 1), serve);
    assert_eq!(offsets, [2]);
    let error = next(&mut events).await.unwrap_err();
    assert!(
        matches!(error, SubscriptionError::Closed { .. }) && error.is_final(),
        "{error}"
    );
    assert!(events.next().await.is_none());
    assert!(events.ack(2).await.is_err());
}

#[tokio::test]
async fn a_first_refusal_is_an_error_at_once() {
    let daemon = Daemon::start();
    let path = daemon.path();
    let serve = async {
        let mut peer = daemon.accept().await;
        let request = peer.request().await;
        let data = json!({"consumer": "c", "reason": "attached", "holder_pid": 1, "holder_uid": 1});
        peer.refuse(&request, -32005, data).await;
    };
    let (opened, ()) = tokio::join!(Subscription::open(&path, durable()), serve);
    let error = opened.unwrap_err();
    assert!(matches!(error, SubscriptionError::Refused(_)), "{error}");
}

#[tokio::test]
async fn after_a_break_a_consumer_that_still_looks_attached_is_waited_for() {
    let daemon = Daemon::start();
    let (mut events, peer, _) = open(&daemon, durable(), 1).await;
    drop(peer);
    let serve = async {
        let mut peer = daemon.accept().await;
        let request = peer.request().await;
        let data = json!({"consumer": "c", "reason": "attached", "holder_pid": 1, "holder_uid": 1});
        peer.refuse(&request, -32005, data).await;
        let (mut peer, _) = daemon.accept_subscriber(1).await;
        peer.events([1]).await;
        peer
    };
    let (offsets, _peer) = tokio::join!(take(&mut events, 1), serve);
    assert_eq!(offsets, [1]);
}

#[tokio::test]
async fn a_daemon_that_stays_away_is_given_up_if_so_wished() {
    let daemon = Daemon::start();
    let options = Options {
        give_up_after: Some(Duration::from_millis(200)),
        ..durable()
    };
    let (mut events, peer, _) = open(&daemon, options, 1).await;
    drop(peer);
    drop(daemon);
    let error = next(&mut events).await.unwrap_err();
    assert!(matches!(error, SubscriptionError::GaveUp { .. }), "{error}");
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn live_only_events_pass_and_dropped_ones_are_counted() {
    let daemon = Daemon::start();
    let (mut events, mut peer, _) = open(&daemon, durable(), 1).await;
    let typing = json!({
        "offset": null, "type": "typing.start", "received_at": "2026-11-23T12:00:00Z",
        "conversation_id": "conv_1", "message_id": null, "seq": null, "source": "live",
        "late": false, "payload": {},
    });
    peer.notify("events.lagged", json!({"subscription": "s", "dropped": 7}))
        .await;
    peer.notify(
        "events.event",
        json!({"subscription": "s", "result": typing}),
    )
    .await;
    peer.events([1]).await;
    assert_eq!(next(&mut events).await.unwrap().kind, "typing.start");
    assert_eq!(take(&mut events, 1).await, [1]);
    assert_eq!(events.lagged(), 7);
}

#[tokio::test]
async fn a_slow_reader_stops_the_socket_and_not_the_memory() {
    let daemon = Daemon::start();
    let (mut events, mut peer, _) = open(&daemon, durable(), 1).await;
    let total = 20_000;
    let serve = async {
        // More than the kernel holds: it can only all be written while somebody reads.
        peer.events(1..=total).await;
        peer
    };
    tokio::pin!(serve);
    let stuck = tokio::time::timeout(Duration::from_millis(500), &mut serve).await;
    assert!(stuck.is_err(), "it was all taken although nobody reads");
    let count = usize::try_from(total).unwrap();
    let (offsets, _peer) = tokio::join!(take(&mut events, count), serve);
    assert!(offsets.iter().copied().eq(1..=20_000));
}

#[tokio::test]
async fn closing_waits_for_the_last_acknowledgement() {
    let daemon = Daemon::start();
    let (mut events, mut peer, _) = open(&daemon, durable(), 1).await;
    peer.events([1]).await;
    assert_eq!(take(&mut events, 1).await, [1]);
    events.ack(1).await.unwrap();
    let serve = async {
        let ack = peer.request().await;
        let unsubscribe = peer.request().await;
        assert_eq!(unsubscribe["method"], "events.unsubscribe");
        peer.events([2]).await;
        peer.answer(&unsubscribe, json!(true)).await;
        peer.answer(&ack, json!({"acked_offset": 1})).await;
        peer.request().await
    };
    let (acked, end) = tokio::join!(events.close(), serve);
    assert_eq!(acked, 1);
    assert_eq!(end, Value::Null);
}

#[tokio::test]
async fn a_read_that_is_given_up_loses_no_event() {
    let daemon = Daemon::start();
    let (mut events, mut peer, _) = open(&daemon, durable(), 1).await;
    let line = event_line(1);
    let (head, tail) = line.as_bytes().split_at(line.len() / 2);
    peer.raw(head).await;
    let given_up = tokio::time::timeout(Duration::from_millis(50), events.next()).await;
    assert!(given_up.is_err());
    peer.raw(tail).await;
    assert_eq!(take(&mut events, 1).await, [1]);
}
