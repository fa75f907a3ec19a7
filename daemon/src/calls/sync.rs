//! `sync.peek` (wire.md 3.1). Draining is the driver's.

use agentchatd_client::api::SyncPeek;
use agentchatd_client::types::{SyncPeekParams, TimeoutMs};

use super::{PlatformCall, Request};

impl PlatformCall for SyncPeek {
    fn request(params: &SyncPeekParams, _: Option<&str>) -> Option<Request> {
        let request = Request::get(&["v1", "messages", "sync"])
            .query_some("limit", params.limit.map(|limit| limit.get()))
            .query_some("after", params.after.as_ref());
        Some(request.retry(true))
    }

    fn timeout_ms(params: &SyncPeekParams) -> TimeoutMs {
        params.timeout_ms
    }
}
