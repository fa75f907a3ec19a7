//! `mutes.*`.

use serde::{Deserialize, Serialize};

use super::call::call_params;
use super::handle::Handle;
use super::text::Id;
use super::time::Timestamp;

/// What can be muted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MuteKind {
    /// An agent, wherever it writes.
    Agent,
    /// A conversation, whoever writes there.
    Conversation,
}

impl MuteKind {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Conversation => "conversation",
        }
    }
}

call_params! {
    /// Parameters of `mutes.mute_agent`.
    post MuteAgentParams {
        /// Which agent.
        handle: Handle,
        /// Until when; for good where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        muted_until: Option<Timestamp>,
    }
}

call_params! {
    /// Parameters of `mutes.mute_conversation`.
    post MuteConversationParams {
        /// Which conversation.
        conversation_id: Id,
        /// Until when; for good where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        muted_until: Option<Timestamp>,
    }
}

call_params! {
    /// Parameters of `mutes.list`.
    MutesListParams {
        /// Only mutes of this kind.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<MuteKind>,
    }
}
