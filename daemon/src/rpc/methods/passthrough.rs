//! Calls that AgentChat answers: its JSON goes through unchanged.

use std::time::Duration;

use agentchatd_client::RpcError;
use agentchatd_client::api::{
    AgentsMe, ConversationsList, MessagesList, MessagesMarkRead, SyncDrain, SyncPeek,
};
use agentchatd_client::types::SyncDrained;
use jsonrpsee::RpcModule;
use serde_json::value::RawValue;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::calls::{PlatformCall, Request};
use crate::command::{CallFailure, Command};
use crate::hub::Hub;
use crate::rpc::errors;
use crate::rpc::methods::table::{Call, add};

pub(super) fn register(module: &mut RpcModule<()>) {
    add::<MessagesList, _, _, _>(module, pass);
    add::<MessagesMarkRead, _, _, _>(module, pass);
    add::<AgentsMe, _, _, _>(module, pass);
    add::<ConversationsList, _, _, _>(module, pass);
    add::<SyncPeek, _, _, _>(module, pass);
    add::<SyncDrain, _, _, _>(module, drain);
}

async fn drain(call: Call<SyncDrain>) -> Result<SyncDrained, RpcError> {
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
    let me = call.hub().feed.me();
    let request = M::request(&call.params, me.as_deref())
        .ok_or_else(|| errors::unavailable(HANDLE_UNKNOWN, 0, None, None))?;
    ask(call.hub(), request, wait).await
}

/// One request to AgentChat with the agent's key.
async fn ask(hub: &Hub, request: Request, wait: Duration) -> Result<Box<RawValue>, RpcError> {
    let upstream = hub
        .upstream
        .borrow()
        .clone()
        .ok_or_else(errors::not_configured)?;
    // The REST client keeps to the time by itself; a moment more, so that it can say what happened.
    let answer = timeout(wait + GRACE, upstream.call(request, wait)).await;
    let json = match answer {
        Ok(answer) => answer.map_err(|failure| errors::call_failure(failure, None))?,
        Err(_) => return Err(errors::unavailable(TIMED_OUT, 1, None, None)),
    };
    RawValue::from_string(json.as_ref().to_owned())
        .map_err(|_| errors::internal("the platform's answer cannot be passed on"))
}

/// How much longer than the caller's time is waited for the REST client's own word.
const GRACE: Duration = Duration::from_millis(250);

const HANDLE_UNKNOWN: &str = "the agent's own handle is not known yet; name it with `handle`";

const TIMED_OUT: &str = "the time ran out";
