//! Where keys come from, and how the daemon goes over to a new one: registration, recovery, rotation
//! (`local-api.md` 5 and 7; `wire.md` 1.4).

#[path = "keys/beginnings.rs"]
mod beginnings;
#[path = "keys/crashes.rs"]
mod crashes;
#[path = "keys/places.rs"]
mod places;
#[path = "keys/refusals.rs"]
mod refusals;
#[path = "keys/secrecy.rs"]
mod secrecy;
#[path = "keys/swaps.rs"]
mod swaps;
#[path = "keys/watching.rs"]
mod watching;

use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::raw::Raw;
use agentchatd_tests::sandbox::{HttpFault, HttpRule, Options};
use agentchatd_tests::stage::Stage;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// The code in every mail of the sandbox.
const CODE: &str = "123456";
const ROTATE_VERIFY: &str = "POST /v1/agents/dora/rotate-key/verify";

/// A platform without limits on codes, and the settings of the program under test.
fn stage() -> Stage {
    let options = Options {
        address_caps: false,
        code_caps: false,
        ..Stage::options()
    };
    Stage::with(env!("CARGO_BIN_EXE_agentchatd"), options)
}

/// The same for a daemon that has no key yet.
fn without_key() -> Stage {
    let mut stage = stage();
    stage.setup.key = String::new();
    stage
}

/// The parameters of the second step of a rotation that was just begun.
fn begun(raw: &mut Raw) -> Value {
    let begun = raw.ok("agents.rotate_key", json!({}));
    json!({"pending_id": begun["pending_id"], "code": CODE})
}

/// Rotates the key and gives the answer.
fn rotate(raw: &mut Raw) -> Value {
    let proof = begun(raw);
    raw.ok("agents.rotate_key_verify", proof)
}

/// The answer to the second step of a rotation is executed at once and kept back: sockets close
/// long before it comes.
fn answer_late(stage: &Stage, route: &str, time: Duration) {
    let fault = HttpFault::DelayAnswer(time);
    stage
        .sandbox
        .faults(|faults| faults.http.push(HttpRule::next(route, fault)));
}

/// A connection that hears of every change of the connection's state.
fn watcher(stage: &Stage, daemon: &Daemon) -> Raw {
    let mut raw = stage.connect(daemon);
    raw.subscribe(json!({"filter": {"types": ["connection.state"]}}));
    raw
}

/// The states up to `ready`; none of them is `parked`.
fn goes_over(watcher: &mut Raw) {
    loop {
        let event = watcher.event();
        let state = &event["payload"]["state"];
        assert_ne!(state, "parked", "{event}");
        if state == "ready" {
            return;
        }
    }
}

/// Whether the platform takes this key for the agent's.
fn is_current(stage: &Stage, handle: &str, key: &Value) -> bool {
    stage.sandbox.agent(handle).key() == key.as_str().expect("a key is text")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn signal(daemon: &Daemon, name: &str) {
    let pid = daemon.pid().to_string();
    let done = Command::new("kill").args(["-s", name, &pid]).status();
    assert!(done.expect("kill(1) is there").success());
}
