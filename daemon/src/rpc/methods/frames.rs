//! `typing.start`, `typing.stop`, `realtime.send`: frames for the agent's socket.

use std::time::Duration;

use agentchatd_client::RpcError;
use agentchatd_client::api::{RealtimeSend, TypingStart, TypingStop};
use agentchatd_client::types::{FrameSent, Id, TimeoutMs};
use jsonrpsee::RpcModule;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::command::{CallFailure, Command, FrameRefusal};
use crate::event::push_text;
use crate::hub::Hub;
use crate::rpc::errors;
use crate::rpc::methods::table::{Call, add};

pub(super) fn register(module: &mut RpcModule<()>) {
    add::<TypingStart, _, _, _>(module, typing_start);
    add::<TypingStop, _, _, _>(module, typing_stop);
    add::<RealtimeSend, _, _, _>(module, realtime_send);
}

async fn typing_start(call: Call<TypingStart>) -> Result<FrameSent, RpcError> {
    let params = &call.params;
    let frame = typing("typing.start", &params.conversation_id);
    send(call.hub(), frame, params.timeout_ms).await
}

async fn typing_stop(call: Call<TypingStop>) -> Result<FrameSent, RpcError> {
    let params = &call.params;
    let frame = typing("typing.stop", &params.conversation_id);
    send(call.hub(), frame, params.timeout_ms).await
}

async fn realtime_send(call: Call<RealtimeSend>) -> Result<FrameSent, RpcError> {
    let params = &call.params;
    let frame = params.frame.as_str().to_owned();
    send(call.hub(), frame, params.timeout_ms).await
}

fn typing(kind: &str, conversation_id: &Id) -> String {
    let mut frame = format!("{{\"type\":\"{kind}\",\"payload\":{{\"conversation_id\":");
    push_text(&mut frame, conversation_id.as_str());
    frame.push_str("}}");
    frame
}

/// Hands the frame to the connection, which lets it out in its order; nobody says that it arrived.
async fn send(hub: &Hub, frame: String, within: TimeoutMs) -> Result<FrameSent, RpcError> {
    let (reply, answer) = oneshot::channel();
    let asked = async {
        let sent = hub.commands.send(Command::Frame { frame, reply }).await;
        sent.map_err(|_| FrameRefusal::Call(CallFailure::ShuttingDown))?;
        let stopping = Err(FrameRefusal::Call(CallFailure::ShuttingDown));
        answer.await.unwrap_or(stopping)
    };
    let answer = timeout(Duration::from_millis(within.get()), asked).await;
    match answer {
        Ok(Ok(())) => Ok(FrameSent { sent: true }),
        Ok(Err(FrameRefusal::Call(failure))) => Err(errors::call_failure(failure, None)),
        Ok(Err(FrameRefusal::Full)) => Err(errors::overloaded("frames", Some(FULL_RETRY_MS))),
        Ok(Err(FrameRefusal::TooLong)) => Err(errors::invalid_params(
            "/frame",
            "a frame has at most 1 MiB of JSON",
        )),
        Err(_) => Err(errors::unavailable("the time ran out", 0, None, None)),
    }
}

/// When to try again where too many frames wait.
const FULL_RETRY_MS: u64 = 1_000;
