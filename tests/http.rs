//! HTTP/1.1 on the daemon's socket, as curl and any HTTP client would use it (`local-api.md` 6).

#[path = "http/bodies.rs"]
mod bodies;
#[path = "http/connections.rs"]
mod connections;
#[path = "http/document.rs"]
mod document;
#[path = "http/events.rs"]
mod events;
#[path = "http/metrics.rs"]
mod metrics;
#[path = "http/rpc.rs"]
mod rpc;
#[path = "http/stopping.rs"]
mod stopping;
#[path = "http/websocket.rs"]
mod websocket;

use agentchatd_tests::stage::Stage;

/// A platform and the settings of the program under test.
fn stage() -> Stage {
    Stage::new(env!("CARGO_BIN_EXE_agentchatd"))
}

/// A request for the daemon's version, with this id.
fn version(id: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"daemon.version"}}"#)
}
