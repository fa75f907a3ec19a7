//! `daemon.status` and `daemon.health`: what the driver saw, and what it makes of it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use agentchatd_client::types::{
    AckCapability, AgentStatus, ConnectionStatus, Durability as DurabilityName, Health,
    HealthReason, LastClose, LogStatus, OrderingStatus, OutboxStatus, PlatformStatus,
    ReceiveHealth, SendHealth, Status, StorageStatus, SyncStatus, Timestamp, Verdict,
};
use agentchatd_engine::{Input, LinkState, Phase, Stats};
use tokio::sync::oneshot;

use super::{effects::state_of, failure, run::Driver};
use crate::{
    command::CallFailure,
    event::now_us,
    store::{Counts, Durability, Loaded, StoreError},
    upstream::{ApiFailure, Me, wire::Cursor},
};

/// What the driver saw and nobody else keeps.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    started_us: i64,
    me: Option<Me>,
    bound: Option<Arc<str>>,
    link_since_us: i64,
    phase: Phase,
    last_close: Option<(Option<u16>, Arc<str>, i64)>,
    last_frame_us: Option<i64>,
    last_sync_us: Option<i64>,
    sync_seen: Option<String>,
    sync_acked: Option<String>,
    /// Why the store refuses, and since when.
    refused: Option<(String, i64)>,
    warnings: VecDeque<String>,
    verdict: Arc<Mutex<(Verdict, i64)>>,
    ever_ready: bool,
    /// Why the connection is parked, while it is.
    parked: Option<Arc<str>>,
    /// What the platform said when it was last asked who the agent is, where it refused.
    refusal_of_key: Option<CallFailure>,
}

impl Watched {
    pub(super) fn new(loaded: &Loaded) -> Self {
        let now = now_us();
        Self {
            started_us: now,
            me: None,
            bound: loaded
                .engine
                .bound
                .as_ref()
                .map(|(handle, _)| Arc::clone(handle)),
            link_since_us: now,
            phase: Phase::Disconnected,
            last_close: None,
            last_frame_us: None,
            last_sync_us: None,
            sync_seen: loaded.sync_seen.clone(),
            sync_acked: loaded.sync_acked.clone(),
            refused: None,
            warnings: VecDeque::new(),
            verdict: Arc::new(Mutex::new((Verdict::Starting, now))),
            ever_ready: false,
            parked: None,
            refusal_of_key: None,
        }
    }

    pub(super) fn note(&mut self, input: &Input) {
        match input {
            Input::SyncPage(Ok(page)) => {
                self.last_sync_us = Some(now_us());
                if let Some(cursor) = &page.cursor {
                    self.sync_seen = Some(cursor.0.to_string());
                }
            }
            Input::SyncAcked(Ok(_)) => self.sync_acked.clone_from(&self.sync_seen),
            _ => {}
        }
    }

    pub(super) fn frame(&mut self) {
        self.last_frame_us = Some(now_us());
    }

    pub(super) fn closed(&mut self, code: Option<u16>, reason: &Arc<str>) {
        self.last_close = Some((code, Arc::clone(reason), now_us()));
    }

    pub(super) fn link_changed(&mut self, state: &LinkState) {
        self.link_since_us = now_us();
        self.ever_ready |= state.phase == Phase::Ready;
        self.phase = state.phase;
        let is_parked = state.phase == Phase::Parked;
        self.parked = is_parked.then(|| Arc::clone(&state.reason));
    }

    /// Whether the platform has answered the handshake.
    pub(super) fn is_connected(&self) -> bool {
        matches!(self.phase, Phase::Draining | Phase::Ready)
    }

    /// Where the connection stands, in a word.
    pub(super) fn link_words(&self) -> &'static str {
        state_of(self.phase).as_str()
    }

    /// The platform was asked who the agent is.
    pub(super) fn identified(&mut self, answer: Result<&Me, &ApiFailure>) {
        match answer {
            Ok(me) => {
                self.me = Some(me.clone());
                self.refusal_of_key = None;
            }
            Err(failure @ ApiFailure::Api(_)) => {
                self.refusal_of_key = Some(failure::call_failure(failure));
            }
            Err(_) => {}
        }
    }

    /// Whether the state is this agent's, or nobody's yet.
    pub(super) fn may_be(&self, handle: &str) -> bool {
        self.bound.as_deref().is_none_or(|bound| bound == handle)
    }

    /// What a caller is told who wants something sent while the connection is parked.
    pub(super) fn parked(&self) -> Option<CallFailure> {
        let reason = self.parked.as_ref()?;
        let why = self.refusal_of_key.clone();
        Some(why.unwrap_or_else(|| CallFailure::Unavailable {
            reason: format!("parked: {reason}"),
            attempts: 0,
            retry_after_ms: None,
        }))
    }

    pub(super) fn stored(&mut self) {
        self.refused = None;
    }

    pub(super) fn refused(&mut self, error: &StoreError) {
        let since = self.refused.take().map_or_else(now_us, |(_, since)| since);
        self.refused = Some((error.to_string(), since));
    }

    /// Why the store refuses, while it does.
    pub(super) fn refusal(&self) -> Option<String> {
        self.refused.as_ref().map(|(reason, _)| reason.clone())
    }

    /// Keeps a warning for `daemon.status`; the same words stand there once.
    pub(super) fn warn(&mut self, text: String) {
        self.warnings.retain(|known| *known != text);
        if self.warnings.len() == WARNINGS {
            self.warnings.pop_front();
        }
        self.warnings.push_back(text);
    }

    fn health(&self, stats: &Stats, counts: &Counts, now_ms: u64, gap_ms: u64) -> Health {
        let now = now_us();
        let (verdict, reasons) = self.judge(stats, counts, now_ms, gap_ms);
        let since = {
            let mut last = self
                .verdict
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            if last.0 != verdict {
                *last = (verdict, self.began(verdict, stats, now));
            }
            last.1
        };
        let age_ms = |at: i64| u64::try_from(now.saturating_sub(at) / 1_000).unwrap_or(0);
        Health {
            verdict,
            since: timestamp(since),
            reasons,
            receive: ReceiveHealth {
                last_frame_at: self.last_frame_us.map(timestamp),
                last_sync_at: self.last_sync_us.map(timestamp),
                gaps_open: stats.open_since.len() as u64,
                oldest_unacked_age_ms: None,
            },
            send: SendHealth {
                oldest_queued_age_ms: counts.oldest_queued_us.map(age_ms),
                failing: counts.failing,
            },
            consumers: Vec::new(),
        }
    }

    /// Since when a verdict holds that nobody had asked for yet.
    fn began(&self, verdict: Verdict, stats: &Stats, now: i64) -> i64 {
        match (&self.refused, verdict) {
            (Some((_, since)), Verdict::Down) => *since,
            (_, Verdict::Ok) => self.link_since_us,
            _ if stats.link.phase != Phase::Ready => self.link_since_us,
            _ => now,
        }
    }

    /// The verdict measures the receive path, not the process.
    fn judge(
        &self,
        stats: &Stats,
        counts: &Counts,
        now_ms: u64,
        gap_ms: u64,
    ) -> (Verdict, Vec<HealthReason>) {
        let now = now_us();
        let mut verdict = Verdict::Ok;
        let mut reasons = Vec::new();
        let mut find = |is: Verdict, code: &str, message: String| {
            verdict = is;
            reasons.push(HealthReason {
                code: code.into(),
                message,
            });
        };
        if stats.link.phase != Phase::Ready {
            let young = now_ms < STARTING_MS && !self.ever_ready;
            let text = format!(
                "{}: {}",
                state_of(stats.link.phase).as_str(),
                stats.link.reason
            );
            find(
                if young {
                    Verdict::Starting
                } else {
                    Verdict::Degraded
                },
                "not_connected",
                text,
            );
        }
        let oldest_gap = stats
            .open_since
            .first()
            .map(|since| now_ms.saturating_sub(since.0));
        if oldest_gap.is_some_and(|age| age > gap_ms + GAP_GRACE_MS) {
            find(
                Verdict::Degraded,
                "gap_open",
                "a hole in a conversation is open past its time".into(),
            );
        }
        if counts
            .oldest_queued_us
            .is_some_and(|at| now.saturating_sub(at) > OUTBOX_STUCK_US)
        {
            let text = "a message waits to be sent for more than five minutes";
            find(Verdict::Degraded, "outbox_stuck", text.into());
        }
        if stats.link.phase == Phase::Parked || *stats.link.reason == *"not_configured" {
            let text = format!("no connection without another key: {}", stats.link.reason);
            find(Verdict::Parked, "parked", text);
        }
        if let Some((error, _)) = &self.refused {
            find(Verdict::Down, "storage_error", error.clone());
        }
        (verdict, reasons)
    }
}

impl Driver {
    pub(super) fn status(&self, reply: oneshot::Sender<Box<Status>>) {
        let (status, reader) = (self.status_without_counts(), self.reader.clone());
        self.tasks.spawn("status", async move {
            let counts = reader.counts().await.unwrap_or_default();
            let _ = reply.send(Box::new(with_counts(status, &counts)));
        });
    }

    fn status_without_counts(&self) -> Status {
        let (watched, stats) = (&self.watched, self.engine.stats());
        let me = watched.me.as_ref();
        let bound = || watched.bound.as_ref().map(|bound| bound.to_string());
        let agent = me
            .map(|me| me.handle.clone())
            .or_else(bound)
            .map(|handle| AgentStatus {
                handle,
                status: me.and_then(|me| me.status.clone()),
                paused_by_owner: me.and_then(|me| me.paused_by_owner.clone()),
            });
        let delivery_id = |cursor: &Option<String>| {
            cursor
                .as_deref()
                .and_then(Cursor::from_json)
                .map(|cursor| cursor.to_string())
        };
        Status {
            version: env!("CARGO_PKG_VERSION").into(),
            pid: std::process::id(),
            started_at: timestamp(watched.started_us),
            uptime_ms: self.clock.uptime_ms(),
            agent,
            connection: connection(watched, &stats),
            sync: SyncStatus {
                last_delivery_id: delivery_id(&watched.sync_seen),
                acked_delivery_id: delivery_id(&watched.sync_acked),
                last_drain_at: watched.last_sync_us.map(timestamp),
                drained_total: stats.drained_total,
            },
            log: LogStatus::default(),
            ordering: OrderingStatus {
                conversations: stats.conversations as u64,
                parked: stats.parked as u64,
                gaps_open: stats.open_since.len() as u64,
                gaps_recovered: stats.gaps.recovered,
                gaps_absent: stats.gaps.absent,
                gaps_failed: stats.gaps.failed,
            },
            outbox: OutboxStatus::default(),
            consumers: 0,
            subscriptions: 0,
            clients: 0,
            storage: StorageStatus {
                path: self.store_path.display().to_string(),
                bytes: 0,
                durability: match self.config.durability {
                    Durability::Full => DurabilityName::Full,
                    Durability::Normal => DurabilityName::Normal,
                },
            },
            socket: self.config.local_socket.clone(),
            platform: PlatformStatus {
                base_url: self.platform.base_url().to_owned(),
                clock_offset_ms: self.platform.clock_offset_ms(),
            },
            config_path: self
                .config
                .config_path
                .as_ref()
                .map(|path| path.display().to_string()),
            warnings: self
                .config
                .warnings
                .iter()
                .chain(&watched.warnings)
                .cloned()
                .collect(),
        }
    }

    pub(super) fn health(&self, reply: oneshot::Sender<Box<Health>>) {
        let (mut watched, stats, reader) = (
            self.watched.clone(),
            self.engine.stats(),
            self.reader.clone(),
        );
        let now_ms = self.clock.now().mono.0;
        let gap_ms = self.config.engine.gap_window_ms;
        self.tasks.spawn("health", async move {
            let counts = reader.counts().await;
            let counts = counts.unwrap_or_else(|error| {
                // In this copy: what cannot be read is as bad as what cannot be written.
                watched.refused(&error);
                Counts::default()
            });
            let _ = reply.send(Box::new(watched.health(&stats, &counts, now_ms, gap_ms)));
        });
    }
}

fn connection(watched: &Watched, stats: &Stats) -> ConnectionStatus {
    ConnectionStatus {
        state: state_of(stats.link.phase),
        reason: Some(stats.link.reason.to_string()),
        since: timestamp(watched.link_since_us),
        attempt: stats.link.attempt.into(),
        ack_mode: (stats.connected_total > 0).then_some(if stats.ack_mode {
            AckCapability::Explicit
        } else {
            AckCapability::OnSend
        }),
        last_close: watched
            .last_close
            .as_ref()
            .map(|(code, reason, at)| LastClose {
                code: *code,
                reason: Some(reason.to_string()),
                at: timestamp(*at),
            }),
        connected_total: stats.connected_total,
        rapid_reconnects: stats.rapid_reconnects.into(),
    }
}

fn with_counts(status: Status, counts: &Counts) -> Status {
    let is_empty = counts.first_offset == 0;
    let kept = if is_empty {
        0
    } else {
        counts.last_offset - counts.first_offset + 1
    };
    Status {
        log: LogStatus {
            first_offset: (!is_empty).then_some(counts.first_offset),
            last_offset: (counts.last_offset > 0).then_some(counts.last_offset),
            events: kept,
            bytes: counts.log_bytes,
        },
        outbox: OutboxStatus {
            queued: counts.queued,
            in_flight: counts.in_flight,
            failed: counts.failed,
        },
        storage: StorageStatus {
            bytes: counts.bytes,
            ..status.storage
        },
        ..status
    }
}

fn timestamp(us: i64) -> Timestamp {
    Timestamp::from_unix_ms(us.div_euclid(1_000))
}

/// Warnings kept for `daemon.status`.
const WARNINGS: usize = 32;
/// How long a daemon without a connection counts as starting (`local-api.md` 5).
const STARTING_MS: u64 = 30_000;
/// How long after its window a hole may take before it is worth a word.
const GAP_GRACE_MS: u64 = 30_000;
/// A message that waits longer makes the outbox stuck.
const OUTBOX_STUCK_US: i64 = 300_000_000;
