//! How it ends: exit statuses, and one sentence on standard error.

use crate::ctl::{Ctl, Ran};
use crate::stage;
use agentchatd_tests::sandbox::Setting;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

fn sentence(ran: &Ran, code: i32, words: &[&str]) {
    assert_eq!(ran.code, code, "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.starts_with("agentchatctl: "), "{}", ran.stderr);
    for word in words {
        assert!(ran.stderr.contains(word), "{word} in {}", ran.stderr);
    }
    assert_eq!(ran.stdout, "");
}

#[test]
fn without_a_daemon_every_command_ends_with_4_and_says_what_to_do() {
    let dir = tempfile::tempdir().expect("a folder");
    let socket = dir.path().join("none.sock");
    let ctl = Ctl::at(&socket);
    for arguments in [
        &["status"][..],
        &["health"],
        &["whoami", "--json"],
        &["tail"],
        &["inbox"],
        &["send", "@bob", "hi"],
    ] {
        sentence(
            &ctl.run(arguments),
            4,
            &["no daemon is running", "start it"],
        );
    }
    drop(std::os::unix::net::UnixListener::bind(&socket).expect("a socket"));
    sentence(&ctl.run(&["status"]), 4, &["leftover", "start it"]);
}

#[test]
fn wrong_arguments_end_with_2() {
    let ctl = Ctl::at(Path::new("/nowhere"));
    for arguments in [
        &["frobnicate"][..],
        &["tail", "--since", "yesterday"],
        &["send"],
        &["call", "x", "{"],
        &["inbox", "--limit", "0"],
        &["send", "@bob", "x", "--json-data", "[1]"],
    ] {
        let ran = ctl.run(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
}

#[test]
fn health_has_the_verdict_as_its_exit_status() {
    let stage = stage();
    let daemon = stage.ready();
    let ctl = Ctl::new(&stage);
    assert_eq!(ctl.run(&["health"]).code, 0);
    stage
        .sandbox
        .set("dora", &Setting::Key("ac_another".into()));
    let parked = daemon.status_until(|status| status["connection"]["state"] == "parked");
    parked.expect("it parks");
    let ran = ctl.run(&["health"]);
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    assert!(ran.stdout.starts_with("health "), "{}", ran.stdout);
    let ran = ctl.run(&["health", "--json"]);
    assert_eq!(ran.code, 2);
    let health: Value = serde_json::from_str(&ran.stdout).expect("one JSON value");
    assert_eq!(health["verdict"], "parked");
    sentence(&ctl.run(&["whoami"]), 1, &["API key", "agentchatctl login"]);
}

#[test]
fn what_destroys_is_not_done_unasked_where_nobody_can_be_asked() {
    let stage = stage();
    let daemon = stage.ready();
    let ctl = Ctl::new(&stage);
    stage
        .connect(&daemon)
        .ok("events.fetch", json!({"consumer": "bot"}));
    for arguments in [
        &["consumers", "delete", "bot"][..],
        &["groups", "delete", "grp_1"],
    ] {
        sentence(&ctl.run(arguments), 1, &["nothing was done", "--yes"]);
        sentence(
            &ctl.fed(arguments, b"yes\n"),
            1,
            &["nothing was done", "--yes"],
        );
    }
    assert!(ctl.ok(&["consumers", "list"]).contains("bot"));
    ctl.ok(&["consumers", "delete", "bot", "--yes"]);
    assert_eq!(ctl.ok(&["consumers", "list"]), "no consumers\n");
}

#[test]
fn a_socket_that_may_not_be_opened_is_told_apart_from_none() {
    let dir = tempfile::tempdir().expect("a folder");
    let socket = dir.path().join("closed.sock");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    let closed = std::fs::Permissions::from_mode(0o000);
    std::fs::set_permissions(&socket, closed).expect("its mode");
    let ran = Ctl::at(&socket).run(&["--timeout", "200ms", "status"]);
    // Root may open everything, and then it is a daemon that gives no answer.
    if ran.stderr.contains("may not open") {
        sentence(&ran, 4, &["its group"]);
    } else {
        sentence(&ran, 1, &["no answer", "--timeout"]);
    }
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let stage = stage();
    let daemon = stage.ready();
    for number in 0..3 {
        stage.bob_says(&number.to_string());
    }
    stage.log_is_whole(&daemon);
    let ctl = Ctl::new(&stage);
    for arguments in [
        &["status"][..],
        &["tail", "--since", "earliest"],
        &["man"],
        &["call", "daemon.status"],
    ] {
        let mut child = ctl.command(arguments).spawn().expect("it starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
    }
}

#[test]
fn colours_are_for_terminals_and_those_who_ask() {
    let stage = stage();
    let _daemon = stage.ready();
    let ctl = Ctl::new(&stage);
    assert!(!ctl.ok(&["whoami"]).contains('\u{1b}'));
    assert!(!ctl.ok(&["whoami", "--color", "never"]).contains('\u{1b}'));
    assert!(ctl.ok(&["whoami", "--color", "always"]).contains("\u{1b}["));
    assert!(
        !ctl.ok(&["whoami", "--color", "always", "--json"])
            .contains('\u{1b}')
    );
}

#[test]
fn text_and_parameters_come_from_standard_input_as_well() {
    let stage = stage();
    let _daemon = stage.ready();
    let ctl = Ctl::new(&stage);
    for arguments in [&["send", "@bob", "-"][..], &["send", "@bob"]] {
        let ran = ctl.fed(arguments, "two\nlines é\n".as_bytes());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    let texts: Vec<_> = stage
        .sandbox
        .messages_for("bob")
        .into_values()
        .flatten()
        .collect();
    assert_eq!(texts.len(), 2);
    assert!(
        ctl.ok(&["history", "@bob"])
            .contains("@dora  two\n    lines é\n")
    );
    sentence(
        &ctl.fed(&["send", "@bob", "-"], b"\xff"),
        1,
        &["not UTF-8", "--file"],
    );
    sentence(&ctl.fed(&["send", "@bob", "-"], b"\n"), 2, &["empty"]);
    let ran = ctl.fed(&["call", "events.fetch", "-"], br#"{"limit": 1}"#);
    let page: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(page["events"].as_array().map(Vec::len), Some(1));
    sentence(&ctl.run(&["call", "no.such"]), 1, &["no method no.such"]);
    sentence(
        &ctl.run(&["call", "events.fetch", r#"{"limit":0}"#]),
        1,
        &["`limit`"],
    );
}
