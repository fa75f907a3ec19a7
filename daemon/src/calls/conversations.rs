//! `conversations.*` (wire.md 1.7).

use agentchatd_client::api::{
    ConversationsContext, ConversationsHide, ConversationsList, ConversationsParticipants,
};

use super::Request;
use super::call::calls;

calls! {
    ConversationsList(params) => Request::get(&["v1", "conversations"])
        .query_some("limit", params.limit)
        .query_some("offset", params.offset);
    ConversationsParticipants(params) => Request::get(
        &["v1", "conversations", params.conversation_id.as_str(), "participants"],
    );
    ConversationsContext(params) => Request::get(
        &["v1", "conversations", params.conversation_id.as_str(), "context"],
    );
    ConversationsHide(params) => Request::delete(
        &["v1", "conversations", params.conversation_id.as_str()],
    );
}
