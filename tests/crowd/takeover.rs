//! Many that want the same consumer at the same time.

use crate::{consumer, counted, logged, stage};
use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::raw::Raw;
use agentchatd_tests::stage::{NEVER, Stage, until};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;

/// So many at once.
const RIVALS: usize = 8;
/// So often.
const ROUNDS: usize = 30;

/// All who subscribe at the same moment, each on a connection of its own, with its answer.
fn race(stage: &Stage, daemon: &Daemon, params: &Value) -> Vec<(Raw, Value)> {
    let start = Barrier::new(RIVALS);
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..RIVALS {
            scope.spawn(|| {
                let mut raw = stage.connect(daemon);
                start.wait();
                let answer = raw.call("events.subscribe", params).expect("an answer");
                done.lock().expect("the test can go on").push((raw, answer));
            });
        }
    });
    done.into_inner().expect("the test can go on")
}

#[test]
fn of_many_that_come_at_once_one_wins_and_the_others_learn_who() {
    let stage = stage();
    let daemon = stage.ready();
    let uid = std::fs::metadata("/proc/self")
        .expect("the test can go on")
        .uid();
    for round in 0..ROUNDS {
        let name = format!("prize-{round}");
        let all = race(&stage, &daemon, &json!({"consumer": name}));
        let won = all
            .iter()
            .filter(|(_, answer)| answer.get("result").is_some());
        assert_eq!(won.count(), 1, "{all:?}");
        for (_, answer) in all
            .iter()
            .filter(|(_, answer)| answer.get("result").is_none())
        {
            let error = &answer["error"];
            assert_eq!(error["code"], -32005, "{answer}");
            assert_eq!(error["data"]["reason"], "attached");
            assert_eq!(error["data"]["holder_pid"], std::process::id());
            assert_eq!(error["data"]["holder_uid"], uid);
        }
    }
    counted(&daemon, 0, 1);
}

/// What one subscription was given until it was lost, or all was through.
#[derive(Default)]
struct Given {
    offsets: Vec<(u64, bool)>,
    lost: bool,
}

/// What the rivals know of each other.
#[derive(Default)]
struct Fight {
    /// The last event is acknowledged.
    through: AtomicBool,
    /// How many events were given, to all together.
    given: AtomicUsize,
}

impl Fight {
    fn is_through(&self) -> bool {
        self.through.load(Ordering::SeqCst)
    }

    /// Waits until the one who holds it was given something: else they only took it from each other.
    fn wait_for_more(&self, seen: usize) {
        until("the holder gets an event", || {
            if self.is_through() || self.given.load(Ordering::SeqCst) > seen {
                Ok(())
            } else {
                Err(format!("{seen} so far"))
            }
        });
    }
}

impl Given {
    /// Takes a line; the offset that it gives, if it is an event.
    fn take(&mut self, line: &Value, subscription: &Value) -> Option<u64> {
        if line["method"] == "events.closed" {
            assert_eq!(line["params"]["subscription"], *subscription);
            assert_eq!(line["params"]["reason"], "takeover");
            self.lost = true;
        }
        let event = &line["params"]["result"];
        let offset = event["offset"].as_u64()?;
        assert!(!self.lost, "after the end: {line}");
        self.offsets
            .push((offset, event.get("redelivered").is_some()));
        Some(offset)
    }
}

/// Reads and acknowledges until the subscription is closed, or somebody was given the last event.
/// Then reads what is there still.
fn hold(raw: &mut Raw, subscription: &Value, last: u64, fight: &Fight) -> Given {
    let mut given = Given::default();
    loop {
        let patience = if given.lost { NEVER / 20 } else { NEVER };
        match raw.line_within(patience).expect("the daemon is there") {
            None if given.lost || fight.is_through() => return given,
            None => {}
            Some(line) => {
                if let Some(offset) = given.take(&line, subscription) {
                    fight.given.fetch_add(1, Ordering::SeqCst);
                    // Not each, so that who takes over is given some again. By the consumer's name:
                    // what was done is done, also by one who loses it.
                    if offset % 3 == 0 || offset == last {
                        let params = json!({"consumer": "prize", "offset": offset});
                        raw.start("events.ack", &params)
                            .expect("the test can go on");
                    }
                    if offset == last {
                        fight.through.store(true, Ordering::SeqCst);
                    }
                }
            }
        }
    }
}

/// Each event was given, in order to each, and to no two without a mark. How many to more than one.
fn none_lost_or_unmarked(all: &[Given], last: u64) -> usize {
    let mut deliveries: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
    for given in all {
        let in_order = given.offsets.is_sorted_by(|one, next| one.0 < next.0);
        assert!(in_order, "{:?}", given.offsets);
        for &(offset, marked) in &given.offsets {
            let (times, unmarked) = deliveries.entry(offset).or_default();
            *times += 1;
            *unmarked += usize::from(!marked);
        }
    }
    assert!(deliveries.keys().copied().eq(1..=last), "none is lost");
    let twice = deliveries.iter().filter(|(_, (_, unmarked))| *unmarked > 1);
    let twice: Vec<_> = twice.collect();
    assert!(twice.is_empty(), "given twice without a mark: {twice:?}");
    let again = deliveries.values().filter(|(times, _)| *times > 1).count();
    println!(
        "{last} events to {} subscriptions, {again} to more than one",
        all.len()
    );
    again
}

#[test]
fn of_takeovers_at_once_one_holds_and_all_others_are_told() {
    const EACH: u64 = 10;
    let stage = stage();
    let daemon = stage.ready();
    let from = json!({"consumer": "prize", "from": "earliest"});
    stage.connect(&daemon).ok("events.fetch", from);
    let params = json!({"consumer": "prize", "takeover": true, "max_in_flight": 5});
    let mut all = Vec::new();
    for round in 1..=ROUNDS as u64 {
        for _ in 0..EACH {
            stage.bob_says("whose is it?");
        }
        logged(&daemon, round * EACH);
        let fight = Fight::default();
        let rivals = race(&stage, &daemon, &params);
        let rivals: Vec<(Raw, Given)> = thread::scope(|scope| {
            let fight = &fight;
            let reading = rivals.into_iter().map(|(mut raw, answer)| {
                scope.spawn(move || {
                    let subscription = &answer["result"]["subscription"];
                    assert!(subscription.is_string(), "{answer}");
                    let given = hold(&mut raw, subscription, round * EACH, fight);
                    (raw, given)
                })
            });
            let reading: Vec<_> = reading.collect();
            let done = reading
                .into_iter()
                .map(|rival| rival.join().expect("the test can go on"));
            done.collect()
        });
        let status = stage.connect(&daemon).ok("daemon.status", json!({}));
        assert_eq!(status["subscriptions"], 1, "in round {round}");
        assert_eq!(consumer(&stage, &daemon, "prize")["attached"], true);
        all.extend(rivals.into_iter().map(|(_, given)| given));
        let winners = all.iter().rev().take(RIVALS).filter(|given| !given.lost);
        assert_eq!(winners.count(), 1, "in round {round}");
    }
    none_lost_or_unmarked(&all, ROUNDS as u64 * EACH);
    counted(&daemon, 0, 1);
}

#[test]
fn in_a_fight_over_a_consumer_no_event_is_lost_and_none_comes_twice_without_a_mark() {
    const LAST: u64 = 600;
    let stage = stage();
    let daemon = stage.ready();
    let params = json!({"consumer": "prize", "from": "earliest", "takeover": true,
                        "max_in_flight": 5});
    let all = Mutex::new(Vec::new());
    let fight = Fight::default();
    thread::scope(|scope| {
        for _ in 0..RIVALS {
            scope.spawn(|| {
                while !fight.is_through() {
                    let mut raw = stage.connect(&daemon);
                    let opened = raw.subscribe(params.clone());
                    // What came before the answer to the call is none of it.
                    assert!(raw.notifications.is_empty());
                    let given = hold(&mut raw, &opened["subscription"], LAST, &fight);
                    let seen = fight.given.load(Ordering::SeqCst);
                    if given.lost {
                        fight.wait_for_more(seen);
                    }
                    all.lock().expect("the test can go on").push(given);
                }
            });
        }
        for _ in 0..LAST {
            stage.bob_says("whose is it?");
        }
    });
    let all = all.into_inner().expect("the test can go on");
    let losses = all.iter().filter(|given| given.lost).count();
    assert!(losses > RIVALS, "{losses} takeovers");
    let again = none_lost_or_unmarked(&all, LAST);
    assert!(again > 0, "nobody lost what it had been given");
    until("the last one is acknowledged", || {
        match consumer(&stage, &daemon, "prize") {
            shown if shown["acked_offset"] == LAST => Ok(()),
            shown => Err(shown.to_string()),
        }
    });
    counted(&daemon, 0, 1);
}
