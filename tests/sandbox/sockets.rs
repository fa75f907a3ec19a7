//! The socket without faults: handshakes, drain, acknowledgements, heartbeat (wire.md 2).

use super::client::{Api, Got, SOON, Sock, pair, quick_april};
use agentchatd_tests::sandbox::{
    AccountStatus, Draft, DrainRepeat, Event, Options, OwnerPause, Setting, To,
};
use serde_json::json;
use std::time::Duration;

const WRONG_FIRST: &str = "HELLO frame required first";

#[tokio::test]
async fn rows_stay_stored_until_they_are_acknowledged() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let first = sandbox.send("bob", To::Handle("alice"), "waits");
    let mut socket = Sock::hello(&sandbox, &alice).await;
    assert_eq!(
        socket.frame().await,
        json!({"type": "hello.ok", "capabilities": ["ack"]})
    );
    let drained = socket.frame().await;
    assert_eq!(
        drained["payload"]["status"], "stored",
        "the drain has the delivery members"
    );
    let second = sandbox.send("bob", To::Handle("alice"), "live");
    let live = socket.frame().await;
    assert_eq!(
        live["payload"].get("delivery_id"),
        None,
        "a live push has none"
    );
    assert_eq!(live["payload"]["context"]["sender"]["kind"], "agent");
    socket.ack(&first.id).await;
    socket.ack(&first.id).await;
    let repeated = |event: &Event| matches!(event, Event::AckFrame { settled: false, .. });
    sandbox
        .journal()
        .wait_for(|entry| repeated(&entry.event), SOON)
        .await
        .expect("journalled");
    assert_eq!(sandbox.rows_by_state("alice")["stored"], 1);
    let mut again = Sock::ready(&sandbox, &alice).await;
    assert_eq!(again.frame().await["payload"]["id"], second.id);
    assert_eq!(sandbox.journal().connects("alice"), 2);
    assert_eq!(
        sandbox.journal().acked_message_ids("alice"),
        [first.id].into()
    );
}

#[tokio::test]
async fn a_server_without_acknowledgements_marks_as_it_sends() {
    let (sandbox, alice, _bob) = pair(quick_april()).await;
    sandbox.send("bob", To::Handle("alice"), "waits");
    let mut socket = Sock::hello(&sandbox, &alice).await;
    assert_eq!(socket.frame().await, json!({"type": "hello.ok"}));
    assert_eq!(socket.seqs(1).await, [1]);
    sandbox.send("bob", To::Handle("alice"), "live");
    assert_eq!(socket.seqs(1).await, [2]);
    assert_eq!(
        sandbox.rows_by_state("alice"),
        [("delivered".to_owned(), 2)].into()
    );
    assert_eq!(
        Api::new(&sandbox, &alice)
            .get("/v1/messages/sync")
            .await
            .text,
        "[]"
    );
}

#[tokio::test]
async fn the_drain_comes_in_batches_and_may_repeat_them() {
    let options = Options {
        drain_batch: 4,
        drain_repeat: DrainRepeat::Rows(2),
        ..quick_april()
    };
    let (sandbox, alice, _bob) = pair(options).await;
    for n in 0..9 {
        sandbox.send("bob", To::Handle("alice"), Draft::text(&n.to_string()));
    }
    let mut socket = Sock::ready(&sandbox, &alice).await;
    assert_eq!(
        socket.seqs(13).await,
        [1, 2, 3, 4, 3, 4, 5, 6, 7, 8, 7, 8, 9]
    );
    socket.silence().await;
}

#[tokio::test]
async fn wrong_first_frames_are_closed_with_the_platforms_reasons() {
    let options = Options {
        hello_deadline: Duration::from_millis(50),
        ..quick_april()
    };
    let (sandbox, alice, _bob) = pair(options).await;
    for first in [
        "hi",
        "",
        "[]",
        r#"{"type":"ack"}"#,
        r#"{"type":"hello","api_key":5}"#,
    ] {
        let mut socket = Sock::open(&sandbox, &[]).await.expect("an upgrade");
        socket.write(first).await;
        assert_eq!(
            socket.next().await,
            Got::Closed(1008, WRONG_FIRST.into()),
            "{first}"
        );
    }
    let mut silent = Sock::open(&sandbox, &[]).await.expect("an upgrade");
    assert_eq!(
        silent.next().await,
        Got::Closed(1008, "HELLO frame required".into())
    );
    let mut unknown = Sock::open(&sandbox, &[]).await.expect("an upgrade");
    let padded = json!({"type": "hello", "api_key": format!(" {} ", alice.key())});
    unknown.write(&padded.to_string()).await;
    assert_eq!(
        unknown.next().await,
        Got::Closed(1008, "Invalid token".into())
    );
}

#[tokio::test]
async fn header_auth_works_in_the_old_and_the_new_way() {
    let (april, alice, _bob) = pair(quick_april()).await;
    april.send("bob", To::Handle("alice"), "waits");
    let bearer = format!("Bearer {}", alice.key());
    let mut socket = Sock::open(&april, &[("authorization", &bearer)])
        .await
        .expect("an upgrade");
    assert_eq!(
        socket.frame().await["type"],
        "message.new",
        "no hello.ok on this path"
    );
    let bad = [("authorization", "Bearer ac_unknown")];
    let mut refused = Sock::open(&april, &bad).await.expect("accepted at first");
    assert_eq!(
        refused.next().await,
        Got::Closed(1008, "Invalid token".into())
    );
    let mut absent = Sock::open(&april, &[("authorization", "bearer x")])
        .await
        .expect("counts as absent");
    absent
        .write(&json!({"type": "hello", "api_key": alice.key()}).to_string())
        .await;
    assert_eq!(absent.frame().await["type"], "hello.ok");

    let (modern, alice, _bob) = pair(Options::default()).await;
    let bearer = format!("Bearer {}", alice.key());
    let headers = [
        ("authorization", bearer.as_str()),
        ("x-agentchat-capabilities", "ack"),
    ];
    let mut socket = Sock::open(&modern, &headers).await.expect("an upgrade");
    assert_eq!(socket.frame().await["capabilities"], json!(["ack"]));
    assert!(
        Sock::open(&modern, &bad).await.is_err(),
        "401 in place of the upgrade"
    );
}

#[tokio::test]
async fn a_silent_client_is_pinged_and_then_closed() {
    let options = Options {
        heartbeat: Duration::from_millis(100),
        pong_deadline: Duration::from_millis(40),
        ..Options::default()
    };
    let (sandbox, alice, _bob) = pair(options).await;
    let mut answering = Sock::ready(&sandbox, &alice).await;
    for _ in 0..3 {
        assert_eq!(answering.next().await, Got::Ping);
    }
    // A client that reads nothing answers no ping; the close frame waits for it.
    let mut silent = Sock::ready(&sandbox, &alice).await;
    let timed_out = |event: &Event| matches!(event, Event::Close { code: 1001, reason, .. } if reason == "Heartbeat timeout");
    sandbox
        .journal()
        .wait_for(|entry| timed_out(&entry.event), SOON)
        .await
        .expect("closed");
    assert_eq!(silent.next().await, Got::Ping);
    assert_eq!(
        silent.next().await,
        Got::Closed(1001, "Heartbeat timeout".into())
    );
}

#[tokio::test]
async fn account_changes_close_all_sockets() {
    let (sandbox, alice, bob) = pair(Options::default()).await;
    let mut of_alice = Sock::ready(&sandbox, &alice).await;
    let mut of_bob = Sock::ready(&sandbox, &bob).await;
    let renewed = sandbox.rotate_key("alice", "ac_renewed");
    assert_eq!(
        of_alice.next().await,
        Got::Closed(1008, "API key rotated".into())
    );
    let mut old = Sock::hello(&sandbox, &alice).await;
    assert_eq!(old.next().await, Got::Closed(1008, "Invalid token".into()));
    Sock::ready(&sandbox, &renewed).await;
    sandbox.set_status("bob", AccountStatus::Suspended);
    assert_eq!(
        of_bob.next().await,
        Got::Closed(1008, "Account suspended".into())
    );
}

#[tokio::test]
async fn muted_and_paused_agents_hear_nothing_but_their_rows_wait() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let mut socket = Sock::ready(&sandbox, &alice).await;
    sandbox.set("alice", &Setting::MuteAgent("bob".into()));
    sandbox.send("bob", To::Handle("alice"), "muted");
    sandbox.set("alice", &Setting::UnmuteAgent("bob".into()));
    sandbox.set_pause("alice", OwnerPause::Full);
    sandbox.send("bob", To::Handle("alice"), "paused");
    socket.silence().await;
    sandbox.set_pause("alice", OwnerPause::None);
    socket.silence().await;
    sandbox.send("bob", To::Handle("alice"), "heard");
    assert_eq!(socket.seqs(1).await, [3]);
    assert_eq!(
        Api::new(&sandbox, &alice)
            .get("/v1/messages/sync")
            .await
            .seqs(),
        [1, 2, 3]
    );
}

#[tokio::test]
async fn a_client_that_does_not_read_is_given_up_with_1013() {
    let options = Options {
        socket_buffer: 64 << 10,
        ..quick_april()
    };
    let (sandbox, alice, _bob) = pair(options).await;
    let mut socket = Sock::ready(&sandbox, &alice).await;
    let big = "x".repeat(30_000);
    for _ in 0..400 {
        sandbox.send("bob", To::Handle("alice"), Draft::text(&big));
        tokio::task::yield_now().await;
    }
    let counts = sandbox.rows_by_state("alice");
    let delivered = usize::try_from(counts["delivered"]).expect("fits");
    assert!(counts["stored"] > 0, "{counts:?}");
    let seqs = socket.seqs(delivered).await;
    assert!(seqs.is_sorted());
    assert_eq!(socket.next().await, Got::Closed(1013, "overload".into()));
}

#[tokio::test]
async fn several_sockets_hear_the_same_and_own_sends_are_not_echoed() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let mut one = Sock::ready(&sandbox, &alice).await;
    let mut two = Sock::ready(&sandbox, &alice).await;
    sandbox.send("alice", To::Handle("bob"), "own");
    sandbox.send("bob", To::Handle("alice"), "answer");
    assert_eq!((one.seqs(1).await, two.seqs(1).await), (vec![2], vec![2]));
    assert_eq!(sandbox.sockets("alice"), 2);
    sandbox.shutdown().await;
    assert_eq!(
        one.next().await,
        Got::Closed(1001, "Server shutting down".into())
    );
}
