//! Calls that AgentChat answers: its JSON goes through unchanged.

use std::time::Duration;

use agentchatd_client::types::{Handle, SyncDrained};
use agentchatd_client::{RpcError, api};
use jsonrpsee::RpcModule;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

use crate::calls::{PlatformCall, Request, for_each_call};
use crate::command::{CallFailure, Command};
use crate::hub::Hub;
use crate::rpc::errors;
use crate::rpc::methods::table::{Call, add};

macro_rules! register {
    ($($method:ident,)*) => {
        pub(super) fn register(module: &mut RpcModule<()>) {
            $(add::<api::$method, _, _, _>(module, pass);)*
            add::<api::SyncDrain, _, _, _>(module, drain);
        }
    };
}
for_each_call!(register);

async fn drain(call: Call<api::SyncDrain>) -> Result<SyncDrained, RpcError> {
    let (reply, answer) = oneshot::channel();
    let wait = Duration::from_millis(call.params.timeout_ms.get());
    let asked = async {
        let sent = call.hub().commands.send(Command::Drain { reply }).await;
        sent.map_err(|_| CallFailure::ShuttingDown)?;
        answer.await.unwrap_or(Err(CallFailure::ShuttingDown))
    };
    match timeout(wait, asked).await {
        Ok(result) => result.map_err(|failure| errors::call_failure(failure, None)),
        Err(_) => Err(errors::unavailable(TIMED_OUT, 0, None, None)),
    }
}

/// Asks AgentChat and gives its answer, within the caller's time.
async fn pass<M: PlatformCall>(call: Call<M>) -> Result<Box<RawValue>, RpcError> {
    let wait = Duration::from_millis(M::timeout_ms(&call.params).get());
    let ask = Ask::new(call.hub(), wait);
    let me = call.hub().feed.me();
    let request = match M::request(&call.params, me.as_deref()) {
        Some(request) => request,
        None => {
            let me = ask.who_am_i().await?;
            M::request(&call.params, Some(me.as_str()))
                .ok_or_else(|| errors::internal("the request cannot be made"))?
        }
    };
    ask.json(request).await
}

/// Requests of one local call, which share its time.
struct Ask<'h> {
    hub: &'h Hub,
    deadline: Instant,
}

impl<'h> Ask<'h> {
    fn new(hub: &'h Hub, wait: Duration) -> Self {
        let deadline = Instant::now() + wait;
        Self { hub, deadline }
    }

    /// One request to AgentChat with the agent's key.
    async fn json(&self, request: Request) -> Result<Box<RawValue>, RpcError> {
        let upstream = self
            .hub
            .upstream
            .borrow()
            .clone()
            .ok_or_else(errors::not_configured)?;
        let wait = self.deadline.saturating_duration_since(Instant::now());
        // The REST client keeps to the time by itself; a moment more, so that it can say what
        // happened.
        let answer = timeout_at(self.deadline + GRACE, upstream.call(request, wait)).await;
        let json = match answer {
            Ok(answer) => answer.map_err(|failure| errors::call_failure(failure, None))?,
            Err(_) => return Err(errors::unavailable(TIMED_OUT, 1, None, None)),
        };
        RawValue::from_string(json.as_ref().to_owned())
            .map_err(|_| errors::internal("the platform's answer cannot be passed on"))
    }

    /// The agent's own handle, where the daemon has not met it yet.
    async fn who_am_i(&self) -> Result<Handle, RpcError> {
        #[derive(Deserialize)]
        struct Me {
            handle: Handle,
        }
        let request = Request::get(&["v1", "agents", "me"]).retry(true);
        let json = self.json(request).await?;
        let me: Me = serde_json::from_str(json.get())
            .map_err(|_| errors::unavailable(HANDLE_UNKNOWN, 1, None, None))?;
        Ok(me.handle)
    }
}

/// How much longer than the caller's time is waited for the REST client's own word.
const GRACE: Duration = Duration::from_millis(250);

const HANDLE_UNKNOWN: &str = "AgentChat did not say which agent the key belongs to";

const TIMED_OUT: &str = "the time ran out";
