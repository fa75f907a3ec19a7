//! `messages.*` but for `messages.send`, which goes through the outbox (wire.md 1.6).

use agentchatd_client::api::{MessagesDelete, MessagesList, MessagesMarkRead};
use agentchatd_client::types::{Cursor, MessagesListParams};

use super::Request;
use super::call::calls;

calls! {
    MessagesList(params) => history(params);
    MessagesDelete(params) => Request::delete(&["v1", "messages", params.message_id.as_str()]);
}

calls! {
    keyed
    MessagesMarkRead(params) => Request::post(
        &["v1", "messages", params.message_id.as_str(), "read"],
    );
}

fn history(params: &MessagesListParams) -> Request {
    let request = Request::get(&["v1", "messages", params.conversation_id.as_str()])
        .query("limit", params.limit.unwrap_or(HISTORY_LIMIT));
    match &params.cursor {
        None => request,
        Some(Cursor::BeforeSeq(seq)) => request.query("before_seq", seq.get()),
        Some(Cursor::AfterSeq(seq)) => request.query("after_seq", seq.get()),
        Some(Cursor::AroundMessage(id)) => request.query("around_message_id", id),
    }
}

/// Messages of a page where the caller does not say how many; said to the platform as well, so
/// that a change of its own default is none of ours.
const HISTORY_LIMIT: u32 = 50;
