//! The local API as any process sees it: framing, limits, bad input, methods and their parameters,
//! over a raw socket to the real daemon (`local-api.md` 1, 2 and 5).

#[path = "local_api/bad_params.rs"]
mod bad_params;
#[path = "local_api/bad_params_passed_on.rs"]
mod bad_params_passed_on;
#[path = "local_api/bad_requests.rs"]
mod bad_requests;
#[path = "local_api/errors.rs"]
mod errors;
#[path = "local_api/frames.rs"]
mod frames;
#[path = "local_api/framing.rs"]
mod framing;
#[path = "local_api/limits.rs"]
mod limits;
#[path = "local_api/methods.rs"]
mod methods;
#[path = "local_api/webhooks.rs"]
mod webhooks;

use agentchatd_tests::stage::Stage;

/// A platform and the settings of the program under test.
fn stage() -> Stage {
    Stage::new(env!("CARGO_BIN_EXE_agentchatd"))
}
