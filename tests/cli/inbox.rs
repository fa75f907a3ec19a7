//! `inbox`: nothing is acknowledged before it is out.

use crate::ctl::Ctl;
use crate::stage;
use agentchatd_tests::stage::Stage;
use serde_json::Value;
use std::fs::OpenOptions;

/// How far the daemon says that a consumer came.
fn acked(ctl: &Ctl, name: &str) -> u64 {
    let list = ctl.ok(&["consumers", "list", "--json"]);
    let list: Value = serde_json::from_str(&list).expect("JSON");
    let found = list
        .as_array()
        .into_iter()
        .flatten()
        .find(|one| one["name"] == name);
    found.expect("it is known")["acked_offset"]
        .as_u64()
        .expect("an offset")
}

fn three_messages() -> (Stage, agentchatd_tests::daemon::Daemon, Ctl) {
    let stage = stage();
    let daemon = stage.ready();
    for text in ["one", "two", "three"] {
        stage.bob_says(text);
    }
    stage.log_is_whole(&daemon);
    let ctl = Ctl::new(&stage);
    (stage, daemon, ctl)
}

#[test]
fn it_acknowledges_what_was_printed_and_only_if_asked_to() {
    let (_stage, _daemon, ctl) = three_messages();
    let first = ctl.ok(&["inbox", "--limit", "2"]);
    assert_eq!(first.lines().count(), 2);
    assert_eq!(acked(&ctl, "inbox"), 0);
    let again = ctl.ok(&["inbox", "--limit", "2", "--ack"]);
    assert_eq!(again.matches("again").count(), 2, "{again}");
    assert_eq!(acked(&ctl, "inbox"), 2);
    let rest = ctl.ok(&["inbox", "--ack"]);
    assert!(rest.contains("@bob  three"), "{rest}");
    let nothing = ctl.run(&["inbox", "--ack"]);
    assert_eq!(
        (
            nothing.code,
            nothing.stdout.as_str(),
            nothing.stderr.as_str()
        ),
        (3, "", "")
    );
}

#[test]
fn output_that_is_not_taken_acknowledges_nothing() {
    let (_stage, _daemon, ctl) = three_messages();
    let mut child = ctl.command(&["inbox", "--ack"]).spawn().expect("it starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing was acknowledged"));
    assert_eq!(acked(&ctl, "inbox"), 0);

    let full = OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("a full disk");
    let status = ctl
        .command(&["inbox", "--ack", "--json"])
        .stdout(full)
        .status();
    assert_eq!(status.expect("it ends").code(), Some(1));
    assert_eq!(acked(&ctl, "inbox"), 0);
    assert_eq!(ctl.ok(&["inbox", "--ack"]).lines().count(), 3);
}

#[test]
fn it_waits_for_the_first_event_and_no_longer() {
    let stage = stage();
    let _daemon = stage.ready();
    let ctl = Ctl::new(&stage);
    assert_eq!(ctl.run(&["inbox", "--wait", "50ms"]).code, 3);
    let mut waiting = ctl.start(&["inbox", "--wait", "60", "--ack", "--json"]);
    stage.bob_says("hello");
    let event: Value = serde_json::from_str(&waiting.line()).expect("one event a line");
    assert_eq!(event["payload"]["content"]["text"], "hello");
    assert_eq!(waiting.end().code, 0);
    assert_eq!(acked(&ctl, "inbox"), 1);
}
