//! Requests to AgentChat of one local call, which share its time.

use std::sync::Arc;
use std::time::Duration;

use agentchatd_client::types::Handle;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout_at};

use crate::calls::Request;
use crate::command::CallFailure;
use crate::hub::{Hub, Upstream};

/// What a local call asks with.
pub(in crate::rpc) struct Ask<'h> {
    hub: &'h Hub,
    deadline: Instant,
}

impl<'h> Ask<'h> {
    /// For a call that may take so long from now on.
    pub(in crate::rpc) fn new(hub: &'h Hub, wait: Duration) -> Self {
        let deadline = Instant::now() + wait;
        Self { hub, deadline }
    }

    /// AgentChat, where a key is known.
    pub(in crate::rpc) fn upstream(&self) -> Result<Arc<dyn Upstream>, CallFailure> {
        let upstream = self.hub.upstream.borrow().clone();
        upstream.ok_or(CallFailure::NotConfigured)
    }

    /// One request with the agent's key; AgentChat's JSON, unchanged.
    pub(in crate::rpc) async fn json(
        &self,
        request: Request,
    ) -> Result<Box<RawValue>, CallFailure> {
        let upstream = self.upstream()?;
        let wait = self.deadline.saturating_duration_since(Instant::now());
        // The REST client keeps to the time by itself; a moment more, so that it can say what
        // happened.
        let answer = timeout_at(self.deadline + GRACE, upstream.call(request, wait)).await;
        let json = answer.map_err(|_| unavailable(TIMED_OUT))??;
        RawValue::from_string(json.as_ref().to_owned())
            .map_err(|_| unavailable("the answer is no JSON"))
    }

    /// The agent's own handle, where the daemon has not met it yet.
    pub(in crate::rpc) async fn who_am_i(&self) -> Result<Handle, CallFailure> {
        #[derive(Deserialize)]
        struct Me {
            handle: Handle,
        }
        let json = self
            .json(Request::get(&["v1", "agents", "me"]).retry(true))
            .await?;
        let me: Me = serde_json::from_str(json.get())
            .map_err(|_| unavailable("the answer does not say which agent the key belongs to"))?;
        Ok(me.handle)
    }
}

/// No usable answer.
pub(in crate::rpc) fn unavailable(reason: &str) -> CallFailure {
    CallFailure::Unavailable {
        reason: reason.to_owned(),
        attempts: 1,
        retry_after_ms: None,
    }
}

/// How much longer than the caller's time is waited for the REST client's own word.
const GRACE: Duration = Duration::from_millis(250);

/// The reason where nobody had a better one in time.
pub(in crate::rpc) const TIMED_OUT: &str = "the time ran out";
