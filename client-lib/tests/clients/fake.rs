//! A daemon whose every line is told by the test.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};

pub(crate) struct Daemon {
    dir: TempDir,
    listener: UnixListener,
}

impl Daemon {
    pub(crate) fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        let listener = UnixListener::bind(dir.path().join("sock")).expect("the socket is free");
        Self { dir, listener }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("sock")
    }

    /// Stops and starts: nobody answers in between.
    pub(crate) async fn restart(self, away: Duration) -> Self {
        let path = self.path();
        let Self { dir, listener } = self;
        drop(listener);
        std::fs::remove_file(&path).expect("the socket was there");
        tokio::time::sleep(away).await;
        Self {
            listener: UnixListener::bind(path).expect("the socket is free"),
            dir,
        }
    }

    pub(crate) async fn accept(&self) -> Peer {
        let accepted = tokio::time::timeout(PATIENCE, self.listener.accept()).await;
        let (stream, _) = accepted.expect("a client comes").expect("accept works");
        Peer::new(stream)
    }

    /// Accepts and opens a subscription that was asked for.
    pub(crate) async fn accept_subscriber(&self, next_offset: u64) -> (Peer, Value) {
        let mut peer = self.accept().await;
        let request = peer.request().await;
        assert_eq!(request["method"], "events.subscribe", "{request}");
        peer.answer(&request, subscribed(&request, next_offset))
            .await;
        (peer, request)
    }
}

pub(crate) fn subscribed(request: &Value, next_offset: u64) -> Value {
    json!({
        "subscription": "s", "consumer": request["params"]["consumer"],
        "next_offset": next_offset, "filter": request["params"]["filter"],
    })
}

/// A client, as the daemon sees it.
pub(crate) struct Peer {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

impl Peer {
    fn new(stream: UnixStream) -> Self {
        let (read, writer) = stream.into_split();
        Self {
            reader: BufReader::new(read),
            writer,
        }
    }

    /// The next request, or null where the client is gone.
    pub(crate) async fn request(&mut self) -> Value {
        let mut line = String::new();
        let read = tokio::time::timeout(PATIENCE, self.reader.read_line(&mut line)).await;
        read.expect("a request comes")
            .expect("the connection stands");
        if line.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&line).expect("it is JSON")
        }
    }

    pub(crate) async fn answer(&mut self, request: &Value, result: Value) {
        self.line(&json!({"jsonrpc": "2.0", "id": request["id"], "result": result}))
            .await;
    }

    pub(crate) async fn refuse(&mut self, request: &Value, code: i32, data: Value) {
        let error = json!({"code": code, "message": "no", "data": data});
        self.line(&json!({"jsonrpc": "2.0", "id": request["id"], "error": error}))
            .await;
    }

    pub(crate) async fn notify(&mut self, method: &str, params: Value) {
        self.line(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
            .await;
    }

    pub(crate) async fn events(&mut self, offsets: impl IntoIterator<Item = u64>) {
        for offset in offsets {
            self.raw(event_line(offset).as_bytes()).await;
        }
    }

    async fn line(&mut self, value: &Value) {
        self.raw(format!("{value}\n").as_bytes()).await;
    }

    pub(crate) async fn raw(&mut self, bytes: &[u8]) {
        self.writer
            .write_all(bytes)
            .await
            .expect("the client reads");
    }
}

pub(crate) fn event_line(offset: u64) -> String {
    let event = json!({
        "offset": offset, "type": "message.new", "received_at": "2026-11-23T12:00:00.123Z",
        "conversation_id": "conv_1", "message_id": format!("msg_{offset}"), "seq": offset,
        "source": "live", "late": false, "payload": {"id": format!("msg_{offset}")},
    });
    let params = json!({"subscription": "s", "result": event});
    format!(
        "{}\n",
        json!({"jsonrpc": "2.0", "method": "events.event", "params": params})
    )
}

/// Far longer than anything here takes; only a failing test waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
