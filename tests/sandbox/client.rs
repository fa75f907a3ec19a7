//! Plain clients: one for REST, one for the socket.

use agentchatd_tests::sandbox::{Agent, Options, Sandbox};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::http::Request;
use tokio_tungstenite::tungstenite::{Error, Message};

/// How long anything expected may take.
pub(crate) const SOON: Duration = Duration::from_secs(10);
/// How long is waited for something that must not come.
pub(crate) const NEVER: Duration = Duration::from_millis(80);

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answered {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("the body is JSON")
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The values of one member over all rows of an array.
    pub(crate) fn column(&self, member: &str) -> Vec<Value> {
        let rows: Vec<Value> = serde_json::from_str(&self.text).expect("the body is an array");
        rows.iter().map(|row| row[member].clone()).collect()
    }

    pub(crate) fn seqs(&self) -> Vec<u64> {
        self.column("seq")
            .iter()
            .filter_map(Value::as_u64)
            .collect()
    }
}

/// Makes requests with one key.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    http: reqwest::Client,
    base: String,
    key: String,
}

impl Api {
    pub(crate) fn new(sandbox: &Sandbox, agent: &Agent) -> Self {
        agentchatd_tests::tls::choose_cryptography();
        let http = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client");
        Self {
            http,
            base: sandbox.base_url(),
            key: agent.key().to_owned(),
        }
    }

    /// The same with another agent's key. To build a client takes long.
    pub(crate) fn of(&self, agent: &Agent) -> Self {
        let mut other = self.clone();
        agent.key().clone_into(&mut other.key);
        other
    }

    pub(crate) async fn try_call(
        &self,
        method: &str,
        path: &str,
        body: Option<&str>,
    ) -> Result<Answered, reqwest::Error> {
        let method = method.parse().expect("a method");
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(&self.key)
            .timeout(SOON);
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_owned());
        }
        let answer = request.send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Ok(Answered {
            status,
            headers,
            text: answer.text().await?,
        })
    }

    pub(crate) async fn raw(&self, method: &str, path: &str, body: &str) -> Answered {
        self.try_call(method, path, Some(body))
            .await
            .expect("an answer")
    }

    pub(crate) async fn get(&self, path: &str) -> Answered {
        self.try_call("GET", path, None).await.expect("an answer")
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answered {
        self.raw("POST", path, &body.to_string()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answered {
        self.try_call("DELETE", path, None)
            .await
            .expect("an answer")
    }

    /// A direct send.
    pub(crate) async fn send(&self, to: &str, id: &str) -> Answered {
        let body = json!({ "to": to, "client_msg_id": id, "content": { "text": id } });
        self.post("/v1/messages", &body).await
    }
}

/// One WebSocket.
pub(crate) struct Sock(WebSocketStream<TcpStream>);

/// What came out of a socket.
#[derive(Debug, PartialEq)]
pub(crate) enum Got {
    Frame(Value),
    Closed(u16, String),
    Ping,
    Broken,
}

impl Sock {
    /// Upgrades, with headers if wanted.
    pub(crate) async fn open(sandbox: &Sandbox, headers: &[(&str, &str)]) -> Result<Self, Error> {
        let tcp = TcpStream::connect(sandbox.address()).await?;
        let mut request = Request::builder()
            .uri(format!("ws://{}/v1/ws", sandbox.address()))
            .header("host", sandbox.address().to_string())
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(()).expect("a request");
        let (ws, _) = tokio_tungstenite::client_async(request, tcp).await?;
        Ok(Self(ws))
    }

    /// Upgrades and says hello, with the ack capability.
    pub(crate) async fn hello(sandbox: &Sandbox, agent: &Agent) -> Self {
        let mut sock = Self::open(sandbox, &[]).await.expect("an upgrade");
        let hello = json!({"type": "hello", "api_key": agent.key(), "capabilities": ["ack"]});
        sock.write(&hello.to_string()).await;
        sock
    }

    /// The same, and has read `hello.ok`.
    pub(crate) async fn ready(sandbox: &Sandbox, agent: &Agent) -> Self {
        let mut sock = Self::hello(sandbox, agent).await;
        assert_eq!(sock.frame().await["type"], "hello.ok");
        sock
    }

    pub(crate) async fn write(&mut self, text: &str) {
        let _broken = self.0.send(Message::text(text)).await;
    }

    pub(crate) async fn ack(&mut self, id: &str) {
        self.write(&json!({ "type": "ack", "message_id": id }).to_string())
            .await;
    }

    /// The next thing that is not a pong.
    pub(crate) async fn next(&mut self) -> Got {
        loop {
            let next = tokio::time::timeout(SOON, self.0.next())
                .await
                .expect("something soon");
            return match next {
                Some(Ok(Message::Text(text))) => {
                    Got::Frame(serde_json::from_str(&text).expect("frames are JSON"))
                }
                Some(Ok(Message::Close(Some(frame)))) => {
                    Got::Closed(frame.code.into(), frame.reason.to_string())
                }
                Some(Ok(Message::Ping(_))) => Got::Ping,
                Some(Ok(Message::Pong(_))) => continue,
                Some(Ok(_) | Err(_)) | None => Got::Broken,
            };
        }
    }

    pub(crate) async fn frame(&mut self) -> Value {
        match self.next().await {
            Got::Frame(frame) => frame,
            other => panic!("a frame, not {other:?}"),
        }
    }

    /// The seqs of the next so many messages.
    pub(crate) async fn seqs(&mut self, count: usize) -> Vec<u64> {
        let mut seqs = Vec::new();
        while seqs.len() < count {
            let frame = self.frame().await;
            if frame["type"] == "message.new" {
                seqs.push(
                    frame["payload"]["seq"]
                        .as_u64()
                        .expect("messages have a seq"),
                );
            }
        }
        seqs
    }

    /// Asserts that nothing comes.
    pub(crate) async fn silence(&mut self) {
        let next = tokio::time::timeout(NEVER, self.0.next()).await;
        assert!(next.is_err(), "nothing, not {next:?}");
    }

    /// The stream below, from here on without WebSocket.
    pub(crate) fn into_tcp(self) -> TcpStream {
        self.0.into_inner()
    }
}

/// A sandbox with alice and bob.
pub(crate) async fn pair(options: Options) -> (Sandbox, Agent, Agent) {
    let sandbox = Sandbox::start(options).await.expect("a sandbox");
    let (alice, bob) = (sandbox.agent("alice"), sandbox.agent("bob"));
    (sandbox, alice, bob)
}

/// April with no delays that tests would have to wait for.
pub(crate) fn quick_april() -> Options {
    Options {
        key_lookup: Duration::ZERO,
        drain_pause: Duration::from_millis(5),
        ..Options::april()
    }
}
