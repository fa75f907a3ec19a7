//! `outbox.*`.

use agentchatd_client::RpcError;
use agentchatd_client::api::{OutboxCancel, OutboxGet, OutboxList, OutboxRetry};
use agentchatd_client::types::{ClientMsgId, OutboxEntry, OutboxKey, OutboxPage, OutboxState};
use jsonrpsee::RpcModule;
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use crate::command::{Command, Refusal, SteerRefusal, Wish};
use crate::hub::Hub;
use crate::rpc::errors::{self, Entry};
use crate::rpc::methods::consumers::time;
use crate::rpc::methods::table::{Call, add};
use crate::store::{OutboxName, OutboxRow};

pub(super) fn register(module: &mut RpcModule<()>) {
    add::<OutboxList, _, _, _>(module, list);
    add::<OutboxGet, _, _, _>(module, get);
    add::<OutboxRetry, _, _, _>(module, retry);
    add::<OutboxCancel, _, _, _>(module, cancel);
}

async fn list(call: Call<OutboxList>) -> Result<OutboxPage, RpcError> {
    let state = call.params.state.map(|state| state.as_str().to_owned());
    let limit = call.params.limit.get() as usize;
    call.take_turn().await;
    let rows = call
        .hub()
        .backing
        .outbox(state, call.params.after.unwrap_or(0), limit)
        .await
        .map_err(|error| errors::storage(&error))?;
    let next_after = rows
        .last()
        .filter(|_| rows.len() == limit)
        .map(|row| row.outbox_id);
    let entries = rows.into_iter().filter_map(entry).collect();
    Ok(OutboxPage {
        entries,
        next_after,
    })
}

async fn get(call: Call<OutboxGet>) -> Result<OutboxEntry, RpcError> {
    shown(find(call.hub(), &call.params.of).await?)
}

async fn retry(call: Call<OutboxRetry>) -> Result<OutboxEntry, RpcError> {
    steer(call.hub(), &call.params.of, Wish::Retry).await
}

async fn cancel(call: Call<OutboxCancel>) -> Result<OutboxEntry, RpcError> {
    steer(call.hub(), &call.params.of, Wish::Cancel).await
}

/// Asks the driver, which answers once it is on disk; then shows the entry as it stands there.
async fn steer(hub: &Hub, of: &OutboxKey, wish: Wish) -> Result<OutboxEntry, RpcError> {
    let row = find(hub, of).await?;
    let (reply, answer) = oneshot::channel();
    let command = Command::Steer {
        id: row.outbox_id,
        wish,
        reply,
    };
    let sent = hub.commands.send(command).await;
    sent.map_err(|_| errors::shutting_down())?;
    // The commit takes as long as the disk takes; a driver that is gone drops the sender.
    let stopping = Err(SteerRefusal::Refused(Refusal::ShuttingDown));
    let answer = answer.await.unwrap_or(stopping);
    let row = find(hub, of).await?;
    match answer {
        Ok(()) => shown(row),
        // Whoever asks a second time has what he wants.
        Err(SteerRefusal::Hindered(_)) if wish == Wish::Cancel && row.state == CANCELLED => {
            shown(row)
        }
        Err(SteerRefusal::Refused(refusal)) => Err(errors::refusal(refusal, &row.client_msg_id)),
        Err(SteerRefusal::Hindered(hindrance)) => {
            let entry = Entry {
                outbox_id: &row.outbox_id.to_string(),
                state: &row.state,
            };
            let path = match of {
                OutboxKey::OutboxId(_) => "/outbox_id",
                OutboxKey::ClientMsgId(_) => "/client_msg_id",
            };
            let asked = match wish {
                Wish::Retry => "tried again",
                Wish::Cancel => "cancelled",
            };
            Err(errors::hindered(path, entry, hindrance, asked))
        }
    }
}

async fn find(hub: &Hub, of: &OutboxKey) -> Result<OutboxRow, RpcError> {
    let (name, text) = match of {
        OutboxKey::OutboxId(id) => {
            let text = id.as_str();
            let number = text.parse().ok().filter(|_| is_canonical(text));
            (number.map(OutboxName::Id), text)
        }
        OutboxKey::ClientMsgId(id) => {
            let text = id.as_str();
            (Some(OutboxName::ClientMsgId(text.to_owned())), text)
        }
    };
    let row = match name {
        Some(name) => hub.backing.outbox_entry(name).await,
        // No entry is called so.
        None => Ok(None),
    };
    row.map_err(|error| errors::storage(&error))?
        .ok_or_else(|| errors::not_found("outbox_entry", text))
}

/// Whether a number is written as the daemon writes ids: `1`, not `+1` or `01`.
fn is_canonical(text: &str) -> bool {
    text.starts_with(|first| matches!(first, '1'..='9'))
}

fn shown(row: OutboxRow) -> Result<OutboxEntry, RpcError> {
    entry(row).ok_or_else(|| errors::internal("the entry is of another version"))
}

/// The row as the API shows it; `None` for one that this version cannot have written.
fn entry(row: OutboxRow) -> Option<OutboxEntry> {
    let raw = |json: String| RawValue::from_string(json).ok();
    Some(OutboxEntry {
        outbox_id: row.outbox_id.to_string(),
        client_msg_id: ClientMsgId::new(row.client_msg_id).ok()?,
        state: state(&row.state)?,
        to: row.to,
        conversation_id: row.conversation_id,
        attempts: u64::from(row.attempts),
        created_at: time(row.created_at_us),
        next_attempt_at: row.next_attempt_at_us.map(time),
        expires_at: row.expires_at_us.map(time),
        last_error: row.last_error.and_then(raw),
        message: row.message.and_then(|json| raw(json.as_ref().to_owned())),
    })
}

const CANCELLED: &str = OutboxState::Cancelled.as_str();

fn state(name: &str) -> Option<OutboxState> {
    [
        OutboxState::Queued,
        OutboxState::Sending,
        OutboxState::Sent,
        OutboxState::Failed,
        OutboxState::Expired,
        OutboxState::Unknown,
        OutboxState::Cancelled,
    ]
    .into_iter()
    .find(|state| state.as_str() == name)
}
