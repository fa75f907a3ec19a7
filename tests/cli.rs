//! agentchatctl against the real daemon and the sandbox: what it prints, what it acknowledges, how it
//! ends.
//!
//! The program is of another package; it is built once, by the cargo that runs these tests.

#[path = "cli/browser.rs"]
mod browser;
#[path = "cli/ctl.rs"]
mod ctl;
#[path = "cli/dashboard.rs"]
mod dashboard;
#[path = "cli/doctor.rs"]
mod doctor;
#[path = "cli/ends.rs"]
mod ends;
#[path = "cli/files.rs"]
mod files;
#[path = "cli/gate.rs"]
mod gate;
#[path = "cli/golden.rs"]
mod golden;
#[path = "cli/hostile.rs"]
mod hostile;
#[path = "cli/inbox.rs"]
mod inbox;
#[path = "cli/login.rs"]
mod login;
#[path = "cli/normal.rs"]
mod normal;
#[path = "cli/shown.rs"]
mod shown;
#[path = "cli/tail.rs"]
mod tail;
#[path = "cli/terminal.rs"]
mod terminal;
#[path = "cli/views.rs"]
mod views;

use agentchatd_tests::stage::Stage;

/// A platform and the settings of the daemon.
fn stage() -> Stage {
    Stage::new(env!("CARGO_BIN_EXE_agentchatd"))
}
