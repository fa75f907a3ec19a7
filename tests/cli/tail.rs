//! `tail`: everything once and in order, through restarts of the daemon.

use crate::ctl::{Ctl, Running};
use crate::stage;
use agentchatd_tests::stage::until;
use serde_json::{Value, json};
use std::fs;
use std::process::Command;

#[test]
fn a_restart_of_the_daemon_loses_and_repeats_nothing() {
    for consumer in [&[][..], &["--consumer", "tail"]] {
        let stage = stage();
        let mut daemon = stage.ready();
        let ctl = Ctl::new(&stage);
        let arguments = [
            &[
                "tail",
                "--json",
                "--since",
                "earliest",
                "--filter",
                "types=message.new",
            ],
            consumer,
        ]
        .concat();
        let mut tail = ctl.start(&arguments);
        let mut next = 0;
        let mut read = |tail: &mut Running, until: u64| {
            while next < until {
                let event: Value = serde_json::from_str(&tail.line()).expect("one event a line");
                assert_eq!(event["payload"]["content"]["text"], next.to_string());
                next += 1;
            }
        };
        for number in 0..BURST {
            stage.bob_says(&number.to_string());
            if number == 0 {
                // It is there before the daemon goes.
                read(&mut tail, 1);
            }
            if number == BURST / 2 {
                daemon.kill().expect("it can be killed");
                daemon = stage.start();
            }
        }
        read(&mut tail, BURST);
        tail.signal("INT");
        let ran = tail.end();
        assert_eq!(
            (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
            (0, "", "")
        );
    }
}

#[test]
fn a_consumer_goes_on_where_its_last_tail_ended() {
    let stage = stage();
    let daemon = stage.ready();
    for text in ["one", "two", "three"] {
        stage.bob_says(text);
    }
    stage.log_is_whole(&daemon);
    let ctl = Ctl::new(&stage);
    let arguments = ["tail", "--consumer", "c", "--since", "earliest", "-n", "2"];
    let first = ctl.ok(&arguments);
    assert!(first.contains("one") && first.contains("two"), "{first}");
    let rest = ctl.ok(&["tail", "--consumer", "c", "--once"]);
    assert!(rest.contains("three"), "{rest}");
    assert!(
        !rest.contains("two"),
        "what was acknowledged comes no more: {rest}"
    );
}

#[test]
fn ctrl_c_ends_it_also_where_nobody_reads_what_it_prints() {
    let stage = stage();
    let daemon = stage.ready();
    for _ in 0..2 * PIPE_BYTES / TEXT_BYTES {
        stage.bob_says(&"x".repeat(TEXT_BYTES));
    }
    stage.log_is_whole(&daemon);
    let ctl = Ctl::new(&stage);
    let mut command = ctl.command(&["tail", "--since", "earliest"]);
    let mut tail = command.spawn().expect("it starts");
    let io = format!("/proc/{}/io", tail.id());
    until("the pipe is full", || {
        let io = fs::read_to_string(&io).map_err(|error| error.to_string())?;
        let written = io.lines().find_map(|line| line.strip_prefix("wchar: "));
        let written: usize = written
            .and_then(|bytes| bytes.parse().ok())
            .unwrap_or_default();
        if written + TEXT_BYTES > PIPE_BYTES {
            Ok(())
        } else {
            Err(io)
        }
    });
    let pid = tail.id().to_string();
    let sent = Command::new("kill").args(["-s", "INT", &pid]).status();
    assert!(sent.expect("kill runs").success());
    until("it ends", || match tail.try_wait() {
        Ok(Some(status)) if status.success() => Ok(()),
        other => Err(format!("{other:?}")),
    });
}

#[test]
fn json_is_the_daemons_own() {
    let stage = stage();
    let daemon = stage.ready();
    stage.bob_says("hello");
    stage.log_is_whole(&daemon);
    let ctl = Ctl::new(&stage);
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"from": "earliest"}));
    let line = raw.text_line().expect("an event").expect("a line");
    let printed = ctl.ok(&["tail", "--json", "--since", "earliest", "--once"]);
    assert!(line.contains(printed.trim_end()), "{printed} in {line}");
}

#[test]
fn time_and_offset_name_the_same_places() {
    let stage = stage();
    let daemon = stage.ready();
    for text in ["one", "two"] {
        stage.bob_says(text);
    }
    let log = stage.log_is_whole(&daemon);
    let ctl = Ctl::new(&stage);
    let time = log[1]["received_at"].as_str().expect("a time");
    let by_offset = ctl.ok(&["tail", "--since", "2", "--once"]);
    assert!(by_offset.contains("two"), "{by_offset}");
    if log[0]["received_at"] != log[1]["received_at"] {
        assert_eq!(ctl.ok(&["tail", "--since", time, "--once"]), by_offset);
    }
    assert!(ctl.ok(&["tail", "--since", "1h", "--once"]).contains("one"));
}

const BURST: u64 = 60;
/// What a pipe holds.
const PIPE_BYTES: usize = 64 * 1024;
const TEXT_BYTES: usize = 4000;
