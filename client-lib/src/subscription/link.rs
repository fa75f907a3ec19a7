//! One connection of a subscription, from the subscribe line to its end.

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use crate::api::{EventsAck, EventsSubscribe, EventsUnsubscribe, Method};
use crate::error::RpcError;
use crate::line::LineReader;
use crate::transport;
use crate::types::{
    Acked, Event, EventNotice, EventsAckParams, EventsSubscribeParams, EventsUnsubscribeParams,
    GoingAway, Subscribed, SubscriptionClosed, SubscriptionLagged, Text, notification,
};

/// An open subscription.
#[derive(Debug)]
pub(super) struct Link {
    reader: LineReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    /// The line being written, at most one.
    out: Vec<u8>,
    written: usize,
    /// The id of the next request.
    next_id: u64,
    /// The offset of the last acknowledgement written here.
    pub(super) ack_sent: u64,
    /// The subscription's name.
    pub(super) subscription: String,
}

/// Why a connection did not become a subscription.
#[derive(Debug)]
pub(super) enum OpenError {
    /// It broke, or never came to be.
    Io(io::Error),
    /// The daemon answered with an error.
    Refused(RpcError),
}

/// What a line says to a subscription.
#[derive(Debug)]
pub(super) enum Incoming {
    /// An event of it.
    Event(Box<Event>),
    /// The daemon ended it.
    Closed(String),
    /// Live-only events were dropped.
    Lagged(u64),
    /// The daemon will stop.
    GoingAway(Duration),
    /// An acknowledgement was taken.
    Acked(u64),
    /// A request of ours failed.
    Failed(RpcError),
    /// Nothing for this subscription.
    Other,
}

impl Link {
    /// Connects, acknowledges what could not be acknowledged before, and subscribes.
    pub(super) async fn open(
        path: PathBuf,
        ack: Option<EventsAckParams>,
        params: EventsSubscribeParams,
    ) -> Result<(Self, Subscribed), OpenError> {
        tokio::time::timeout(OPEN_TIMEOUT, Self::handshake(path, ack, params))
            .await
            .unwrap_or_else(|_| Err(OpenError::Io(io::ErrorKind::TimedOut.into())))
    }

    async fn handshake(
        path: PathBuf,
        ack: Option<EventsAckParams>,
        params: EventsSubscribeParams,
    ) -> Result<(Self, Subscribed), OpenError> {
        let (read, writer) = transport::open(&path).await?.into_split();
        let mut link = Self {
            reader: LineReader::new(read),
            writer,
            out: Vec::new(),
            written: 0,
            next_id: 1,
            ack_sent: 0,
            subscription: String::new(),
        };
        if let Some(ack) = ack {
            // One after the other: requests of a connection run side by side, and the
            // subscription is to start after what is acknowledged here. If it is refused, the
            // events come once more; that is no reason to stay away.
            match link.exchange::<EventsAck>(&ack).await {
                Ok(_) => {}
                Err(OpenError::Refused(error)) => {
                    tracing::warn!(%error, "an acknowledgement was refused after reconnecting");
                }
                Err(error @ OpenError::Io(_)) => return Err(error),
            }
        }
        let subscribed = link.exchange::<EventsSubscribe>(&params).await?;
        link.subscription.clone_from(&subscribed.subscription);
        Ok((link, subscribed))
    }

    /// Writes a request and waits for its answer; nothing else can come before it.
    async fn exchange<M: Method>(&mut self, params: &M::Params) -> Result<M::Result, OpenError> {
        let id = self.next_id;
        self.queue::<M>(params);
        self.writer.write_all(&self.out).await?;
        self.out.clear();
        while let Some(line) = self.reader.next_line().await? {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let line: Line<'_> = serde_json::from_slice(&line).map_err(io::Error::from)?;
            if let Some(error) = line.error {
                return Err(OpenError::Refused(error));
            }
            if line.id == Some(id)
                && let Some(result) = line.result
            {
                return Ok(serde_json::from_str(result.get()).map_err(io::Error::from)?);
            }
        }
        Err(OpenError::Io(io::ErrorKind::UnexpectedEof.into()))
    }

    /// Whether a whole line waits to be taken.
    pub(super) fn has_line(&mut self) -> bool {
        self.reader.has_line()
    }

    /// Whether nothing is left to be written.
    pub(super) fn is_flushed(&self) -> bool {
        self.out.is_empty()
    }

    /// Puts an acknowledgement in line; only where [`Self::is_flushed`].
    pub(super) fn queue_ack(&mut self, ack: &EventsAckParams) {
        self.ack_sent = ack.offset;
        self.queue::<EventsAck>(ack);
    }

    /// Puts the end of the subscription in line.
    pub(super) fn queue_unsubscribe(&mut self) {
        if let Ok(subscription) = Text::new(self.subscription.clone()) {
            self.queue::<EventsUnsubscribe>(&EventsUnsubscribeParams { subscription });
        }
    }

    fn queue<M: Method>(&mut self, params: &M::Params) {
        #[derive(Serialize)]
        struct Request<'r, P> {
            jsonrpc: &'static str,
            id: u64,
            method: &'static str,
            params: &'r P,
        }
        let request = Request {
            jsonrpc: "2.0",
            id: self.next_id,
            method: M::NAME,
            params,
        };
        self.next_id += 1;
        serde_json::to_writer(&mut self.out, &request)
            .expect("parameters of strings and numbers serialize into memory");
        self.out.push(b'\n');
    }

    /// Writes what is in line.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.out.len() {
            let rest = &self.out[self.written..];
            let count = ready!(Pin::new(&mut self.writer).poll_write(cx, rest))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += count;
        }
        self.out.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }

    /// The next line; an error where the connection ended or the line makes no sense.
    pub(super) fn poll_incoming(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Incoming>> {
        let subscription = self.subscription.as_str();
        match ready!(
            self.reader
                .poll_line(cx, |line| understand(line, subscription))
        )? {
            Some(incoming) => Poll::Ready(incoming.map_err(io::Error::from)),
            None => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
        }
    }
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Any line of the daemon's.
#[derive(Deserialize)]
struct Line<'l> {
    id: Option<u64>,
    method: Option<String>,
    #[serde(borrow)]
    params: Option<&'l RawValue>,
    #[serde(borrow)]
    result: Option<&'l RawValue>,
    error: Option<RpcError>,
}

fn understand(line: &[u8], subscription: &str) -> serde_json::Result<Incoming> {
    if line.trim_ascii().is_empty() {
        return Ok(Incoming::Other);
    }
    let line: Line<'_> = serde_json::from_slice(line)?;
    if let Some(error) = line.error {
        return Ok(Incoming::Failed(error));
    }
    if let Some(result) = line.result {
        // Of the requests after the subscribe only an acknowledgement has an object as its result.
        let acked = serde_json::from_str::<Acked>(result.get());
        return Ok(acked.map_or(Incoming::Other, |acked| Incoming::Acked(acked.acked_offset)));
    }
    let (Some(method), Some(params)) = (line.method, line.params) else {
        return Ok(Incoming::Other);
    };
    let params = params.get();
    Ok(match method.as_str() {
        notification::EVENT => {
            let notice: EventNotice = serde_json::from_str(params)?;
            if notice.subscription != subscription {
                return Ok(Incoming::Other);
            }
            Incoming::Event(Box::new(notice.result))
        }
        notification::CLOSED => {
            let closed: SubscriptionClosed = serde_json::from_str(params)?;
            if closed.subscription != subscription {
                return Ok(Incoming::Other);
            }
            Incoming::Closed(closed.reason)
        }
        notification::LAGGED => {
            let lagged: SubscriptionLagged = serde_json::from_str(params)?;
            Incoming::Lagged(lagged.dropped)
        }
        notification::GOING_AWAY => {
            let going: GoingAway = serde_json::from_str(params)?;
            Incoming::GoingAway(Duration::from_millis(going.retry_in_ms))
        }
        _ => Incoming::Other,
    })
}

/// How long the daemon may take to open a subscription.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
