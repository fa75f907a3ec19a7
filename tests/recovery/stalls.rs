//! The connection while the disk stalls.

use crate::no_polling;
use agentchatd_tests::daemon::build_with;
use agentchatd_tests::sandbox::{Event, Options};
use agentchatd_tests::stage::{Stage, until};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

#[test]
fn pings_are_answered_while_a_commit_takes_five_seconds() {
    const STALL: Duration = Duration::from_secs(5);
    const HEARTBEAT: Duration = Duration::from_millis(250);
    /// A busy machine may take its time; the promise of 50 ms is the benchmark's to measure.
    const DEADLINE: Duration = Duration::from_secs(2);
    /// Messages are sent one by one until one of them meets the stall.
    const MOST: usize = 60;
    let binary = build_with("agentchatd", "agentchatd-faulty", "failpoints");
    let binary = binary.expect("the daemon with failpoints is built");
    let options = Options {
        heartbeat: HEARTBEAT,
        pong_deadline: 4 * STALL,
        ..Options::modern()
    };
    let mut stage = Stage::with(
        binary.to_str().expect("a plain path"),
        Stage::unlimited(options),
    );
    no_polling(&mut stage);
    stage.env("FAILPOINTS", "committing=25*off->1*sleep(5000)");
    let daemon = stage.ready();
    let journal = stage.sandbox.journal();
    let mut stalled = None;
    for number in 0..MOST {
        let (begun, from) = (Instant::now(), journal.elapsed());
        let message = stage.bob_says(&number.to_string());
        until("the acknowledgement", || {
            if journal.acked_message_ids("dora").contains(&message.id) {
                Ok(())
            } else {
                Err(message.id.clone())
            }
        });
        if begun.elapsed() >= STALL - Duration::from_millis(500) {
            stalled = Some((from, journal.elapsed()));
            break;
        }
    }
    let (from, to) = stalled.expect("a commit stalled");
    let entries = journal.entries();
    let mut pings: BTreeMap<u64, Vec<Duration>> = BTreeMap::new();
    let mut pongs: BTreeMap<u64, Vec<Duration>> = BTreeMap::new();
    for entry in &entries {
        match entry.event {
            Event::Ping { socket } => pings.entry(socket).or_default().push(entry.at),
            Event::Pong { socket, .. } => pongs.entry(socket).or_default().push(entry.at),
            _ => {}
        }
    }
    assert_eq!(pings.len(), 1, "one connection held");
    let (pings, pongs) = (&pings[&1], &pongs[&1]);
    let during: Vec<(Duration, Option<Duration>)> = pings
        .iter()
        .zip(pongs.iter().map(|at| Some(*at)).chain([None]))
        .filter(|(at, _)| (from..to).contains(*at))
        .map(|(at, pong)| (*at, pong))
        .collect();
    assert!(during.len() >= 5, "{} pings in the stall", during.len());
    let stall_ends = from + STALL - Duration::from_millis(500);
    for (ping, pong) in during
        .iter()
        .filter(|(ping, _)| *ping + DEADLINE < stall_ends)
    {
        let pong = pong.expect("it was answered");
        let took = pong - *ping;
        assert!(
            took < DEADLINE,
            "a ping at {ping:?} was answered after {took:?}"
        );
        assert!(pong < stall_ends, "answered while the disk stood still");
    }
    stage.log_is_whole(&daemon);
}
