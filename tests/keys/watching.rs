//! A parked daemon looks whether the file of its key has changed: no reload, no signal, no restart.

use crate::stage;
use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::sandbox::Setting;
use agentchatd_tests::stage::{Stage, until};
use serde_json::Value;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

fn is_parked(status: &Value) -> bool {
    status["connection"]["state"] == "parked"
}

fn parks(daemon: &Daemon) {
    daemon.status_until(is_parked).expect("it parks");
}

/// Puts a key in place as a careful program does: a new file, renamed over the old one.
fn replace(path: &Path, key: &str) {
    let fresh = path.with_extension("new");
    fs::write(&fresh, key).expect("it can be written");
    fs::set_permissions(&fresh, Permissions::from_mode(0o600)).expect("it is ours");
    fs::rename(&fresh, path).expect("it can be renamed");
}

/// How often the platform was asked whose key it is.
fn questions(stage: &Stage) -> usize {
    stage.requests("GET", "/v1/agents/me")
}

#[test]
fn a_refused_key_that_is_replaced_in_its_file_is_taken_up() {
    for renamed in [false, true] {
        let mut stage = stage();
        let right = std::mem::replace(&mut stage.setup.key, "ac_wrong_wrong_wrong".into());
        let daemon = stage.start();
        parks(&daemon);
        if renamed {
            replace(&stage.setup.key_file(), &right);
        } else {
            stage.setup.key = right;
            stage.setup.write_key().expect("it can be written");
        }
        stage.settle(&daemon);
    }
}

#[test]
fn a_key_that_was_rotated_elsewhere_is_taken_up_once_its_file_has_the_new_one() {
    let stage = stage();
    let daemon = stage.ready();
    stage
        .sandbox
        .set("dora", &Setting::Key("ac_rotated_elsewhere_1".into()));
    parks(&daemon);
    let status = daemon.status_until(is_parked).expect("it stays so");
    let last = &status["connection"]["last_close"];
    assert_eq!(
        (&last["code"], &last["reason"]),
        (&1008.into(), &"API key rotated".into())
    );
    stage.bob_says("while it was parked");
    replace(&stage.setup.key_file(), "ac_rotated_elsewhere_1");
    stage.settle(&daemon);
    stage.log_is_whole(&daemon);
}

#[test]
fn a_file_that_was_written_before_the_old_key_died_counts_when_it_does() {
    let stage = stage();
    let daemon = stage.ready();
    let asked = questions(&stage);
    replace(&stage.setup.key_file(), "ac_rotated_elsewhere_2");
    // Nobody looks at it while the key is in order.
    let mut raw = stage.connect(&daemon);
    raw.silent();
    assert_eq!(questions(&stage), asked);
    stage
        .sandbox
        .set("dora", &Setting::Key("ac_rotated_elsewhere_2".into()));
    until("the connection with the new key", || {
        let status = daemon.status_until(|_| true).expect("it answers");
        let connection = &status["connection"];
        match connection["connected_total"] == 2 && connection["state"] == "ready" {
            true => Ok(()),
            false => Err(connection.to_string()),
        }
    });
}

#[test]
fn a_key_file_that_comes_later_and_one_whose_mode_is_mended_are_taken_up() {
    let mut stage = stage();
    let key = std::mem::take(&mut stage.setup.key);
    let file = stage.setup.dir.join("late-key");
    stage.env(
        "AGENTCHATD_AGENT_API_KEY_FILE",
        file.to_str().expect("a plain path"),
    );
    let daemon = stage.start();
    parks(&daemon);
    fs::write(&file, &key).expect("it can be written");
    fs::set_permissions(&file, Permissions::from_mode(0o644)).expect("it is ours");
    let tells_mode = |status: &Value| status["connection"]["reason"].to_string().contains("0644");
    daemon
        .status_until(tells_mode)
        .expect("the new problem is told");
    fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("it is ours");
    stage.settle(&daemon);
}

#[test]
fn a_daemon_without_a_key_takes_up_credentials_that_are_put_into_its_state_dir() {
    let mut stage = crate::without_key();
    let key = stage.sandbox.agent("dora").key().to_owned();
    stage.env("AGENTCHATD_LOG_LEVEL", "info");
    let daemon = stage.start();
    let none = |status: &Value| status["connection"]["reason"] == "not_configured";
    daemon.status_until(none).expect("it waits for a key");
    let file = stage.setup.dir.join("state/credentials.toml");
    replace(&file, &format!("api_key = \"{key}\"\n"));
    stage.settle(&daemon);
}

#[test]
fn the_refused_key_written_again_is_no_reason_to_ask_again() {
    let mut stage = stage();
    stage.env("AGENTCHATD_LOG_LEVEL", "info");
    stage.setup.key = "ac_wrong_wrong_wrong".into();
    let daemon = stage.start();
    parks(&daemon);
    let asked = questions(&stage);
    let seen = |stage: &Stage| {
        stage
            .log_text()
            .matches("file of the API key has changed")
            .count()
    };
    for round in 1..=2 {
        stage.setup.write_key().expect("it can be written");
        until("a look at the file", || match seen(&stage) {
            count if count >= round => Ok(()),
            count => Err(count.to_string()),
        });
    }
    let mut raw = stage.connect(&daemon);
    raw.silent();
    assert_eq!(questions(&stage), asked);
}
