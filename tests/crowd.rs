//! Many local clients at once, and bad ones: nobody suffers but themselves, and memory, tasks and
//! files of the daemon stay bounded (`local-api.md` 1 and 4).

#![expect(clippy::print_stdout, reason = "the figures are the result")]

#[path = "crowd/deaths.rs"]
mod deaths;
#[path = "crowd/files.rs"]
mod files;
#[path = "crowd/half_lines.rs"]
mod half_lines;
#[path = "crowd/hostile.rs"]
mod hostile;
#[path = "crowd/places.rs"]
mod places;
#[path = "crowd/slow_readers.rs"]
mod slow_readers;
#[path = "crowd/socket_file.rs"]
mod socket_file;
#[path = "crowd/starts.rs"]
mod starts;
#[path = "crowd/takeover.rs"]
mod takeover;
#[path = "crowd/unacknowledged.rs"]
mod unacknowledged;

use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::figures;
use agentchatd_tests::sandbox::{Draft, To};
use agentchatd_tests::stage::{Stage, until};
use serde_json::{Value, json};
use std::ops::Range;

/// A platform and the settings of the program under test; room for thousands of connections.
fn stage() -> Stage {
    let files = figures::allow_many_files();
    assert!(
        files >= 4096,
        "the hard limit of open files is {files}; this needs 4,096 (ulimit -Hn)"
    );
    Stage::new(env!("CARGO_BIN_EXE_agentchatd"))
}

/// Bob writes so many messages: each its number, and a body of so many letters.
fn flood(stage: &Stage, numbers: Range<u64>, body: usize) {
    let drafts = numbers.map(|number| Draft::text(&format!("{number} {}", "x".repeat(body))));
    stage.sandbox.flood("bob", To::Handle("dora"), drafts);
}

/// Waits until the log ends at an offset.
fn logged(daemon: &Daemon, last: u64) {
    let status = daemon.status_until(|status| status["log"]["last_offset"] == last);
    status.expect("all of it is stored");
}

/// Waits until the daemon counts so many subscriptions and clients, the asking one included.
fn counted(daemon: &Daemon, subscriptions: usize, clients: usize) {
    let status = daemon.status_until(|status| {
        status["subscriptions"] == subscriptions && status["clients"] == clients
    });
    status.expect("subscriptions and clients are gone");
}

/// Waits until the daemon has no more files open than this.
fn files_are_back(daemon: &Daemon, before: usize) {
    until(
        "the files of those who are gone are closed",
        || match figures::local_files(daemon) {
            now if now <= before => Ok(()),
            now => Err(format!("{now}, not {before}")),
        },
    );
}

/// A consumer as `consumers.list` shows it.
fn consumer(stage: &Stage, daemon: &Daemon, name: &str) -> Value {
    let list = stage.connect(daemon).ok("consumers.list", json!({}));
    let infos = list.as_array().expect("a list");
    let found = infos.iter().find(|info| info["name"] == name);
    found.expect("it is there").clone()
}
