//! A daemon under load, the record of what it did to its files, and what it told whom when.

use std::collections::BTreeSet;

use agentchatd_tests::raw::Raw;
use agentchatd_tests::sandbox::{Chaos, Event, To};
use agentchatd_tests::shim::{Shim, Slot};
use agentchatd_tests::stage::{Stage, until};
use nix::time::{ClockId, clock_gettime};
use serde_json::json;

use super::record::{self, Record};
use crate::outage::send;

/// What somebody was told, and may rely upon from then on.
#[derive(Debug, Clone)]
pub(crate) enum Fact {
    /// AgentChat: this message is stored here.
    Acknowledged(String),
    /// A local caller: this send is accepted.
    Accepted(String),
    /// A consumer: everything up to here counts as done.
    Done(u64),
    /// A consumer: this message stands at this offset.
    Given(u64, String),
}

/// A fact, and how many records there were at most when it was told.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) records: usize,
    pub(crate) fact: Fact,
}

/// A finished run.
pub(crate) struct Run {
    pub(crate) stage: Stage,
    pub(crate) records: Vec<Record>,
    pub(crate) told: Vec<Told>,
}

/// Runs a daemon from its first start to its orderly end. Before each round `trouble` may turn
/// switches.
pub(crate) fn run(durability: &str, trouble: impl Fn(&Shim, u32)) -> Run {
    let (mut stage, shim) = crate::stage();
    stage.env("AGENTCHATD_STORAGE_DURABILITY", durability);
    shim.set(Slot::Recording, 1);
    // So that whoever tells too early is seen to.
    shim.set(Slot::SyncMs, 2);
    let mut daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let group = stage.sandbox.group("ann", "power", &["dora", "bob"]);
    stage.sandbox.faults(|faults| {
        // Holes, so that messages wait behind them.
        faults.chaos = Some(Chaos {
            seed: 1,
            suppress: 20,
            swap: 80,
            ..Chaos::default()
        });
    });
    let mut told: Vec<(i64, Fact)> = Vec::new();
    for round in 0..ROUNDS {
        trouble(&shim, round);
        for number in 0..3 {
            let text = format!("{round} {number} {}", "x".repeat(200));
            let (who, to) = match number {
                0 => ("bob", To::Handle("dora")),
                1 => ("ann", To::Handle("dora")),
                _ => ("bob", To::Conversation(&group)),
            };
            stage.sandbox.send(who, to, text.as_str());
        }
        told.extend(local_callers(&mut raw, round));
    }
    shim.set(Slot::SyncFails, 0);
    stage.sandbox.faults(|faults| faults.chaos = None);
    stage.log_is_whole(&daemon);
    until("everything is sent", || {
        let status = raw.ok("daemon.status", json!({}));
        if status["outbox"]["queued"] == 0 && status["outbox"]["in_flight"] == 0 {
            return Ok(());
        }
        Err(status.to_string())
    });
    assert!(daemon.stop().expect("it stops").success());
    let records = record::read(shim.log());
    told.extend(by_the_platform(&stage));
    // Told at that moment: the records up to then were complete.
    let told = told
        .into_iter()
        .map(|(at_ns, fact)| Told {
            records: records.partition_point(|record| record.at_ns <= at_ns),
            fact,
        })
        .collect();
    Run {
        stage,
        records,
        told,
    }
}

/// A send and an acknowledgement by local programs, and what they were answered when.
fn local_callers(raw: &mut Raw, round: u32) -> Vec<(i64, Fact)> {
    let mut told = Vec::new();
    let id = format!("power-{round}");
    let to = ["bob", "ann"][round as usize % 2];
    // A disk that refuses is part of some runs: then nothing was promised.
    let mut call = |method: &str, params| {
        let answer = raw.call(method, &params).expect("an answer");
        let now = mono_ns();
        answer.get("result").cloned().map(|result| (now, result))
    };
    if let Some((now, _)) = call("messages.send", send(to, &id)) {
        told.push((now, Fact::Accepted(id)));
    }
    let keeper = json!({"consumer": "keeper", "from": "earliest", "limit": 20});
    let Some((now, page)) = call("events.fetch", keeper) else {
        return told;
    };
    let events = page["events"].as_array().expect("a list");
    let offset = |event: &serde_json::Value| event["offset"].as_u64().expect("an offset");
    for event in events {
        if let Some(id) = event["message_id"].as_str() {
            told.push((now, Fact::Given(offset(event), id.to_owned())));
        }
    }
    let Some(last) = events.last().map(offset) else {
        return told;
    };
    let params = json!({"consumer": "keeper", "offset": last});
    if let Some((now, _)) = call("events.ack", params) {
        told.push((now, Fact::Done(last)));
    }
    told
}

/// What AgentChat was told, from the sandbox's journal.
fn by_the_platform(stage: &Stage) -> Vec<(i64, Fact)> {
    let journal = stage.sandbox.journal();
    // In this order the sandbox's start is taken a little too late, never too early.
    let since_start = journal.elapsed();
    let start_ns = mono_ns() - ns(since_start);
    let mut shown = BTreeSet::new();
    let mut told = Vec::new();
    for entry in journal.entries() {
        let at_ns = start_ns + ns(entry.at);
        match entry.event {
            Event::SyncPage { agent, message_ids } if agent == "dora" => shown.extend(message_ids),
            Event::AckFrame {
                agent, message_id, ..
            } if agent == "dora" => told.push((at_ns, Fact::Acknowledged(message_id))),
            Event::AckCursor {
                agent, message_ids, ..
            } if agent == "dora" => {
                // A cursor also settles rows behind it that no page showed.
                let seen = message_ids.into_iter().filter(|id| shown.contains(id));
                told.extend(seen.map(|id| (at_ns, Fact::Acknowledged(id))));
            }
            _ => {}
        }
    }
    told
}

fn ns(time: std::time::Duration) -> i64 {
    i64::try_from(time.as_nanos()).expect("a test's time")
}

/// The clock of the records.
fn mono_ns() -> i64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("every Linux has it");
    now.tv_sec() * 1_000_000_000 + now.tv_nsec()
}

/// Rounds of the load: enough for the write-ahead log to be folded in and begun anew.
pub(crate) const ROUNDS: u32 = 120;
