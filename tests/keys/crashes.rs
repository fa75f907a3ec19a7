//! The end of the process around a rotation. A key that is on disk counts after a restart; one that
//! was never written is brought back by a recovery.

use crate::{CODE, ROTATE_VERIFY, answer_late, begun, is_current, read, stage};
use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::raw::Raw;
use agentchatd_tests::stage::{Stage, until};
use serde_json::json;
use std::time::Duration;

/// What the key file holds.
fn kept(stage: &Stage) -> String {
    read(&stage.setup.key_file()).trim_end().to_owned()
}

/// Starts again as the one before: with the key file as it is now.
fn again(stage: &mut Stage) -> Daemon {
    stage.setup.key = kept(stage);
    stage.start()
}

/// Dora's key is replaced, and her daemon dies at this step of it. Whether the new key is on disk.
fn killed_at(step: &str) -> bool {
    let mut stage = stage();
    let plain = stage.setup.clone();
    stage.setup = plain.killed_at(step, 1).expect("the test can go on");
    let mut daemon = stage.ready();
    stage.bob_says("before");
    let mut raw = stage.connect(&daemon);
    let proof = begun(&mut raw);
    raw.start("agents.rotate_key_verify", &proof)
        .expect("the test can go on");
    let status = daemon
        .wait(Duration::from_secs(30))
        .expect("the test can go on");
    assert!(!status.success(), "{step}: {status}");
    stage.setup = plain;
    let on_disk = kept(&stage);
    let is_good = is_current(&stage, "dora", &json!(on_disk));
    let daemon = again(&mut stage);
    if !is_good {
        // Rotated, and the answer died with the daemon.
        daemon
            .status_until(|status| status["connection"]["state"] == "parked")
            .expect("the test can go on");
        let mut raw = stage.connect(&daemon);
        let begun = raw.ok("agents.recover", json!({"email": "dora@example.test"}));
        let proof = json!({"pending_id": begun["pending_id"], "code": CODE});
        assert_eq!(raw.ok("agents.recover_verify", proof)["saved"], true);
    }
    stage.settle(&daemon);
    stage.bob_says("after");
    stage.log_is_whole(&daemon);
    is_good
}

#[test]
fn killed_at_any_step_of_a_rotation_the_daemon_comes_back_with_what_is_on_disk() {
    for _ in 0..ROUNDS {
        assert!(!killed_at("key-came"), "nothing was written yet");
        assert!(killed_at("key-kept"));
        assert!(killed_at("key-used"));
    }
}

/// Tells the daemon to stop as soon as the platform has replaced the key.
fn stopped_in_the_middle(stage: &Stage, daemon: &Daemon, answer_after: Duration) -> Raw {
    let old = stage.setup.key.clone();
    let mut raw = stage.connect(daemon);
    let proof = begun(&mut raw);
    answer_late(stage, ROTATE_VERIFY, answer_after);
    raw.start("agents.rotate_key_verify", &proof)
        .expect("it is sent");
    until("the platform has replaced the key", || {
        if stage.sandbox.agent("dora").key() == old {
            return Err("it is the old one".to_owned());
        }
        Ok(())
    });
    crate::signal(daemon, "TERM");
    raw
}

#[test]
fn a_stop_waits_longer_for_a_key_than_for_anything_else() {
    let stage = stage();
    let mut daemon = stage.ready();
    // The connection of the caller is long gone by then.
    let _raw = stopped_in_the_middle(&stage, &daemon, Duration::from_millis(7_000));
    assert!(daemon.wait(Duration::from_secs(15)).unwrap().success());
    assert!(is_current(&stage, "dora", &json!(kept(&stage))));
}

#[test]
fn a_stop_that_cuts_a_change_of_the_key_off_says_what_to_do() {
    let stage = stage();
    let mut daemon = stage.ready();
    let _raw = stopped_in_the_middle(&stage, &daemon, Duration::from_secs(60));
    // The second signal is for those who cannot wait.
    until("the daemon is stopping", || {
        let log = stage.log_text();
        let is_stopping = log.contains("stopping");
        is_stopping.then_some(()).ok_or(log)
    });
    crate::signal(&daemon, "TERM");
    assert!(daemon.wait(Duration::from_secs(15)).unwrap().success());
    let log = stage.log_text();
    assert!(
        log.contains("cut off") && log.contains("agents.recover"),
        "{log}"
    );
}

#[test]
fn a_stop_in_the_middle_keeps_the_key_that_comes() {
    let mut stage = stage();
    let mut daemon = stage.ready();
    let mut raw = stopped_in_the_middle(&stage, &daemon, Duration::from_millis(700));
    assert_eq!(raw.hear()["result"]["saved"], true);
    assert!(daemon.wait(Duration::from_secs(15)).unwrap().success());
    let daemon = again(&mut stage);
    stage.settle(&daemon);
}

/// How often each step is tried.
const ROUNDS: usize = 5;
