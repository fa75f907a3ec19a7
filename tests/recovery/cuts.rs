//! Connections that break.

use crate::{april, messages, stage, with};
use agentchatd_tests::sandbox::{Cut, DrainRepeat, Event, Options, PushFault, PushRule, To};
use agentchatd_tests::stage::{Stage, until};
use serde_json::json;
use std::time::Duration;

fn cut_in_the_stream(stage: &Stage, cut: &Cut) {
    let daemon = stage.ready();
    for number in 0..10 {
        stage.bob_says(&format!("before {number}"));
    }
    assert_eq!(stage.sandbox.cut("dora", cut), 1);
    for number in 0..10 {
        stage.bob_says(&format!("after {number}"));
    }
    assert_eq!(messages(&stage.log_is_whole(&daemon)), 20, "{cut:?}");
}

#[test]
fn each_way_to_break_a_connection_loses_nothing() {
    for cut in [
        Cut::Reset,
        Cut::Drop,
        Cut::MidFrame,
        Cut::Clean {
            code: 1000,
            reason: String::new(),
        },
        Cut::Clean {
            code: 1001,
            reason: "Server shutting down".into(),
        },
        Cut::Clean {
            code: 1013,
            reason: "overload".into(),
        },
        Cut::Clean {
            code: 4999,
            reason: "nobody knows".into(),
        },
        Cut::HalfOpen {
            for_: Duration::from_millis(300),
        },
    ] {
        cut_in_the_stream(&stage(), &cut);
    }
}

#[test]
fn pitfall_65_each_way_to_break_a_connection_loses_nothing_where_rows_are_marked_as_they_are_sent()
{
    for cut in [
        Cut::Reset,
        Cut::Drop,
        Cut::MidFrame,
        Cut::Clean {
            code: 1001,
            reason: "Heartbeat timeout".into(),
        },
        Cut::HalfOpen {
            for_: Duration::from_millis(300),
        },
    ] {
        cut_in_the_stream(&april(), &cut);
    }
}

#[test]
fn a_connection_that_goes_silent_is_given_up_after_its_time() {
    for mut stage in [stage(), april()] {
        stage.env("AGENTCHATD_REALTIME_LIVENESS_MS", "1000");
        cut_in_the_stream(
            &stage,
            &Cut::Silent {
                for_: Duration::from_secs(3),
            },
        );
    }
}

#[test]
fn a_frame_that_is_cut_in_the_middle_comes_again() {
    let stage = stage();
    let daemon = stage.ready();
    stage.sandbox.faults(|faults| {
        faults
            .push
            .push(PushRule::next("dora", PushFault::CutInside));
    });
    stage.bob_says("cut");
    stage.bob_says("after");
    assert_eq!(messages(&stage.log_is_whole(&daemon)), 2);
}

#[test]
fn pitfall_54_a_drain_that_repeats_whole_batches_is_stored_once() {
    for repeat in [DrainRepeat::Batch, DrainRepeat::Rows(7)] {
        let stage = with(Options {
            drain_repeat: repeat,
            drain_batch: 20,
            ..Options::april()
        });
        for number in 0..130 {
            stage.bob_says(&number.to_string());
            stage.sandbox.send("ann", To::Handle("dora"), "more");
        }
        let daemon = stage.ready();
        assert_eq!(messages(&stage.log_is_whole(&daemon)), 260);
    }
}

#[test]
fn a_drain_that_is_cut_goes_on_with_the_next_connection() {
    let stage = with(Options {
        drain_batch: 10,
        drain_pause: Duration::from_millis(20),
        ..Options::april()
    });
    for number in 0..200 {
        stage.bob_says(&number.to_string());
    }
    stage.sandbox.faults(|faults| {
        let rule = PushRule::next("dora", PushFault::CutInside);
        faults.push.push(PushRule { skip: 35, ..rule });
    });
    let daemon = stage.ready();
    assert_eq!(messages(&stage.log_is_whole(&daemon)), 200);
}

#[test]
fn what_was_lost_on_the_way_without_a_break_is_found_by_comparing() {
    for stage in [stage(), april()] {
        let daemon = stage.ready();
        stage.bob_says("first");
        stage.log_is_whole(&daemon);
        stage.sandbox.faults(|faults| {
            faults.push.push(PushRule::next("dora", PushFault::Drop));
        });
        stage.bob_says("the last one, with nothing after it");
        assert_eq!(messages(&stage.log_is_whole(&daemon)), 2);
    }
}

#[test]
fn messages_of_the_time_when_the_daemon_was_down_are_all_there() {
    for stage in [stage(), april()] {
        let mut daemon = stage.ready();
        stage.bob_says("before");
        stage.log_is_whole(&daemon);
        daemon.kill().unwrap();
        for number in 0..300 {
            stage.bob_says(&number.to_string());
        }
        let daemon = stage.ready();
        assert_eq!(messages(&stage.log_is_whole(&daemon)), 301);
    }
}

#[test]
fn reconnects_wait_longer_each_time_and_are_counted() {
    let stage = stage();
    let daemon = stage.ready();
    let clean = Cut::Clean {
        code: 1013,
        reason: "overload".into(),
    };
    for round in 2..=6 {
        assert_eq!(stage.sandbox.cut("dora", &clean), 1);
        until("the next connection", || {
            let total = stage.connect(&daemon).ok("daemon.status", json!({}));
            let connection = &total["connection"];
            let is_back = connection["connected_total"] == round && connection["state"] == "ready";
            if is_back {
                Ok(())
            } else {
                Err(connection.to_string())
            }
        });
    }
    let status = stage.connect(&daemon).ok("daemon.status", json!({}));
    assert!(
        status["connection"]["rapid_reconnects"].as_u64().unwrap() >= 5,
        "{status}"
    );
    assert!(
        status["warnings"].to_string().contains("connections"),
        "{status}"
    );
    let opened = |event: &Event| matches!(event, Event::Connect { .. });
    assert_eq!(
        stage.sandbox.journal().count(opened),
        6,
        "none beside another"
    );
}
