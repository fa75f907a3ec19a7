//! `sync.peek` (wire.md 3.1). Draining is the driver's.

use agentchatd_client::api::SyncPeek;

use super::Request;
use super::call::calls;

calls! {
    SyncPeek(params) => Request::get(&["v1", "messages", "sync"])
        .query_some("limit", params.limit.map(|limit| limit.get()))
        .query_some("after", params.after.as_ref());
}
