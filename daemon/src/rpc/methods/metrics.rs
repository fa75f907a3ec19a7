//! The figures of `GET /metrics`: what was counted, and what the rest of the daemon says now.

use agentchatd_client::RpcError;

use crate::metrics::Snapshot;
use crate::rpc::client::Shared;
use crate::rpc::errors;
use crate::rpc::methods::consumers::{behind, snapshots};
use crate::rpc::methods::daemon::status_of;

/// The text in Prometheus' form.
pub(crate) async fn metrics(shared: &Shared) -> Result<String, RpcError> {
    let hub = &shared.hub;
    let status = status_of(shared).await?;
    let outbox = hub
        .backing
        .outbox_states()
        .await
        .map_err(|error| errors::storage(&error))?;
    let mut lags = Vec::new();
    for consumer in snapshots(hub) {
        let behind = behind(hub, &consumer)
            .await
            .map_err(|error| errors::storage(&error))?;
        lags.push((consumer.name, behind.lag));
    }
    Ok(hub.metrics.render(&Snapshot {
        status: &status,
        lags: &lags,
        outbox: &outbox,
    }))
}
