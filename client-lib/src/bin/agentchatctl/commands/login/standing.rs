//! Where the daemon stands before anything is done.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::failure::Failure;
use crate::render::text;
use crate::values::HandleArg;

/// What `daemon.status` says about the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    /// The agent of the state directory, without `@`, where it is known.
    pub(super) agent: Option<String>,
    /// Whether there is a key that AgentChat has not refused.
    pub(super) has_key: bool,
    /// The state of the connection.
    pub(super) state: String,
    /// Since when.
    pub(super) since: Option<String>,
    /// What the daemon says about it.
    pub(super) reason: Option<String>,
    /// The state directory.
    pub(super) state_dir: Option<PathBuf>,
}

impl Standing {
    /// Reads the status.
    pub(super) fn of(status: &Value) -> Self {
        let null = Value::Null;
        let part = |member: &str| status.get(member).unwrap_or(&null);
        let connection = part("connection");
        let state = text(connection, "state").unwrap_or("unknown").to_owned();
        let reason = text(connection, "reason").map(str::to_owned);
        let has_key = state != "parked" && reason.as_deref() != Some("not_configured");
        let database = text(part("storage"), "path").map(Path::new);
        Self {
            agent: text(part("agent"), "handle").map(str::to_owned),
            has_key,
            state,
            since: text(connection, "since").map(str::to_owned),
            reason,
            state_dir: database.and_then(Path::parent).map(Path::to_owned),
        }
    }

    /// A daemon serves one agent for good.
    pub(super) fn refuse_another(&self, handle: Option<&HandleArg>) -> Result<(), Failure> {
        match (&self.agent, handle) {
            (Some(agent), Some(HandleArg(handle))) if !agent.eq_ignore_ascii_case(handle) => {
                Err(Failure::failed(format!(
                    "this daemon is @{agent}'s already; give @{handle} a daemon of its own with \
                     `agentchatd --state-dir DIR --socket PATH`"
                )))
            }
            _ => Ok(()),
        }
    }

    /// The state and why, in a few words.
    pub(super) fn words(&self) -> String {
        match &self.reason {
            Some(reason) => format!("{}: {reason}", self.state),
            None => self.state.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(agent: Option<&str>, state: &str, reason: Option<&str>) -> Standing {
        Standing::of(&json!({
            "agent": agent.map(|handle| json!({"handle": handle})),
            "connection": {"state": state, "reason": reason},
            "storage": {"path": "/s/state.db"},
        }))
    }

    #[test]
    fn a_daemon_has_a_key_unless_it_is_parked_or_says_that_it_has_none() {
        assert!(of(Some("dora"), "ready", None).has_key);
        assert!(of(None, "connecting", None).has_key);
        assert!(of(None, "disconnected", Some("net")).has_key);
        assert!(!of(None, "disconnected", Some("not_configured")).has_key);
        assert!(!of(Some("dora"), "parked", Some("no")).has_key);
        assert_eq!(of(None, "ready", None).state_dir, Some("/s".into()));
    }

    #[test]
    fn a_daemon_stays_with_its_agent() {
        let standing = of(Some("dora"), "ready", None);
        let handle = |text: &str| text.parse::<HandleArg>().unwrap();
        assert!(standing.refuse_another(None).is_ok());
        assert!(standing.refuse_another(Some(&handle("@Dora"))).is_ok());
        let failure = standing.refuse_another(Some(&handle("eve"))).unwrap_err();
        let line = failure.line().unwrap();
        assert!(
            line.contains("@dora's") && line.contains("--state-dir"),
            "{line}"
        );
    }
}
