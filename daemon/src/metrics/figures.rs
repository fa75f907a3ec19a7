//! What is counted while it happens.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry};

use super::labels::{
    Build, Call, Consumer, Frame, FrameKind, Outcome, Reason, SendResult, Sent, Source, State, Via,
};
use super::scrape::Snapshot;
use super::text::plain;

/// The two text forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Prometheus' own, version 0.0.4.
    Plain,
    /// OpenMetrics 1.0.0.
    Open,
}

impl Form {
    /// The form that an `Accept` header asks for.
    #[must_use]
    pub fn wanted(accept: Option<&str>) -> Self {
        let asks = accept.is_some_and(|accept| accept.contains("application/openmetrics-text"));
        if asks { Self::Open } else { Self::Plain }
    }

    /// Its content type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Plain => "text/plain; version=0.0.4; charset=utf-8",
            Self::Open => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

type MakeHistogram = fn() -> Histogram;

/// All figures of the process. Counting takes no lock that is held over anything slow.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    frames: Family<Frame, Counter>,
    messages: Family<Source, Counter>,
    duplicates: Counter,
    pub(super) gaps: Family<Outcome, Counter>,
    pub(super) gaps_open: Gauge,
    acks: Family<Via, Counter>,
    commit_seconds: Histogram,
    commit_rows: Histogram,
    retention_seconds: Histogram,
    retention_removed: Counter,
    pub(super) outbox: Family<State, Gauge>,
    send_seconds: Family<Sent, Histogram, MakeHistogram>,
    disconnects: Family<Reason, Counter>,
    pub(super) connects: Counter,
    pub(super) connection: Family<State, Gauge>,
    pub(super) clients: Gauge,
    pub(super) subscribers: Gauge,
    pub(super) lag: Family<Consumer, Gauge>,
    calls: Family<Call, Counter>,
    pub(super) last_offset: Gauge,
    pub(super) log_events: Gauge,
    pub(super) storage_bytes: Gauge,
    pub(super) uptime_seconds: Gauge,
    /// Two that ask at once do not mix their snapshots.
    scraping: Mutex<()>,
}

/// Registers metrics under names with help texts.
struct Registrar(Registry);

impl Registrar {
    fn add<M: Metric + Clone>(&mut self, name: &str, help: &str, metric: M) -> M {
        self.0.register(name, help, metric.clone());
        metric
    }
}

impl Metrics {
    /// Figures at zero.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "there is one for a process; a default would hide a second"
    )]
    pub fn new() -> Self {
        let mut to = Registrar(Registry::with_prefix("agentchatd"));
        let version = env!("CARGO_PKG_VERSION");
        to.0.register("build", "The running program", Info::new(Build { version }));
        Self {
            frames: to.add(
                "frames",
                "Frames from AgentChat's socket",
                Family::default(),
            ),
            messages: to.add(
                "messages",
                "Messages that entered the log, by the way they came",
                Family::default(),
            ),
            duplicates: to.add(
                "duplicates",
                "Messages that came again and stood in the log already",
                Counter::default(),
            ),
            gaps: to.add(
                "gaps",
                "Holes in conversations that were closed, by how",
                Family::default(),
            ),
            gaps_open: to.add(
                "gaps_open",
                "Holes in conversations that are open now",
                Gauge::default(),
            ),
            acks: to.add(
                "acks",
                "Acknowledgements to AgentChat: messages over the socket, rows over sync",
                Family::default(),
            ),
            commit_seconds: to.add(
                "commit_seconds",
                "Time of a commit, its fsync included",
                Histogram::new(SECONDS),
            ),
            commit_rows: to.add(
                "commit_rows",
                "Changes that one commit held",
                Histogram::new(ROWS),
            ),
            retention_seconds: to.add(
                "retention_seconds",
                "Time that one step of retention held the writer",
                Histogram::new(SECONDS),
            ),
            retention_removed: to.add(
                "retention_removed",
                "Events and ended sends that retention removed",
                Counter::default(),
            ),
            outbox: to.add(
                "outbox",
                "Entries of the outbox by state",
                Family::default(),
            ),
            send_seconds: to.add(
                "send_seconds",
                "Time of an attempt to send a message",
                Family::new_with_constructor(seconds as MakeHistogram),
            ),
            disconnects: to.add(
                "disconnects",
                "Connections to AgentChat that ended or did not come about, by reason",
                Family::default(),
            ),
            connects: to.add(
                "connects",
                "Connections to AgentChat that came to be ready for use",
                Counter::default(),
            ),
            connection: to.add(
                "connection",
                "1 for the state that the connection to AgentChat is in",
                Family::default(),
            ),
            clients: to.add("clients", "Connections of local programs", Gauge::default()),
            subscribers: to.add(
                "subscribers",
                "Subscriptions of local programs",
                Gauge::default(),
            ),
            lag: to.add(
                "consumer_lag",
                "Events that a durable consumer has not acknowledged, counted to 100000",
                Family::default(),
            ),
            calls: to.add(
                "rpc_calls",
                "Calls of the local API by method and outcome: ok, or the error code",
                Family::default(),
            ),
            last_offset: to.add(
                "log_last_offset",
                "The last offset given out",
                Gauge::default(),
            ),
            log_events: to.add("log_events", "Events that the log holds", Gauge::default()),
            storage_bytes: to.add(
                "storage_bytes",
                "Size of the database and its journal",
                Gauge::default(),
            ),
            uptime_seconds: to.add(
                "uptime_seconds",
                "Time since the daemon started",
                Gauge::default(),
            ),
            registry: to.0,
            scraping: Mutex::default(),
        }
    }

    /// A frame came.
    pub fn frame(&self, kind: FrameKind) {
        self.frames
            .get_or_create(&Frame {
                r#type: kind.name(),
            })
            .inc();
    }

    /// Messages are in the log; `source` is one of [`crate::event::source`].
    pub fn logged(&self, source: &'static str) {
        self.messages.get_or_create(&Source { source }).inc();
    }

    /// A commit is on disk.
    pub fn committed(&self, took: Duration, rows: usize, duplicates: u64) {
        self.commit_seconds.observe(took.as_secs_f64());
        // A commit never holds so many that a float could not count them.
        self.commit_rows
            .observe(f64::from(u32::try_from(rows).unwrap_or(u32::MAX)));
        self.duplicates.inc_by(duplicates);
    }

    /// A step of retention is on disk.
    pub fn retained(&self, took: Duration, removed: u64) {
        self.retention_seconds.observe(took.as_secs_f64());
        self.retention_removed.inc_by(removed);
    }

    /// A message was acknowledged over the socket.
    pub fn acked_by_socket(&self) {
        self.acks.get_or_create(&Via { via: "socket" }).inc();
    }

    /// So many rows were acknowledged over sync.
    pub fn acked_by_sync(&self, rows: u64) {
        self.acks.get_or_create(&Via { via: "sync" }).inc_by(rows);
    }

    /// An attempt to send a message ended.
    pub fn sent(&self, result: SendResult, took: Duration) {
        self.send_seconds
            .get_or_create(&Sent {
                result: result.name(),
            })
            .observe(took.as_secs_f64());
    }

    /// A connection ended or did not come about; see [`super::close_reason`].
    pub fn disconnected(&self, reason: &'static str) {
        self.disconnects.get_or_create(&Reason { reason }).inc();
    }

    /// A call of the local API was answered; `error` is the code of a JSON-RPC error.
    pub fn called(&self, method: Option<&'static str>, error: Option<i32>) {
        let call = Call {
            method: method.unwrap_or(UNKNOWN_METHOD),
            outcome: error.map_or("ok", outcome),
        };
        self.calls.get_or_create(&call).inc();
    }

    /// The text for `/metrics`, with what is known at this moment.
    pub fn render(&self, now: &Snapshot<'_>, form: Form) -> String {
        let _one = self.scraping.lock().unwrap_or_else(PoisonError::into_inner);
        self.take(now);
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a string never fails");
        match form {
            Form::Open => text,
            Form::Plain => plain(&text),
        }
    }
}

fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}

/// The codes of `local-api.md` 2 as words that do not need to be made anew for each call.
fn outcome(code: i32) -> &'static str {
    match code {
        -32700 => "-32700",
        -32600 => "-32600",
        -32601 => "-32601",
        -32602 => "-32602",
        -32603 => "-32603",
        -32001 => "-32001",
        -32002 => "-32002",
        -32003 => "-32003",
        -32004 => "-32004",
        -32005 => "-32005",
        -32006 => "-32006",
        -32007 => "-32007",
        -32008 => "-32008",
        -32009 => "-32009",
        -32010 => "-32010",
        -32011 => "-32011",
        _ => "other",
    }
}

const UNKNOWN_METHOD: &str = "unknown";

/// From half a millisecond, which a commit takes on a quick disk, to a call's usual time-out.
const SECONDS: [f64; 15] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// Up to the writer's group limit, and past it.
const ROWS: [f64; 11] = [
    1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 1024.0, 4096.0,
];
