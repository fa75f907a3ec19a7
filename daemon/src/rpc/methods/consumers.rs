//! `consumers.list`, `consumers.delete`, `consumers.seek`; and lag, which health wants as well.

use agentchatd_client::RpcError;
use agentchatd_client::api::{ConsumersDelete, ConsumersList, ConsumersSeek};
use agentchatd_client::types::{Acked, ConsumerInfo, ConsumerName, Mode, Timestamp};
use jsonrpsee::RpcModule;

use crate::feed::{self, PAGE_EVENTS, Snapshot};
use crate::hub::Hub;
use crate::rpc::errors;
use crate::rpc::methods::table::{Call, add};
use crate::store::StoreError;

pub(super) fn register(module: &mut RpcModule<()>) {
    add::<ConsumersList, _, _, _>(module, list);
    add::<ConsumersDelete, _, _, _>(module, delete);
    add::<ConsumersSeek, _, _, _>(module, seek);
}

async fn list(call: Call<ConsumersList>) -> Result<Vec<ConsumerInfo>, RpcError> {
    let hub = call.hub();
    call.take_turn().await;
    let mut infos = Vec::new();
    for consumer in snapshots(hub) {
        let Behind { lag, .. } = behind(hub, &consumer)
            .await
            .map_err(|error| errors::storage(&error))?;
        let Ok(name) = ConsumerName::new(consumer.name) else {
            continue;
        };
        infos.push(ConsumerInfo {
            name,
            mode: Mode::Exclusive,
            acked_offset: consumer.acked,
            lag,
            attached: consumer.attached,
            filter: (!consumer.filter.passes_all()).then(|| (*consumer.filter).clone()),
            created_at: time(consumer.created_at_us),
            last_seen_at: Some(time(consumer.last_seen_at_us)),
        });
    }
    Ok(infos)
}

async fn delete(call: Call<ConsumersDelete>) -> Result<bool, RpcError> {
    let (hub, name) = (call.hub(), call.params.name.as_str());
    let deleted = hub.feed.consumers().delete(name, &*hub.backing).await;
    match deleted.map_err(|error| errors::storage(&error))? {
        true => Ok(true),
        false => Err(errors::not_found("consumer", name)),
    }
}

async fn seek(call: Call<ConsumersSeek>) -> Result<Acked, RpcError> {
    let (hub, name) = (call.hub(), call.params.name.as_str());
    let position = hub
        .feed
        .consumers()
        .find(name)
        .ok_or_else(|| errors::not_found("consumer", name))?;
    let to = &call.params.to;
    let after = feed::start_after(to, &*hub.backing, hub.feed.last_offset())
        .await
        .map_err(|error| errors::storage(&error))?;
    position.seek(after);
    position
        .save(&*hub.backing)
        .await
        .map_err(|error| errors::storage(&error))?;
    Ok(Acked {
        acked_offset: after,
    })
}

/// All durable consumers as lists show them.
pub(super) fn snapshots(hub: &Hub) -> Vec<Snapshot> {
    hub.feed
        .consumers()
        .all()
        .iter()
        .filter_map(|position| position.snapshot())
        .collect()
}

/// How far a consumer is behind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Behind {
    /// Events after the acknowledged one that pass the filter.
    pub(super) lag: u64,
    /// When the first of them was received.
    pub(super) since_us: Option<i64>,
}

/// Looks how far a consumer is behind. With a filter, no more than [`LAG_COUNTED`] events are
/// looked at: a consumer that is further behind is far behind, whatever the number.
pub(super) async fn behind(hub: &Hub, consumer: &Snapshot) -> Result<Behind, StoreError> {
    if consumer.filter.passes_all() {
        let (first, last) = hub.backing.bounds().await?;
        let after = consumer.acked.max(first.saturating_sub(1));
        let next = hub.feed.read(&*hub.backing, after, 1).await?;
        return Ok(Behind {
            lag: last.saturating_sub(after).min(LAG_COUNTED),
            since_us: next.first().map(|event| event.received_at_us),
        });
    }
    let me = hub.feed.me();
    let mut behind = Behind::default();
    let (mut after, mut looked_at) = (consumer.acked, 0);
    while looked_at < LAG_COUNTED {
        let events = hub.feed.read(&*hub.backing, after, PAGE_EVENTS).await?;
        let Some(last) = events.last() else { break };
        after = last.offset;
        looked_at += events.len() as u64;
        for event in &events {
            if feed::passes(&consumer.filter, event, me.as_deref()) {
                behind.lag += 1;
                behind.since_us.get_or_insert(event.received_at_us);
            }
        }
        tokio::task::yield_now().await;
    }
    Ok(behind)
}

/// A time of the database as the API writes it.
pub(super) fn time(us: i64) -> Timestamp {
    Timestamp::from_unix_ms(us.div_euclid(1000))
}

/// Lag is counted up to here.
pub(super) const LAG_COUNTED: u64 = 100_000;
