//! `messages.*` but for `messages.send`, which goes through the outbox (wire.md 1.6).

use agentchatd_client::api::{MessagesList, MessagesMarkRead};
use agentchatd_client::types::{Cursor, MarkReadParams, MessagesListParams, TimeoutMs};

use super::{PlatformCall, Request};

impl PlatformCall for MessagesList {
    fn request(params: &MessagesListParams, _: Option<&str>) -> Option<Request> {
        let request = Request::get(&["v1", "messages", params.conversation_id.as_str()])
            .query_some("limit", params.limit);
        let request = match &params.cursor {
            None => request,
            Some(Cursor::BeforeSeq(seq)) => request.query("before_seq", seq.get()),
            Some(Cursor::AfterSeq(seq)) => request.query("after_seq", seq.get()),
            Some(Cursor::AroundMessage(id)) => request.query("around_message_id", id),
        };
        Some(request.retry(true))
    }

    fn timeout_ms(params: &MessagesListParams) -> TimeoutMs {
        params.timeout_ms
    }
}

impl PlatformCall for MessagesMarkRead {
    fn request(params: &MarkReadParams, _: Option<&str>) -> Option<Request> {
        let request = Request::post(&["v1", "messages", params.message_id.as_str(), "read"])
            .idempotency_key(params.idempotency_key.as_ref().map(ToString::to_string));
        Some(request.retry(true))
    }

    fn timeout_ms(params: &MarkReadParams) -> TimeoutMs {
        params.timeout_ms
    }
}
