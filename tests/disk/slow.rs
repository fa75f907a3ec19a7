//! A disk that takes seconds for an fsync.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use agentchatd_tests::sandbox::{Event, Options};
use agentchatd_tests::shim::{Shim, Slot};
use agentchatd_tests::stage::{Stage, until};
use serde_json::json;

use crate::outage::{acknowledged, acknowledged_is_on_disk, send};

/// How long the disk stalls.
const STALL: Duration = Duration::from_secs(5);
/// How often the platform pings meanwhile.
const PING: Duration = Duration::from_millis(200);

#[test]
fn while_an_fsync_takes_five_seconds_pings_and_callers_are_answered_and_nothing_is_acknowledged() {
    let mut stage = Stage::with(
        env!("CARGO_BIN_EXE_agentchatd"),
        Stage::unlimited(Options {
            heartbeat: PING,
            // Shorter than the stall, and long enough for a machine under load.
            pong_deadline: Duration::from_secs(3),
            ..Options::modern()
        }),
    );
    let shim = Shim::under(&mut stage.setup);
    let daemon = stage.ready();
    stage.bob_says("before");
    stage.log_is_whole(&daemon);
    let mut raw = stage.connect(&daemon);
    let mut sender = stage.connect(&daemon);

    shim.set(Slot::SyncMs, 3_600_000);
    let during: BTreeSet<String> = (0..3)
        .map(|number| stage.bob_says(&format!("during {number}")).id)
        .collect();
    until("an fsync is under way", || {
        if shim.get(Slot::Syncing) > shim.get(Slot::Syncs) {
            return Ok(());
        }
        Err("none".into())
    });
    let begun = stage.sandbox.journal().len();
    let stalled = Instant::now();
    sender
        .start("messages.send", &send("bob", "while-slow"))
        .expect("it can be written");
    let mut slowest = Duration::ZERO;
    while stalled.elapsed() < STALL {
        let asked = Instant::now();
        raw.ok("daemon.version", json!({}));
        let health = raw.ok("daemon.health", json!({}));
        slowest = slowest.max(asked.elapsed());
        assert_ne!(health["verdict"], "down", "slow is not refused: {health}");
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut pongs = Vec::new();
    for entry in stage.sandbox.journal().entries_from(begun) {
        match entry.event {
            Event::Pong { after_ms, .. } => pongs.push(after_ms),
            Event::Close { .. } => panic!("the platform gave it up: {entry:?}"),
            _ => {}
        }
    }
    assert!(slowest < STALL / 2, "a local caller waited {slowest:?}");
    assert!(pongs.len() > 3, "pings were answered: {pongs:?}");
    let told: Vec<_> = acknowledged(&stage)
        .intersection(&during)
        .cloned()
        .collect();
    assert!(
        told.is_empty(),
        "acknowledged before it was on disk: {told:?}"
    );
    sender.silent();

    shim.set(Slot::SyncMs, 0);
    let answer = sender.hear();
    assert_eq!(answer["result"]["queued"], true, "{answer}");
    stage.log_is_whole(&daemon);
    until("the messages of the stall are acknowledged", || {
        let missing: Vec<_> = during.difference(&acknowledged(&stage)).cloned().collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(format!("{missing:?}"))
    });
    acknowledged_is_on_disk(&stage, &stage.setup.database());
    pongs.sort_unstable();
    println!(
        "{} pings in {STALL:?} of stall: p50 {} ms, worst {} ms; slowest local answer {slowest:?}",
        pongs.len(),
        pongs[pongs.len() / 2],
        pongs[pongs.len() - 1],
    );
}
