//! Clients that stop in the middle of a line, one way or the other.

use crate::{flood, logged, stage};
use agentchatd_tests::figures::{forget_peak, peak, resident};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Longer than the buffers of a socket: the line is cut while it is written.
const LONG: usize = 1 << 20;

#[test]
fn a_client_that_stops_reading_in_mid_line_holds_up_nobody_and_finds_the_rest_later() {
    let stage = stage();
    let daemon = stage.ready();
    let stopped = UnixStream::connect(daemon.socket()).expect("the test can go on");
    stopped
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("the test can go on");
    let ask =
        r#"{"jsonrpc":"2.0","id":1,"method":"events.subscribe","params":{"consumer":"stops"}}"#;
    (&stopped)
        .write_all(format!("{ask}\n").as_bytes())
        .expect("the test can go on");
    let mut answer = [0];
    // The answer is passed over to its end, byte by byte: nothing of the events is read.
    while answer != *b"\n" {
        (&stopped)
            .read_exact(&mut answer)
            .expect("the test can go on");
    }
    let mut fast = stage.connect(&daemon);
    fast.subscribe(json!({"consumer": "fast"}));
    flood(&stage, 0..1, LONG);
    flood(&stage, 1..200, 2000);
    let mut begun = [0; 100];
    (&stopped)
        .read_exact(&mut begun)
        .expect("the test can go on");

    for offset in 1..=200 {
        assert_eq!(fast.event()["offset"], offset);
    }
    assert_eq!(fast.ack("fast", 200)["acked_offset"], 200);
    stage.connect(&daemon).ok("daemon.version", json!({}));

    let mut lines = BufReader::new(begun.chain(&stopped)).lines();
    for offset in 1..=200 {
        let line: Value = serde_json::from_str(
            &lines
                .next()
                .expect("the test can go on")
                .expect("the test can go on"),
        )
        .expect("the test can go on");
        assert_eq!(line["params"]["result"]["offset"], offset);
        assert!(line["params"]["result"].get("redelivered").is_none());
    }
}

/// So many that stop writing.
const HALVES: usize = 200;
/// How much of a request each has written.
const HALF: usize = 128 << 10;
/// What half a request may cost: its buffer grows by doubling.
const COST: u64 = 2 * HALF as u64 + (32 << 10);

#[test]
fn half_a_request_waits_for_its_rest_for_ever_and_costs_others_nothing() {
    let stage = stage();
    let daemon = stage.ready();
    stage.connect(&daemon).ok("daemon.version", json!({}));
    forget_peak(&daemon);
    let before = resident(&daemon);
    let head = r#"{"jsonrpc":"2.0","id":7,"method":"daemon.version","params":{},"x":""#;
    let half = format!("{head}{}", "y".repeat(HALF - head.len()));
    let mut silent: Vec<_> = (0..HALVES)
        .map(|_| {
            let mut raw = stage.connect(&daemon);
            raw.write(half.as_bytes()).expect("the test can go on");
            raw
        })
        .collect();
    let mut reader = stage.connect(&daemon);
    reader.subscribe(json!({"consumer": "reads", "max_in_flight": 500}));
    flood(&stage, 0..500, 100);
    for offset in 1..=500 {
        assert_eq!(reader.event()["offset"], offset);
    }
    logged(&daemon, 500);
    let each = peak(&daemon).saturating_sub(before) / HALVES as u64;
    println!(
        "half a request of {} KiB: {} KiB each",
        HALF >> 10,
        each >> 10
    );
    assert!(each < COST, "{each} bytes for half a request of {HALF}");
    for raw in &mut silent {
        raw.silent_now();
    }
    for raw in &mut silent {
        let answer = raw.say("\"}");
        assert_eq!((&answer["id"], answer.get("error")), (&json!(7), None));
    }
}
