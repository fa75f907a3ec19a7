//! From nothing to an open connection with the hello on its way.
//!
//! The upgrade is a plain request of the platform's HTTP client, so it shares its TLS, its proxy
//! and its refusal to follow redirects. One deadline covers it all: a server that answers slowly,
//! refuses at length or never stops talking costs no more than that.

use std::time::{Duration, SystemTime};

use reqwest::header::{AUTHORIZATION, CONNECTION, HeaderMap, RETRY_AFTER, UPGRADE};
use reqwest::{Method, Response, Upgraded};
use serde::Serialize;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::super::answer::header;
use super::super::platform::{CLIENT_NAME, CLIENT_VERSION, reason};
use super::super::{ApiKey, Platform, retry_after};
use super::{Auth, SocketConfig, SocketReceiver, SocketSender, SocketTask, task, write};

/// An open connection. Nothing moves on it until its task runs.
#[derive(Debug)]
pub struct Socket {
    /// For what is to be sent.
    pub sender: SocketSender,
    /// For what came.
    pub receiver: SocketReceiver,
    /// Owns the connection; to be spawned, and dropped to cut it.
    pub task: SocketTask,
}

/// Why no connection came about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct DialFailure {
    /// The HTTP answer, where the server refused the upgrade.
    pub refused: Option<Refusal>,
    /// What went wrong, without the address and without the key.
    pub reason: String,
    /// True where the server may know who called, and so may have handed the backlog to a
    /// connection that never was (`wire.md` 11.50): history has to be looked through.
    pub hello_sent: bool,
}

/// An HTTP answer to the upgrade that was no upgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Its status.
    pub status: u16,
    /// How long it asks to wait, as it said it.
    pub retry_after_ms: Option<u64>,
}

/// Opens a connection and, with [`Auth::Hello`], writes the hello.
///
/// A future that is dropped half-way leaves the same uncertainty as `hello_sent`.
///
/// # Errors
/// [`DialFailure`], at the latest when `dial_timeout` is over.
pub async fn dial(
    platform: &Platform,
    key: &ApiKey,
    config: &SocketConfig,
) -> Result<Socket, DialFailure> {
    let deadline = Instant::now() + config.dial_timeout;
    let upgraded = match tokio::time::timeout_at(deadline, upgrade(platform, key, config)).await {
        Ok(result) => result?,
        Err(_) => return Err(timed_out(config.dial_timeout, config.auth == Auth::Header)),
    };
    let mut stream =
        WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(limits(config))).await;
    if config.auth == Auth::Hello {
        let hello = write::all(&mut stream, vec![Message::Text(hello(key))]);
        match tokio::time::timeout_at(deadline, hello).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(failed(format!("the hello broke off: {error}"), true)),
            Err(_) => return Err(timed_out(config.dial_timeout, true)),
        }
    }
    Ok(task::split(stream, config))
}

async fn upgrade(
    platform: &Platform,
    key: &ApiKey,
    config: &SocketConfig,
) -> Result<Upgraded, DialFailure> {
    let by_header = config.auth == Auth::Header;
    let nonce = generate_key();
    let mut request = platform
        .request(Method::GET, "/v1/ws")
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", &nonce);
    if by_header {
        request = request
            .header(AUTHORIZATION, key.bearer())
            .header("x-agentchat-capabilities", "ack");
    }
    let response = request.send().await.map_err(|error| {
        let reached = by_header && !error.is_connect() && !error.is_builder();
        failed(reason(error), reached)
    })?;
    let status = response.status().as_u16();
    if status != SWITCHING_PROTOCOLS {
        return Err(refused(&response, by_header));
    }
    if !accepts(response.headers(), &nonce) {
        return Err(failed(
            "the upgrade was answered by something else".into(),
            by_header,
        ));
    }
    response
        .upgrade()
        .await
        .map_err(|error| failed(reason(error), by_header))
}

/// True where the answer proves that the other side speaks WebSocket and read our request.
fn accepts(headers: &HeaderMap, nonce: &str) -> bool {
    let upgrade = header(headers, UPGRADE.as_str()).unwrap_or_default();
    let accept = header(headers, "sec-websocket-accept").unwrap_or_default();
    upgrade.eq_ignore_ascii_case("websocket")
        && accept.trim() == derive_accept_key(nonce.as_bytes())
}

/// The body of a refusal is never read, so its length does not matter.
fn refused(response: &Response, by_header: bool) -> DialFailure {
    let status = response.status().as_u16();
    let wait = header(response.headers(), RETRY_AFTER.as_str())
        .and_then(|raw| retry_after::parse(raw, SystemTime::now()))
        .map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
    DialFailure {
        refused: Some(Refusal {
            status,
            retry_after_ms: wait,
        }),
        reason: format!("the upgrade was refused with status {status}"),
        // Behind a 5xx of a proxy the server may have gone on.
        hello_sent: by_header && response.status().is_server_error(),
    }
}

#[derive(Serialize)]
struct HelloFrame<'a> {
    r#type: &'static str,
    api_key: &'a str,
    capabilities: [&'static str; 1],
    client: &'static str,
    client_version: &'static str,
}

fn hello(key: &ApiKey) -> Utf8Bytes {
    let frame = HelloFrame {
        r#type: "hello",
        api_key: key.expose(),
        capabilities: ["ack"],
        client: CLIENT_NAME,
        client_version: CLIENT_VERSION,
    };
    Utf8Bytes::from(serde_json::to_string(&frame).expect("a hello of strings is JSON"))
}

fn limits(config: &SocketConfig) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .max_message_size(Some(config.frame_bytes))
        .max_frame_size(Some(config.frame_bytes))
}

fn timed_out(timeout: Duration, hello_sent: bool) -> DialFailure {
    failed(
        format!("no connection within {} ms", timeout.as_millis()),
        hello_sent,
    )
}

fn failed(reason: String, hello_sent: bool) -> DialFailure {
    DialFailure {
        refused: None,
        reason,
        hello_sent,
    }
}

const SWITCHING_PROTOCOLS: u16 = 101;

/// Some hundred frames of ordinary size to a system call.
const READ_BUFFER_BYTES: usize = 64 * 1024;
