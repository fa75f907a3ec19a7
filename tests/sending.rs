//! `messages.send` of the real daemon over a raw socket: both deliveries, replay and conflict,
//! retries and their end, what the log says of it (`local-api.md` 5, `messages.send`).

#[path = "sending/content.rs"]
mod content;
#[path = "sending/ends.rs"]
mod ends;
#[path = "sending/full.rs"]
mod full;
#[path = "sending/killed.rs"]
mod killed;
#[path = "sending/rate.rs"]
mod rate;
#[path = "sending/replay.rs"]
mod replay;
#[path = "sending/retries.rs"]
mod retries;
#[path = "sending/steering.rs"]
mod steering;
#[path = "sending/waiting.rs"]
mod waiting;

use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::sandbox::{Event, HttpFault, HttpRule};
use agentchatd_tests::stage::{Stage, until};
use serde_json::{Value, json};

/// The route of a send.
const SEND: &str = "POST /v1/messages";

/// A platform and the settings of the program under test.
fn stage() -> Stage {
    Stage::new(env!("CARGO_BIN_EXE_agentchatd"))
}

/// The platform answers the next send in this way.
fn next_send(stage: &Stage, what: HttpFault) {
    stage
        .sandbox
        .faults(|faults| faults.http.push(HttpRule::next(SEND, what)));
}

/// The platform answers every send in this way.
fn every_send(stage: &Stage, what: HttpFault) {
    stage
        .sandbox
        .faults(|faults| faults.http.push(HttpRule::always(SEND, what)));
}

/// The platform is well again.
fn no_faults(stage: &Stage) {
    stage.sandbox.faults(|faults| faults.http.clear());
}

/// How many messages the platform stored of the daemon's agent.
fn stored(stage: &Stage) -> usize {
    stage
        .sandbox
        .journal()
        .count(|event| matches!(event, Event::Sent { agent, replay: false, .. } if agent == "dora"))
}

/// The outbox entry of an id, once it is in this state.
fn entry_in(stage: &Stage, daemon: &Daemon, client_msg_id: &str, state: &str) -> Value {
    let mut raw = stage.connect(daemon);
    let mut found = Value::Null;
    until("the entry's state", || {
        let page = raw.ok("outbox.list", json!({}));
        let entries = page["entries"].as_array().expect("a list");
        let entry = entries
            .iter()
            .find(|entry| entry["client_msg_id"] == client_msg_id);
        found = entry.cloned().unwrap_or_default();
        if found["state"] == state {
            Ok(())
        } else {
            Err(page.to_string())
        }
    });
    found
}
