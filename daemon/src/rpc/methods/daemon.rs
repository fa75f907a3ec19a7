//! `daemon.*`.

use std::sync::atomic::Ordering;
use std::time::Duration;

use agentchatd_client::RpcError;
use agentchatd_client::api::{
    DaemonHealth, DaemonReload, DaemonSetLogLevel, DaemonShutdown, DaemonStatus, DaemonVersion,
};
use agentchatd_client::types::{
    ConsumerHealth, ConsumerName, Health, HealthReason, LogLevelInForce, Reloaded, Status, Verdict,
    Version,
};
use jsonrpsee::RpcModule;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::command::{Command, ProcessRequest};
use crate::event::now_us;
use crate::feed::Snapshot;
use crate::hub::Hub;
use crate::rpc::client::Shared;
use crate::rpc::errors;
use crate::rpc::methods::consumers::{LAG_COUNTED, behind, snapshots, time};
use crate::rpc::methods::table::{Call, add};

pub(super) fn register(module: &mut RpcModule<()>) {
    add::<DaemonVersion, _, _, _>(module, version);
    add::<DaemonStatus, _, _, _>(module, status);
    add::<DaemonHealth, _, _, _>(module, health);
    add::<DaemonReload, _, _, _>(module, reload);
    add::<DaemonSetLogLevel, _, _, _>(module, set_log_level);
    add::<DaemonShutdown, _, _, _>(module, shutdown);
}

async fn version(_: Call<DaemonVersion>) -> Result<Version, RpcError> {
    Ok(Version {
        name: "agentchatd".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        api: API_VERSION,
        features: Vec::new(),
    })
}

async fn status(call: Call<DaemonStatus>) -> Result<Box<Status>, RpcError> {
    status_of(call.shared()).await
}

/// `daemon.status`, whoever asks.
pub(super) async fn status_of(shared: &Shared) -> Result<Box<Status>, RpcError> {
    let mut status = ask(&shared.hub, |reply| Command::Status { reply }).await?;
    status.consumers = shared.hub.feed.consumers().count() as u64;
    status.subscriptions = shared.subscriptions.load(Ordering::Relaxed) as u64;
    status.clients = shared.clients.load(Ordering::Relaxed) as u64;
    Ok(status)
}

async fn health(call: Call<DaemonHealth>) -> Result<Box<Health>, RpcError> {
    let hub = call.hub();
    let mut health = ask(hub, |reply| Command::Health { reply }).await?;
    let now = now_us();
    let mut far_behind = Vec::new();
    for consumer in snapshots(hub) {
        let behind = behind(hub, &consumer)
            .await
            .map_err(|error| errors::storage(&error))?;
        if behind.lag >= FAR_BEHIND {
            far_behind.push(is_far_behind(&consumer, behind.lag));
        }
        let Ok(name) = ConsumerName::new(consumer.name) else {
            continue;
        };
        health.consumers.push(ConsumerHealth {
            name,
            lag: behind.lag,
            oldest_unacked_age_ms: behind
                .since_us
                .map(|since| u64::try_from((now - since) / 1000).unwrap_or(0)),
            attached: consumer.attached,
        });
    }
    let since_us = call.shared().far_behind.since(!far_behind.is_empty(), now);
    if !far_behind.is_empty() && health.verdict == Verdict::Ok {
        health.verdict = Verdict::Degraded;
        health.since = time(since_us);
    }
    health.reasons.extend(far_behind);
    Ok(health)
}

/// Why a consumer that is so far behind is worth a word.
fn is_far_behind(consumer: &Snapshot, lag: u64) -> HealthReason {
    let Snapshot { name, acked, .. } = consumer;
    let more = if lag >= LAG_COUNTED { " or more" } else { "" };
    let holder = if consumer.attached {
        "a program holds it"
    } else {
        "no program holds it"
    };
    HealthReason {
        code: "consumer_far_behind".into(),
        message: format!(
            "consumer {name} is far behind: {lag}{more} events after offset {acked}, the last that \
             it acknowledged; {holder}. If it is not used any more, delete it (consumers.delete)"
        ),
    }
}

async fn reload(call: Call<DaemonReload>) -> Result<Reloaded, RpcError> {
    let reloaded = ask_process(call.hub(), |reply| ProcessRequest::Reload { reply }).await?;
    reloaded.map_err(|error| errors::bad_config(&error))
}

async fn set_log_level(call: Call<DaemonSetLogLevel>) -> Result<LogLevelInForce, RpcError> {
    let level = call.params.level;
    let request = |reply| ProcessRequest::SetLogLevel { level, reply };
    let level = ask_process(call.hub(), request).await?;
    Ok(LogLevelInForce { level })
}

async fn shutdown(call: Call<DaemonShutdown>) -> Result<bool, RpcError> {
    ask(call.hub(), |reply| Command::Shutdown { reply }).await?;
    Ok(true)
}

/// Asks the driver, which answers at once unless it is stuck.
async fn ask<T>(
    hub: &Hub,
    command: impl FnOnce(oneshot::Sender<T>) -> Command,
) -> Result<T, RpcError> {
    ask_on(&hub.commands, command).await
}

/// Asks the process.
async fn ask_process<T>(
    hub: &Hub,
    request: impl FnOnce(oneshot::Sender<T>) -> ProcessRequest,
) -> Result<T, RpcError> {
    ask_on(&hub.process, request).await
}

async fn ask_on<Q, T>(
    queue: &mpsc::Sender<Q>,
    question: impl FnOnce(oneshot::Sender<T>) -> Q,
) -> Result<T, RpcError> {
    let (reply, answer) = oneshot::channel();
    let asked = async {
        queue
            .send(question(reply))
            .await
            .map_err(|_| errors::shutting_down())?;
        answer.await.map_err(|_| errors::shutting_down())
    };
    timeout(ANSWERS_WITHIN, asked)
        .await
        .unwrap_or_else(|_| Err(errors::internal("the daemon's main loop does not answer")))
}

/// A consumer with so many events before it is far behind.
const FAR_BEHIND: u64 = 10_000;

/// The version of the API that this is.
const API_VERSION: u32 = 1;

/// How long driver and process have to answer a question about themselves.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
