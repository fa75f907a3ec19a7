//! One WebSocket from its upgrade to its end: frames both ways. Its beginning is in `handshake`, its
//! end in `cut`.

use super::faults::ConnectFault;
use super::journal::Event;
use super::link::{Cut, Link, Out};
use super::platform::{AgentNo, Effect, Settled};
use super::shared::Shared;
use super::wire::{Fuse, Wire};
use futures_util::{Sink as _, SinkExt as _, Stream as _};
use serde::Deserialize;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

/// Frames written between two looks at what the client sent.
const BURST: usize = 512;

/// How a socket says who it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Auth {
    /// By the header of its upgrade; `None` when the key is unknown.
    Header { agent: Option<AgentNo>, ack: bool },
    /// By its first frame.
    Hello,
}

/// How a socket ended.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) code: u16,
    pub(crate) reason: String,
    pub(crate) by_server: bool,
}

/// A socket being served.
pub(crate) struct Socket {
    pub(crate) shared: Arc<Shared>,
    pub(crate) number: u64,
    pub(crate) ws: WebSocketStream<Wire>,
    pub(crate) fuse: Fuse,
    pub(crate) fault: Option<ConnectFault>,
}

/// A frame of a client that is registered.
#[derive(Deserialize)]
struct ClientFrame<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    message_id: Option<Cow<'a, str>>,
    #[serde(default)]
    payload: Value,
}

/// What a registered socket has to deal with next.
enum Step {
    Frame(Message),
    Cut(Cut),
    Half(Utf8Bytes),
    Close(u16, String),
    Broken,
}

impl Socket {
    /// Serves the socket to its end.
    pub(crate) async fn run(mut self, auth: Auth) {
        let (agent, end) = self.life(auth).await;
        self.shared.journal.write(Event::Close {
            socket: self.number,
            agent,
            code: end.code,
            reason: end.reason,
            by_server: end.by_server,
        });
    }

    async fn life(&mut self, auth: Auth) -> (Option<String>, End) {
        if let Some(ConnectFault::CloseAtOpen { code, reason }) = &self.fault {
            let (code, reason) = (*code, reason.clone());
            return (None, self.close(code, &reason).await);
        }
        let (agent, ack, header, times) = match auth {
            Auth::Header {
                agent: Some(agent),
                ack,
            } => (agent, ack, true, 1),
            Auth::Header { agent: None, .. } => {
                return (None, self.close(1008, "Invalid token").await);
            }
            Auth::Hello => match self.handshake().await {
                Ok((agent, hello)) => (agent, hello.ack, false, hello.times),
                Err(end) => return (None, end),
            },
        };
        let link = self.register(agent, ack, header, times);
        let end = self.serve(&link).await;
        self.unregister(&link);
        (Some(link.handle.clone()), end)
    }

    fn unregister(&self, link: &Link) {
        self.shared.strike_off(link);
        link.has_gone();
    }

    /// Frames both ways until the end.
    async fn serve(&mut self, link: &Arc<Link>) -> End {
        let options = &self.shared.options;
        let (heartbeat, pong_deadline) = (options.heartbeat, options.pong_deadline);
        let mut ping = tokio::time::interval_at(Instant::now() + heartbeat, heartbeat);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut pong_due: Option<Instant> = None;
        let mut pinged: Option<Instant> = None;
        let mut taken = VecDeque::new();
        let mut dirty = false;
        let tasks = self.shared.tasks.clone();
        loop {
            let due = pong_due.unwrap_or_else(|| Instant::now() + heartbeat);
            let step = tokio::select! {
                step = std::future::poll_fn(|cx| {
                    poll_step(&mut self.ws, link, &mut taken, &mut dirty, cx)
                }) => step,
                _ = ping.tick() => {
                    let sent = self.ws.send(Message::Ping(Default::default()));
                    if !matches!(tokio::time::timeout(pong_deadline, sent).await, Ok(Ok(()))) {
                        return End::lost();
                    }
                    let socket = self.number;
                    self.shared.journal.write(Event::Ping { socket });
                    pong_due.get_or_insert_with(|| Instant::now() + pong_deadline);
                    pinged.get_or_insert_with(Instant::now);
                    continue;
                }
                () = tokio::time::sleep_until(due), if pong_due.is_some() => {
                    link.give_up();
                    return self.close(1001, "Heartbeat timeout").await;
                }
                () = tasks.stopped() => {
                    link.give_up();
                    return self.close(1001, "Server shutting down").await;
                }
            };
            match step {
                Step::Frame(Message::Text(text)) => self.on_text(link, &text),
                Step::Frame(Message::Pong(_)) => {
                    pong_due = None;
                    self.note_pong(pinged.take());
                }
                Step::Frame(Message::Close(frame)) => return End::by_client(frame),
                Step::Frame(Message::Binary(_)) => self.note_frame("binary", Value::Null),
                Step::Frame(Message::Ping(_) | Message::Frame(_)) => {}
                Step::Broken => return End::lost(),
                Step::Close(code, reason) => {
                    return self.close_link(Some(link), code, &reason).await;
                }
                Step::Half(text) => {
                    link.give_up();
                    return self.half_frame(&text).await;
                }
                Step::Cut(cut) => return self.cut(link, cut).await,
            }
        }
    }

    fn note_pong(&self, pinged: Option<Instant>) {
        let Some(pinged) = pinged else { return };
        self.shared.journal.write(Event::Pong {
            socket: self.number,
            after_ms: u64::try_from(pinged.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
    }

    fn on_text(&self, link: &Arc<Link>, text: &str) {
        let whole = serde_json::from_str(text).unwrap_or_default();
        let Ok(frame) = serde_json::from_str::<ClientFrame<'_>>(text) else {
            return self.note_frame("?", whole);
        };
        match (frame.kind.as_ref(), frame.message_id) {
            ("ack", Some(id)) if link.ack => self.on_ack(link, &id),
            (kind, _) => {
                self.note_frame(kind, whole);
                if !self.shared.options.april {
                    self.on_other(link, kind, &frame.payload);
                }
            }
        }
    }

    fn on_ack(&self, link: &Link, id: &str) {
        let mut state = self.shared.lock();
        let settled = state
            .platform
            .ack_message(link.agent, id, self.shared.now())
            == Settled::Yes;
        self.shared.journal.write(Event::AckFrame {
            socket: link.socket,
            agent: link.handle.clone(),
            message_id: id.to_owned(),
            settled,
        });
    }

    /// Frames that newer servers act upon; all of them best effort.
    fn on_other(&self, link: &Link, kind: &str, payload: &Value) {
        let mut state = self.shared.lock();
        let now = self.shared.now();
        let conversation = payload["conversation_id"].as_str().unwrap_or_default();
        let effects = match kind {
            "typing.start" | "typing.stop" => {
                let others = state.platform.others_in(conversation, link.agent);
                let body = json!({ "conversation_id": conversation, "sender": link.handle });
                let frame = json!({ "type": kind, "payload": body }).to_string();
                others
                    .into_iter()
                    .map(|agent| Effect::Frame {
                        agent,
                        frame: frame.clone(),
                    })
                    .collect()
            }
            "message.read_ack" => {
                let through = payload["through_seq"].as_u64().unwrap_or(0);
                state
                    .platform
                    .read_through(link.agent, conversation, through, now)
            }
            "presence.update" => {
                let body = payload.to_string();
                let set = state
                    .platform
                    .put_presence(link.agent, body.as_bytes(), now);
                set.map(|outcome| outcome.effects).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        self.shared.apply(&mut state, effects);
    }

    fn note_frame(&self, kind: &str, whole: Value) {
        let event = Event::ClientFrame {
            socket: self.number,
            frame: kind.to_owned(),
            whole,
        };
        self.shared.journal.write(event);
    }
}

/// Writes what waits and reads what came; one thing to deal with at a time.
fn poll_step(
    ws: &mut WebSocketStream<Wire>,
    link: &Link,
    taken: &mut VecDeque<Out>,
    dirty: &mut bool,
    cx: &mut Context<'_>,
) -> Poll<Step> {
    if let Some(cut) = link.take_cut(cx.waker()) {
        return Poll::Ready(Step::Cut(cut));
    }
    if taken.is_empty() {
        link.take(BURST, taken);
    }
    let mut blocked = false;
    while !taken.is_empty() {
        match Pin::new(&mut *ws).poll_ready(cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(_)) => return Poll::Ready(Step::Broken),
            Poll::Pending => {
                blocked = true;
                break;
            }
        }
        match taken.pop_front() {
            None => break,
            Some(Out::Half(text)) => return Poll::Ready(Step::Half(text)),
            Some(Out::Close(code, reason)) => return Poll::Ready(Step::Close(code, reason)),
            Some(Out::Text(text)) => {
                let size = text.len();
                if Pin::new(&mut *ws).start_send(Message::Text(text)).is_err() {
                    return Poll::Ready(Step::Broken);
                }
                link.written(size);
                *dirty = true;
            }
        }
    }
    if *dirty && !blocked {
        match Pin::new(&mut *ws).poll_flush(cx) {
            Poll::Ready(Ok(())) => {
                *dirty = false;
                // More may have come in the meantime; look again after the client's frames.
                cx.waker().wake_by_ref();
            }
            Poll::Ready(Err(_)) => return Poll::Ready(Step::Broken),
            Poll::Pending => {}
        }
    }
    match Pin::new(&mut *ws).poll_next(cx) {
        Poll::Ready(Some(Ok(message))) => Poll::Ready(Step::Frame(message)),
        Poll::Ready(Some(Err(Error::ConnectionClosed)) | None) => Poll::Ready(Step::Broken),
        Poll::Ready(Some(Err(_))) => Poll::Ready(Step::Broken),
        Poll::Pending => Poll::Pending,
    }
}

impl End {
    /// The client said goodbye.
    pub(crate) fn by_client(frame: Option<CloseFrame>) -> Self {
        const NO_STATUS: u16 = 1005;
        let (code, reason) = frame.map_or((NO_STATUS, String::new()), |frame| {
            (frame.code.into(), frame.reason.as_str().to_owned())
        });
        Self {
            code,
            reason,
            by_server: false,
        }
    }

    /// The connection is gone without a goodbye.
    pub(crate) fn lost() -> Self {
        Self {
            code: 1006,
            reason: String::new(),
            by_server: false,
        }
    }
}
