//! Reading events from the real daemon over a raw socket: subscriptions, acknowledgements,
//! redelivery, fetching, consumers (`local-api.md` 3 and 4).

#[path = "reading/acks.rs"]
mod acks;
#[path = "reading/consumers.rs"]
mod consumers;
#[path = "reading/ephemerals.rs"]
mod ephemerals;
#[path = "reading/fetch.rs"]
mod fetch;
#[path = "reading/filters.rs"]
mod filters;
#[path = "reading/redelivery.rs"]
mod redelivery;
#[path = "reading/subscribe.rs"]
mod subscribe;

use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::stage::Stage;
use serde_json::Value;

/// A platform and the settings of the program under test.
fn stage() -> Stage {
    Stage::new(env!("CARGO_BIN_EXE_agentchatd"))
}

/// A daemon whose log holds messages of bob's, one of each text, in this order.
fn with_log(stage: &Stage, texts: &[&str]) -> Daemon {
    let daemon = stage.ready();
    for text in texts {
        stage.bob_says(text);
    }
    stage.log_is_whole(&daemon);
    daemon
}

/// The text of a message event.
fn text(event: &Value) -> &str {
    event["payload"]["content"]["text"].as_str().unwrap_or("?")
}

/// The offsets of events.
fn offsets(events: &[Value]) -> Vec<u64> {
    events
        .iter()
        .map(|event| event["offset"].as_u64().unwrap_or_default())
        .collect()
}

/// Whether each event says that it was given before.
fn redelivered(events: &[Value]) -> Vec<bool> {
    events
        .iter()
        .map(|event| match event.get("redelivered") {
            None => false,
            Some(Value::Bool(true)) => true,
            Some(odd) => panic!("`redelivered` is true or is not there: {odd}"),
        })
        .collect()
}
