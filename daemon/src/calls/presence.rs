//! `presence.*` (wire.md 1.11).

use agentchatd_client::api::{PresenceGet, PresenceGetBatch, PresenceUpdate};
use agentchatd_client::types::{Handle, PresenceBatchParams, PresenceUpdateParams};

use super::call::calls;
use super::{Body, Request};

calls! {
    PresenceGet(params) => Request::get(&["v1", "presence", params.handle.as_str()]);
    PresenceUpdate(params) => Request::put(&["v1", "presence"]).json(update(params).text());
}

calls! {
    keyed
    PresenceGetBatch(params) => Request::post(&["v1", "presence", "batch"])
        .json(batch(params).text());
}

fn update(params: &PresenceUpdateParams) -> Body {
    Body::new()
        .with("status", &params.status)
        .some("custom_message", params.custom_message.as_ref())
}

/// Bare handles: the platform leaves any other spelling out of its answer, without a word.
fn batch(params: &PresenceBatchParams) -> Body {
    let handles = params.handles.as_slice().iter().map(Handle::as_str);
    Body::new().with("handles", &handles.collect::<Vec<_>>())
}
