//! One WebSocket from its upgrade to its end: the handshake, then frames both ways.

use super::faults::{ConnectFault, HelloOk};
use super::journal::Event;
use super::link::{Cut, Link, Out};
use super::platform::{AgentNo, Effect, Settled, Stamp};
use super::shared::Shared;
use super::wire::{Fuse, Wire};
use futures_util::{Sink as _, SinkExt as _, Stream as _, StreamExt as _};
use serde::Deserialize;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

/// Frames written between two looks at what the client sent.
const BURST: usize = 512;
/// How long a close handshake, or the last bytes before a cut, may take.
const CLOSING: Duration = Duration::from_secs(1);

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
struct End {
    code: u16,
    reason: String,
    by_server: bool,
}

/// A socket being served.
pub(crate) struct Socket {
    pub(crate) shared: Arc<Shared>,
    pub(crate) number: u64,
    pub(crate) ws: WebSocketStream<Wire>,
    pub(crate) fuse: Fuse,
    pub(crate) fault: Option<ConnectFault>,
}

/// A good hello.
#[derive(Debug)]
struct Hello {
    key: String,
    ack: bool,
    times: u32,
}

#[derive(Deserialize)]
struct HelloFrame {
    r#type: String,
    api_key: String,
    #[serde(default)]
    capabilities: Value,
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

    /// Waits for a good hello and looks its key up.
    async fn handshake(&mut self) -> Result<(AgentNo, Hello), End> {
        const WRONG: &str = "HELLO frame required first";
        let deadline = Instant::now() + self.shared.options.hello_deadline;
        let first = loop {
            match tokio::time::timeout_at(deadline, self.ws.next()).await {
                Err(_elapsed) => return Err(self.close(1008, "HELLO frame required").await),
                Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {}
                Ok(Some(Ok(Message::Close(frame)))) => return Err(closed_by_client(frame)),
                Ok(Some(Ok(frame))) => break frame,
                Ok(Some(Err(_)) | None) => return Err(lost()),
            }
        };
        let Some(mut hello) = read_hello(&first) else {
            return Err(self.close(1008, WRONG).await);
        };
        if let Some(ConnectFault::CloseAtHello { code, reason }) = &self.fault {
            let (code, reason) = (*code, reason.clone());
            return Err(self.close(code, &reason).await);
        }
        // While the key is looked up, every frame is judged as if it were the first one.
        let found = Instant::now() + self.lookup_time();
        while let Ok(next) = tokio::time::timeout_at(found, self.ws.next()).await {
            let refused = match next {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(Message::Close(frame))) => Some(closed_by_client(frame)),
                Some(Ok(frame)) if read_hello(&frame).is_some() => {
                    hello.times += 1;
                    continue;
                }
                Some(Ok(_)) => None,
                Some(Err(_)) | None => Some(lost()),
            };
            self.haunt(&hello.key, found);
            return Err(match refused {
                Some(end) => end,
                None => self.close(1008, WRONG).await,
            });
        }
        let owner = self.shared.lock().platform.owner_of_key(&hello.key);
        match owner {
            Some(agent) => Ok((agent, hello)),
            None => Err(self.close(1008, "Invalid token").await),
        }
    }

    fn lookup_time(&self) -> Duration {
        match self.fault {
            Some(ConnectFault::SlowLookup(time)) => time,
            _ => self.shared.options.key_lookup,
        }
    }

    /// The lookup of a refused handshake goes on, and registers the dead socket.
    fn haunt(&self, key: &str, found: Instant) {
        let options = &self.shared.options;
        if !options.ghost || options.ack_capability {
            return;
        }
        let Some(agent) = self.shared.lock().platform.owner_of_key(key) else {
            return;
        };
        let (shared, number) = (Arc::clone(&self.shared), self.number);
        self.shared.tasks.spawn(async move {
            tokio::time::sleep_until(found).await;
            let handle = shared.lock().platform.agents[agent.index()].handle.clone();
            let limit = shared.options.socket_buffer;
            let ghost = Arc::new(Link::new(number, agent, handle, false, limit));
            ghost.make_void();
            shared.enrol(&ghost, true);
            let until_ping = shared.options.heartbeat;
            Arc::clone(&shared).drain(Arc::clone(&ghost)).await;
            tokio::time::sleep(until_ping).await;
            shared.strike_off(&ghost);
        });
    }

    /// Registers the socket, sends `hello.ok` and starts the drain, as often as hello was said.
    fn register(&self, agent: AgentNo, ack: bool, header: bool, times: u32) -> Arc<Link> {
        let options = &self.shared.options;
        let ack = ack && options.ack_capability;
        let handle = self.shared.lock().platform.agents[agent.index()]
            .handle
            .clone();
        let link = Arc::new(Link::new(
            self.number,
            agent,
            handle,
            ack,
            options.socket_buffer,
        ));
        let wanted = !header || options.hello_ok_on_header;
        let when = self.shared.lock().faults.hello_ok;
        if wanted && when == HelloOk::First {
            for _ in 0..times {
                self.shared.say_hello_ok(&link);
            }
        }
        self.shared.enrol(&link, false);
        match when {
            HelloOk::Late(by) if wanted => {
                let (shared, link) = (Arc::clone(&self.shared), Arc::clone(&link));
                self.shared.tasks.spawn(async move {
                    tokio::time::sleep(by).await;
                    shared.say_hello_ok(&link);
                });
            }
            HelloOk::AfterMessages(count) if wanted => {
                link.hello_behind(count, self.shared.hello_ok(&link));
            }
            HelloOk::First | HelloOk::Missing | HelloOk::Late(_) | HelloOk::AfterMessages(_) => {}
        }
        for _ in 0..times {
            let drain = Arc::clone(&self.shared).drain(Arc::clone(&link));
            let (link, fault) = (Arc::clone(&link), self.fault.clone());
            self.shared.tasks.spawn(async move {
                drain.await;
                if let Some(ConnectFault::CloseAfterHelloOk { code, reason }) = fault {
                    link.offer(Out::Close(code, reason));
                }
            });
        }
        link
    }

    fn unregister(&self, link: &Link) {
        self.shared.strike_off(link);
    }

    /// Frames both ways until the end.
    async fn serve(&mut self, link: &Arc<Link>) -> End {
        let options = &self.shared.options;
        let (heartbeat, pong_deadline) = (options.heartbeat, options.pong_deadline);
        let mut ping = tokio::time::interval_at(Instant::now() + heartbeat, heartbeat);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut pong_due: Option<Instant> = None;
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
                        return lost();
                    }
                    pong_due.get_or_insert(Instant::now() + pong_deadline);
                    continue;
                }
                () = tokio::time::sleep_until(due), if pong_due.is_some() => {
                    return self.close(1001, "Heartbeat timeout").await;
                }
                () = tasks.stopped() => return self.close(1001, "Server shutting down").await,
            };
            match step {
                Step::Frame(Message::Text(text)) => self.on_text(link, &text),
                Step::Frame(Message::Pong(_)) => pong_due = None,
                Step::Frame(Message::Close(frame)) => return closed_by_client(frame),
                Step::Frame(Message::Binary(_)) => self.note_frame("binary"),
                Step::Frame(Message::Ping(_) | Message::Frame(_)) => {}
                Step::Broken => return lost(),
                Step::Close(code, reason) => return self.close(code, &reason).await,
                Step::Half(text) => return self.half_frame(&text).await,
                Step::Cut(cut) => return self.cut(link, cut).await,
            }
        }
    }

    fn on_text(&self, link: &Arc<Link>, text: &str) {
        let Ok(frame) = serde_json::from_str::<ClientFrame<'_>>(text) else {
            return self.note_frame("?");
        };
        match (frame.kind.as_ref(), frame.message_id) {
            ("ack", Some(id)) if link.ack => self.on_ack(link, &id),
            (kind, _) => {
                self.note_frame(kind);
                if !self.shared.options.april {
                    self.on_other(link, kind, &frame.payload);
                }
            }
        }
    }

    fn on_ack(&self, link: &Link, id: &str) {
        let mut state = self.shared.lock();
        let settled = state.platform.ack_message(link.agent, id, Stamp::now()) == Settled::Yes;
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
        let now = Stamp::now();
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

    fn note_frame(&self, kind: &str) {
        let event = Event::ClientFrame {
            socket: self.number,
            frame: kind.to_owned(),
        };
        self.shared.journal.write(event);
    }

    /// Sends a close frame and waits a little for the client's own.
    async fn close(&mut self, code: u16, reason: &str) -> End {
        let frame = CloseFrame {
            code: code.into(),
            reason: reason.into(),
        };
        let goodbye = async {
            if self.ws.close(Some(frame)).await.is_ok() {
                while let Some(Ok(_)) = self.ws.next().await {}
            }
        };
        let _unanswered = tokio::time::timeout(CLOSING, goodbye).await;
        End {
            code,
            reason: reason.to_owned(),
            by_server: true,
        }
    }

    async fn cut(&mut self, link: &Link, cut: Cut) -> End {
        match cut {
            Cut::Reset => self.fuse.reset(),
            Cut::Drop => {
                let _gone = self.ws.get_mut().shutdown().await;
            }
            Cut::Clean { code, reason } => return self.close(code, &reason).await,
            Cut::MidFrame => {
                let frame = r#"{"type":"message.new","payload":{"id":"msg_never_comes_whole"}}"#;
                return self.half_frame(&frame.into()).await;
            }
            Cut::Silent { for_ } => {
                link.make_void();
                self.wait(for_).await;
            }
            Cut::HalfOpen { for_ } => {
                link.make_void();
                self.fuse.reset();
                self.ws.get_mut().end();
                self.wait(for_).await;
            }
        }
        End {
            code: 1006,
            reason: "cut".to_owned(),
            by_server: true,
        }
    }

    /// Writes the header of a whole frame and half of its payload, then resets.
    async fn half_frame(&mut self, text: &Utf8Bytes) -> End {
        let payload = text.as_bytes();
        let mut bytes = vec![0x81];
        match u16::try_from(payload.len()) {
            Ok(short @ 0..=125) => bytes.push(short.to_be_bytes()[1]),
            Ok(medium) => {
                bytes.push(126);
                bytes.extend(medium.to_be_bytes());
            }
            Err(_) => {
                bytes.push(127);
                bytes.extend((payload.len() as u64).to_be_bytes());
            }
        }
        bytes.extend(&payload[..payload.len() / 2]);
        let write = async {
            let _broken = self.ws.flush().await;
            let wire = self.ws.get_mut();
            let _broken = wire.write_all(&bytes).await;
            let _broken = wire.flush().await;
        };
        let _stuck = tokio::time::timeout(CLOSING, write).await;
        self.fuse.reset();
        End {
            code: 1006,
            reason: "cut inside a frame".to_owned(),
            by_server: true,
        }
    }

    async fn wait(&self, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.shared.tasks.stopped() => {}
        }
    }
}

impl Shared {
    /// Registers a link. The first one of an agent brings it online.
    pub(crate) fn enrol(self: &Arc<Self>, link: &Arc<Link>, ghost: bool) {
        let mut state = self.lock();
        self.journal.write(Event::Ready {
            socket: link.socket,
            agent: link.handle.clone(),
            ack: link.ack,
            ghost,
        });
        if state.hub.add(link) {
            let effects = state.platform.set_online(link.agent, true, Stamp::now());
            self.apply(&mut state, effects);
        }
    }

    /// Takes a link out again.
    pub(crate) fn strike_off(self: &Arc<Self>, link: &Link) {
        let mut state = self.lock();
        link.give_up();
        if state.hub.remove(link) {
            let effects = state.platform.set_online(link.agent, false, Stamp::now());
            self.apply(&mut state, effects);
        }
    }

    fn say_hello_ok(&self, link: &Link) {
        self.journal.write(Event::HelloOk {
            socket: link.socket,
        });
        link.offer(Out::Text(self.hello_ok(link)));
    }

    fn hello_ok(&self, link: &Link) -> Utf8Bytes {
        if !self.options.ack_capability {
            return Utf8Bytes::from_static(r#"{"type":"hello.ok"}"#);
        }
        let granted: &[&str] = if link.ack { &["ack"] } else { &[] };
        Utf8Bytes::from(json!({ "type": "hello.ok", "capabilities": granted }).to_string())
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

fn read_hello(frame: &Message) -> Option<Hello> {
    let Message::Text(text) = frame else {
        return None;
    };
    let frame: HelloFrame = serde_json::from_str(text).ok()?;
    let ack = frame
        .capabilities
        .as_array()
        .is_some_and(|all| all.iter().any(|c| c == "ack"));
    (frame.r#type == "hello").then_some(Hello {
        key: frame.api_key,
        ack,
        times: 1,
    })
}

fn closed_by_client(frame: Option<CloseFrame>) -> End {
    const NO_STATUS: u16 = 1005;
    let (code, reason) = frame.map_or((NO_STATUS, String::new()), |frame| {
        (frame.code.into(), frame.reason.as_str().to_owned())
    });
    End {
        code,
        reason,
        by_server: false,
    }
}

fn lost() -> End {
    End {
        code: 1006,
        reason: String::new(),
        by_server: false,
    }
}
