//! `doctor`: what it finds where all is well, and where something is not.

use crate::ctl::Ctl;
use crate::golden::Golden;
use crate::stage;
use serde_json::Value;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

/// The level of a check, its message and its mend.
fn check(ctl: &Ctl, code: i32, name: &str) -> (String, String, String) {
    let ran = ctl.run(&["doctor", "--json"]);
    assert_eq!(ran.code, code, "{}{}", ran.stdout, ran.stderr);
    let told: Value = serde_json::from_str(&ran.stdout).expect("one JSON value");
    assert_eq!(told["ok"], code == 0);
    let checks = told["checks"].as_array().expect("a list");
    let found = checks.iter().find(|found| found["check"] == name);
    let found = found.unwrap_or_else(|| panic!("no {name} in {told:#}"));
    let text = |member: &str| found[member].as_str().unwrap_or_default().to_owned();
    (text("level"), text("message"), text("mend"))
}

#[test]
fn where_all_is_well_nothing_fails() {
    let stage = stage();
    let daemon = stage.ready();
    // The clock is compared with the answer to some call.
    let told = daemon.status_until(|status| status["platform"]["clock_offset_ms"].is_i64());
    told.expect("AgentChat answered something");
    let mut golden = Golden::new(&stage, "doctor");
    golden.run_without_numbers(&["doctor"]);
    golden.check();
    let ctl = Ctl::new(&stage);
    assert_eq!(check(&ctl, 0, "clock").0, "ok");
    assert_eq!(check(&ctl, 0, "reachable").0, "ok");
}

#[test]
fn what_is_wrong_fails_and_says_what_to_do() {
    let mut stage = stage();
    stage.setup.key = String::new();
    let _daemon = stage.start();
    let ctl = Ctl::new(&stage);
    let (level, _, mend) = check(&ctl, 1, "key");
    assert_eq!(level, "fail");
    assert!(mend.contains("agentchatctl login"), "{mend}");
    let state = stage.setup.dir.join("state");
    fs::set_permissions(&state, Permissions::from_mode(0o755)).expect("its mode");
    let (level, _, mend) = check(&ctl, 1, "state");
    assert_eq!(level, "fail");
    assert_eq!(mend, format!("chmod 700 {}", state.display()));
    let run = stage.setup.dir.join("run");
    fs::set_permissions(&run, Permissions::from_mode(0o777)).expect("its mode");
    let ran = ctl.run(&["doctor"]);
    assert!(ran.stdout.contains("replace the socket"), "{}", ran.stdout);
}

#[test]
fn a_platform_that_is_away_is_told_as_such() {
    let mut stage = stage();
    // Nobody listens there: the port was free a moment ago, and is closed again.
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("its address");
    drop(free);
    stage.setup.base_url = format!("http://{address}");
    let daemon = stage.start();
    let tried = daemon.status_until(|status| status["connection"]["attempt"].as_u64() > Some(0));
    tried.expect("it tries");
    let ctl = Ctl::new(&stage);
    let (level, message, mend) = check(&ctl, 1, "reachable");
    assert_eq!(level, "warn", "{message}");
    assert!(mend.contains("network"), "{mend}");
    assert_eq!(check(&ctl, 1, "connection").0, "fail");
}

#[test]
fn without_a_daemon_it_looks_at_what_is_left() {
    let dir = tempfile::tempdir().expect("a folder");
    let ctl = Ctl::at(&dir.path().join("none.sock"));
    let mut command = ctl.command(&["doctor"]);
    let state = dir.path().join("state");
    fs::create_dir(&state).expect("a folder");
    fs::set_permissions(&state, Permissions::from_mode(0o700)).expect("its mode");
    let output = command.env("AGENTCHATD_STATE_DIR", &state).output();
    let output = output.expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let first = text.lines().next().expect("a line");
    assert!(
        first.starts_with("fail  socket  no daemon is running"),
        "{text}"
    );
    assert!(first.contains(" - start it with `agentchatd`"), "{text}");
    assert!(text.contains("ok    state "), "{text}");
    assert!(text.contains(" disk "), "{text}");
}
