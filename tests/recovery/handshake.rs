//! The way to a connection.

use crate::{april, messages, no_polling, stage, with};
use agentchatd_tests::sandbox::{ConnectFault, Event, HelloOk, Options};
use agentchatd_tests::stage::{Stage, until};
use serde_json::json;
use std::time::Duration;

fn fault(stage: &Stage, fault: ConnectFault) {
    stage
        .sandbox
        .faults(|faults| faults.connect.push_back(fault));
}

fn connects(stage: &Stage) -> usize {
    stage
        .sandbox
        .journal()
        .count(|event| matches!(event, Event::Connect { .. }))
}

fn ghost(event: &Event) -> bool {
    matches!(event, Event::Ready { ghost: true, .. })
}

#[test]
fn pitfall_17_both_ways_to_authenticate_work_with_old_and_new_servers() {
    for options in [Options::modern(), Options::april()] {
        for auth in ["hello", "header"] {
            let mut stage = with(options.clone());
            stage.env("AGENTCHATD_REALTIME_AUTH", auth);
            stage.env("AGENTCHATD_REALTIME_HELLO_TIMEOUT_MS", "500");
            stage.bob_says("backlog");
            let daemon = stage.ready();
            stage.bob_says("live");
            assert_eq!(messages(&stage.log_is_whole(&daemon)), 2);
            let by_header = |event: &Event| matches!(event, Event::Connect { header: true, .. });
            let count = stage.sandbox.journal().count(by_header);
            assert_eq!(count, usize::from(auth == "header"));
            assert_eq!(connects(&stage), 1, "the first connection holds: {auth}");
            let status = stage.connect(&daemon).ok("daemon.status", json!({}));
            let expected = if options.ack_capability {
                "explicit"
            } else {
                "on_send"
            };
            assert_eq!(status["connection"]["ack_mode"], expected, "{auth}");
        }
    }
}

#[test]
fn pitfall_16_nothing_is_said_between_hello_and_its_answer() {
    let stage = stage();
    stage
        .sandbox
        .faults(|faults| faults.hello_ok = HelloOk::Late(Duration::from_millis(500)));
    let daemon = stage.start();
    stage.seen_from(0, |event| matches!(event, Event::Ready { .. }));
    stage.bob_says("one");
    stage.bob_says("two");
    stage.settle(&daemon);
    assert_eq!(messages(&stage.log_is_whole(&daemon)), 2);
    assert_eq!(connects(&stage), 1);
    let entries = stage.sandbox.journal().entries();
    let said_ok = entries
        .iter()
        .position(|entry| matches!(entry.event, Event::HelloOk { .. }));
    let early = |entry: &&agentchatd_tests::sandbox::Entry| {
        matches!(
            entry.event,
            Event::AckFrame { .. } | Event::ClientFrame { .. }
        )
    };
    assert_eq!(entries[..said_ok.unwrap()].iter().filter(early).count(), 0);
}

#[test]
fn an_answer_to_hello_that_is_late_or_missing_costs_no_message() {
    for stage in [stage(), april()] {
        let mut stage = stage;
        stage.env("AGENTCHATD_REALTIME_HELLO_TIMEOUT_MS", "300");
        stage.bob_says("backlog");
        stage
            .sandbox
            .faults(|faults| faults.hello_ok = HelloOk::Missing);
        let daemon = stage.start();
        stage.seen_from(0, |event| {
            matches!(
                event,
                Event::Close {
                    by_server: false,
                    ..
                }
            )
        });
        stage.bob_says("meanwhile");
        // Our own 1008 is no refusal: it goes on trying.
        stage.seen_from(
            0,
            |event| matches!(event, Event::Connect { socket, .. } if *socket > 1),
        );
        let late = HelloOk::Late(Duration::from_millis(100));
        stage.sandbox.faults(|faults| faults.hello_ok = late);
        stage.settle(&daemon);
        assert_eq!(messages(&stage.log_is_whole(&daemon)), 2);
    }
}

#[test]
fn pitfall_50_a_ghost_that_eats_the_backlog_costs_no_message() {
    let mut stage = april();
    stage.env("AGENTCHATD_REALTIME_HELLO_TIMEOUT_MS", "200");
    for number in 0..30 {
        stage.bob_says(&number.to_string());
    }
    // The key is looked up for longer than the daemon waits; then the platform marks all that
    // waits as delivered, to a socket that is gone.
    fault(
        &stage,
        ConnectFault::SlowLookup(Duration::from_millis(3000)),
    );
    let daemon = stage.start();
    stage.seen_from(0, ghost);
    stage.bob_says("into the ghost");
    stage.settle(&daemon);
    stage.bob_says("after");
    assert_eq!(messages(&stage.log_is_whole(&daemon)), 32);
}

#[test]
fn pitfall_23_refused_and_unanswered_upgrades_are_tried_again() {
    let mut stage = stage();
    stage.env("AGENTCHATD_HTTP_TIMEOUT_MS", "1000");
    for status in [429, 500, 502, 503] {
        fault(
            &stage,
            ConnectFault::Refuse {
                status,
                retry_after: None,
            },
        );
    }
    fault(&stage, ConnectFault::ResetUpgrade);
    // Each costs the ten seconds that a whole handshake may take, and no more.
    fault(&stage, ConnectFault::HangUpgrade);
    fault(
        &stage,
        ConnectFault::CloseAtOpen {
            code: 1001,
            reason: "Server shutting down".into(),
        },
    );
    fault(
        &stage,
        ConnectFault::CloseAfterHelloOk {
            code: 1011,
            reason: String::new(),
        },
    );
    stage.bob_says("hi");
    let daemon = stage.ready();
    assert_eq!(messages(&stage.log_is_whole(&daemon)), 1);
    assert_eq!(connects(&stage), 9);
}

#[test]
fn the_wait_that_a_refusal_asks_for_is_kept() {
    let stage = stage();
    fault(
        &stage,
        ConnectFault::Refuse {
            status: 503,
            retry_after: Some("2".into()),
        },
    );
    let daemon = stage.ready();
    let journal = stage.sandbox.journal().entries();
    let times: Vec<Duration> = journal
        .iter()
        .filter(|entry| matches!(entry.event, Event::Connect { .. }))
        .map(|entry| entry.at)
        .collect();
    assert_eq!(times.len(), 2);
    assert!(times[1] - times[0] >= Duration::from_secs(2), "{times:?}");
    drop(daemon);
}

#[test]
fn pitfall_04_a_refused_account_parks_and_no_more_sockets_are_opened() {
    for refusal in [
        ConnectFault::CloseAtHello {
            code: 1008,
            reason: "Invalid token".into(),
        },
        ConnectFault::CloseAtOpen {
            code: 4401,
            reason: "unauthorized".into(),
        },
        ConnectFault::CloseAfterHelloOk {
            code: 4403,
            reason: "forbidden".into(),
        },
        ConnectFault::Refuse {
            status: 401,
            retry_after: None,
        },
        ConnectFault::Refuse {
            status: 403,
            retry_after: None,
        },
    ] {
        let mut stage = stage();
        no_polling(&mut stage);
        fault(&stage, refusal.clone());
        let daemon = stage.start();
        let parked = daemon.status_until(|status| status["connection"]["state"] == "parked");
        assert!(parked.unwrap()["connection"]["reason"].is_string());
        let mut raw = stage.connect(&daemon);
        raw.silent();
        assert_eq!(connects(&stage), 1, "{refusal:?}");
        assert_eq!(raw.ok("daemon.health", json!({}))["verdict"], "parked");
        raw.ok("events.fetch", json!({}));
    }
}

#[test]
fn pitfall_15_an_answer_to_hello_that_is_overtaken_by_messages_costs_nothing() {
    for stage in [stage(), april()] {
        stage
            .sandbox
            .faults(|faults| faults.hello_ok = HelloOk::AfterMessages(2));
        let daemon = stage.start();
        stage.seen_from(0, |event| matches!(event, Event::Ready { .. }));
        let mut raw = stage.connect(&daemon);
        until("enough messages for the answer", || {
            stage.bob_says("another");
            let status = raw.ok("daemon.status", json!({}));
            let state = &status["connection"]["state"];
            if *state == "ready" {
                Ok(())
            } else {
                Err(state.to_string())
            }
        });
        stage.log_is_whole(&daemon);
        assert_eq!(connects(&stage), 1);
    }
}
