//! A WebSocket client for the replay: it keeps what arrived, can stop reading, and can swallow its
//! own pongs as a peer does whose line is dead in one direction.

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// How long anything may take to arrive before it counts as missing.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// Receive buffer of a socket that will stop reading: small, so that the server feels it soon.
const SMALL_BUFFER: u32 = 64 * 1024;

/// Something that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A text frame.
    Text(String),
    /// A protocol ping.
    Ping,
    /// A protocol pong and what it carried.
    Pong(Vec<u8>),
    /// A close frame: code and reason.
    Close(u16, String),
    /// The connection is over.
    End,
}

/// How an upgrade ended.
#[derive(Debug)]
pub(crate) enum Upgrade {
    /// The socket is open; the headers of the answer offered these extensions.
    Open(Box<Socket>, Option<String>),
    /// Refused with an HTTP status.
    Refused(u16),
}

/// An open socket.
#[derive(Debug)]
pub(crate) struct Socket {
    sink: SplitSink<WebSocketStream<Line>, Message>,
    inbox: Arc<Inbox>,
    reading: watch::Sender<bool>,
    /// One task, which ends with the socket.
    reader: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Inbox {
    events: Mutex<VecDeque<Event>>,
    arrived: Notify,
}

impl Socket {
    /// Connects to `address` (`127.0.0.1:port`) and upgrades.
    pub(crate) async fn connect(
        address: &str,
        target: &str,
        headers: &[(String, String)],
        pongs: bool,
    ) -> Upgrade {
        let mut request = format!("ws://{address}{target}")
            .into_client_request()
            .expect("the target of a socket is one");
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a recorded name is one");
            request
                .headers_mut()
                .insert(name, HeaderValue::from_str(value).expect("header value"));
        }
        let socket = TcpSocket::new_v4().expect("a socket can be made");
        socket
            .set_recv_buffer_size(SMALL_BUFFER)
            .expect("the buffer can be set");
        let stream = socket
            .connect(address.parse().expect("an address"))
            .await
            .expect("the sandbox listens");
        stream
            .set_nodelay(true)
            .expect("small frames leave at once");
        let muted = Arc::new(AtomicBool::new(false));
        let line = Line {
            stream,
            muted: Arc::clone(&muted),
        };
        match client_async(request, line).await {
            Ok((stream, response)) => {
                muted.store(!pongs, Ordering::Relaxed);
                let extensions = response.headers().get("sec-websocket-extensions");
                let extensions =
                    extensions.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
                Upgrade::Open(Box::new(Self::start(stream)), extensions)
            }
            Err(Error::Http(response)) => Upgrade::Refused(response.status().as_u16()),
            Err(error) => panic!("the upgrade failed: {error}"),
        }
    }

    fn start(stream: WebSocketStream<Line>) -> Self {
        let (sink, stream) = stream.split();
        let inbox = Arc::new(Inbox::default());
        let (reading, gate) = watch::channel(true);
        let mut reader = JoinSet::new();
        reader.spawn(read(stream, Arc::clone(&inbox), gate));
        Self {
            sink,
            inbox,
            reading,
            reader,
        }
    }

    /// Sends a frame.
    pub(crate) async fn send(&mut self, message: Message) {
        // A server that has refused the handshake may be gone already; the close it sent tells why.
        let _ = self.sink.send(message).await;
    }

    /// Stops or goes on reading from the connection.
    pub(crate) fn read_on(&self, on: bool) {
        self.reading.send_replace(on);
    }

    /// Takes the first event that fits, waiting for it.
    pub(crate) async fn take(&self, fits: impl Fn(&Event) -> bool) -> Option<Event> {
        self.take_within(PATIENCE, fits).await
    }

    /// The same with another patience.
    pub(crate) async fn take_within(
        &self,
        patience: Duration,
        fits: impl Fn(&Event) -> bool,
    ) -> Option<Event> {
        let deadline = Instant::now() + patience;
        loop {
            let arrived = self.inbox.arrived.notified();
            tokio::pin!(arrived);
            arrived.as_mut().enable();
            if let Some(event) = self.inbox.remove(&fits) {
                return Some(event);
            }
            if self.inbox.ended() {
                return None;
            }
            timeout_at(deadline, arrived).await.ok()?;
        }
    }

    /// Takes the first event that fits and is here already.
    pub(crate) fn take_now(&self, fits: impl Fn(&Event) -> bool) -> Option<Event> {
        self.inbox.remove(&fits)
    }

    /// The next text frame; `None` where the connection ends or nothing comes.
    pub(crate) async fn text(&self, patience: Duration) -> Option<String> {
        match self
            .take_within(patience, |event| matches!(event, Event::Text(_)))
            .await?
        {
            Event::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A ping and its pong: all that the server wrote before it is here afterwards. Gives the text
    /// frames that nobody has taken, or `None` where no pong came.
    pub(crate) async fn barrier(&mut self, mark: &str) -> Option<Vec<String>> {
        let mark = mark.as_bytes().to_vec();
        self.send(Message::Ping(mark.clone().into())).await;
        self.take(|event| *event == Event::Pong(mark.clone()))
            .await?;
        let mut left = Vec::new();
        while let Some(Event::Text(text)) =
            self.inbox.remove(&|event| matches!(event, Event::Text(_)))
        {
            left.push(text);
        }
        Some(left)
    }

    /// Closes from this side and waits for the end.
    pub(crate) async fn close(&mut self, code: u16, reason: &str) {
        self.read_on(true);
        let frame = CloseFrame {
            code: code.into(),
            reason: reason.to_owned().into(),
        };
        self.send(Message::Close(Some(frame))).await;
        self.take(|event| *event == Event::End).await;
    }

    /// Drops the connection without a close frame.
    pub(crate) async fn drop_line(mut self) {
        self.reader.shutdown().await;
    }
}

impl Inbox {
    fn remove(&self, fits: &impl Fn(&Event) -> bool) -> Option<Event> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let at = events.iter().position(fits)?;
        events.remove(at)
    }

    fn ended(&self) -> bool {
        self.events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .back()
            == Some(&Event::End)
    }

    fn add(&self, event: Event) {
        self.events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(event);
        self.arrived.notify_waiters();
    }
}

async fn read(
    mut stream: SplitStream<WebSocketStream<Line>>,
    inbox: Arc<Inbox>,
    mut gate: watch::Receiver<bool>,
) {
    loop {
        if gate.wait_for(|open| *open).await.is_err() {
            return;
        }
        let message = tokio::select! {
            message = stream.next() => message,
            changed = gate.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
        };
        match message {
            Some(Ok(Message::Text(text))) => inbox.add(Event::Text(text.to_string())),
            Some(Ok(Message::Ping(_))) => inbox.add(Event::Ping),
            Some(Ok(Message::Pong(mark))) => inbox.add(Event::Pong(mark.to_vec())),
            Some(Ok(Message::Close(Some(frame)))) => {
                inbox.add(Event::Close(frame.code.into(), frame.reason.to_string()));
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => {
                inbox.add(Event::End);
                return;
            }
        }
    }
}

/// A TCP stream whose writes can be swallowed.
#[derive(Debug)]
struct Line {
    stream: TcpStream,
    muted: Arc<AtomicBool>,
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.muted.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(buf.len()));
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
