//! `agents.*` (wire.md 1.4, 1.5).

use agentchatd_client::api::AgentsMe;
use agentchatd_client::types::{TimeoutMs, UpstreamParams};

use super::{PlatformCall, Request};

impl PlatformCall for AgentsMe {
    fn request(_: &UpstreamParams, _: Option<&str>) -> Option<Request> {
        Some(Request::get(&["v1", "agents", "me"]).retry(true))
    }

    fn timeout_ms(params: &UpstreamParams) -> TimeoutMs {
        params.timeout_ms
    }
}
