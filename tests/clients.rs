//! The Rust clients against the real daemon, through its death and its restart.

use agentchatd_client::Client;
use agentchatd_client::api::DaemonVersion;
use agentchatd_client::blocking::Connection;
use agentchatd_client::subscription::{Options, Subscription};
use agentchatd_client::types::{NoParams, SendOutcome, Start};
use agentchatd_tests::stage::Stage;
use futures_util::StreamExt as _;
use std::time::Duration;
use tokio::time::timeout;

fn stage() -> Stage {
    Stage::new(env!("CARGO_BIN_EXE_agentchatd"))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

#[test]
fn a_subscription_loses_nothing_when_the_daemon_is_killed_in_a_burst() {
    let stage = stage();
    let mut daemon = stage.ready();
    runtime().block_on(async {
        let options = Options::consumer("survivor")
            .expect("a name")
            .from(Start::Earliest);
        let mut events = Subscription::open(stage.setup.socket(), options)
            .await
            .expect("it subscribes");
        let mut offsets = Vec::new();
        for number in 0..BURST {
            stage.bob_says(&number.to_string());
            if number == BURST / 2 {
                daemon.kill().expect("it can be killed");
                daemon = stage.start();
            }
        }
        while offsets.last() != Some(&BURST) {
            let event = timeout(PATIENCE, events.next())
                .await
                .expect("an event comes in time");
            // What tells of the broken connection is no event; the stream goes on by itself.
            let Some(Ok(event)) = event else { continue };
            // Nor is the state of the new daemon's connection an event of the log.
            let Some(offset) = event.offset else { continue };
            // What was written to the killed connection may come again; nothing comes before its
            // turn.
            if offsets.last().is_none_or(|last| offset > *last) {
                offsets.push(offset);
            } else {
                assert!(
                    event.redelivered,
                    "offset {offset} came again without the mark"
                );
            }
            events.ack(offset).await.expect("it is acknowledged");
        }
        assert_eq!(offsets, (1..=BURST).collect::<Vec<_>>());
    });
}

#[test]
fn the_typed_client_and_the_blocking_one_say_the_same() {
    let stage = stage();
    let _daemon = stage.ready();
    runtime().block_on(async {
        let client = Client::connect(stage.setup.socket())
            .await
            .expect("it connects");
        let typed = client
            .call::<DaemonVersion>(NoParams {})
            .await
            .expect("an answer");
        let sent = client.send_text("@bob", "hello").await.expect("it is sent");
        assert!(matches!(sent, SendOutcome::Sent(_)), "{sent:?}");
        let status = client.status().await.expect("a status");
        assert_eq!(
            status.agent.map(|agent| agent.handle).as_deref(),
            Some("dora")
        );
        assert!(
            client
                .me()
                .await
                .expect("the agent")
                .get()
                .contains("\"dora\"")
        );
        let mut blocking = Connection::connect(stage.setup.socket()).expect("it connects");
        let same = blocking
            .call::<DaemonVersion>(&NoParams {})
            .expect("an answer");
        assert_eq!(typed, same);
        assert_eq!(typed.name, "agentchatd");
    });
}

const BURST: u64 = 200;
const PATIENCE: Duration = Duration::from_secs(30);
