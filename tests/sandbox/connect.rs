//! Faults of upgrades and handshakes: refusals, late or missing `hello.ok`, ghosts.

use super::client::{Got, NEVER, SOON, Sock, pair, quick_april};
use agentchatd_tests::sandbox::{ConnectFault, Event, HelloOk, Options, Sandbox, To};
use serde_json::json;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Error;

fn fault(sandbox: &Sandbox, fault: ConnectFault) {
    sandbox.faults(|faults| faults.connect.push_back(fault));
}

#[tokio::test]
async fn upgrades_can_be_refused_reset_and_left_unanswered() {
    let (sandbox, _alice, _bob) = pair(Options::default()).await;
    for status in [401, 403, 429, 503] {
        let retry_after = (status == 429).then(|| "2".to_owned());
        fault(
            &sandbox,
            ConnectFault::Refuse {
                status,
                retry_after,
            },
        );
        match Sock::open(&sandbox, &[]).await.err() {
            Some(Error::Http(answer)) => assert_eq!(answer.status().as_u16(), status),
            other => panic!("a refusal, not {other:?}"),
        }
    }
    fault(&sandbox, ConnectFault::ResetUpgrade);
    assert!(Sock::open(&sandbox, &[]).await.is_err());
    fault(&sandbox, ConnectFault::HangUpgrade);
    let hung = tokio::time::timeout(NEVER, Sock::open(&sandbox, &[])).await;
    assert!(hung.is_err(), "no answer at all");
    fault(&sandbox, ConnectFault::Fine);
    assert!(Sock::open(&sandbox, &[]).await.is_ok());
    let refused = sandbox
        .journal()
        .count(|event| matches!(event, Event::Refused { .. }));
    assert_eq!(refused, 6);
}

#[tokio::test]
async fn sockets_can_be_closed_at_each_stage_with_any_code() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let reason = || "because".to_owned();
    fault(
        &sandbox,
        ConnectFault::CloseAtOpen {
            code: 4401,
            reason: reason(),
        },
    );
    let mut at_open = Sock::open(&sandbox, &[]).await.expect("an upgrade");
    assert_eq!(at_open.next().await, Got::Closed(4401, reason()));
    fault(
        &sandbox,
        ConnectFault::CloseAtHello {
            code: 1008,
            reason: reason(),
        },
    );
    let mut at_hello = Sock::hello(&sandbox, &alice).await;
    assert_eq!(at_hello.next().await, Got::Closed(1008, reason()));
    sandbox.send("bob", To::Handle("alice"), "waits");
    fault(
        &sandbox,
        ConnectFault::CloseAfterHelloOk {
            code: 1001,
            reason: reason(),
        },
    );
    let mut after = Sock::ready(&sandbox, &alice).await;
    assert_eq!(after.seqs(1).await, [1]);
    assert_eq!(after.next().await, Got::Closed(1001, reason()));
}

#[tokio::test]
async fn hello_ok_can_be_late_missing_or_behind_messages() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    for _ in 0..2 {
        sandbox.send("bob", To::Handle("alice"), "waits");
    }
    let kinds = |when: HelloOk| {
        sandbox.faults(|faults| faults.hello_ok = when);
        let (sandbox, alice) = (&sandbox, &alice);
        async move {
            let mut socket = Sock::hello(sandbox, alice).await;
            let mut kinds = Vec::new();
            for _ in 0..3 {
                let next = tokio::time::timeout(NEVER * 3, socket.frame()).await;
                kinds.push(next.map_or(json!(null), |frame| frame["type"].clone()));
            }
            kinds
        }
    };
    assert_eq!(
        kinds(HelloOk::First).await,
        ["hello.ok", "message.new", "message.new"]
    );
    let late = HelloOk::Late(NEVER);
    assert_eq!(
        kinds(late).await,
        ["message.new", "message.new", "hello.ok"]
    );
    let behind = HelloOk::AfterMessages(1);
    assert_eq!(
        kinds(behind).await,
        ["message.new", "hello.ok", "message.new"]
    );
    let missing = kinds(HelloOk::Missing).await;
    assert_eq!(
        missing,
        [json!("message.new"), json!("message.new"), json!(null)]
    );
}

#[tokio::test]
async fn frames_during_the_key_lookup_are_judged_as_first_frames() {
    let (sandbox, alice, _bob) = pair(quick_april()).await;
    fault(&sandbox, ConnectFault::SlowLookup(NEVER));
    let mut socket = Sock::hello(&sandbox, &alice).await;
    socket.ack("msg_x").await;
    assert_eq!(
        socket.next().await,
        Got::Closed(1008, "HELLO frame required first".into())
    );
    fault(&sandbox, ConnectFault::SlowLookup(NEVER));
    let mut twice = Sock::hello(&sandbox, &alice).await;
    twice
        .write(&json!({"type": "hello", "api_key": alice.key()}).to_string())
        .await;
    assert_eq!(twice.frame().await["type"], "hello.ok");
    assert_eq!(
        twice.frame().await["type"],
        "hello.ok",
        "the socket is set up twice"
    );
}

#[tokio::test]
async fn an_abandoned_handshake_leaves_a_ghost_that_eats_backlog_and_live_messages() {
    let options = Options {
        heartbeat: Duration::from_millis(300),
        key_lookup: Duration::from_millis(30),
        ..quick_april()
    };
    let (sandbox, alice, _bob) = pair(options).await;
    sandbox.send("bob", To::Handle("alice"), "waits");
    drop(Sock::hello(&sandbox, &alice).await);
    let ghost = |event: &Event| matches!(event, Event::Ready { ghost: true, .. });
    sandbox
        .journal()
        .wait_for(|entry| ghost(&entry.event), SOON)
        .await
        .expect("a ghost");
    sandbox.send("bob", To::Handle("alice"), "live");
    let eaten = |event: &Event| {
        matches!(
            event,
            Event::Push {
                leaves: false,
                settled: true,
                ..
            }
        )
    };
    let is_second = |entry: &agentchatd_tests::sandbox::Entry| {
        eaten(&entry.event) && sandbox.journal().count(eaten) == 2
    };
    sandbox
        .journal()
        .wait_for(is_second, SOON)
        .await
        .expect("both are eaten");
    assert_eq!(
        sandbox.rows_by_state("alice"),
        [("delivered".to_owned(), 2)].into()
    );
    let deadline = tokio::time::Instant::now() + SOON;
    while sandbox.sockets("alice") > 0 {
        assert!(
            tokio::time::Instant::now() < deadline,
            "a ghost ends with the heartbeat"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    sandbox.send("bob", To::Handle("alice"), "stays");
    assert_eq!(sandbox.rows_by_state("alice")["stored"], 1);
    assert_eq!(
        sandbox.journal().connects("alice"),
        0,
        "ghosts are no connections"
    );
}
