//! The requests of one client, however they reach the daemon.
//!
//! Requests are *started in the order in which they were written*: each call is polled once on
//! arrival, which takes a send into the driver's queue, and parked with the others if it has to
//! wait. Answers go out as they are ready. Reading pauses while as many calls are under way as are
//! allowed. An NDJSON connection, a WebSocket and the body of a single HTTP request differ in their
//! [`Input`] only.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use agentchatd_client::RpcError;
use agentchatd_client::types::{GoingAway, notification};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use jsonrpsee::Methods;
use tokio::task::coop::unconstrained;
use tokio::time::{sleep, timeout};

use crate::rpc::batch::{Batch, Reply};
use crate::rpc::client::Client;
use crate::rpc::errors;
use crate::rpc::ndjson::Frame;
use crate::rpc::outgoing::Frame as Line;
use crate::rpc::request::{self, Incoming, MAX_BATCH_ENTRIES, Refused, Request};
use crate::rpc::service::{self, Answer};

/// Where the requests come from.
pub(crate) trait Input: Send {
    /// The next value. Dropped and called again at any time: nothing may be lost by it.
    fn next(&mut self) -> impl Future<Output = io::Result<Frame>> + Send;

    /// The value that was given last is no JSON.
    fn not_json(&mut self);

    /// After the end of the input: true where nobody reads the answers any more.
    fn hung_up(&self) -> bool;
}

/// The input of a client that has asked all it has to ask.
#[derive(Debug)]
pub(crate) struct Nothing;

impl Input for Nothing {
    async fn next(&mut self) -> io::Result<Frame> {
        Ok(Frame::End)
    }

    fn not_json(&mut self) {}

    fn hung_up(&self) -> bool {
        false
    }
}

/// The loop over the requests of one client.
pub(crate) struct Session {
    client: Arc<Client>,
    methods: Methods,
    running: FuturesUnordered<BoxFuture<'static, ()>>,
    // Read, but not started yet: the rest of a batch that found other calls under way. Never more
    // than one batch, as nothing is read meanwhile.
    queued: VecDeque<(Result<Request, Refused>, Reply)>,
    started: usize,
}

/// What the loop does about its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Read on.
    Open,
    /// The client writes no more, but may still read.
    Ended,
    /// Nothing that comes is of use.
    Refused,
}

impl Session {
    /// A session in which nothing was asked yet.
    pub(crate) fn new(client: Arc<Client>, methods: Methods) -> Self {
        let running = FuturesUnordered::new();
        Self {
            client,
            methods,
            running,
            queued: VecDeque::new(),
            started: 0,
        }
    }

    /// Runs to the end of the input; true where the client may still be writing.
    pub(crate) async fn run(mut self, mut source: impl Input) -> bool {
        let shared = Arc::clone(&self.client.shared);
        let closing = self.client.closing.clone();
        let mut input = Reading::Open;
        let mut warned = false;
        loop {
            self.start_queued().await;
            let idle = self.running.is_empty() && self.queued.is_empty();
            if idle && (input == Reading::Refused || warned) {
                break;
            }
            if idle && input == Reading::Ended && self.client.subscriptions() == 0 {
                break;
            }
            let may_read = input == Reading::Open
                && self.queued.is_empty()
                && self.running.len() < MAX_UNDER_WAY
                && !self.client.outgoing.is_jammed();
            tokio::select! {
                biased;
                () = shared.kill.cancelled() => break,
                () = closing.cancelled() => break,
                () = shared.stopping.cancelled(), if !warned => {
                    warned = true;
                    self.warn();
                }
                Some(()) = self.running.next(), if !self.running.is_empty() => {}
                frame = source.next(), if may_read => {
                    input = self.take(frame, &mut source).await;
                    if input == Reading::Ended && source.hung_up() {
                        break;
                    }
                }
                () = sleep(HANGUP_CHECK), if input == Reading::Ended => {
                    if source.hung_up() {
                        break;
                    }
                }
            }
        }
        self.finish().await;
        input == Reading::Refused
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
    }

    /// Starts what waits, as far as the bound allows.
    async fn start_queued(&mut self) {
        while self.running.len() < MAX_UNDER_WAY
            && !self.client.outgoing.is_jammed()
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
    async fn take(&mut self, frame: io::Result<Frame>, source: &mut impl Input) -> Reading {
        let value = match frame {
            Ok(Frame::Value(value)) => value,
            Ok(Frame::Broken(reason)) => {
                self.refuse(errors::not_json(reason)).await;
                return Reading::Open;
            }
            Ok(Frame::TooLong) => {
                let limit = self.client.shared.limits.max_request_bytes;
                self.refuse(errors::too_long(limit)).await;
                return Reading::Refused;
            }
            Ok(Frame::End) => return Reading::Ended,
            Err(_) => {
                self.client.closing.cancel();
                return Reading::Refused;
            }
        };
        match request::read(value) {
            Incoming::NotJson(reason) => {
                source.not_json();
                self.refuse(errors::not_json(&reason)).await;
            }
            incoming => self.begin(incoming).await,
        }
        Reading::Open
    }

    /// Starts what was asked, or lines it up to be started.
    pub(crate) async fn begin(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Single(request) => self.start(request, Reply::Alone).await,
            Incoming::Batch(requests) => {
                let batch = Batch::new(&requests);
                let replies = requests
                    .into_iter()
                    .map(|one| (one, Reply::In(Arc::clone(&batch))));
                self.queued.extend(replies);
            }
            Incoming::TooMany => self.refuse(errors::too_many(MAX_BATCH_ENTRIES)).await,
            Incoming::NotJson(reason) => self.refuse(errors::not_json(&reason)).await,
        }
    }

    /// Answers what could not be read as a request; in turn with the calls, like any answer.
    async fn refuse(&mut self, error: RpcError) {
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
                .push_now(Line::notice(notification::GOING_AWAY, &params));
        }
    }
}

/// How many calls of one connection may be under way: as many as a batch may hold.
const MAX_UNDER_WAY: usize = MAX_BATCH_ENTRIES;

/// How many calls are started before other tasks get their turn.
const STARTS_PER_TURN: usize = 64;

/// How often a client that closed its writing side is looked after.
pub(crate) const HANGUP_CHECK: Duration = Duration::from_millis(250);

/// How long calls may go on whose client is gone.
const FINISH: Duration = Duration::from_secs(5);

/// After how long a client may come back when the daemon stops.
pub(crate) const RETRY_IN_MS: u64 = 1000;
