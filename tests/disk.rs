//! The real daemon on a disk that is full, read-only, slow, failing, damaged or without locks; under
//! a power cut; and with a wall clock that jumps (`local-api.md` 3 and 8).
//!
//! Faults that no test may cause for real are made by a library under the daemon
//! (`agentchatd_tests::shim`). The full and the read-only disk are also real ones, of a name space
//! of their own (`disk/room.rs`).

#[path = "disk/outage.rs"]
mod outage;
#[path = "disk/refusing.rs"]
mod refusing;

use agentchatd_tests::shim::Shim;
use agentchatd_tests::stage::Stage;

/// A platform, and the settings of the program under test on a disk that can be made to fail.
fn stage() -> (Stage, Shim) {
    let mut stage = Stage::new(env!("CARGO_BIN_EXE_agentchatd"));
    let shim = Shim::under(&mut stage.setup);
    (stage, shim)
}
