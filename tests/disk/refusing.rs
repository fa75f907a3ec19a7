//! A disk that refuses while the daemon runs: full, read-only, failing.

use std::time::Duration;

use agentchatd_tests::sandbox::Event;
use agentchatd_tests::shim::{EIO, EROFS, Shim, Slot};
use serde_json::json;

use crate::outage::{Peace, STORAGE_ERROR};
use crate::stage;

/// Breaks the disk, looks at what the daemon does, mends it, and looks again.
fn an_outage(breaks: impl Fn(&Shim), words: &[&str]) {
    let (stage, shim) = stage();
    let mut peace = Peace::of(&stage);
    let database = stage.setup.database();
    breaks(&shim);
    peace.is_over(&stage, &database);
    peace.is_down(words);
    assert!(shim.get(Slot::Failed) > 0, "the disk did refuse");
    shim.heal();
    peace.returns(&stage, &database);
}

#[test]
fn a_full_disk_accepts_and_acknowledges_nothing_and_all_goes_on_once_there_is_room() {
    an_outage(|shim| shim.set(Slot::Room, 0), &["the disk is full"]);
}

#[test]
fn a_disk_that_fills_up_in_the_middle_of_a_write_is_a_full_disk() {
    an_outage(|shim| shim.set(Slot::Room, 1500), &["the disk is full"]);
}

#[test]
fn a_disk_that_turns_read_only_accepts_and_acknowledges_nothing_until_it_is_writable() {
    an_outage(|shim| shim.fail_writes(EROFS), &["disk I/O error"]);
}

#[test]
fn writes_that_fail_accept_and_acknowledge_nothing_until_they_succeed() {
    an_outage(|shim| shim.fail_writes(EIO), &["disk I/O error"]);
}

#[test]
fn syncs_that_fail_accept_and_acknowledge_nothing_until_they_succeed() {
    an_outage(Shim::fail_syncs, &["disk I/O error"]);
}

/// Nothing comes and nothing is sent: a consumer is the first to meet it.
#[test]
fn a_disk_whose_refusal_only_a_consumer_meets_makes_the_verdict_down_until_it_takes_writes() {
    let (mut stage, shim) = stage();
    // The daemon itself has nothing to write meanwhile.
    for interval in ["SYNC", "RECONCILE"] {
        let name = format!("AGENTCHATD_REALTIME_{interval}_INTERVAL_S");
        stage.env(&name, "3600");
    }
    let mut peace = Peace::of(&stage);
    shim.fail_writes(EIO);
    let ack = json!({"consumer": "keeper", "offset": 3});
    peace.raw.refused(STORAGE_ERROR, "events.ack", ack);
    peace.is_down(&["storage_error", "disk I/O error"]);
    shim.heal();
    peace.returns(&stage, &stage.setup.database());
}

/// The disk takes the write by which the daemon looks whether it takes writes, and no other one.
#[test]
fn a_disk_with_room_for_a_look_alone_has_the_daemon_connect_at_growing_distances() {
    let (stage, shim) = stage();
    let peace = Peace::of(&stage);
    let begun = stage.sandbox.journal().len();
    // A frame of the write-ahead log and a half.
    shim.set(Slot::Room, 6_000);
    stage.bob_says("no room for it");
    let mut beginnings = Vec::new();
    let mut from = begun;
    for _ in 0..3 {
        // Each connection begins with the question who the agent is.
        let entry = stage.seen_from(
            from,
            |event| matches!(event, Event::Http { path, .. } if path == "/v1/agents/me"),
        );
        from = entry.index + 1;
        beginnings.push(entry.at);
    }
    // 2 and 4 s lie between them; without that, 1 s each.
    assert!(
        beginnings[2] - beginnings[0] > Duration::from_millis(5_500),
        "{beginnings:?}"
    );
    shim.heal();
    stage.log_is_whole(&peace.daemon);
}
