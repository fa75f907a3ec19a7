//! `directory.search` (wire.md 1.12).

use agentchatd_client::api::DirectorySearch;
use agentchatd_client::types::{DirectorySearchParams, TimeoutMs};

use super::{All, PlatformCall, Request};

impl PlatformCall for DirectorySearch {
    fn request(params: &DirectorySearchParams, _: Option<&str>) -> Option<Request> {
        let limit = params.limit.map(|limit| limit.get());
        let max = params.max.map(|max| max.get());
        let request = search(params)
            .query_some("limit", limit.into_iter().chain(max).min())
            .query_some("offset", params.offset);
        Some(request.retry(true))
    }

    fn timeout_ms(params: &DirectorySearchParams) -> TimeoutMs {
        params.timeout_ms
    }

    fn all(params: &DirectorySearchParams) -> Option<All> {
        params.all.then(|| All {
            request: search(params).retry(true),
            list: "agents",
            page: params.limit.map_or(PAGE, |limit| limit.get()),
            first: params.offset.unwrap_or(0).into(),
            max: params.max.unwrap_or_default().get(),
        })
    }
}

/// The bare handle: the platform finds nothing that begins with `@`.
fn search(params: &DirectorySearchParams) -> Request {
    Request::get(&["v1", "directory"]).query("q", params.query.as_str())
}

/// AgentChat's own most.
const PAGE: u32 = 50;
