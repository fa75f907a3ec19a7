//! The real daemon on a disk that is full, read-only, slow, failing, damaged or without locks; under
//! a power cut; and with a wall clock that jumps (`local-api.md` 3 and 8).
//!
//! Faults that no test may cause for real are made by a library under the daemon
//! (`agentchatd_tests::shim`). The full and the read-only disk are also real ones, of a name space
//! of their own (`disk/room.rs`).

#![expect(clippy::print_stdout, reason = "the figures are the result")]

#[path = "disk/clock.rs"]
mod clock;
#[path = "disk/damage.rs"]
mod damage;
#[path = "disk/locks.rs"]
mod locks;
#[path = "disk/outage.rs"]
mod outage;
#[path = "disk/power.rs"]
mod power;
#[path = "disk/reading.rs"]
mod reading;
#[path = "disk/refusing.rs"]
mod refusing;
#[path = "disk/room.rs"]
mod room;
#[path = "disk/slow.rs"]
mod slow;

use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use agentchatd_tests::daemon::Setup;
use agentchatd_tests::shim::Shim;
use agentchatd_tests::stage::{SOON, Stage};

/// A platform, and the settings of the program under test on a disk that can be made to fail.
fn stage() -> (Stage, Shim) {
    let mut stage = Stage::new(env!("CARGO_BIN_EXE_agentchatd"));
    let shim = Shim::under(&mut stage.setup);
    (stage, shim)
}

/// Runs the program to an end that comes by itself; how it ended and what it said.
fn ended(setup: &Setup) -> (ExitStatus, String) {
    let mut command = setup.command().expect("a command line");
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = command
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let deadline = Instant::now() + SOON;
    while child.try_wait().expect("it can be waited for").is_none() {
        if Instant::now() > deadline {
            child.kill().expect("it can be killed");
            let output = child.wait_with_output().expect("its output");
            panic!("it runs on: {}", String::from_utf8_lossy(&output.stderr));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output().expect("its output");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status, said)
}
