//! `tail`: everything once and in order, through restarts of the daemon.

use crate::ctl::{Ctl, Running};
use crate::stage;
use serde_json::{Value, json};

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
