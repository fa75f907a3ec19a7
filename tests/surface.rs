//! The calls that AgentChat answers, through the real daemon: what reaches the platform, with every
//! header, and that its JSON comes back unchanged (`local-api.md` 5).

#[path = "surface/pages.rs"]
mod pages;
#[path = "surface/requests.rs"]
mod requests;

use agentchatd_tests::sandbox::{HttpFault, HttpRule};
use agentchatd_tests::stage::Stage;

/// A platform and the settings of the program under test.
fn stage() -> Stage {
    Stage::new(env!("CARGO_BIN_EXE_agentchatd"))
}

/// The platform answers the next fitting request with this status and body.
fn next_answer(stage: &Stage, route: &str, status: u16, body: &str) {
    let body = body.to_owned();
    let what = HttpFault::Body { status, body };
    stage
        .sandbox
        .faults(|faults| faults.http.push(HttpRule::next(route, what)));
}
