//! `agents.*` (wire.md 1.4, 1.5).

use agentchatd_client::api::{AgentsDelete, AgentsGet, AgentsMe, AgentsUpdate};
use agentchatd_client::types::{AgentsDeleteParams, AgentsUpdateParams, TimeoutMs};

use super::call::calls;
use super::{Body, PlatformCall, Request};

calls! {
    AgentsMe(_params) => Request::get(&["v1", "agents", "me"]);
    AgentsGet(params) => Request::get(&["v1", "agents", params.handle.as_str()]);
}

impl PlatformCall for AgentsDelete {
    // Tried once: the key dies with the agent, so a second attempt would be refused where the first
    // one has done its work unheard.
    fn request(params: &AgentsDeleteParams, _: Option<&str>) -> Option<Request> {
        Some(Request::delete(&["v1", "agents", params.handle.as_str()]))
    }

    fn timeout_ms(params: &AgentsDeleteParams) -> TimeoutMs {
        params.timeout_ms
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_deleted_in_one_attempt() {
        let params = serde_json::from_str(r#"{"handle":"alice","confirm":true}"#).unwrap();
        let request = AgentsDelete::request(&params, None).unwrap();
        assert_eq!(request.target(), "/v1/agents/alice");
        assert!(!request.retryable());
    }
}
