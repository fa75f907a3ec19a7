//! The one task that owns a connection.
//!
//! Invariants: the socket is read whenever the budget has room, whatever else goes on; a ping is
//! answered by the next read or write, with no consumer in between; nothing goes out while the
//! gate is shut; the last event is always [`SocketEvent::Closed`], and it always gets through.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt, future};
use reqwest::Upgraded;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::super::wire::{Frame, frame};
use super::handle::Control;
use super::write::{self, Batch};
use super::{
    Auth, Closed, Socket, SocketConfig, SocketEvent, SocketReceiver, SocketSender, budget,
};
use crate::failpoint;

/// The work of one connection. Run it in a task of its own; dropping it cuts the connection.
#[derive(Debug)]
pub struct SocketTask {
    connection: Connection<Upgraded>,
}

impl SocketTask {
    /// Works until the connection has ended, by whomever, or until the receiver is dropped.
    pub async fn run(self) {
        self.connection.run().await;
    }
}

/// Makes a connection and its two ends out of an open stream.
pub(super) fn split(stream: WebSocketStream<Upgraded>, config: &SocketConfig) -> Socket {
    let (sender, receiver, connection) = Connection::new(stream, config);
    Socket {
        sender,
        receiver,
        task: SocketTask { connection },
    }
}

#[derive(Debug)]
pub(super) struct Connection<S> {
    sink: SplitSink<WebSocketStream<S>, Message>,
    stream: SplitStream<WebSocketStream<S>>,
    events: budget::Sender<SocketEvent>,
    frames: budget::Receiver<Utf8Bytes>,
    control: watch::Receiver<Control>,
    config: SocketConfig,
    /// An event that the budget has no room for; while there is one, the socket is not read.
    stalled: Option<(SocketEvent, usize)>,
    /// Frames that wait for the gate or for the batch before them.
    waiting: VecDeque<(Utf8Bytes, budget::Share)>,
    batch: Batch,
    write_deadline: Option<Instant>,
    /// Writing failed; what the peer said before it went is still read, for a little while.
    deaf_peer: Option<(Instant, Closed)>,
    hello_ok: bool,
    ready: bool,
    closing: Option<Closing>,
    senders_gone: bool,
    frames_gone: bool,
}

/// Our own close, from the order to the end.
#[derive(Debug)]
struct Closing {
    code: u16,
    reason: String,
    deadline: Instant,
    written: bool,
}

impl Closing {
    fn closed(&self) -> Closed {
        Closed {
            code: Some(self.code),
            reason: Arc::from(self.reason.as_str()),
            by_us: true,
        }
    }
}

impl<S> Connection<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    pub(super) fn new(
        stream: WebSocketStream<S>,
        config: &SocketConfig,
    ) -> (SocketSender, SocketReceiver, Self) {
        let (frames_tx, frames) = budget::channel(config.outbound_bytes);
        let (events, events_rx) = budget::channel(config.inbound_bytes);
        let (control_tx, control) = watch::channel(Control::default());
        let (sink, stream) = stream.split();
        let connection = Self {
            sink,
            stream,
            events,
            frames,
            control,
            config: *config,
            stalled: None,
            waiting: VecDeque::new(),
            batch: Batch::default(),
            write_deadline: None,
            deaf_peer: None,
            hello_ok: config.auth == Auth::Header,
            ready: false,
            closing: None,
            senders_gone: false,
            frames_gone: false,
        };
        (
            SocketSender::new(frames_tx, control_tx),
            SocketReceiver::new(events_rx),
            connection,
        )
    }

    pub(super) async fn run(mut self) {
        let closed = loop {
            if let Some(closed) = self.turn().await {
                break closed;
            }
        };
        let Some(closed) = closed else { return };
        tracing::debug!(code = closed.code, reason = %closed.reason, by_us = closed.by_us, "closed");
        if let Some((event, _)) = self.stalled.take() {
            // It was read, and a server that marks on send will not send it again.
            let share = budget::Share::none();
            let _ = self.events.send_with(event, share);
        }
        self.events.send_last(SocketEvent::Closed(closed));
    }

    /// Waits for the next thing and does it. `Some` ends the connection; `Some(None)` without a
    /// word, since nobody is left to hear it.
    async fn turn(&mut self) -> Option<Option<Closed>> {
        self.fill_batch();
        let writing = !self.batch.is_done();
        let room = self.stalled.as_ref().map(|(_, bytes)| *bytes);
        let last_call = match &self.deaf_peer {
            Some((deadline, _)) => Some(*deadline),
            None => self.closing.as_ref().map(|closing| closing.deadline),
        };
        let (batch, sink) = (&mut self.batch, &mut self.sink);
        tokio::select! {
            message = self.stream.next(), if room.is_none() => return self.on_message(message).await,
            share = self.events.reserve(room.unwrap_or_default()), if room.is_some() => {
                if let Some((event, _)) = self.stalled.take() {
                    let _ = self.events.send_with(event, share);
                }
            }
            taken = self.frames.recv(), if !self.frames_gone && self.waiting.len() < WAITING_MAX => {
                match taken {
                    Some(frame) => self.waiting.push_back(frame),
                    None => self.frames_gone = true,
                }
            }
            changed = self.control.changed(), if !self.senders_gone => {
                self.senders_gone = changed.is_err();
                self.on_control();
            }
            written = poll_fn(|cx| batch.poll(sink, cx)), if writing => {
                self.write_deadline = None;
                match written {
                    Ok(0) => {}
                    Ok(_) => failpoint::reach("acked"),
                    Err(error) => self.on_write_failure(&error),
                }
            }
            () = at(self.write_deadline), if writing => {
                return Some(Some(self.ended(None, "the peer takes nothing any more", true)));
            }
            () = at(last_call), if last_call.is_some() => return Some(Some(self.overdue())),
            () = self.events.closed() => return Some(None),
        }
        None
    }

    /// Starts the next batch, where the last one is out and something may go.
    fn fill_batch(&mut self) {
        if self.batch.is_done() && self.deaf_peer.is_none() {
            self.next_batch();
        }
        if !self.batch.is_done() && self.write_deadline.is_none() {
            self.write_deadline = Some(Instant::now() + self.config.write_timeout);
        }
    }

    fn next_batch(&mut self) {
        let open = self.ready && self.hello_ok;
        let mut bytes = 0;
        while open && bytes < BATCH_BYTES {
            let Some((text, _)) = self.waiting.pop_front().or_else(|| self.frames.try_recv())
            else {
                break;
            };
            bytes += text.len();
            self.batch.push(Message::Text(text));
        }
        if bytes < BATCH_BYTES
            && let Some(closing) = self.closing.as_mut().filter(|closing| !closing.written)
        {
            closing.written = true;
            self.batch.push(Message::Close(Some(CloseFrame {
                code: CloseCode::from(closing.code),
                reason: Utf8Bytes::from(closing.reason.as_str()),
            })));
        }
    }

    fn on_control(&mut self) {
        let control = self.control.borrow_and_update();
        self.ready = control.ready;
        if let (Some((code, reason)), None) = (&control.close, &self.closing) {
            self.closing = Some(Closing {
                code: *code,
                reason: cut(reason, CLOSE_REASON_MAX_BYTES).to_owned(),
                deadline: Instant::now() + self.config.close_timeout,
                written: false,
            });
        }
    }

    async fn on_message(
        &mut self,
        message: Option<Result<Message, Error>>,
    ) -> Option<Option<Closed>> {
        let (event, bytes) = match message {
            Some(Ok(Message::Text(text))) => (self.frame(&text), text.len()),
            Some(Ok(Message::Binary(bytes))) => match std::str::from_utf8(&bytes) {
                Ok(text) => (self.frame(text), bytes.len()),
                Err(_) => (unreadable("a binary frame is not UTF-8"), 0),
            },
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {
                if self.deaf_peer.is_none() {
                    self.batch.flush_wanted();
                }
                (SocketEvent::Ping, 0)
            }
            Some(Ok(Message::Close(frame))) => return Some(Some(self.on_close(frame).await)),
            Some(Err(error)) => return Some(Some(self.give_up(&error).await)),
            None => return Some(Some(self.gone())),
        };
        match self.events.try_send(event, bytes + EVENT_OVERHEAD_BYTES) {
            Ok(()) => None,
            Err(budget::Refused::Full(event)) => {
                self.stalled = Some((event, bytes + EVENT_OVERHEAD_BYTES));
                None
            }
            Err(budget::Refused::Gone) => Some(None),
        }
    }

    fn frame(&mut self, text: &str) -> SocketEvent {
        let frame = frame(text);
        if matches!(frame, Frame::HelloOk { .. }) {
            self.hello_ok = true;
        }
        SocketEvent::Frame(frame)
    }

    /// The peer closed, or answered our close. Its own close is answered as a courtesy.
    async fn on_close(&mut self, frame: Option<CloseFrame>) -> Closed {
        let flush = self.sink.flush();
        let _ = timeout(self.config.close_timeout, flush).await;
        let (code, reason) = match &frame {
            Some(frame) => (Some(u16::from(frame.code)), frame.reason.as_str()),
            None => (None, "closed without a code"),
        };
        self.ended(code, reason, false)
    }

    /// Reading failed. Where the peer broke the protocol it is told so; the end is ours then.
    async fn give_up(&mut self, error: &Error) -> Closed {
        if self.deaf_peer.is_some() {
            return self.gone();
        }
        let Some(code) = fault(error) else {
            return self.broken(error);
        };
        let reason = error.to_string();
        let farewell = CloseFrame {
            code: CloseCode::from(code),
            reason: Utf8Bytes::from(cut(&reason, CLOSE_REASON_MAX_BYTES)),
        };
        let goodbye = write::all(&mut self.sink, vec![Message::Close(Some(farewell))]);
        let _ = timeout(self.config.close_timeout, goodbye).await;
        self.ended(Some(code), &reason, true)
    }

    /// The close code, and the messages before it, may still stand in our receive buffer.
    fn on_write_failure(&mut self, error: &Error) {
        let closed = self.broken(error);
        self.batch.abandon();
        self.deaf_peer = Some((Instant::now() + self.config.close_timeout, closed));
    }

    /// Nothing more comes, and no close was read.
    fn gone(&mut self) -> Closed {
        match self.deaf_peer.take() {
            Some((_, closed)) => closed,
            None => self.ended(None, "the connection ended", false),
        }
    }

    /// The time for the last words is over.
    fn overdue(&mut self) -> Closed {
        match &self.closing {
            Some(ours) if self.deaf_peer.is_none() => ours.closed(),
            _ => self.gone(),
        }
    }

    fn broken(&self, error: &Error) -> Closed {
        self.ended(None, &error.to_string(), false)
    }

    /// The report of the end. Once our close is on its way, the end is ours, however it comes.
    fn ended(&self, code: Option<u16>, reason: &str, by_us: bool) -> Closed {
        match self.closing.as_ref().filter(|closing| closing.written) {
            Some(ours) => ours.closed(),
            None => Closed {
                code,
                reason: Arc::from(reason),
                by_us,
            },
        }
    }
}

/// The close code for a breach of the protocol by the peer; `None` where the line just broke.
fn fault(error: &Error) -> Option<u16> {
    match error {
        Error::Capacity(_) => Some(u16::from(CloseCode::Size)),
        Error::Utf8(_) => Some(u16::from(CloseCode::Invalid)),
        Error::Protocol(
            tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
        ) => None,
        Error::Protocol(_) => Some(u16::from(CloseCode::Protocol)),
        _ => None,
    }
}

/// Ends at the moment given, or never.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => future::pending().await,
    }
}

/// The longest beginning of `text` of at most `max` bytes.
fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

fn unreadable(reason: &str) -> SocketEvent {
    SocketEvent::Frame(Frame::Unreadable {
        reason: Arc::from(reason),
    })
}

/// What goes out between two looks at the clock.
const BATCH_BYTES: usize = 64 * 1024;

/// A frame may be taken off the queue early, so that the queue's end is seen; not more than that.
const WAITING_MAX: usize = 1;

/// What an event costs beside its bytes, so that pings and empty frames are bounded as well.
const EVENT_OVERHEAD_BYTES: usize = 512;

/// What a close frame has room for (RFC 6455, 5.5).
const CLOSE_REASON_MAX_BYTES: usize = 123;
