//! The figures of `GET /metrics`: what was counted, and what the rest of the daemon says now.

use std::time::Duration;

use agentchatd_client::RpcError;
use tokio::time::Instant;

use crate::metrics::{Form, Snapshot};
use crate::rpc::client::Shared;
use crate::rpc::errors;
use crate::rpc::methods::consumers::{behind, snapshots};
use crate::rpc::methods::daemon::status_of;

/// The text in Prometheus' form, or in OpenMetrics'.
pub(crate) async fn metrics(shared: &Shared, form: Form) -> Result<String, RpcError> {
    let hub = &shared.hub;
    let status = status_of(shared).await?;
    let outbox = hub
        .backing
        .outbox_states()
        .await
        .map_err(|error| errors::storage(&error))?;
    let mut lags = Vec::new();
    let begun = Instant::now();
    // Each costs up to a walk over its part of the log; the figures come in time all the same.
    for consumer in snapshots(hub).into_iter().take(MAX_LAGS) {
        if begun.elapsed() > LAG_TIME {
            break;
        }
        let behind = behind(hub, &consumer)
            .await
            .map_err(|error| errors::storage(&error))?;
        lags.push((consumer.name, behind.lag));
    }
    let now = Snapshot {
        status: &status,
        lags: &lags,
        outbox: &outbox,
    };
    Ok(hub.metrics.render(&now, form))
}

/// How many consumers are told of; `consumers.list` has all.
const MAX_LAGS: usize = 256;

/// How long the figures may take over them; the rest is left out.
const LAG_TIME: Duration = Duration::from_secs(1);
