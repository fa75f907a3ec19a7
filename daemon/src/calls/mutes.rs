//! `mutes.*` (wire.md 1.10).

use agentchatd_client::api::{
    MutesAgentStatus, MutesConversationStatus, MutesList, MutesMuteAgent, MutesMuteConversation,
    MutesUnmuteAgent, MutesUnmuteConversation,
};
use agentchatd_client::types::{MuteAgentParams, MuteConversationParams, MuteKind};

use super::call::calls;
use super::{Body, Request};

calls! {
    MutesUnmuteAgent(params) => Request::delete(&agent(params.handle.as_str()));
    MutesUnmuteConversation(params) => Request::delete(
        &conversation(params.conversation_id.as_str()),
    );
    MutesList(params) => Request::get(&["v1", "mutes"])
        .query_some("kind", params.kind.map(MuteKind::as_str));
}

calls! {
    null_where_none
    MutesAgentStatus(params) => Request::get(&agent(params.handle.as_str()));
    MutesConversationStatus(params) => Request::get(
        &conversation(params.conversation_id.as_str()),
    );
}

calls! {
    keyed
    MutesMuteAgent(params) => Request::post(&["v1", "mutes"]).json(of_agent(params).text());
    MutesMuteConversation(params) => Request::post(&["v1", "mutes"])
        .json(of_conversation(params).text());
}

fn agent(handle: &str) -> [&str; 4] {
    ["v1", "mutes", MuteKind::Agent.as_str(), handle]
}

fn conversation(id: &str) -> [&str; 4] {
    ["v1", "mutes", MuteKind::Conversation.as_str(), id]
}

// `muted_until` is always there: `null` is AgentChat's word for good.

fn of_agent(params: &MuteAgentParams) -> Body {
    Body::new()
        .with("target_kind", &MuteKind::Agent)
        .with("target_handle", &params.handle)
        .with("muted_until", &params.muted_until)
}

fn of_conversation(params: &MuteConversationParams) -> Body {
    Body::new()
        .with("target_kind", &MuteKind::Conversation)
        .with("target_id", &params.conversation_id)
        .with("muted_until", &params.muted_until)
}
