//! What is read from others when the figures are asked for.

use std::sync::atomic::Ordering;

use agentchatd_client::types::{ConnectionState, Status};

use super::figures::Metrics;
use super::labels::{Consumer, Outcome, State};

/// What the rest of the daemon says of itself at this moment.
#[derive(Debug)]
pub struct Snapshot<'a> {
    /// `daemon.status`.
    pub status: &'a Status,
    /// Durable consumers and how many events they are behind.
    pub lags: &'a [(String, u64)],
    /// Entries of the outbox, by state.
    pub outbox: &'a [(String, u64)],
}

impl Metrics {
    pub(super) fn take(&self, now: &Snapshot<'_>) {
        let Snapshot {
            status,
            lags,
            outbox,
        } = now;
        let ordering = &status.ordering;
        for (outcome, value) in [
            ("recovered", ordering.gaps_recovered),
            ("absent", ordering.gaps_absent),
            ("failed", ordering.gaps_failed),
        ] {
            let counter = self.gaps.get_or_create(&Outcome { outcome });
            counter.inner().store(value, Ordering::Relaxed);
        }
        self.gaps_open.set(signed(ordering.gaps_open));
        for state in OUTBOX_STATES {
            let entries = outbox.iter().find(|(name, _)| name == state);
            let entries = entries.map_or(0, |(_, entries)| *entries);
            self.outbox
                .get_or_create(&State { state })
                .set(signed(entries));
        }
        let connected = status.connection.connected_total;
        self.connects.inner().store(connected, Ordering::Relaxed);
        for state in STATES {
            let is = i64::from(state == status.connection.state);
            let state = name(state);
            self.connection.get_or_create(&State { state }).set(is);
        }
        self.clients.set(signed(status.clients));
        self.subscribers.set(signed(status.subscriptions));
        // A consumer that was deleted is not told of any more.
        self.lag.clear();
        for (consumer, lag) in *lags {
            let consumer = consumer.clone();
            self.lag
                .get_or_create(&Consumer { consumer })
                .set(signed(*lag));
        }
        self.last_offset
            .set(signed(status.log.last_offset.unwrap_or(0)));
        self.log_events.set(signed(status.log.events));
        self.storage_bytes.set(signed(status.storage.bytes));
        self.uptime_seconds.set(signed(status.uptime_ms / 1_000));
    }
}

fn name(state: ConnectionState) -> &'static str {
    match state {
        ConnectionState::Disconnected => "disconnected",
        ConnectionState::Connecting => "connecting",
        ConnectionState::Authenticating => "authenticating",
        ConnectionState::Draining => "draining",
        ConnectionState::Ready => "ready",
        ConnectionState::Parked => "parked",
        ConnectionState::Stopped => "stopped",
    }
}

const STATES: [ConnectionState; 7] = [
    ConnectionState::Disconnected,
    ConnectionState::Connecting,
    ConnectionState::Authenticating,
    ConnectionState::Draining,
    ConnectionState::Ready,
    ConnectionState::Parked,
    ConnectionState::Stopped,
];

/// The states of `local-api.md` 5.
const OUTBOX_STATES: [&str; 7] = [
    "queued",
    "sending",
    "sent",
    "failed",
    "expired",
    "unknown",
    "cancelled",
];

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
