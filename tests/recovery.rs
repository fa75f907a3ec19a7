//! What the platform or the network does wrong, and the log that is whole all the same: each message
//! of the platform once, in order (`local-api.md` 3; `wire.md` 2, 3 and 11).

#[path = "recovery/closes.rs"]
mod closes;
#[path = "recovery/cuts.rs"]
mod cuts;
#[path = "recovery/gaps.rs"]
mod gaps;
#[path = "recovery/handshake.rs"]
mod handshake;
#[path = "recovery/pages.rs"]
mod pages;
#[path = "recovery/payloads.rs"]
mod payloads;
#[path = "recovery/stalls.rs"]
mod stalls;
#[path = "recovery/storage.rs"]
mod storage;

use agentchatd_tests::sandbox::{Draft, Message, Options, To};
use agentchatd_tests::stage::Stage;

/// A platform of the newest kind and the settings of the program under test.
fn stage() -> Stage {
    Stage::new(env!("CARGO_BIN_EXE_agentchatd"))
}

/// A platform that marks as delivered what it sends, and the settings of the program under test.
fn april() -> Stage {
    with(Options {
        heartbeat: std::time::Duration::from_secs(2),
        ..Options::april()
    })
}

/// A platform of this kind.
fn with(options: Options) -> Stage {
    Stage::with(env!("CARGO_BIN_EXE_agentchatd"), Stage::unlimited(options))
}

/// Bob writes what is not pushed: it waits in sync.
fn quietly(stage: &Stage, text: &str) -> Message {
    stage
        .sandbox
        .send("bob", To::Handle("dora"), Draft::text(text).quiet())
}

/// Sends nothing by itself for an hour: what comes must come by what the test is about.
fn no_polling(stage: &mut Stage) {
    stage.env("AGENTCHATD_REALTIME_SYNC_INTERVAL_S", "3600");
    stage.env("AGENTCHATD_REALTIME_RECONCILE_INTERVAL_S", "3600");
}

/// How many messages of others stand in a log; holes are events as well.
fn messages(log: &[serde_json::Value]) -> usize {
    log.iter()
        .filter(|event| event["type"] == "message.new")
        .count()
}
