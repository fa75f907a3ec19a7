//! Clients that mean harm: what they can do is bounded, and nobody else feels it.

use crate::{counted, files_are_back, flood, logged, stage};
use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::figures::{forget_peak, local_files, peak, resident, ticks};
use agentchatd_tests::raw::Raw;
use serde_json::{Value, json};
use std::io::Write as _;
use std::thread;
use std::time::{Duration, Instant};

/// Requests in a row, their ids rising from 0.
fn requests(count: u64, method: &str, params: &Value) -> String {
    let one = |id| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
    (0..count).map(|id| format!("{}\n", one(id))).collect()
}

/// Writes text in a thread of its own while `meanwhile` runs, then reads one answer for each id.
fn all_answered(raw: &mut Raw, text: &str, count: u64, meanwhile: impl FnOnce()) {
    let mut writer = raw.second_hand().expect("the test can go on");
    writer.set_write_timeout(None).expect("the test can go on");
    thread::scope(|scope| {
        let writing = scope.spawn(move || writer.write_all(text.as_bytes()));
        meanwhile();
        let mut seen = vec![false; usize::try_from(count).expect("the test can go on")];
        for _ in 0..count {
            let answer = raw.hear();
            assert!(answer.get("result").is_some(), "{answer}");
            let id = usize::try_from(answer["id"].as_u64().expect("the test can go on"))
                .expect("the test can go on");
            assert!(!std::mem::replace(&mut seen[id], true), "{id} twice");
        }
        writing
            .join()
            .expect("the test can go on")
            .expect("the test can go on");
    });
}

#[test]
fn a_hundred_thousand_requests_whose_answers_nobody_reads_cost_little_and_are_all_answered() {
    const MANY: u64 = 100_000;
    /// What 1,024 calls under way may cost, beside buffers.
    const LITTLE: u64 = 8 << 20;
    let stage = stage();
    let daemon = stage.ready();
    let text = requests(MANY, "daemon.version", &json!({}));
    let mut raw = stage.connect(&daemon);
    let mut other = stage.connect(&daemon);
    other.subscribe(json!({"consumer": "other"}));
    forget_peak(&daemon);
    let before = resident(&daemon);
    all_answered(&mut raw, &text, MANY, || {
        for offset in 1..=50 {
            stage.bob_says("beside it");
            assert_eq!(other.event()["offset"], offset);
            other.ack("other", offset);
        }
        let more = peak(&daemon) - before;
        println!("{MANY} requests, nothing read: {} KiB", more >> 10);
        assert!(more < LITTLE, "{more} bytes");
    });
    let more = peak(&daemon) - before;
    assert!(more < LITTLE, "{more} bytes");
}

/// Waits until the daemon does nothing any more.
fn quiet(daemon: &Daemon) {
    /// A hundred pages take their time in a build without optimization, on a busy machine.
    const PATIENCE: Duration = Duration::from_secs(180);
    let deadline = Instant::now() + PATIENCE;
    let mut busy = u64::MAX;
    while busy > 2 {
        assert!(Instant::now() < deadline, "{busy} ticks in half a second");
        let before = ticks(daemon);
        thread::sleep(Duration::from_millis(500));
        busy = ticks(daemon) - before;
    }
}

#[test]
fn large_answers_that_nobody_reads_do_not_pile_up() {
    const PAGES: u64 = 100;
    const LOG: u64 = 1500;
    /// A few pages of 4 MiB, each in the forms that it takes on its way.
    const BOUND: u64 = 96 << 20;
    let stage = stage();
    let daemon = stage.ready();
    flood(&stage, 0..LOG, 4 << 10);
    logged(&daemon, LOG);
    let page = json!({"after": 0, "limit": 1000});
    let mut other = stage.connect(&daemon);
    other.subscribe(json!({"consumer": "other"}));
    for batch in [false, true] {
        let mut text = requests(PAGES, "events.fetch", &page);
        if batch {
            text = format!("[{}]\n", text.trim_end().replace('\n', ","));
        }
        let mut raw = stage.connect(&daemon);
        forget_peak(&daemon);
        let before = resident(&daemon);
        raw.write(text.as_bytes()).expect("the test can go on");
        for _ in 0..20 {
            stage.bob_says("beside it");
            let event = other.event();
            other.ack(
                "other",
                event["offset"].as_u64().expect("the test can go on"),
            );
        }
        quiet(&daemon);
        let more = peak(&daemon).saturating_sub(before);
        println!(
            "{PAGES} pages of 4 MiB asked for (batch: {batch}): {} KiB",
            more >> 10
        );
        assert!(more < BOUND, "{more} bytes, in a batch: {batch}");
        if !batch {
            for id in 0..5 {
                let answer = raw.hear();
                assert_eq!(answer["id"], id);
                assert!(
                    answer["result"]["events"]
                        .as_array()
                        .expect("the test can go on")
                        .len()
                        > 500
                );
            }
        }
        drop(raw);
    }
    counted(&daemon, 1, 2);
}

#[test]
fn subscribing_and_leaving_ten_thousand_times_leaves_nothing_behind() {
    const TURNS: usize = 10_000;
    const LITTLE: u64 = 2 << 20;
    let stage = stage();
    let daemon = stage.ready();
    flood(&stage, 0..10, 100);
    logged(&daemon, 10);
    counted(&daemon, 0, 1);
    let files = local_files(&daemon);
    let mut raw = stage.connect(&daemon);
    let mut turn = |number: usize| {
        let mut params = json!({"from": "earliest"});
        // Some are durable, each with two commits.
        if number.is_multiple_of(20) {
            params["consumer"] = json!("again");
        }
        let opened = raw.subscribe(params);
        let name = json!({"subscription": opened["subscription"]});
        assert_eq!(raw.ok("events.unsubscribe", name), true);
        raw.notifications.clear();
    };
    // What the allocator and the database keep is there before it is measured.
    (0..TURNS / 5).for_each(&mut turn);
    let before = resident(&daemon);
    (0..TURNS).for_each(&mut turn);
    let more = resident(&daemon).saturating_sub(before);
    println!("{TURNS} subscriptions: {} KiB more", more >> 10);
    assert!(more < LITTLE, "{more} bytes more");
    let status = raw.ok("daemon.status", json!({}));
    assert_eq!(
        (&status["subscriptions"], &status["consumers"]),
        (&json!(0), &json!(1))
    );
    drop(raw);
    counted(&daemon, 0, 1);
    files_are_back(&daemon, files);
}

#[test]
fn lines_that_are_too_long_or_too_deep_or_no_json_leave_nothing_behind() {
    /// The allocator keeps a buffer or two of what was freed; all of them had ten times as much.
    const LITTLE: u64 = 24 << 20;
    let stage = stage();
    let daemon = stage.ready();
    counted(&daemon, 0, 1);
    let files = local_files(&daemon);
    let long = format!("{{\"x\":\"{}", "x".repeat(8 << 20));
    let deep = "[".repeat(100_000);
    let bad = || {
        let mut raw = stage.connect(&daemon);
        assert_eq!(raw.say(&deep)["error"]["code"], -32700);
        assert_eq!(raw.say("no json at all")["error"]["code"], -32700);
        assert_eq!(raw.say("\u{0}\u{1}{]")["error"]["code"], -32700);
        raw.ok("daemon.version", json!({}));
        let mut writer = raw.second_hand().expect("the test can go on");
        thread::scope(|scope| {
            // It is not read to its end.
            scope.spawn(|| drop(writer.write_all(long.as_bytes())));
            let answer = raw.hear();
            assert_eq!(answer["error"]["code"], -32600);
            assert_eq!(raw.line().expect("the test can go on"), None);
        });
    };
    (0..5).for_each(|_| bad());
    counted(&daemon, 0, 1);
    let before = resident(&daemon);
    (0..30).for_each(|_| bad());
    counted(&daemon, 0, 1);
    let more = resident(&daemon).saturating_sub(before);
    println!("30 bad clients: {} KiB more", more >> 10);
    assert!(more < LITTLE, "{more} bytes more");
    files_are_back(&daemon, files);
}

#[test]
fn connections_that_come_and_go_at_once_leave_nothing_behind() {
    const TURNS: usize = 5000;
    let stage = stage();
    let daemon = stage.ready();
    counted(&daemon, 0, 1);
    let files = local_files(&daemon);
    for turn in 0..TURNS {
        let mut raw = stage.connect(&daemon);
        match turn % 4 {
            // Without a byte, in mid-line, without waiting for an answer, in mid-subscription.
            0 => {}
            1 => raw.write(b"{\"jsonrpc\":").expect("the test can go on"),
            2 => drop(
                raw.start("daemon.status", &json!({}))
                    .expect("the test can go on"),
            ),
            _ => drop(
                raw.start("events.subscribe", &json!({}))
                    .expect("the test can go on"),
            ),
        }
    }
    counted(&daemon, 0, 1);
    files_are_back(&daemon, files);
}
