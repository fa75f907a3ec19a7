//! The driver's state and its loop.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use agentchatd_client::types::{SocketStatus, SyncDrained};
use agentchatd_engine::{Effect, Engine, Input, Settings};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};

use super::{
    clock::Clock,
    link::{Dialing, dialed, received},
    rebuild::Patience,
    report::Watched,
    requests::{Answer, Requests, identity},
    sends::Callers,
    steering::Wishes,
};
use crate::{
    command::{CallFailure, Command},
    failpoint,
    feed::Feed,
    hub::Upstream,
    metrics::Metrics,
    notify::Notifier,
    shutdown::Tasks,
    store::{Committed, Durability, Reader, Store, Writer},
    upstream::{
        ApiKey, Platform, Rest, RestConfig,
        socket::{SocketConfig, SocketReceiver, SocketSender},
    },
};

/// What the driver is told once.
#[derive(Debug)]
pub struct DriverConfig {
    /// The engine's settings.
    pub engine: Settings,
    /// How calls to the platform are made.
    pub rest: RestConfig,
    /// How sockets are opened.
    pub socket: SocketConfig,
    /// Entries that the outbox may hold unfinished.
    pub outbox_max: usize,
    /// How long an entry may wait where its caller does not say.
    pub outbox_expires: Duration,
    /// The configuration file, for `daemon.status`.
    pub config_path: Option<PathBuf>,
    /// Where local clients connect, for `daemon.status`.
    pub local_socket: SocketStatus,
    /// What a commit survives, for `daemon.status`.
    pub durability: Durability,
    /// What the start had to say, for `daemon.status`.
    pub warnings: Vec<String>,
    /// Where figures are counted.
    pub metrics: Arc<Metrics>,
}

/// What the process tells the driver.
#[derive(Debug)]
pub enum Signal {
    /// The key that counts from now on; `Err` says why there is none.
    Key(Result<ApiKey, String>),
    /// The key that replaced the one before it; the call that brought it is over.
    Replaced {
        /// The new key.
        key: ApiKey,
        /// Told once it is in use.
        used: oneshot::Sender<()>,
    },
    /// What the user should know, for `daemon.status`.
    Warning(String),
    /// Stop in order.
    Stop,
}

/// The daemon's centre; see the module's text.
pub struct Driver {
    pub(super) config: DriverConfig,
    pub(super) clock: Clock,
    pub(super) engine: Engine,
    pub(super) writer: Writer,
    pub(super) reader: Reader,
    pub(super) store_path: PathBuf,
    pub(super) committed: mpsc::UnboundedReceiver<Committed>,
    pub(super) feed: Arc<Feed>,
    pub(super) platform: Platform,
    pub(super) key: Option<ApiKey>,
    /// Why there is no key, where there is none.
    pub(super) no_key: Arc<str>,
    pub(super) requests: Option<Requests>,
    pub(super) wants_key: watch::Sender<bool>,
    upstream: watch::Sender<Option<Arc<dyn Upstream>>>,
    pub(super) answers: (mpsc::Sender<Answer>, mpsc::Receiver<Answer>),
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) signals: mpsc::Receiver<Signal>,
    pub(super) dialing: Option<Dialing>,
    /// A stop does not wait longer for a dial.
    give_up_dial_at: Option<Instant>,
    pub(super) sender: Option<SocketSender>,
    pub(super) receiver: Option<SocketReceiver>,
    /// A close that was asked for while the dial was still under way.
    pub(super) close_when_open: Option<(u16, &'static str)>,
    pub(super) notifier: Arc<Notifier>,
    pub(super) tasks: Tasks,
    pub(super) callers: Callers,
    pub(super) wishes: Wishes,
    pub(super) drains: BTreeMap<u64, oneshot::Sender<Result<SyncDrained, CallFailure>>>,
    pub(super) next_drain: u64,
    /// Commits whose report has not come yet.
    pub(super) unreported: usize,
    pub(super) watched: Watched,
    pub(super) patience: Patience,
    pub(super) shutdown: Option<oneshot::Sender<()>>,
    /// Until when the key may be replaced at any moment.
    pub(super) replacing: Option<Instant>,
    pub(super) effects: VecDeque<Effect>,
    pub(super) stopping: bool,
    /// The store's thread is gone.
    broken: bool,
}

/// The ends of the driver's channels.
pub struct Ends {
    /// From the local API.
    pub commands: mpsc::Receiver<Command>,
    /// From the process.
    pub signals: mpsc::Receiver<Signal>,
    /// For calls that the local API passes on.
    pub upstream: watch::Sender<Option<Arc<dyn Upstream>>>,
    /// For who looks for keys: true while only another one can help.
    pub wants_key: watch::Sender<bool>,
    /// Told once when a local program asked for the end.
    pub shutdown: oneshot::Sender<()>,
}

impl fmt::Debug for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ends").finish_non_exhaustive()
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

impl Driver {
    /// A driver that goes on where the store stands. Nothing happens before [`Driver::run`].
    pub fn new(
        config: DriverConfig,
        store: Store,
        feed: Arc<Feed>,
        platform: Platform,
        ends: Ends,
        notifier: Arc<Notifier>,
        tasks: Tasks,
    ) -> Self {
        let clock = Clock::start();
        let Store {
            writer,
            reader,
            committed,
            loaded,
            path,
        } = store;
        let mut callers = Callers::default();
        for entry in &loaded.engine.outbox {
            callers.restore(entry.id);
        }
        if let Some((handle, _)) = &loaded.engine.bound {
            feed.set_me(Some(Arc::clone(handle)));
        }
        let watched = Watched::new(&loaded);
        let engine = Engine::new(config.engine.clone(), loaded.engine, clock.now());
        let Ends {
            commands,
            signals,
            upstream,
            wants_key,
            shutdown,
        } = ends;
        Self {
            config,
            clock,
            engine,
            writer,
            reader,
            store_path: path,
            committed,
            feed,
            platform,
            key: None,
            no_key: Arc::from("not_configured"),
            requests: None,
            wants_key,
            upstream,
            answers: mpsc::channel(ANSWER_QUEUE),
            commands,
            signals,
            dialing: None,
            give_up_dial_at: None,
            sender: None,
            receiver: None,
            close_when_open: None,
            notifier,
            tasks,
            callers,
            wishes: Wishes::default(),
            drains: BTreeMap::new(),
            next_drain: 0,
            unreported: 0,
            watched,
            patience: Patience::default(),
            shutdown: Some(shutdown),
            replacing: None,
            effects: VecDeque::new(),
            stopping: false,
            broken: false,
        }
    }

    /// Runs until told to stop and everything under way has ended; false where it could not go
    /// on.
    pub async fn run(mut self) -> bool {
        loop {
            self.step().await;
            self.carry_out().await;
            if self.broken {
                self.tasks.cancel();
                return false;
            }
            if self.stopping
                && self.sender.is_none()
                && self.dialing.is_none()
                && self.unreported == 0
            {
                break;
            }
        }
        if let Err(error) = self.writer.close().await {
            tracing::error!(%error, "the database could not be closed in order");
        }
        true
    }

    /// Waits for one thing to happen and hands it to the engine.
    async fn step(&mut self) {
        let timeout = self.engine.next_timeout().map(|at| self.clock.instant(at));
        // While the disk stalls, frames stay in the socket's own buffer, and pings are answered
        // by the socket's task all the same.
        let may_read = self.unreported < UNREPORTED_LIMIT;
        tokio::select! {
            Some(signal) = self.signals.recv() => self.on_signal(signal),
            committed = self.committed.recv() => self.on_committed(committed).await,
            Some(answer) = self.answers.1.recv() => self.on_answer(answer),
            dialed = dialed(&mut self.dialing) => self.on_dialed(dialed),
            event = received(&mut self.receiver), if may_read => self.on_socket(event),
            Some(command) = self.commands.recv() => self.on_command(command),
            () = elapsed(timeout) => self.feed_engine(Input::Tick),
            () = elapsed(self.give_up_dial_at), if self.dialing.is_some() => {
                // Dropping it cuts it off; until it has written its hello nobody is there.
                self.dialing = None;
            }
        }
    }

    pub(super) fn feed_engine(&mut self, input: Input) {
        let effects = self.engine.handle(input, self.clock.now());
        self.effects.extend(effects);
    }

    pub(super) fn on_signal(&mut self, signal: Signal) {
        match signal {
            Signal::Stop => {
                self.stopping = true;
                self.give_up_dial_at = Some(Instant::now() + DIAL_GRACE);
                self.feed_engine(Input::Shutdown);
            }
            Signal::Key(Ok(key)) if self.uses(&key) => {}
            Signal::Key(Ok(key)) => self.use_key(key),
            Signal::Replaced { key, used } => {
                self.use_key(key);
                failpoint::reach("key-used");
                self.replacement_ended(None);
                // Whoever waited for it may be gone.
                let _ = used.send(());
            }
            Signal::Warning(text) => self.watched.warn(text),
            Signal::Key(Err(reason)) => {
                self.key = None;
                self.requests = None;
                self.upstream.send_replace(None);
                self.no_key = reason.into();
                self.feed_engine(Input::NoCredential(Arc::clone(&self.no_key)));
            }
        }
    }

    fn use_key(&mut self, key: ApiKey) {
        let rest = Rest::new(self.platform.clone(), Some(key.clone()), self.config.rest);
        self.requests = Some(Requests {
            rest: rest.clone(),
            inputs: self.answers.0.clone(),
        });
        self.key = Some(key);
        self.no_key = Arc::from("");
        self.upstream.send_replace(Some(Arc::new(rest)));
        self.feed_engine(Input::Credential);
    }

    /// Whether this key is at work; a refused one is not.
    fn uses(&self, key: &ApiKey) -> bool {
        let known = self.key.as_ref().is_some_and(|known| known.is_same_as(key));
        known && self.watched.parked().is_none()
    }

    fn on_answer(&mut self, answer: Answer) {
        match answer {
            Answer::Input(input) => {
                self.watched.note(&input);
                if let Input::SyncAcked(Ok(Some(rows))) = &input {
                    self.config.metrics.acked_by_sync(*rows);
                }
                self.feed_engine(input);
            }
            Answer::SentBefore(send) => {
                let (asked, accepted, outcome) = *send;
                // It may have been told to stop since.
                match self.refuses_change() {
                    None => self.take_in(asked, accepted, outcome),
                    Some(refusal) => {
                        let _ = accepted.send(Err(refusal));
                    }
                }
            }
            Answer::Identified(answer) => {
                self.watched.identified(answer.as_ref());
                let answer = match answer {
                    Ok(me) => {
                        let identity = identity(&me);
                        // Another agent's key changes nothing for those who read this log.
                        if self.watched.may_be(&identity.handle) {
                            self.feed.set_me(Some(Arc::clone(&identity.handle)));
                        }
                        Ok(identity)
                    }
                    Err(failure) => Err(failure.engine()),
                };
                self.feed_engine(Input::Identified(answer));
            }
        }
    }

    async fn on_committed(&mut self, committed: Option<Committed>) {
        let Some(committed) = committed else {
            tracing::error!("the store's thread is gone");
            self.broken = true;
            return;
        };
        match committed {
            Committed::Done {
                reports,
                events,
                cost,
            } => {
                let metrics = &self.config.metrics;
                metrics.committed(cost.took, cost.rows, cost.duplicates);
                for event in &events {
                    if event.message_id.is_some() {
                        metrics.logged(event.source);
                    }
                }
                self.unreported = self.unreported.saturating_sub(reports.len());
                self.watched.stored();
                // Whoever is answered below may ask for the event at once.
                if !events.is_empty() {
                    self.feed.publish(events);
                    failpoint::reach("published");
                }
                for (token, report) in reports {
                    self.feed_engine(Input::Committed(token, report));
                }
            }
            Committed::Failed(error) => self.rebuild(&error).await,
        }
    }
}

async fn elapsed(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Answers of the platform that may wait for the driver.
pub(super) const ANSWER_QUEUE: usize = 256;
/// How long a stop waits for a dial that is under way: a handshake is not cut off without need
/// (`wire.md` 12.1).
const DIAL_GRACE: Duration = Duration::from_secs(2);
/// Commits that may be on their way to disk before the socket is no longer read.
const UNREPORTED_LIMIT: usize = 2_048;
