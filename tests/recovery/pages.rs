//! Sync: its two forms, and everything that can be wrong with a page.

use crate::{messages, no_polling, quietly, stage, with};
use agentchatd_tests::sandbox::{
    Cut, Event, HttpFault, HttpRule, Late, Options, PageFault, Setting, SyncForm, To,
};
use agentchatd_tests::stage::{Stage, until};
use serde_json::json;

/// Waits until the platform holds nothing back for the daemon.
fn all_acknowledged(stage: &Stage) {
    until("all rows acknowledged", || {
        let rows = stage.sandbox.rows_by_state("dora");
        if rows.contains_key("stored") {
            Err(format!("{rows:?}"))
        } else {
            Ok(())
        }
    });
}

#[test]
fn pitfall_19_muted_rows_come_by_sync() {
    let mut stage = stage();
    stage.env("AGENTCHATD_REALTIME_RECONCILE_INTERVAL_S", "3600");
    let daemon = stage.ready();
    stage.bob_says("before");
    stage.log_is_whole(&daemon);
    stage.sandbox.set("dora", &Setting::MuteAgent("bob".into()));
    for number in 0..5 {
        stage.bob_says(&number.to_string());
    }
    assert_eq!(messages(&stage.log_is_whole(&daemon)), 6);
    all_acknowledged(&stage);
}

#[test]
fn pitfall_49_a_row_that_commits_behind_the_cursor_is_not_lost() {
    for when in [Late::AfterPage, Late::AfterAck] {
        for options in [Options::modern(), Options::april()] {
            let stage = with(options);
            let mut daemon = stage.ready();
            stage.bob_says("first");
            stage.log_is_whole(&daemon);
            daemon.kill().unwrap();
            until("the platform sees the end", || {
                match stage.sandbox.sockets("dora") {
                    0 => Ok(()),
                    count => Err(count.to_string()),
                }
            });
            stage
                .sandbox
                .send_late("bob", To::Handle("dora"), "late in the old talk", when);
            stage
                .sandbox
                .send_late("ann", To::Handle("dora"), "late in a new talk", when);
            for number in 0..20 {
                stage.bob_says(&number.to_string());
            }
            let daemon = stage.ready();
            stage.seen_from(0, |event| matches!(event, Event::LateCommit { .. }));
            assert_eq!(messages(&stage.log_is_whole(&daemon)), 23, "{when:?}");
        }
    }
}

#[test]
fn the_documented_form_of_sync_is_understood_as_well() {
    let stage = with(Options {
        form: SyncForm::Documented103,
        ..Options::modern()
    });
    let mut daemon = stage.ready();
    stage.bob_says("live");
    stage.log_is_whole(&daemon);
    daemon.kill().unwrap();
    for number in 0..250 {
        stage.bob_says(&number.to_string());
    }
    let daemon = stage.ready();
    let log = stage.log_is_whole(&daemon);
    assert_eq!(messages(&log), 251);
    assert!(log.iter().any(|event| event["source"] == "sync"));
    all_acknowledged(&stage);
}

#[test]
fn odd_pages_lose_nothing_and_end() {
    for fault in [
        PageFault::Empty,
        PageFault::Short(1),
        PageFault::NullIds,
        PageFault::PoisonAt(3),
        PageFault::PoisonAt(0),
        PageFault::Reversed,
        PageFault::WrongShape,
    ] {
        let stage = stage();
        stage
            .sandbox
            .faults(|faults| faults.sync.next.push_back(fault.clone()));
        for number in 0..10 {
            quietly(&stage, &number.to_string());
        }
        let daemon = stage.start();
        assert_eq!(messages(&stage.log_is_whole(&daemon)), 10, "{fault:?}");
        stage.settle(&daemon);
    }
}

#[test]
fn a_row_that_nobody_can_read_is_told_of_and_never_acknowledged() {
    let mut stage = stage();
    no_polling(&mut stage);
    let daemon = stage.ready();
    // History shows it to nobody either.
    stage.sandbox.faults(|faults| {
        let rule = HttpRule::always("GET /v1/messages/conv*", HttpFault::Html(502));
        faults.http.push(rule);
    });
    let before = quietly(&stage, "before");
    let poison = quietly(&stage, "poison");
    let behind = quietly(&stage, "behind");
    stage
        .sandbox
        .faults(|faults| faults.sync.poisoned.insert(poison.id.clone()));
    let mut raw = stage.connect(&daemon);
    raw.ok("sync.drain", json!({}));
    stage.logged(&daemon, |event| event["message_id"] == before.id);
    let live = stage.sandbox.send("ann", To::Handle("dora"), "live");
    stage.logged(&daemon, |event| event["message_id"] == live.id);
    let status = raw.ok("daemon.status", json!({}));
    assert!(status["warnings"].to_string().contains("sync"), "{status}");
    let acked = stage.sandbox.journal().acked_message_ids("dora");
    assert!(acked.contains(&before.id), "the clean part is: {acked:?}");
    assert!(!acked.contains(&poison.id), "{acked:?}");
    stage.sandbox.faults(|faults| {
        faults.sync.poisoned.clear();
        faults.http.clear();
    });
    raw.ok("sync.drain", json!({}));
    stage.logged(&daemon, |event| event["message_id"] == behind.id);
    assert_eq!(messages(&stage.log_is_whole(&daemon)), 4);
}

#[test]
fn rows_without_a_delivery_id_are_stored_and_do_not_turn_the_drain_in_circles() {
    let stage = stage();
    let rows: Vec<String> = (0..5)
        .map(|number| quietly(&stage, &number.to_string()).id)
        .collect();
    stage
        .sandbox
        .faults(|faults| faults.sync.null_ids.extend(rows));
    let daemon = stage.ready();
    assert_eq!(messages(&stage.log_is_whole(&daemon)), 5);
    stage.bob_says("live");
    assert_eq!(messages(&stage.log_is_whole(&daemon)), 6);
}

#[test]
fn pitfall_45_no_run_of_sync_goes_on_behind_a_cursor_that_the_platform_may_not_know() {
    let mut stage = stage();
    no_polling(&mut stage);
    stage.sandbox.faults(|faults| {
        faults.sync.stale_after = true;
        faults.sync.page_cap = Some(7);
        // Nothing but sync is to bring them.
        let rule = HttpRule::always("GET /v1/conversations", HttpFault::Html(502));
        faults.http.push(rule);
    });
    let mut daemon = stage.ready();
    for round in 1..=2 {
        for number in 0..50 {
            quietly(&stage, &number.to_string());
        }
        stage.connect(&daemon).ok("sync.drain", json!({}));
        let log = stage.log_is_whole(&daemon);
        assert_eq!(messages(&log), 50 * round);
        assert!(
            log[50 * (round - 1)..]
                .iter()
                .all(|event| event["source"] == "sync")
        );
        all_acknowledged(&stage);
        daemon.kill().unwrap();
        daemon = stage.ready();
    }
    let with_after = stage.sandbox.journal().count(|event| {
        matches!(event, Event::Http { path, query, .. }
            if path == "/v1/messages/sync" && query.contains("after"))
    });
    assert_eq!(with_after, 0);
}

#[test]
fn failing_and_slow_answers_only_delay() {
    let stage = stage();
    let mut daemon = stage.ready();
    daemon.kill().unwrap();
    for number in 0..30 {
        stage.bob_says(&number.to_string());
    }
    stage.sandbox.faults(|faults| {
        for (route, fault) in [
            ("GET /v1/agents/me", HttpFault::Html(502)),
            ("GET /v1/agents/me", HttpFault::Empty500),
            ("GET /v1/messages/sync", HttpFault::DropBefore),
            ("GET /v1/messages/sync", HttpFault::CutBody),
            (
                "GET /v1/messages/sync",
                HttpFault::Body {
                    status: 200,
                    body: "<html>".into(),
                },
            ),
            (
                "GET /v1/messages/sync",
                HttpFault::error_after(429, "RATE_LIMITED", "0"),
            ),
            ("POST /v1/messages/sync/ack", HttpFault::DropAfter),
            ("POST /v1/messages/sync/ack", HttpFault::Html(504)),
            (
                "GET /v1/conversations",
                HttpFault::Body {
                    status: 200,
                    body: "{}".into(),
                },
            ),
            (
                "GET /v1/messages/sync",
                HttpFault::SlowBody {
                    bytes: 500,
                    pause: std::time::Duration::from_millis(2),
                },
            ),
        ] {
            faults.http.push(HttpRule::next(route, fault));
        }
    });
    let daemon = stage.ready();
    assert_eq!(messages(&stage.log_is_whole(&daemon)), 30);
}

#[test]
fn an_acknowledgement_that_was_lost_is_made_again() {
    let stage = stage();
    let mut daemon = stage.ready();
    stage.sandbox.cut("dora", &Cut::Reset);
    stage.bob_says("one");
    stage.log_is_whole(&daemon);
    daemon.kill().unwrap();
    let daemon = stage.ready();
    all_acknowledged(&stage);
    assert_eq!(messages(&stage.log_is_whole(&daemon)), 1);
}

#[test]
fn pitfall_19_a_full_pause_shows_nothing_and_its_end_brings_all() {
    let stage = stage();
    let daemon = stage.ready();
    stage
        .sandbox
        .set_pause("dora", agentchatd_tests::sandbox::OwnerPause::Full);
    for number in 0..5 {
        stage.bob_says(&number.to_string());
    }
    stage
        .sandbox
        .set_pause("dora", agentchatd_tests::sandbox::OwnerPause::None);
    assert_eq!(messages(&stage.log_is_whole(&daemon)), 5);
}
