//! A thousand clients that do not read, beside one that does.

use crate::{flood, logged, stage};
use agentchatd_tests::figures::{forget_peak, peak, resident};
use agentchatd_tests::raw::Raw;
use serde_json::json;
use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// So many that do not keep up.
const SLOW: usize = 1000;
/// Each so many of them reads a byte now and then.
const SIPS: usize = 5;
/// What waits in the log when they come: more than the tail in memory holds.
const OLD: u64 = 2500;
/// What comes after that.
const NEW: u64 = 2500;
/// The text of each message.
const BODY: usize = 4 << 10;

/// What one slow reader may cost: the lines that wait for it (64 KiB), as much where the buffer that
/// they are written from has grown by doubling, and what a connection is made of.
const EACH: u64 = (64 + 64 + 32) << 10;
/// A page of the log, which it keeps for a moment.
const PAGE: u64 = 128 << 10;

/// Reads events up to an offset and holds each against its place; acknowledges as `name`.
fn read_all(raw: &mut Raw, from: u64, to: u64, name: Option<&str>) {
    for offset in from..=to {
        let event = raw.event();
        assert_eq!(event["offset"], offset, "each event, once, in order");
        let text = event["payload"]["content"]["text"]
            .as_str()
            .expect("the test can go on");
        let number = text.split(' ').next().expect("the test can go on");
        assert_eq!(number, (offset - 1).to_string());
        if let Some(name) = name {
            let ack = json!({"jsonrpc": "2.0", "method": "events.ack",
                             "params": {"consumer": name, "offset": offset}});
            raw.tell(&ack.to_string());
        }
    }
}

#[test]
fn a_thousand_slow_readers_cost_the_fast_one_no_event_and_little_memory() {
    let stage = stage();
    let daemon = stage.ready();
    flood(&stage, 0..OLD, BODY);
    logged(&daemon, OLD);
    let mut fast = stage.connect(&daemon);
    fast.subscribe(json!({"consumer": "fast", "from": "earliest"}));
    read_all(&mut fast, 1, OLD, Some("fast"));
    forget_peak(&daemon);
    let before = resident(&daemon);

    // One half reads from the store, the other from the tail; one half are durable.
    let mut slow: Vec<Raw> = (0..SLOW)
        .map(|number| {
            let mut raw = stage.connect(&daemon);
            let from = if number % 2 == 0 { "earliest" } else { "now" };
            let mut params = json!({"from": from});
            if number / 2 % 2 == 0 {
                params["consumer"] = json!(format!("slow-{number}"));
                params["max_in_flight"] = json!(10000);
            }
            raw.subscribe(params);
            raw
        })
        .collect();
    let over = AtomicBool::new(false);
    let sippers: Vec<UnixStream> = slow
        .iter()
        .step_by(SIPS)
        .skip(1)
        .map(|raw| raw.second_hand().expect("the test can go on"))
        .collect();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut byte = [0];
            while !over.load(Ordering::Relaxed) {
                for mut sipper in &sippers {
                    let _ = sipper.read(&mut byte);
                }
                thread::sleep(Duration::from_millis(5));
            }
        });
        scope.spawn(|| flood(&stage, OLD..OLD + NEW, BODY));
        read_all(&mut fast, OLD + 1, OLD + NEW, Some("fast"));
        over.store(true, Ordering::Relaxed);
    });
    let status = daemon
        .status_until(|status| status["log"]["last_offset"] == OLD + NEW)
        .expect("the test can go on");
    assert_eq!(status["subscriptions"], SLOW + 1, "nobody was thrown out");

    let (now, most) = (resident(&daemon), peak(&daemon));
    let each = |bytes: u64| bytes.saturating_sub(before) / SLOW as u64;
    println!(
        "resident: {} KiB before, {} KiB beside {SLOW} slow readers ({} KiB each), {} KiB at most",
        before >> 10,
        now >> 10,
        each(now) >> 10,
        most >> 10,
    );
    assert!(each(now) < EACH, "{} bytes for each", each(now));
    assert!(each(most) < EACH + PAGE, "{} bytes for each", each(most));

    // Those who come back to it find all that they have not read: from the store and from the tail.
    read_all(&mut slow[0], 1, OLD + NEW, Some("slow-0"));
    read_all(&mut slow[1], OLD + 1, OLD + NEW, Some("slow-1"));
    read_all(&mut slow[2], 1, OLD + NEW, None);
    read_all(&mut slow[3], OLD + 1, OLD + NEW, None);
}
