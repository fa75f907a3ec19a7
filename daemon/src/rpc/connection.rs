//! One connection: from its first byte to its last.
//!
//! Requests are *started in the order in which they were written*: each call is polled once on
//! arrival, which takes a send into the driver's queue, and parked with the others if it has to
//! wait. Answers go out as they are ready. Reading pauses while as many calls are under way as are
//! allowed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use agentchatd_client::types::{GoingAway, notification};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use jsonrpsee::Methods;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::coop::unconstrained;
use tokio::time::{sleep, timeout};

use crate::rpc::batch::{Batch, Reply};
use crate::rpc::client::{Client, Shared};
use crate::rpc::errors;
use crate::rpc::ndjson::{Frame, Framer};
use crate::rpc::outgoing::{self, Frame as Line};
use crate::rpc::peer::Peer;
use crate::rpc::request::{self, Incoming, MAX_BATCH_ENTRIES, Refused, Request};
use crate::rpc::service::{self, Answer};
use crate::rpc::subscription::notice;

/// Serves a connection to its end.
pub(crate) async fn serve(stream: UnixStream, shared: Arc<Shared>, methods: Methods) {
    // The peer may be gone before anyone asked who it is.
    let Ok(peer) = Peer::of(&stream) else { return };
    let caller = shared.access.caller(peer);
    let (mut read, mut write) = stream.into_split();
    let mut head = [0; HEAD_BYTES];
    let length = tokio::select! {
        length = read.read(&mut head) => length.unwrap_or(0),
        () = shared.stopping.cancelled() => 0,
    };
    match head[..length].first() {
        None => {}
        Some(byte) if byte.is_ascii_uppercase() => {
            let _ = timeout(LINGER, say(&mut write, HTTP_ANSWER)).await;
            linger(&mut read).await;
        }
        // NDJSON, also where the first line is neither: like any other line that is no JSON it
        // costs the client that line and not the connection.
        Some(_) => {
            let (outgoing, queue) = outgoing::queue();
            let client = Arc::new(Client::new(Arc::clone(&shared), caller, outgoing));
            let closing = client.closing.clone();
            let kill = shared.kill.clone();
            let writer = shared.tasks.spawn(async move {
                tokio::select! {
                    // An error means that the client is gone; there is nobody to tell.
                    result = queue.write_all(&mut write) => drop(result),
                    () = kill.cancelled() => {}
                }
                closing.cancel();
                write
            });
            let framer = Framer::new(&head[..length], shared.limits.max_request_bytes);
            let lingers = Connection::new(client, methods, framer)
                .run(&mut read)
                .await;
            // The write half stays open until the queue is empty; the answer that explains an
            // early end is to reach a client that is still writing.
            let _write = writer.await;
            if lingers {
                linger(&mut read).await;
            }
        }
    }
}

/// The connection's loop.
struct Connection {
    client: Arc<Client>,
    methods: Methods,
    framer: Framer,
    running: FuturesUnordered<BoxFuture<'static, ()>>,
    // Read, but not started yet: the rest of a batch that found other calls under way. Never more
    // than one batch, as nothing is read meanwhile.
    queued: VecDeque<(Result<Request, Refused>, Reply)>,
    started: usize,
}

/// What the loop does about its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    /// Read on.
    Open,
    /// The client writes no more, but may still read.
    Ended,
    /// Nothing that comes is of use.
    Refused,
}

impl Connection {
    fn new(client: Arc<Client>, methods: Methods, framer: Framer) -> Self {
        client.shared.clients.fetch_add(1, Ordering::Relaxed);
        let running = FuturesUnordered::new();
        Self {
            client,
            methods,
            framer,
            running,
            queued: VecDeque::new(),
            started: 0,
        }
    }

    /// Runs to the end; true where the client may still be writing.
    async fn run(mut self, read: &mut OwnedReadHalf) -> bool {
        let shared = Arc::clone(&self.client.shared);
        let closing = self.client.closing.clone();
        let mut input = Input::Open;
        let mut warned = false;
        loop {
            self.start_queued().await;
            let idle = self.running.is_empty() && self.queued.is_empty();
            if idle && (input == Input::Refused || warned) {
                break;
            }
            if idle && input == Input::Ended && self.client.subscriptions() == 0 {
                break;
            }
            let may_read = input == Input::Open
                && self.queued.is_empty()
                && self.running.len() < MAX_UNDER_WAY;
            tokio::select! {
                biased;
                () = shared.kill.cancelled() => break,
                () = closing.cancelled() => break,
                () = shared.stopping.cancelled(), if !warned => {
                    warned = true;
                    self.warn();
                }
                Some(()) = self.running.next(), if !self.running.is_empty() => {}
                frame = self.framer.next(read), if may_read => {
                    input = self.take(frame).await;
                    if input == Input::Ended && hung_up(read) {
                        break;
                    }
                }
                () = sleep(HANGUP_CHECK), if input == Input::Ended => {
                    if hung_up(read) {
                        break;
                    }
                }
            }
        }
        self.finish().await;
        input == Input::Refused
    }

    /// Ends subscriptions and lets calls that are under way come to their end: a client that does
    /// not wait for its answers has asked all the same.
    async fn finish(mut self) {
        if !self.client.shared.kill.is_cancelled() {
            self.client.closing.cancel();
            let rest = async {
                loop {
                    self.start_queued().await;
                    if self.running.next().await.is_none() && self.queued.is_empty() {
                        break;
                    }
                }
            };
            let _ = timeout(FINISH, rest).await;
        }
        self.client.closing.cancel();
        self.client.shared.clients.fetch_sub(1, Ordering::Relaxed);
    }

    /// Starts what waits, as far as the bound allows.
    async fn start_queued(&mut self) {
        while self.running.len() < MAX_UNDER_WAY
            && let Some((request, reply)) = self.queued.pop_front()
        {
            self.start(request, reply).await;
        }
    }

    /// Polls a call once and parks it if it has to wait.
    async fn start(&mut self, request: Result<Request, Refused>, reply: Reply) {
        let client = Arc::clone(&self.client);
        let methods = self.methods.clone();
        let call = async move {
            let outgoing = client.outgoing.clone();
            let answer = match request {
                Ok(request) => service::call(&methods, client, request).await,
                Err(refused) => Answer::refused(&refused),
            };
            reply.give(answer, &outgoing).await;
        };
        // Without tokio's budget, which could make the first poll return before the handler put
        // its command in the queue; this loop yields on its own instead.
        let mut call = unconstrained(call).boxed();
        if futures_util::poll!(&mut call).is_pending() {
            self.running.push(call);
        }
        self.started += 1;
        if self.started.is_multiple_of(STARTS_PER_TURN) {
            tokio::task::yield_now().await;
        }
    }

    /// Acts on what was read.
    async fn take(&mut self, frame: std::io::Result<Frame>) -> Input {
        let value = match frame {
            Ok(Frame::Value(value)) => value,
            Ok(Frame::Broken(reason)) => {
                self.refuse(errors::not_json(reason)).await;
                return Input::Open;
            }
            Ok(Frame::TooLong) => {
                let limit = self.client.shared.limits.max_request_bytes;
                self.refuse(errors::too_long(limit)).await;
                return Input::Refused;
            }
            Ok(Frame::End) => return Input::Ended,
            Err(_) => {
                self.client.closing.cancel();
                return Input::Refused;
            }
        };
        match request::read(value) {
            Incoming::Single(request) => self.start(request, Reply::Alone).await,
            Incoming::Batch(requests) => {
                let batch = Batch::new(&requests);
                let replies = requests
                    .into_iter()
                    .map(|one| (one, Reply::In(Arc::clone(&batch))));
                self.queued.extend(replies);
            }
            Incoming::TooMany => self.refuse(errors::too_many(MAX_BATCH_ENTRIES)).await,
            Incoming::NotJson(reason) => {
                self.framer.skip_line();
                self.refuse(errors::not_json(&reason)).await;
            }
        }
        Input::Open
    }

    /// Answers what could not be read as a request; in turn with the calls, like any answer.
    async fn refuse(&mut self, error: agentchatd_client::RpcError) {
        let outgoing = self.client.outgoing.clone();
        let answer = Answer::refusal(None, &error).json.unwrap_or_default();
        let mut sending = async move {
            let _ = outgoing.send(Line::Text(answer)).await;
        }
        .boxed();
        if futures_util::poll!(&mut sending).is_pending() {
            self.running.push(sending);
        }
    }

    /// Tells a connection with subscriptions that the daemon stops.
    fn warn(&self) {
        if self.client.subscriptions() > 0 {
            let params = GoingAway {
                reason: "shutdown".into(),
                retry_in_ms: RETRY_IN_MS,
            };
            self.client
                .outgoing
                .push_now(notice(notification::GOING_AWAY, &params));
        }
    }
}

/// True where the other end is closed for reading as well: nobody is there any more.
fn hung_up(read: &OwnedReadHalf) -> bool {
    let ready = read.as_ref().ready(Interest::WRITABLE).now_or_never();
    matches!(ready, Some(Ok(ready)) if ready.is_write_closed())
}

async fn say(write: &mut OwnedWriteHalf, text: &str) -> std::io::Result<()> {
    write.write_all(text.as_bytes()).await?;
    write.shutdown().await
}

/// Reads what still comes and throws it away for a while, so that a client that writes first and
/// reads then is not cut off before it has read why.
async fn linger(read: &mut OwnedReadHalf) {
    let mut waste = vec![0; LINGER_BYTES];
    let swallow = async { while matches!(read.read(&mut waste).await, Ok(1..)) {} };
    let _ = timeout(LINGER, swallow).await;
}

/// How many calls of one connection may be under way: as many as a batch may hold.
const MAX_UNDER_WAY: usize = MAX_BATCH_ENTRIES;

/// How many calls are started before other tasks get their turn.
const STARTS_PER_TURN: usize = 64;

/// How much is read to tell the protocol.
const HEAD_BYTES: usize = 1024;

/// How often a client that closed its writing side is looked after.
const HANGUP_CHECK: Duration = Duration::from_millis(250);

/// How long calls may go on whose client is gone.
const FINISH: Duration = Duration::from_secs(5);

/// How long input is thrown away at an early end.
const LINGER: Duration = Duration::from_secs(2);

/// How much of it at a time.
const LINGER_BYTES: usize = 64 << 10;

/// After how long a client may come back when the daemon stops.
const RETRY_IN_MS: u64 = 1000;

/// The answer to HTTP, which this version does not speak.
const HTTP_ANSWER: &str = "HTTP/1.1 501 Not Implemented\r\ncontent-type: text/plain\r\n\
    content-length: 55\r\nconnection: close\r\n\r\n\
    This socket speaks newline-delimited JSON-RPC for now.\n";
