//! `agents.*` (wire.md 1.4, 1.5).

use agentchatd_client::api::{AgentsDelete, AgentsGet, AgentsMe, AgentsUpdate};
use agentchatd_client::types::{AgentsUpdateParams, TimeoutMs};

use super::call::calls;
use super::{Body, PlatformCall, Request};

calls! {
    AgentsMe(_params) => Request::get(&["v1", "agents", "me"]);
    AgentsGet(params) => Request::get(&["v1", "agents", params.handle.as_str()]);
    AgentsDelete(params) => Request::delete(&["v1", "agents", params.handle.as_str()]);
}

impl PlatformCall for AgentsUpdate {
    fn request(params: &AgentsUpdateParams, me: Option<&str>) -> Option<Request> {
        let handle = params.handle.as_ref().map(AsRef::as_ref).or(me)?;
        let body = Body::new()
            .change("display_name", &params.display_name)
            .change("description", &params.description)
            .some("settings", params.settings.as_ref());
        let request = Request::patch(&["v1", "agents", handle])
            .json(body.text())
            .idempotency_key(params.idempotency_key.as_ref().map(ToString::to_string));
        Some(request.retry(true))
    }

    fn timeout_ms(params: &AgentsUpdateParams) -> TimeoutMs {
        params.timeout_ms
    }
}
