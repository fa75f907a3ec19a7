//! The driver's state and its loop.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use agentchatd_client::types::SyncDrained;
use agentchatd_engine::{Effect, Engine, Input, Settings, Snapshot, SocketEnd};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    clock::Clock,
    report::Watched,
    requests::{Answer, Requests, identity},
    sends::{Caller, Callers, draft},
};
use crate::{
    command::{Accepted, CallFailure, Command, Draft, Outcome, Refusal},
    feed::Feed,
    hub::Upstream,
    notify::Notifier,
    shutdown::Tasks,
    store::{Committed, Durability, Reader, Store, StoreError, Writer},
    upstream::{
        ApiKey, Platform, Rest, RestConfig,
        socket::{Closed, DialFailure, Socket, SocketConfig, SocketEvent, SocketReceiver, SocketSender},
        wire::Frame,
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
    /// What a commit survives, for `daemon.status`.
    pub durability: Durability,
    /// What the start had to say, for `daemon.status`.
    pub warnings: Vec<String>,
}

/// What the process tells the driver.
#[derive(Debug)]
pub enum Signal {
    /// The key that counts from now on; `Err` says why there is none.
    Key(Result<ApiKey, String>),
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
    committed: mpsc::UnboundedReceiver<Committed>,
    pub(super) feed: Arc<Feed>,
    pub(super) platform: Platform,
    pub(super) key: Option<ApiKey>,
    pub(super) requests: Option<Requests>,
    upstream: watch::Sender<Option<Arc<dyn Upstream>>>,
    answers: (mpsc::Sender<Answer>, mpsc::Receiver<Answer>),
    commands: mpsc::Receiver<Command>,
    signals: mpsc::Receiver<Signal>,
    pub(super) dialing: Option<oneshot::Receiver<Result<Socket, DialFailure>>>,
    pub(super) sender: Option<SocketSender>,
    receiver: Option<SocketReceiver>,
    /// A close that was asked for while the dial was still under way.
    pub(super) close_when_open: Option<(u16, &'static str)>,
    pub(super) notifier: Arc<Notifier>,
    pub(super) tasks: Tasks,
    pub(super) callers: Callers,
    pub(super) drains: BTreeMap<u64, oneshot::Sender<Result<SyncDrained, CallFailure>>>,
    pub(super) next_drain: u64,
    /// Commits whose report has not come yet.
    pub(super) unreported: usize,
    pub(super) watched: Watched,
    shutdown: Option<oneshot::Sender<()>>,
    pub(super) effects: VecDeque<Effect>,
    stopping: bool,
}

/// The ends of the driver's channels.
pub struct Ends {
    /// From the local API.
    pub commands: mpsc::Receiver<Command>,
    /// From the process.
    pub signals: mpsc::Receiver<Signal>,
    /// For calls that the local API passes on.
    pub upstream: watch::Sender<Option<Arc<dyn Upstream>>>,
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
        f.debug_struct("Driver").field("engine", &self.engine).finish_non_exhaustive()
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
        let Store { writer, reader, committed, loaded, path } = store;
        let mut callers = Callers::default();
        for entry in &loaded.engine.outbox {
            callers.restore(entry.id);
        }
        if let Some((handle, _)) = &loaded.engine.bound {
            feed.set_me(Some(Arc::clone(handle)));
        }
        let watched = Watched::new(&loaded);
        let engine = Engine::new(config.engine.clone(), loaded.engine, clock.now());
        let Ends { commands, signals, upstream, shutdown } = ends;
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
            requests: None,
            upstream,
            answers: mpsc::channel(ANSWER_QUEUE),
            commands,
            signals,
            dialing: None,
            sender: None,
            receiver: None,
            close_when_open: None,
            notifier,
            tasks,
            callers,
            drains: BTreeMap::new(),
            next_drain: 0,
            unreported: 0,
            watched,
            shutdown: Some(shutdown),
            effects: VecDeque::new(),
            stopping: false,
        }
    }

    /// Runs until told to stop and everything under way has ended.
    pub async fn run(mut self) {
        loop {
            self.step().await;
            self.carry_out().await;
            if self.stopping && self.sender.is_none() && self.dialing.is_none() && self.unreported == 0 {
                break;
            }
        }
        if let Err(error) = self.writer.close().await {
            tracing::error!(%error, "the database could not be closed in order");
        }
    }

    /// Waits for one thing to happen and hands it to the engine.
    async fn step(&mut self) {
        let timeout = self.engine.next_timeout().map(|at| self.clock.instant(at));
        // While the disk stalls, frames stay in the socket's own buffer, and pings are answered
        // by the socket's task all the same.
        let may_read = self.unreported < UNREPORTED_LIMIT;
        tokio::select! {
            biased;
            Some(signal) = self.signals.recv() => self.on_signal(signal),
            Some(committed) = self.committed.recv() => self.on_committed(committed).await,
            Some(answer) = self.answers.1.recv() => self.on_answer(answer),
            dialed = dialed(&mut self.dialing) => self.on_dialed(dialed),
            event = received(&mut self.receiver), if may_read => self.on_socket(event),
            Some(command) = self.commands.recv(), if may_read => self.on_command(command),
            () = elapsed(timeout) => self.feed_engine(Input::Tick),
        }
    }

    pub(super) fn feed_engine(&mut self, input: Input) {
        let effects = self.engine.handle(input, self.clock.now());
        self.effects.extend(effects);
    }

    fn on_signal(&mut self, signal: Signal) {
        match signal {
            Signal::Stop => {
                self.stopping = true;
                self.feed_engine(Input::Shutdown);
            }
            Signal::Key(Ok(key)) => {
                let rest = Rest::new(self.platform.clone(), Some(key.clone()), self.config.rest);
                self.requests =
                    Some(Requests { rest: rest.clone(), inputs: self.answers.0.clone() });
                self.key = Some(key);
                self.upstream.send_replace(Some(Arc::new(rest)));
                self.feed_engine(Input::Credential);
            }
            Signal::Key(Err(reason)) => {
                self.key = None;
                self.requests = None;
                self.upstream.send_replace(None);
                self.feed_engine(Input::NoCredential(reason.into()));
            }
        }
    }

    fn on_answer(&mut self, answer: Answer) {
        match answer {
            Answer::Input(input) => {
                self.watched.note(&input);
                self.feed_engine(input);
            }
            Answer::Identified(answer) => {
                let answer = match answer {
                    Ok(me) => {
                        let identity = identity(&me);
                        self.feed.set_me(Some(Arc::clone(&identity.handle)));
                        self.watched.me = Some(me);
                        Ok(identity)
                    }
                    Err(failure) => Err(failure.engine()),
                };
                self.feed_engine(Input::Identified(answer));
            }
        }
    }

    fn on_dialed(&mut self, dialed: Result<Socket, DialFailure>) {
        match dialed {
            Ok(Socket { sender, receiver, task }) => {
                self.tasks.spawn("socket", task.run());
                if let Some((code, reason)) = self.close_when_open.take() {
                    sender.close(code, reason);
                }
                self.sender = Some(sender);
                self.receiver = Some(receiver);
                self.feed_engine(Input::SocketOpen);
            }
            Err(failure) => {
                self.close_when_open = None;
                let refused = failure.refused;
                self.feed_engine(Input::SocketClosed(SocketEnd {
                    refused: refused.map(|refusal| refusal.status),
                    retry_after_ms: refused.and_then(|refusal| refusal.retry_after_ms),
                    code: None,
                    reason: failure.reason.into(),
                    by_us: false,
                }));
            }
        }
    }

    fn on_socket(&mut self, first: Option<SocketEvent>) {
        let mut event = first;
        for _ in 0..FRAMES_A_TURN {
            match event {
                Some(SocketEvent::Frame(frame)) => self.on_frame(frame),
                Some(SocketEvent::Ping) => self.feed_engine(Input::Alive),
                Some(SocketEvent::Closed(closed)) => return self.on_closed(closed),
                None => {
                    let reason = Arc::from("the connection broke off");
                    return self.on_closed(Closed { code: None, reason, by_us: false });
                }
            }
            let Some(next) = self.receiver.as_mut().and_then(SocketReceiver::try_next) else { return };
            event = Some(next);
        }
    }

    fn on_closed(&mut self, closed: Closed) {
        self.sender = None;
        self.receiver = None;
        let Closed { code, reason, by_us } = closed;
        self.watched.closed(code, &reason);
        let end = SocketEnd { refused: None, retry_after_ms: None, code, reason, by_us };
        self.feed_engine(Input::SocketClosed(end));
    }

    fn on_frame(&mut self, frame: Frame) {
        self.watched.frame();
        match frame {
            Frame::Message(row) => self.feed_engine(Input::Message(row)),
            Frame::HelloOk { ack } => {
                if let Some(sender) = &self.sender {
                    sender.ready();
                }
                self.feed_engine(Input::HelloOk { ack });
            }
            Frame::Event(event) if is_ephemeral(&event.kind) => {
                self.publish_ephemeral(event.kind, event.conversation_id, event.payload);
                self.feed_engine(Input::Alive);
            }
            Frame::Event(event) => {
                self.feed_engine(Input::Other { kind: event.kind, payload: event.payload });
            }
            Frame::Unreadable { reason } => {
                tracing::warn!(%reason, "a frame of the platform could not be read");
                self.feed_engine(Input::Alive);
            }
        }
    }

    async fn on_committed(&mut self, committed: Committed) {
        match committed {
            Committed::Done { reports, events } => {
                self.unreported = self.unreported.saturating_sub(reports.len());
                self.watched.stored();
                // Whoever is answered below may ask for the event at once.
                if !events.is_empty() {
                    self.feed.publish(events);
                }
                for (token, report) in reports {
                    self.feed_engine(Input::Committed(token, report));
                }
            }
            Committed::Failed(error) => self.rebuild(&error).await,
        }
    }

    /// Makes the engine anew from the disk, as after a crash.
    async fn rebuild(&mut self, error: &StoreError) {
        tracing::error!(%error, "a commit failed: nothing is acknowledged until the disk takes writes");
        self.watched.refused(error);
        self.callers.refuse_arriving(&error.to_string());
        self.effects.clear();
        self.sender = None;
        self.receiver = None;
        self.dialing = None;
        for (_, reply) in std::mem::take(&mut self.drains) {
            let reason = error.to_string();
            let _ = reply.send(Err(CallFailure::Storage { reason }));
        }
        // Answers to the old engine's questions would confuse the new one.
        self.answers = mpsc::channel(ANSWER_QUEUE);
        if let Some(requests) = &mut self.requests {
            requests.inputs = self.answers.0.clone();
        }
        tokio::time::sleep(STORE_RETRY).await;
        let snapshot = match self.writer.reload().await {
            Ok(loaded) => loaded.engine,
            Err(error) => {
                tracing::error!(%error, "the database cannot be read");
                Snapshot::default()
            }
        };
        // Reports of the old engine's commits mean nothing any more.
        while self.committed.try_recv().is_ok() {}
        self.unreported = 0;
        self.engine = Engine::new(self.config.engine.clone(), snapshot, self.clock.now());
        let input = if self.stopping {
            Input::Shutdown
        } else if self.key.is_some() {
            Input::Credential
        } else {
            Input::NoCredential("not_configured".into())
        };
        self.feed_engine(input);
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Send { draft, accepted, outcome } => self.on_send(*draft, accepted, outcome),
            Command::Drain { reply } => {
                self.next_drain += 1;
                self.drains.insert(self.next_drain, reply);
                self.feed_engine(Input::DrainNow { ticket: self.next_drain });
            }
            Command::Status { reply } => self.status(reply),
            Command::Health { reply } => self.health(reply),
            Command::Shutdown { reply } => {
                let _ = reply.send(());
                if let Some(shutdown) = self.shutdown.take() {
                    let _ = shutdown.send(());
                }
            }
        }
    }

    fn on_send(
        &mut self,
        asked: Draft,
        accepted: oneshot::Sender<Result<Accepted, Refusal>>,
        outcome: oneshot::Sender<Outcome>,
    ) {
        let refusal = if self.stopping {
            Some(Refusal::ShuttingDown)
        } else if self.key.is_none() {
            Some(Refusal::NotConfigured)
        } else if self.callers.unfinished() >= self.config.outbox_max {
            let retry_after_ms = Some(OVERLOAD_RETRY_MS);
            Some(Refusal::Overloaded { limit: "outbox.max_entries", retry_after_ms })
        } else {
            self.watched.refusal().map(|reason| Refusal::Storage { reason })
        };
        if let Some(refusal) = refusal {
            let _ = accepted.send(Err(refusal));
            return;
        }
        let expires_in = asked.expires_in.unwrap_or(self.config.outbox_expires);
        let expires_us = i64::try_from(expires_in.as_micros())
            .unwrap_or(i64::MAX)
            .saturating_add(self.clock.now().wall_us);
        let deadline = asked.deadline;
        let ticket = self.callers.arrive(Caller { accepted, outcome, deadline });
        self.feed_engine(Input::Submit { ticket, draft: draft(asked, expires_us) });
    }
}

fn is_ephemeral(kind: &str) -> bool {
    matches!(kind, "typing.start" | "typing.stop" | "presence.update")
}

async fn dialed(
    dialing: &mut Option<oneshot::Receiver<Result<Socket, DialFailure>>>,
) -> Result<Socket, DialFailure> {
    let Some(dial) = dialing else { return std::future::pending().await };
    let result = dial.await.unwrap_or_else(|_| {
        let reason = "the dial was given up".to_owned();
        Err(DialFailure { refused: None, reason, hello_sent: true })
    });
    *dialing = None;
    result
}

async fn received(receiver: &mut Option<SocketReceiver>) -> Option<SocketEvent> {
    match receiver {
        Some(receiver) => receiver.next().await,
        None => std::future::pending().await,
    }
}

async fn elapsed(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Answers of the platform that may wait for the driver.
const ANSWER_QUEUE: usize = 256;
/// Commits that may be on their way to disk before the socket is no longer read.
const UNREPORTED_LIMIT: usize = 2_048;
/// Frames taken from the socket before anything else has a turn.
const FRAMES_A_TURN: usize = 256;
/// The pause before a database that refused is tried again.
const STORE_RETRY: Duration = Duration::from_secs(1);
/// What a caller is told to wait where the outbox is full.
const OVERLOAD_RETRY_MS: u64 = 1_000;
