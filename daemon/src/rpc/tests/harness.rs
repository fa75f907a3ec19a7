//! A server on a socket in a temporary directory, and a client that sees what a script would see.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentchatd_client::types::SyncDrained;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::calls::Request;
use crate::command::{Accepted, CallFailure, Command, Draft, Outcome};
use crate::credentials::{Agent, ApiKey, Kept, Reserved};
use crate::feed::Feed;
use crate::feed::testing::MemoryStore;
use crate::files::Source;
use crate::hub::{Fetched, Hub, Keys, Later, Upstream};
use crate::rpc::server::serve_as;
use crate::rpc::{Access, Limits, Listener, SocketOptions};

/// A running server. Its tasks end when it is dropped.
pub(super) struct Server {
    pub(super) store: Arc<MemoryStore>,
    pub(super) feed: Arc<Feed>,
    pub(super) drafts: Arc<Mutex<Vec<Draft>>>,
    pub(super) shutdown: CancellationToken,
    path: PathBuf,
    tasks: JoinSet<()>,
    _directory: TempDir,
}

/// How the fake driver answers sends.
#[derive(Clone, Copy)]
pub(super) enum Sends {
    /// With a message, at once.
    Sent,
    /// It accepts them and never tells the outcome.
    Silent,
}

impl Server {
    pub(super) async fn start() -> Self {
        Self::with(MemoryStore::empty(), Limits::default(), Sends::Sent).await
    }

    pub(super) async fn with_events(count: u64) -> Self {
        Self::with(
            MemoryStore::with_events(1..=count),
            Limits::default(),
            Sends::Sent,
        )
        .await
    }

    pub(super) async fn with(store: Arc<MemoryStore>, limits: Limits, sends: Sends) -> Self {
        Self::with_access(store, limits, sends, None).await
    }

    pub(super) async fn with_access(
        store: Arc<MemoryStore>,
        limits: Limits,
        sends: Sends,
        access: Option<Access>,
    ) -> Self {
        Self::with_files_of(None, store, limits, sends, access).await
    }

    /// A server that opens files for this user, not for the one that the clients are.
    pub(super) async fn for_files_of(uid: u32) -> Self {
        let store = MemoryStore::empty();
        Self::with_files_of(Some(uid), store, Limits::default(), Sends::Sent, None).await
    }

    async fn with_files_of(
        uid: Option<u32>,
        store: Arc<MemoryStore>,
        limits: Limits,
        sends: Sends,
        access: Option<Access>,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s.sock");
        let options = SocketOptions {
            path: path.clone(),
            mode: 0o600,
            directory_mode: 0o700,
            group: None,
        };
        let listener = Listener::bind(&options).unwrap();
        let feed = Feed::open(&*store).await.unwrap();
        let (commands, queue) = mpsc::channel(crate::hub::COMMAND_QUEUE);
        let platform: Arc<dyn Upstream> = Arc::new(Echo);
        let (_, upstream) = watch::channel(Some(Arc::clone(&platform)));
        let (process, _) = mpsc::channel(crate::hub::PROCESS_QUEUE);
        let hub = Hub {
            spool: directory.path().into(),
            commands,
            process,
            backing: store.clone(),
            feed: Arc::clone(&feed),
            upstream,
            metrics: Arc::new(crate::metrics::Metrics::new()),
            anonymous: platform,
            keys: Arc::new(NoKeys),
        };
        let shutdown = CancellationToken::new();
        let drafts = Arc::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(drive(queue, Arc::clone(&drafts), sends));
        let access = access.unwrap_or_else(|| Access::standard(listener.own_uid()));
        let uid = uid.unwrap_or_else(|| listener.own_uid());
        tasks.spawn(serve_as(
            uid,
            listener,
            hub,
            limits,
            access,
            shutdown.clone(),
        ));
        Self {
            store,
            feed,
            drafts,
            shutdown,
            path,
            tasks,
            _directory: directory,
        }
    }

    /// Stops in order and gives the store, for a start after it.
    pub(super) async fn stop(mut self) -> Arc<MemoryStore> {
        self.shutdown.cancel();
        timeout(PATIENCE, self.tasks.join_next())
            .await
            .expect("the server stops in time");
        self.store
    }

    pub(super) async fn client(&self) -> Client {
        Client::new(UnixStream::connect(&self.path).await.unwrap())
    }

    /// Commits and publishes events as the driver does.
    pub(super) fn publish(&self, offsets: std::ops::RangeInclusive<u64>) {
        self.feed.publish(self.store.append(offsets));
    }

    /// Waits until the condition holds.
    pub(super) async fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let wait = async {
            while !condition(self) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(PATIENCE, wait)
            .await
            .unwrap_or_else(|_| panic!("not in time: {what}"));
    }
}

/// A client by hand.
pub(super) struct Client {
    // Notifications that came while an answer was awaited.
    early: VecDeque<Value>,
    lines: Lines<BufReader<OwnedReadHalf>>,
    pub(super) write: OwnedWriteHalf,
}

impl Client {
    fn new(stream: UnixStream) -> Self {
        let (read, write) = stream.into_split();
        Self {
            early: VecDeque::new(),
            lines: BufReader::new(read).lines(),
            write,
        }
    }

    pub(super) async fn say(&mut self, text: &str) {
        self.write.write_all(text.as_bytes()).await.unwrap();
    }

    /// The next line; `None` where the server has closed.
    pub(super) async fn line(&mut self) -> Option<String> {
        timeout(PATIENCE, self.lines.next_line())
            .await
            .expect("an answer in time")
            .unwrap_or(None)
    }

    /// Writes and reads at the same time, until so many requests are answered; a batch counts as
    /// many as it has answers. `written` is told when all is written.
    pub(super) async fn pipeline(
        &mut self,
        text: &str,
        answers: usize,
        written: &AtomicBool,
    ) -> Vec<Value> {
        let writing = async {
            self.write.write_all(text.as_bytes()).await.unwrap();
            written.store(true, Ordering::SeqCst);
        };
        let reading = async {
            let mut values = Vec::new();
            while values.len() < answers {
                let line = timeout(PATIENCE, self.lines.next_line())
                    .await
                    .expect("in time");
                match serde_json::from_str(&line.unwrap().expect("an answer")).unwrap() {
                    Value::Array(batch) => values.extend(batch),
                    value => values.push(value),
                }
            }
            values
        };
        tokio::join!(writing, reading).1
    }

    pub(super) async fn value(&mut self) -> Value {
        match self.early.pop_front() {
            Some(value) => value,
            None => self.fresh().await,
        }
    }

    async fn fresh(&mut self) -> Value {
        serde_json::from_str(&self.line().await.expect("an answer")).unwrap()
    }

    /// Asserts that nothing comes for a while.
    pub(super) async fn silence(&mut self) {
        assert!(self.early.is_empty(), "{:?}", self.early);
        let line = timeout(Duration::from_millis(100), self.lines.next_line()).await;
        assert!(line.is_err(), "{line:?}");
    }

    pub(super) async fn send(&mut self, id: u64, method: &str, params: Value) {
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.say(&format!("{request}\n")).await;
    }

    /// Calls and gives the whole answer. Notifications that come before it are kept.
    pub(super) async fn call(&mut self, method: &str, params: Value) -> Value {
        self.send(1, method, params).await;
        loop {
            let value = self.fresh().await;
            if value["method"].is_null() {
                assert_eq!(value["id"], 1, "{value}");
                let of_it = |notice: &Value| {
                    let name = &value["result"]["subscription"];
                    name.is_string() && notice["params"]["subscription"] == *name
                };
                assert!(!self.early.iter().any(of_it), "an event before the answer");
                return value;
            }
            self.early.push_back(value);
        }
    }

    /// Calls and gives the result.
    pub(super) async fn ok(&mut self, method: &str, params: Value) -> Value {
        let answer = self.call(method, params).await;
        assert!(answer["error"].is_null(), "{answer}");
        answer["result"].clone()
    }

    /// Calls and gives the error.
    pub(super) async fn error(&mut self, method: &str, params: Value) -> Value {
        let answer = self.call(method, params).await;
        assert!(answer["result"].is_null(), "{answer}");
        answer["error"].clone()
    }

    /// Subscribes and gives the subscription's name.
    pub(super) async fn subscribe(&mut self, params: Value) -> String {
        let result = self.ok("events.subscribe", params).await;
        result["subscription"].as_str().unwrap().to_owned()
    }

    /// The next notification, an event.
    pub(super) async fn event(&mut self) -> Value {
        let notice = self.value().await;
        assert_eq!(notice["method"], "events.event", "{notice}");
        notice["params"]["result"].clone()
    }

    /// The offsets of the next events, and which of them were given before.
    pub(super) async fn offsets(&mut self, count: usize) -> (Vec<u64>, Vec<u64>) {
        let (mut offsets, mut again) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let event = self.event().await;
            let offset = event["offset"].as_u64().unwrap();
            offsets.push(offset);
            if event["redelivered"] == true {
                again.push(offset);
            }
        }
        (offsets, again)
    }
}

/// The driver's part.
async fn drive(mut queue: mpsc::Receiver<Command>, drafts: Arc<Mutex<Vec<Draft>>>, sends: Sends) {
    let mut kept = Vec::new();
    while let Some(command) = queue.recv().await {
        match command {
            Command::Send {
                draft,
                accepted,
                outcome,
            } => {
                let outbox_id = {
                    let mut drafts = drafts.lock().unwrap();
                    drafts.push(*draft);
                    drafts.len() as u64
                };
                let _ = accepted.send(Ok(Accepted { outbox_id }));
                match sends {
                    Sends::Sent => {
                        let message: Arc<str> = format!(r#"{{"id":"msg_{outbox_id}"}}"#).into();
                        let sent = Outcome::Sent {
                            message,
                            replayed: false,
                            backlog_warning: None,
                            offset: Some(outbox_id),
                        };
                        let _ = outcome.send(sent);
                    }
                    Sends::Silent => kept.push(outcome),
                }
            }
            Command::Drain { reply } => {
                let _ = reply.send(Ok(SyncDrained {
                    drained: 3,
                    acked: 2,
                }));
            }
            Command::Shutdown { reply } => {
                let _ = reply.send(());
            }
            Command::ReplacingKey { .. }
            | Command::ReplacementEnded { .. }
            | Command::Frame { .. }
            | Command::Steer { .. }
            | Command::Status { .. }
            | Command::Health { .. } => {}
        }
    }
}

/// A platform that tells what it was asked.
struct Echo;

impl Upstream for Echo {
    fn call(&self, request: Request, _: Duration) -> Later<'_, Result<Arc<str>, CallFailure>> {
        Box::pin(async move {
            let text = format!("{request:?}");
            Ok(format!(
                r#"{{"asked":{},"big":12345678901234567890123}}"#,
                json!(text)
            )
            .into())
        })
    }

    fn put_file(
        &self,
        _: String,
        _: &'static str,
        _: Source,
        _: Option<Instant>,
    ) -> Later<'_, Result<(), CallFailure>> {
        Box::pin(std::future::ready(Err(CallFailure::ShuttingDown)))
    }

    fn get_file(&self, _: String, _: Option<Instant>) -> Later<'_, Result<Fetched, CallFailure>> {
        Box::pin(std::future::ready(Err(CallFailure::ShuttingDown)))
    }
}

/// How long anything may take in these tests.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// A daemon that keeps no keys.
struct NoKeys;

impl Keys for NoKeys {
    fn check(&self, _: Agent) -> Later<'_, Result<Reserved, String>> {
        Box::pin(async { Err("no keys here".to_owned()) })
    }

    fn adopt(&self, _: Agent, _: ApiKey, _: Option<Reserved>) -> Later<'_, Result<Kept, String>> {
        Box::pin(async { Err("no keys here".to_owned()) })
    }
}
