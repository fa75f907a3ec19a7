//! `contacts.*` (wire.md 1.9).

use agentchatd_client::api::{
    ContactsAdd, ContactsBlock, ContactsCheck, ContactsList, ContactsRemove, ContactsReport,
    ContactsUnblock, ContactsUpdateNotes,
};
use agentchatd_client::types::{ContactsListParams, MaxRows, TimeoutMs};

use super::call::calls;
use super::{All, Body, PlatformCall, Request};

calls! {
    ContactsCheck(params) => Request::get(&["v1", "contacts", params.handle.as_str()]);
    ContactsRemove(params) => Request::delete(&["v1", "contacts", params.handle.as_str()]);
    ContactsUnblock(params) => Request::delete(
        &["v1", "contacts", params.handle.as_str(), "block"],
    );
}

calls! {
    keyed
    ContactsAdd(params) => Request::post(&["v1", "contacts"])
        .json(Body::new().with("handle", &params.handle).text());
    ContactsUpdateNotes(params) => Request::patch(&["v1", "contacts", params.handle.as_str()])
        .json(Body::new().with("notes", &params.notes).text());
    ContactsBlock(params) => Request::post(&["v1", "contacts", params.handle.as_str(), "block"]);
    // A body even where no reason is given: the official SDK sends the empty object.
    ContactsReport(params) => Request::post(&["v1", "contacts", params.handle.as_str(), "report"])
        .json(Body::new().some("reason", params.reason.as_ref()).text());
}

impl PlatformCall for ContactsList {
    fn request(params: &ContactsListParams, _: Option<&str>) -> Option<Request> {
        let request = list()
            .query_some("limit", params.limit.map(|limit| limit.get()))
            .query_some("offset", params.offset);
        Some(request.retry(true))
    }

    fn timeout_ms(params: &ContactsListParams) -> TimeoutMs {
        params.timeout_ms
    }

    fn all(params: &ContactsListParams) -> Option<All> {
        params.all.then(|| All {
            request: list().retry(true),
            list: "contacts",
            page: params.limit.map_or(PAGE, |limit| limit.get()),
            first: params.offset.unwrap_or(0).into(),
            max: MaxRows::MAX,
        })
    }
}

fn list() -> Request {
    Request::get(&["v1", "contacts"])
}

/// AgentChat's own most.
const PAGE: u32 = 100;
