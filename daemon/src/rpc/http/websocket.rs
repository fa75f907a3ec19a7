//! A WebSocket at `/`: the session of an NDJSON connection, one JSON value a message both ways.
//!
//! A binary message is read like a text message; answers are text. Pings are answered by the
//! framing itself. The end has a code: 1000 where the client closed, 1001 where the daemon stops,
//! 1002, 1007 or 1009 where what the client sent could not be taken.

use std::io;
use std::sync::{Arc, OnceLock};

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;

use crate::rpc::client::Client;
use crate::rpc::connection::LINGER;
use crate::rpc::document;
use crate::rpc::errors;
use crate::rpc::http::answer::{self, Answer};
use crate::rpc::http::visit::Visit;
use crate::rpc::ndjson::Frame;
use crate::rpc::outgoing::{self, Frame as Told};
use crate::rpc::outlet::{Outlet, push_json_rpc};
use crate::rpc::session::{Input, Session};

type Stream = WebSocketStream<TokioIo<Upgraded>>;

/// Answers the handshake; the connection is taken over by [`serve`] after it.
pub(super) fn upgrade(visit: &Visit, mut request: Request<Incoming>) -> Answer {
    let headers = request.headers();
    if !has_word(headers, &UPGRADE, "websocket") || !has_word(headers, &CONNECTION, "upgrade") {
        return required("a WebSocket is here; for a single request use POST");
    }
    if !has_word(headers, &SEC_WEBSOCKET_VERSION, VERSION) {
        return required("only version 13 of WebSocket is spoken");
    }
    let Some(key) = headers.get(SEC_WEBSOCKET_KEY) else {
        let error = errors::invalid_request("the handshake has no sec-websocket-key");
        return answer::error(&error);
    };
    let accept = derive_accept_key(key.as_bytes());
    let mut answer = answer::empty(StatusCode::SWITCHING_PROTOCOLS);
    let headers = answer.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::try_from(accept) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    visit.becomes(hyper::upgrade::on(&mut request));
    answer
}

/// Serves a connection after its handshake, to its end.
pub(super) async fn serve(upgrade: OnUpgrade, visit: &Visit) {
    let Ok(upgraded) = upgrade.await else { return };
    let shared = &visit.shared;
    let limit = shared.limits.max_request_bytes;
    let config = WebSocketConfig::default()
        .max_message_size(Some(limit))
        .max_frame_size(Some(limit))
        .read_buffer_size(READ_BYTES)
        .write_buffer_size(WRITE_BYTES);
    let io = TokioIo::new(upgraded);
    let stream = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
    let (sink, stream) = stream.split();
    let code = Arc::new(OnceLock::new());
    let outlet = Messages {
        sink,
        waiting: Vec::new(),
        code: Arc::clone(&code),
        stopping: shared.stopping.clone(),
    };
    let (outgoing, queue) = outgoing::queue();
    let client = Arc::new(Client::new(Arc::clone(shared), visit.caller, outgoing));
    let writer = queue.write_to(outlet, &client);
    let mut source = Source {
        stream,
        code: Arc::clone(&code),
    };
    Session::new(client, visit.methods.clone())
        .run(&mut source)
        .await;
    let Ok(outlet) = writer.await else { return };
    let Ok(mut stream) = source.stream.reunite(outlet.sink) else {
        return;
    };
    // The client's part of the end; or what it is still writing, so that it can read why it is over.
    let ending = async {
        if code.get().is_none() {
            while matches!(stream.next().await, Some(Ok(_))) {}
        } else {
            let mut waste = vec![0; WRITE_BYTES];
            while matches!(stream.get_mut().read(&mut waste).await, Ok(1..)) {}
        }
    };
    let _ = timeout(LINGER, ending).await;
}

/// The requests: one a message.
#[derive(Debug)]
struct Source {
    stream: SplitStream<Stream>,
    code: Arc<OnceLock<CloseCode>>,
}

impl Input for &mut Source {
    async fn next(&mut self) -> io::Result<Frame> {
        loop {
            let bytes = match self.stream.next().await {
                Some(Ok(Message::Text(text))) => text.as_bytes().to_vec(),
                Some(Ok(Message::Binary(bytes))) => bytes.into(),
                // After a close the stream ends, once the answer to it is on its way.
                Some(Ok(
                    Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_),
                )) => continue,
                Some(Err(Error::Capacity(_))) => {
                    let _ = self.code.set(CloseCode::Size);
                    return Ok(Frame::TooLong);
                }
                Some(Err(error)) => {
                    match error {
                        Error::Utf8(_) => drop(self.code.set(CloseCode::Invalid)),
                        Error::Protocol(_) => drop(self.code.set(CloseCode::Protocol)),
                        // The stream is gone, and nobody would read a code.
                        _ => {}
                    }
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
                None => return Err(io::ErrorKind::ConnectionAborted.into()),
            };
            return Ok(document::one_line(bytes).map_or_else(Frame::Broken, Frame::Value));
        }
    }

    // A message holds one value: nothing is left of it to be passed over.
    fn not_json(&mut self) {}

    // A WebSocket has no half that stays open.
    fn hung_up(&self) -> bool {
        true
    }
}

/// The answers and notifications: one a message.
struct Messages {
    sink: SplitSink<Stream, Message>,
    waiting: Vec<Message>,
    code: Arc<OnceLock<CloseCode>>,
    stopping: CancellationToken,
}

impl Outlet for Messages {
    fn put(&mut self, frame: &Told) -> usize {
        let mut text = String::new();
        push_json_rpc(&mut text, frame);
        let bytes = text.len();
        self.waiting.push(Message::text(text));
        bytes
    }

    async fn write(&mut self) -> io::Result<()> {
        for message in self.waiting.drain(..) {
            self.sink.feed(message).await.map_err(io::Error::other)?;
        }
        self.sink.flush().await.map_err(io::Error::other)
    }

    async fn end(&mut self) -> io::Result<()> {
        let code = match self.code.get() {
            Some(code) => *code,
            None if self.stopping.is_cancelled() => CloseCode::Away,
            None => CloseCode::Normal,
        };
        let close = Message::Close(Some(CloseFrame {
            code,
            reason: "".into(),
        }));
        // Where the client has closed, this only writes our part of it.
        let _ = self.sink.send(close).await;
        self.sink.flush().await.map_err(io::Error::other)
    }
}

fn required(reason: &str) -> Answer {
    let error = errors::invalid_request(reason);
    let mut answer = answer::problem(StatusCode::UPGRADE_REQUIRED, &error);
    let headers = answer.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION));
    answer
}

/// Whether a header's list has this word.
fn has_word(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).into_iter();
    let mut words = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    words.any(|found| found.trim().eq_ignore_ascii_case(word))
}

/// The version of the protocol.
const VERSION: &str = "13";

/// How much is asked from the socket at a time.
const READ_BYTES: usize = 8 << 10;

/// How much is gathered for one write.
const WRITE_BYTES: usize = 64 << 10;
