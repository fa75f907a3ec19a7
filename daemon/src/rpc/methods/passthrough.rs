//! Calls that AgentChat answers: its JSON goes through unchanged.

use std::time::Duration;

use agentchatd_client::RpcError;
use agentchatd_client::api::{
    AgentsMe, ConversationsList, MessagesList, MessagesMarkRead, SyncDrain, SyncPeek,
};
use agentchatd_client::types::{Cursor, SyncDrained, TimeoutMs};
use jsonrpsee::RpcModule;
use serde_json::value::RawValue;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::command::{CallFailure, Command};
use crate::hub::{Hub, Passthrough};
use crate::rpc::errors;
use crate::rpc::methods::table::{Call, add};

pub(super) fn register(module: &mut RpcModule<()>) {
    add::<MessagesList, _, _, _>(module, list_messages);
    add::<MessagesMarkRead, _, _, _>(module, mark_read);
    add::<AgentsMe, _, _, _>(module, me);
    add::<ConversationsList, _, _, _>(module, list_conversations);
    add::<SyncPeek, _, _, _>(module, peek);
    add::<SyncDrain, _, _, _>(module, drain);
}

async fn list_messages(call: Call<MessagesList>) -> Result<Box<RawValue>, RpcError> {
    let params = &call.params;
    let mut query = Vec::new();
    push(&mut query, "limit", params.limit);
    match &params.cursor {
        None => {}
        Some(Cursor::BeforeSeq(seq)) => push(&mut query, "before_seq", Some(seq.get())),
        Some(Cursor::AfterSeq(seq)) => push(&mut query, "after_seq", Some(seq.get())),
        Some(Cursor::AroundMessage(id)) => push(&mut query, "around_message_id", Some(id)),
    }
    let conversation_id = params.conversation_id.as_str().to_owned();
    pass(
        call.hub(),
        Passthrough::Messages {
            conversation_id,
            query,
        },
        params.timeout_ms,
    )
    .await
}

async fn mark_read(call: Call<MessagesMarkRead>) -> Result<Box<RawValue>, RpcError> {
    let params = &call.params;
    let request = Passthrough::MarkRead {
        message_id: params.message_id.as_str().to_owned(),
        idempotency_key: params
            .idempotency_key
            .as_ref()
            .map(|key| key.as_str().to_owned()),
    };
    pass(call.hub(), request, params.timeout_ms).await
}

async fn me(call: Call<AgentsMe>) -> Result<Box<RawValue>, RpcError> {
    pass(call.hub(), Passthrough::Me, call.params.timeout_ms).await
}

async fn list_conversations(call: Call<ConversationsList>) -> Result<Box<RawValue>, RpcError> {
    let params = &call.params;
    let mut query = Vec::new();
    push(&mut query, "limit", params.limit);
    push(&mut query, "offset", params.offset);
    pass(
        call.hub(),
        Passthrough::Conversations { query },
        params.timeout_ms,
    )
    .await
}

async fn peek(call: Call<SyncPeek>) -> Result<Box<RawValue>, RpcError> {
    let params = &call.params;
    let mut query = Vec::new();
    push(&mut query, "limit", params.limit.map(|limit| limit.get()));
    push(&mut query, "after", params.after.as_ref());
    pass(
        call.hub(),
        Passthrough::SyncPeek { query },
        params.timeout_ms,
    )
    .await
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
async fn pass(hub: &Hub, request: Passthrough, wait: TimeoutMs) -> Result<Box<RawValue>, RpcError> {
    let upstream = hub
        .upstream
        .borrow()
        .clone()
        .ok_or_else(errors::not_configured)?;
    let wait = Duration::from_millis(wait.get());
    // The REST client keeps to the time by itself; a moment more, so that it can say what happened.
    let answer = timeout(wait + GRACE, upstream.call(request, wait)).await;
    let json = match answer {
        Ok(answer) => answer.map_err(|failure| errors::call_failure(failure, None))?,
        Err(_) => return Err(errors::unavailable(TIMED_OUT, 1, None, None)),
    };
    RawValue::from_string(json.as_ref().to_owned())
        .map_err(|_| errors::internal("the platform's answer cannot be passed on"))
}

fn push(query: &mut Vec<(&'static str, String)>, name: &'static str, value: Option<impl ToString>) {
    query.extend(value.map(|value| (name, value.to_string())));
}

/// How much longer than the caller's time is waited for the REST client's own word.
const GRACE: Duration = Duration::from_millis(250);

const TIMED_OUT: &str = "the time ran out";
