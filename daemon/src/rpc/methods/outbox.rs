//! `outbox.list`.

use agentchatd_client::RpcError;
use agentchatd_client::api::OutboxList;
use agentchatd_client::types::{ClientMsgId, OutboxEntry, OutboxPage, OutboxState};
use jsonrpsee::RpcModule;
use serde_json::value::RawValue;

use crate::rpc::errors;
use crate::rpc::methods::consumers::time;
use crate::rpc::methods::table::{Call, add};
use crate::store::OutboxRow;

pub(super) fn register(module: &mut RpcModule<()>) {
    add::<OutboxList, _, _, _>(module, list);
}

async fn list(call: Call<OutboxList>) -> Result<OutboxPage, RpcError> {
    let state = call.params.state.map(|state| state.as_str().to_owned());
    let limit = call.params.limit.get() as usize;
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
