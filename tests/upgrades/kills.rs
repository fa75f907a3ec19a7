//! A kill in the middle of an upgrade: the next start finds the old schema or the new one, whole, and
//! everything that was in it.

use crate::past::{Past, open};
use crate::{VERSIONS, Version, cut_off};
use agentchatd_tests::stage::Stage;
use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

/// What is in the database under a stage, opened by SQL alone; nothing may be damaged.
fn content(stage: &Stage) -> Past {
    let connection = open(&stage.setup.database());
    let sound = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0));
    assert_eq!(sound, Ok("ok".to_owned()));
    Past::read(&connection)
}

/// Starts a daemon that kills itself at this step of its upgrade.
fn killed(stage: &Stage, step: &str) {
    let armed = stage.setup.killed_at(step, 1).expect("it builds");
    let mut daemon = armed.spawn().expect("it starts");
    let status = daemon.wait(PATIENCE).expect("it gets to the step");
    assert_eq!(status.signal(), Some(KILLED), "at {step}: {status}");
}

fn newest() -> u32 {
    let fresh = Stage::new(env!("CARGO_BIN_EXE_agentchatd"));
    assert!(fresh.start().stop().expect("it ends").success());
    content(&fresh).schema
}

/// Kills upgrades of this version at a step, `times` one after the other, and finishes one. All steps
/// of an upgrade are one transaction.
fn upgraded_through(version: &Version, step: &str, times: u32, schema_then: u32, newest: u32) {
    let mut past = Past::of(version);
    let stage = cut_off(version);
    for _ in 0..times {
        killed(&stage, step);
        past.schema = schema_then;
        let now = content(&stage);
        assert_eq!(now.schema, past.schema, "{} after {step}", version.name);
        assert!(now == past, "{} after {step}: {now:#?}", version.name);
    }
    assert!(stage.start().stop().expect("it ends").success());
    let now = content(&stage);
    assert_eq!(now.schema, newest);
    assert_eq!(now.events, past.events, "{}", version.name);
    assert_eq!(now.consumers, past.consumers, "{}", version.name);
    assert_eq!(now.parked, past.parked, "{}", version.name);
    let ids = |past: &Past| -> Vec<String> {
        let entries = past.outbox.iter();
        entries.map(|(id, _)| id.clone()).collect()
    };
    assert_eq!(ids(&now), ids(&past), "{}", version.name);
}

#[test]
fn a_kill_before_an_upgrade_is_committed_leaves_the_old_schema_and_all_that_was_in_it() {
    let newest = newest();
    for version in &VERSIONS {
        upgraded_through(version, "migrating", 3, version.schema, newest);
    }
}

#[test]
fn a_kill_after_an_upgrade_is_committed_leaves_the_new_schema_and_all_that_was_in_it() {
    let newest = newest();
    for version in &VERSIONS {
        upgraded_through(version, "migrated", 1, newest, newest);
    }
}

/// For a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const KILLED: i32 = 9;
