//! `messages.send`.

use std::time::Duration;

use agentchatd_client::RpcError;
use agentchatd_client::api::MessagesSend;
use agentchatd_client::types::{ClientMsgId, QueuedMessage, SendOutcome, SentMessage};
use jsonrpsee::RpcModule;
use serde_json::value::RawValue;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use crate::command::{Accepted, Command, Outcome, Refusal};
use crate::rpc::errors::{self, Entry};
use crate::rpc::methods::draft::{draft, made_id};
use crate::rpc::methods::table::{Call, add};

pub(super) fn register(module: &mut RpcModule<()>) {
    add::<MessagesSend, _, _, _>(module, send);
}

/// Puts the message in the driver's queue before anything is awaited: what a connection sends
/// keeps its order, and a caller that goes away takes nothing back.
async fn send(call: Call<MessagesSend>) -> Result<SendOutcome, RpcError> {
    let timeout = Duration::from_millis(call.params.timeout_ms.get());
    let client_msg_id = match call.params.client_msg_id.clone() {
        Some(id) => id,
        None => made_id()?,
    };
    let deadline = Instant::now() + timeout;
    let draft = draft(&call.params, &client_msg_id, deadline)?;
    let wait = draft.wait;
    let (accepted_sender, accepted) = oneshot::channel();
    let (outcome_sender, outcome) = oneshot::channel();
    let command = Command::Send {
        draft: Box::new(draft),
        accepted: accepted_sender,
        outcome: outcome_sender,
    };
    call.hub()
        .commands
        .send(command)
        .await
        .map_err(|_| errors::shutting_down())?;
    // The commit takes as long as the disk takes; a driver that is gone drops the sender.
    let Accepted { outbox_id } = accepted
        .await
        .unwrap_or(Err(Refusal::ShuttingDown))
        .map_err(|refusal| errors::refusal(refusal, client_msg_id.as_str()))?;
    let outbox_id = outbox_id.to_string();
    if !wait {
        return Ok(SendOutcome::Queued(QueuedMessage {
            queued: true,
            client_msg_id,
            outbox_id,
        }));
    }
    let outcome = tokio::select! {
        biased;
        outcome = outcome => outcome.ok(),
        () = sleep_until(deadline) => {
            let reason = "the time ran out with the outcome unknown; the message is tried further";
            let entry = Entry { outbox_id: &outbox_id, state: "queued" };
            return Err(errors::unavailable(reason, 0, None, Some(entry)));
        }
    };
    told(outcome, client_msg_id, &outbox_id)
}

/// What the caller is told.
fn told(
    outcome: Option<Outcome>,
    client_msg_id: ClientMsgId,
    outbox_id: &str,
) -> Result<SendOutcome, RpcError> {
    let entry = |state| Some(Entry { outbox_id, state });
    match outcome {
        Some(Outcome::Sent {
            message,
            replayed,
            backlog_warning,
            offset,
        }) => {
            let message = RawValue::from_string(message.as_ref().to_owned())
                .map_err(|_| errors::internal("the platform's message cannot be passed on"))?;
            Ok(SendOutcome::Sent(SentMessage {
                message,
                client_msg_id,
                replayed,
                backlog_warning,
                offset,
            }))
        }
        Some(Outcome::Failed(failure)) => Err(errors::call_failure(failure, None)),
        Some(Outcome::Deferred(failure)) => Err(errors::call_failure(failure, entry("queued"))),
        Some(Outcome::Conflict { message }) => {
            Err(errors::conflict(client_msg_id.as_str(), message.as_deref()))
        }
        Some(Outcome::Expired) => Err(errors::expired(client_msg_id.as_str(), outbox_id)),
        Some(Outcome::Unknown { reason, attempts }) => Err(errors::unavailable(
            &reason,
            attempts,
            None,
            entry("unknown"),
        )),
        Some(Outcome::Cancelled) => Err(errors::unavailable(
            "the message was cancelled",
            0,
            None,
            entry("cancelled"),
        )),
        // The driver stops; the entry is on disk and goes on with the next start.
        None => Err(errors::shutting_down()),
    }
}
