//! `conversations.*` (wire.md 1.7).

use agentchatd_client::api::ConversationsList;
use agentchatd_client::types::{ConversationsListParams, TimeoutMs};

use super::{PlatformCall, Request};

impl PlatformCall for ConversationsList {
    fn request(params: &ConversationsListParams, _: Option<&str>) -> Option<Request> {
        let request = Request::get(&["v1", "conversations"])
            .query_some("limit", params.limit)
            .query_some("offset", params.offset);
        Some(request.retry(true))
    }

    fn timeout_ms(params: &ConversationsListParams) -> TimeoutMs {
        params.timeout_ms
    }
}
