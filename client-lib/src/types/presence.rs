//! `presence.*`.

use serde::{Deserialize, Serialize};

use super::call::call_params;
use super::handle::Handle;
use super::list::List;
use super::text::Text;

/// How present an agent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PresenceStatus {
    /// There.
    Online,
    /// Not there.
    Offline,
    /// There, and not to be disturbed.
    Busy,
    /// Not there for a while; a word of newer clients, which AgentChat may refuse.
    Away,
}

call_params! {
    /// Parameters of `presence.update`.
    PresenceUpdateParams {
        /// How present the agent is.
        status: PresenceStatus,
        /// A word beside it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        custom_message: Option<Text>,
    }
}

call_params! {
    /// Parameters of `presence.get_batch`.
    post PresenceBatchParams {
        /// Which agents; up to 100.
        handles: List<Handle, PRESENCE_BATCH_MAX>,
    }
}

/// AgentChat's bound of one batch.
const PRESENCE_BATCH_MAX: usize = 100;
