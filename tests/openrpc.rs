//! The OpenRPC document of the real daemon: that it is one, that it tells what the daemon does, and that
//! the daemon does what it tells (`local-api.md` 5, `rpc.discover`).

#[path = "openrpc/bad_params.rs"]
mod bad_params;
#[path = "openrpc/described.rs"]
mod described;
#[path = "openrpc/document.rs"]
mod document;
#[path = "openrpc/events.rs"]
mod events;
#[path = "openrpc/guide.rs"]
mod guide;
#[path = "openrpc/replay.rs"]
mod replay;

use agentchatd_tests::stage::Stage;

/// A platform and the settings of the program under test.
fn stage() -> Stage {
    Stage::new(env!("CARGO_BIN_EXE_agentchatd"))
}
