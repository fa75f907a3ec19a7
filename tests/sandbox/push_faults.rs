//! Faults of pushes, and cuts.

use super::client::{Got, NEVER, SOON, Sock, pair, quick_april};
use agentchatd_tests::sandbox::{
    Agent, Chaos, Cut, Draft, Event, Options, PushFault, PushRule, Sandbox, To,
};
use serde_json::json;
use tokio::io::AsyncReadExt as _;

fn push_fault(sandbox: &Sandbox, what: PushFault) {
    sandbox.faults(|faults| faults.push.push(PushRule::next("alice", what)));
}

fn send(sandbox: &Sandbox, count: usize) {
    for n in 0..count {
        sandbox.send("bob", To::Handle("alice"), Draft::text(&n.to_string()));
    }
}

async fn connected(options: Options) -> (Sandbox, Agent, Sock) {
    let (sandbox, alice, _bob) = pair(options).await;
    let socket = Sock::ready(&sandbox, &alice).await;
    (sandbox, alice, socket)
}

#[tokio::test]
async fn pushes_can_be_dropped_suppressed_repeated_delayed_and_swapped() {
    let (sandbox, _alice, mut socket) = connected(quick_april()).await;
    push_fault(&sandbox, PushFault::Drop);
    push_fault(&sandbox, PushFault::Suppress);
    push_fault(&sandbox, PushFault::Repeat(2));
    push_fault(&sandbox, PushFault::Swap);
    send(&sandbox, 5);
    assert_eq!(socket.seqs(5).await, [3, 3, 3, 5, 4]);
    let states = sandbox.rows_by_state("alice");
    assert_eq!(
        (states["delivered"], states["stored"]),
        (4, 1),
        "only the suppressed one waits"
    );
    push_fault(&sandbox, PushFault::Delay(NEVER));
    send(&sandbox, 2);
    assert_eq!(socket.seqs(2).await, [7, 6]);
}

#[tokio::test]
async fn a_rule_can_skip_and_hold_for_good() {
    let (sandbox, _alice, mut socket) = connected(Options::default()).await;
    let rule = PushRule {
        skip: 1,
        ..PushRule::always("alice", PushFault::Suppress)
    };
    sandbox.faults(|faults| faults.push.push(rule));
    send(&sandbox, 4);
    assert_eq!(socket.seqs(1).await, [1]);
    socket.silence().await;
}

#[tokio::test]
async fn a_push_can_end_in_the_middle_of_its_frame() {
    let (sandbox, _alice, mut socket) = connected(Options::default()).await;
    push_fault(&sandbox, PushFault::CutInside);
    send(&sandbox, 1);
    assert_eq!(socket.next().await, Got::Broken);
    assert_eq!(sandbox.rows_by_state("alice")["stored"], 1);
}

#[tokio::test]
async fn connections_can_be_cut_in_every_way() {
    let (sandbox, alice, mut socket) = connected(Options::default()).await;
    let clean = Cut::Clean {
        code: 4403,
        reason: "go".into(),
    };
    assert_eq!(sandbox.cut("alice", &clean), 1);
    assert_eq!(socket.next().await, Got::Closed(4403, "go".into()));
    for cut in [Cut::Reset, Cut::Drop, Cut::MidFrame] {
        let mut socket = Sock::ready(&sandbox, &alice).await;
        assert_eq!(sandbox.cut("alice", &cut), 1, "{cut:?}");
        assert_eq!(socket.next().await, Got::Broken, "{cut:?}");
    }
    let closed = |event: &Event| {
        matches!(
            event,
            Event::Close {
                by_server: true,
                ..
            }
        )
    };
    let journal = sandbox.journal();
    let all = journal.wait_for(|_| journal.count(closed) == 4, SOON).await;
    all.expect("each end is journalled");
}

#[tokio::test]
async fn a_reset_is_a_reset_and_half_a_frame_is_really_on_the_wire() {
    let (sandbox, alice, socket) = connected(Options::default()).await;
    let mut tcp = socket.into_tcp();
    sandbox.cut("alice", &Cut::Reset);
    let error = tcp.read(&mut [0; 8]).await.expect_err("not a FIN");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let mut tcp = Sock::ready(&sandbox, &alice).await.into_tcp();
    sandbox.cut("alice", &Cut::MidFrame);
    let mut head = [0; 2];
    tcp.read_exact(&mut head).await.expect("a frame's head");
    assert_eq!(head[0], 0x81);
    let mut rest = Vec::new();
    let _reset = tcp.read_to_end(&mut rest).await;
    assert!(
        !rest.is_empty() && rest.len() < usize::from(head[1]),
        "{} of {}",
        rest.len(),
        head[1]
    );
}

#[tokio::test]
async fn a_silent_connection_stays_up_and_swallows_what_is_pushed() {
    let (sandbox, alice, mut socket) = connected(quick_april()).await;
    sandbox.cut("alice", &Cut::Silent { for_: NEVER * 5 });
    // The cut works as soon as the socket's task looks, not at once.
    tokio::task::yield_now().await;
    tokio::time::sleep(NEVER / 4).await;
    send(&sandbox, 2);
    socket.silence().await;
    assert_eq!(
        sandbox.rows_by_state("alice"),
        [("delivered".to_owned(), 2)].into()
    );
    assert_eq!(socket.next().await, Got::Broken);
    send(&sandbox, 1);
    let mut again = Sock::ready(&sandbox, &alice).await;
    assert_eq!(
        again.seqs(1).await,
        [3],
        "the two are lost for drain and sync"
    );
}

#[tokio::test]
async fn a_half_open_connection_is_gone_for_the_client_only() {
    let (sandbox, alice, mut socket) = connected(quick_april()).await;
    sandbox.cut("alice", &Cut::HalfOpen { for_: NEVER * 3 });
    assert_eq!(socket.next().await, Got::Broken);
    send(&sandbox, 2);
    assert_eq!(
        sandbox.rows_by_state("alice"),
        [("delivered".to_owned(), 2)].into()
    );
    assert_eq!(
        sandbox.sockets("alice"),
        1,
        "the server still believes in it"
    );
    let ended = |event: &Event| {
        matches!(
            event,
            Event::Close {
                by_server: true,
                ..
            }
        )
    };
    sandbox
        .journal()
        .wait_for(|entry| ended(&entry.event), SOON)
        .await
        .expect("an end");
    let mut again = Sock::ready(&sandbox, &alice).await;
    send(&sandbox, 1);
    assert_eq!(again.seqs(1).await, [3]);
}

#[tokio::test]
async fn any_text_can_be_sent_as_a_frame() {
    let (sandbox, _alice, mut socket) = connected(Options::default()).await;
    let strange = r#"{"type":"from.the.future","payload":{"n":9007199254740993}}"#;
    assert_eq!(sandbox.send_frame("alice", strange), 1);
    let frame = socket.frame().await;
    assert_eq!(frame["type"], "from.the.future");
    assert_eq!(frame["payload"]["n"], json!(9_007_199_254_740_993_u64));
}

#[tokio::test]
async fn chaos_loses_pushes_at_the_rate_that_was_asked_for() {
    let (sandbox, _alice, mut socket) = connected(quick_april()).await;
    let chaos = Chaos {
        seed: 5,
        drop: 500,
        ..Chaos::default()
    };
    sandbox.faults(|faults| faults.chaos = Some(chaos));
    send(&sandbox, 200);
    sandbox.faults(|faults| faults.chaos = None);
    sandbox.send("bob", To::Handle("alice"), "the end");
    let mut seen = 0;
    while socket.frame().await["payload"]["content"]["text"] != "the end" {
        seen += 1;
    }
    assert!((70..130).contains(&seen), "{seen} of 200 came");
}
