//! Calls that AgentChat answers: its JSON goes through unchanged.

use std::time::Duration;

use agentchatd_client::error::ApiErrorData;
use agentchatd_client::types::SyncDrained;
use agentchatd_client::{RpcError, api};
use jsonrpsee::RpcModule;
use serde_json::value::RawValue;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::calls::{PlatformCall, for_each_call};
use crate::command::{CallFailure, Command};
use crate::rpc::errors;
use crate::rpc::methods::ask::{Ask, TIMED_OUT, unavailable};
use crate::rpc::methods::every_page::every_page;
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
        Err(_) => Err(errors::call_failure(unavailable(TIMED_OUT), None)),
    }
}

/// Asks AgentChat and gives its answer, within the caller's time.
async fn pass<M: PlatformCall>(call: Call<M>) -> Result<Box<RawValue>, RpcError> {
    let wait = Duration::from_millis(M::timeout_ms(&call.params).get());
    let ask = Ask::new(call.hub(), wait);
    let answer = match M::all(&call.params) {
        Some(all) => every_page(&ask, &all).await,
        None => one::<M>(&ask, &call).await,
    };
    match answer {
        Err(CallFailure::Api(data)) if M::NULL_WHERE_NONE && is_none(&data) => {
            Ok(RawValue::NULL.to_owned())
        }
        answer => answer.map_err(|failure| errors::call_failure(failure, None)),
    }
}

/// The one request of a call.
async fn one<M: PlatformCall>(ask: &Ask<'_>, call: &Call<M>) -> Result<Box<RawValue>, CallFailure> {
    let me = call.hub().feed.me();
    if let Some(request) = M::request(&call.params, me.as_deref()) {
        return ask.json(request).await;
    }
    let me = ask.who_am_i().await?;
    let request = M::request(&call.params, Some(me.as_str()));
    ask.json(request.ok_or_else(|| unavailable(HANDLE_UNKNOWN))?)
        .await
}

/// The platform's own word that there is no such thing. An unknown route is a 404 too, but has no
/// code.
fn is_none(error: &ApiErrorData) -> bool {
    error.status == 404 && error.code.as_deref() == Some("NOT_FOUND")
}

const HANDLE_UNKNOWN: &str = "AgentChat did not say which agent the key belongs to";
