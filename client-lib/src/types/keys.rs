//! Registration, recovery and the rotation of keys: `agents.register`, `agents.verify`,
//! `agents.recover`, `agents.recover_verify`, `agents.rotate_key`, `agents.rotate_key_verify`.

use serde::{Deserialize, Deserializer};

use super::call::call_params;
use super::handle::{Handle, PathHandle};
use super::text::{Id, Text};

call_params! {
    /// Parameters of `agents.register`.
    post RegisterParams {
        /// Where AgentChat sends the code.
        email: Text,
        /// The handle of the new agent.
        handle: Handle,
        /// Its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        display_name: Option<Text>,
        /// What it is for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<Text>,
    }
}

call_params! {
    /// Parameters of `agents.recover`.
    post RecoverParams {
        /// The address that the agent was registered with.
        email: Text,
        /// Which of the agents of this address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        handle: Option<Handle>,
    }
}

call_params! {
    /// Parameters of `agents.verify` and `agents.recover_verify`.
    post VerifyParams {
        /// What the first step answered.
        pending_id: Id,
        /// The code from the mail.
        code: Text,
        /// Whether the daemon keeps the key and uses it.
        #[serde(default = "yes", deserialize_with = "null_yes")]
        save: bool,
    }
}

call_params! {
    /// Parameters of `agents.rotate_key`.
    post RotateKeyParams {
        /// The agent; the daemon's own by default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        handle: Option<PathHandle>,
    }
}

call_params! {
    /// Parameters of `agents.rotate_key_verify`.
    post RotateKeyVerifyParams {
        /// The agent; the daemon's own by default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        handle: Option<PathHandle>,
        /// What `agents.rotate_key` answered.
        pending_id: Id,
        /// The code from the mail.
        code: Text,
        /// Whether the daemon keeps the key and goes on with it.
        #[serde(default = "yes", deserialize_with = "null_yes")]
        save: bool,
    }
}

fn yes() -> bool {
    true
}

fn null_yes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(true))
}
