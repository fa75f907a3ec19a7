//! Few files, or none left: accepting pauses, and nothing else does.

use crate::stage;
use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::figures::ticks;
use agentchatd_tests::raw::Raw;
use agentchatd_tests::sandbox::Cut;
use agentchatd_tests::stage::{NEVER, Stage, until};
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

/// So few that the daemon's first files are more.
const NONE_LEFT: usize = 4;

/// From now on the daemon is started by a shell that says this first.
fn start_after(stage: &mut Stage, words: &str) {
    let script = stage.setup.dir.join("limited");
    let program = stage.setup.binary.display();
    let text = format!("#!/bin/sh\n{words}\nexec '{program}' \"$@\"\n");
    fs::write(&script, text).expect("the test can go on");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).expect("the test can go on");
    stage.setup.binary = script;
}

/// How many files the daemon may open.
fn limit_to(daemon: &Daemon, files: usize) {
    let pid = daemon.pid().to_string();
    let mut command = Command::new("prlimit");
    command.args(["--pid", &pid, &format!("--nofile={files}:")]);
    assert!(command.status().expect("prlimit(1) is there").success());
}

/// So many clients that ask; who is served at once, and who waits.
fn crowd(stage: &Stage, daemon: &Daemon, count: usize) -> Vec<Raw> {
    (0..count)
        .map(|_| {
            let mut raw = stage.connect(daemon);
            raw.start("daemon.version", &json!({}))
                .expect("the test can go on");
            raw
        })
        .collect()
}

#[test]
fn a_low_soft_limit_is_raised_to_the_hard_one() {
    let mut stage = stage();
    start_after(&mut stage, "ulimit -S -n 100");
    let daemon = stage.ready();
    let mut all = crowd(&stage, &daemon, 300);
    for raw in &mut all {
        assert!(raw.hear().get("result").is_some());
    }
    let status = all[0].ok("daemon.status", json!({}));
    assert!(
        !status["warnings"].to_string().contains("files"),
        "{status}"
    );
}

#[test]
fn under_a_low_hard_limit_clients_wait_and_the_rest_of_the_daemon_works() {
    let mut stage = stage();
    start_after(&mut stage, "ulimit -n 64");
    let daemon = stage.ready();
    // The connection that looked whether it is ready may still hold a place.
    let mut all = crowd(&stage, &daemon, 100);
    let served = all
        .iter_mut()
        .map_while(|raw| raw.line_within(NEVER * 10).expect("the test can go on"))
        .count();
    assert!((15..=16).contains(&served), "{served} of 100");

    // The socket to AgentChat, the database and sends have what they need, also anew.
    let begun = stage.sandbox.journal().entries().len();
    stage.sandbox.cut("dora", &Cut::Reset);
    stage.bob_says("after the cut");
    let page = all[0].ok("events.fetch", json!({"wait_ms": 20000}));
    assert_eq!(page["next_after"], 1);
    all[0].ok("messages.send", json!({"to": "bob", "text": "still here"}));
    assert!(stage.sandbox.journal().entries().len() > begun);
    let status = all[0].ok("daemon.status", json!({}));
    let warnings = status["warnings"].to_string();
    assert!(warnings.contains("LimitNOFILE"), "{warnings}");
    assert!(stage.log_text().contains("raise the limit to 1088"));

    // As places come free, all are served.
    let mut waiting = all.split_off(served);
    drop(all);
    while !waiting.is_empty() {
        let mut next = waiting.remove(0);
        assert!(next.hear().get("result").is_some());
    }
    drop(waiting);
    stage.connect(&daemon).ok("daemon.version", json!({}));
}

#[test]
fn with_no_file_left_accepting_pauses_without_a_busy_loop_and_goes_on_when_one_is_free() {
    const WATCHED: Duration = Duration::from_secs(3);
    let stage = stage();
    let daemon = stage.ready();
    let mut there = stage.connect(&daemon);
    there.subscribe(json!({"consumer": "there"}));
    until("the daemon has closed what is over", || {
        let now = there.ok("daemon.status", json!({}))["clients"].clone();
        if now == 1 {
            Ok(())
        } else {
            Err(now.to_string())
        }
    });
    // All numbers below it are taken, and stay taken whatever is closed meanwhile.
    limit_to(&daemon, NONE_LEFT);
    let mut waiting = crowd(&stage, &daemon, 20);
    until("the log says it", || {
        let log = stage.log_text();
        if log.contains("no connections are accepted") {
            Ok(())
        } else {
            Err(log)
        }
    });
    let (before, begun) = (ticks(&daemon), Instant::now());
    let mut offset = 0;
    while begun.elapsed() < WATCHED {
        stage.bob_says("comes through");
        offset += 1;
        assert_eq!(there.event()["offset"], offset);
        there.ack("there", offset);
        std::thread::sleep(Duration::from_millis(100));
    }
    let used = ticks(&daemon) - before;
    // A busy loop takes a hundred a second, where it gets a processor.
    assert!(used < 100, "{used} ticks in {:?}", begun.elapsed());
    let log = stage.log_text();
    let told = log.matches("no connections are accepted").count();
    assert_eq!(told, 1, "{log}");
    assert!(log.contains("LimitNOFILE"), "{log}");
    for raw in &mut waiting {
        raw.silent_now();
    }
    limit_to(&daemon, 1000);
    for raw in &mut waiting {
        assert!(raw.hear().get("result").is_some());
    }
    assert_eq!(stage.log(&daemon).len() as u64, offset);
}
