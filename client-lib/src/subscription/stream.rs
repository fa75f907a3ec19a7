//! The stream: connect, read, check, acknowledge, and come back when the connection breaks.
//!
//! A state machine polled by its reader; there is no task beside it. So it reads only when asked to,
//! and dropping it closes the connection.

use std::fmt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::Stream;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, Sleep};

use super::error::SubscriptionError;
use super::link::{Incoming, Link, OpenError};
use super::options::Options;
use super::position::Position;
use crate::error::{ConsumerConflictData, ConsumerConflictReason, ErrorCode, RpcError};
use crate::types::{
    Ack, AckMode, Event, EventsAckParams, EventsSubscribeParams, Start, Subscribed, Text,
    closed_reason,
};

/// A subscription; see the [module](super).
#[derive(Debug)]
pub struct Subscription {
    path: PathBuf,
    options: Options,
    state: State,
    position: Position,
    /// Up to where the reader is done, and up to where the daemon said it knows.
    done: u64,
    acked: u64,
    /// Somebody else moved the consumer back: what the reader said before counts no more.
    moved: bool,
    /// Up to where the daemon was told, at the latest while reconnecting.
    told: u64,
    lagged: u64,
    /// Since when there is no subscription at the daemon.
    away_since: Option<Instant>,
    attempt: u32,
    /// How long the daemon asked to be left alone.
    told_to_wait: Duration,
}

enum State {
    Open(Link),
    Waiting(Pin<Box<Sleep>>),
    Opening(BoxFuture<'static, Result<(Link, Subscribed), OpenError>>),
    Ended,
}

impl Subscription {
    /// Connects and subscribes. A daemon that is away or says no is an error here; later it is
    /// waited for.
    ///
    /// # Errors
    /// [`SubscriptionError::Connect`] or [`SubscriptionError::Refused`].
    pub async fn open(path: impl AsRef<Path>, options: Options) -> Result<Self, SubscriptionError> {
        let path = path.as_ref().to_owned();
        let opened = Link::open(path.clone(), None, options.params.clone()).await;
        let (link, answer) = opened.map_err(|error| match error {
            OpenError::Io(source) => SubscriptionError::Connect {
                path: path.clone(),
                source,
            },
            OpenError::Refused(error) => SubscriptionError::Refused(error),
        })?;
        let mut position = Position::default();
        position.on_subscribed(&answer)?;
        let before = position.handed();
        Ok(Self {
            path,
            options,
            state: State::Open(link),
            position,
            done: before,
            acked: before,
            moved: false,
            told: before,
            lagged: 0,
            away_since: None,
            attempt: 0,
            told_to_wait: Duration::ZERO,
        })
    }

    /// Says that the reader is done with all events up to this offset, and returns when that is
    /// written to the daemon, or kept for the next connection. A smaller offset than before does
    /// nothing. That the daemon took it shows in [`Subscription::acked_offset`].
    ///
    /// Where the daemon acknowledges by itself (`ack: "auto"`, or no consumer) it does nothing.
    ///
    /// # Errors
    /// [`SubscriptionError::Closed`] where the subscription has ended.
    pub async fn ack(&mut self, offset: u64) -> Result<(), SubscriptionError> {
        if matches!(self.state, State::Ended) {
            return Err(SubscriptionError::Closed {
                reason: ENDED.into(),
            });
        }
        self.done = self.done.max(offset);
        std::future::poll_fn(|cx| self.poll_acks(cx)).await;
        Ok(())
    }

    /// The offset up to which the daemon knows that the reader is done, as far as it has told.
    pub fn acked_offset(&self) -> u64 {
        self.acked
    }

    /// How many live-only events (typing, presence) were dropped because the reader was slow.
    pub fn lagged(&self) -> u64 {
        self.lagged
    }

    /// Ends the subscription, waiting a moment for the answers to the last acknowledgements. Gives the
    /// offset up to which the daemon knows that the reader is done. Events that were not handed
    /// out are dropped here; the daemon has them.
    pub async fn close(mut self) -> u64 {
        if self.options.auto_ack && !self.moved {
            self.done = self.done.max(self.position.handed());
        }
        let farewell = async {
            std::future::poll_fn(|cx| self.poll_acks(cx)).await;
            if let State::Open(link) = &mut self.state {
                link.queue_unsubscribe();
            }
            while let State::Open(link) = &mut self.state {
                if link.ack_sent <= self.acked && link.is_flushed() {
                    break;
                }
                let next = std::future::poll_fn(|cx| {
                    if let Poll::Ready(Err(error)) = link.poll_flush(cx) {
                        return Poll::Ready(Err(error));
                    }
                    if link.ack_sent <= self.acked && link.is_flushed() {
                        return Poll::Ready(Ok(Incoming::Other));
                    }
                    link.poll_incoming(cx)
                });
                match next.await {
                    Ok(Incoming::Acked(offset)) => self.acked = self.acked.max(offset),
                    Ok(Incoming::Failed(_)) | Err(_) => break,
                    Ok(_) => {}
                }
            }
        };
        // Late answers do no harm: what is not acknowledged is delivered once more.
        let _ = tokio::time::timeout(FAREWELL_TIMEOUT, farewell).await;
        self.acked
    }

    fn acks_by_hand(&self) -> bool {
        self.options.params.ack_mode() == AckMode::Manual
    }

    fn ack_params(&self, link: &Link) -> Option<EventsAckParams> {
        let of = match &self.options.params.consumer {
            Some(name) => Ack::Consumer(name.clone()),
            None => Ack::Subscription(Text::new(link.subscription.clone()).ok()?),
        };
        Some(EventsAckParams {
            of,
            offset: self.done,
        })
    }

    /// Writes acknowledgements as far as the reader is done; later ones swallow earlier ones.
    fn poll_acks(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let by_hand = self.acks_by_hand();
        loop {
            let State::Open(link) = &self.state else {
                return Poll::Ready(());
            };
            let due = by_hand && self.done > self.acked && self.done != link.ack_sent;
            let params = self.ack_params(link).filter(|_| due && link.is_flushed());
            let State::Open(link) = &mut self.state else {
                return Poll::Ready(());
            };
            if let Some(params) = params {
                link.queue_ack(&params);
            }
            if let Err(error) = ready!(link.poll_flush(cx)) {
                self.lose_link(&error);
                return Poll::Ready(());
            }
            if link.ack_sent == self.done || !due {
                return Poll::Ready(());
            }
        }
    }

    /// With `auto_ack`, a poll says that the reader is done with what it was given. It is told to
    /// the daemon when nothing more is at hand, or when a good part of the window is used up.
    fn note_done(&mut self) {
        let handed = self.position.handed();
        if !self.options.auto_ack || self.moved || handed <= self.done {
            return;
        }
        let window = u64::from(self.options.params.max_in_flight.get());
        let enough = handed - self.done >= (window / ACKS_PER_WINDOW).max(1);
        let idle = match &mut self.state {
            State::Open(link) => !link.has_line(),
            State::Waiting(_) | State::Opening(_) | State::Ended => true,
        };
        if enough || idle {
            self.done = handed;
        }
    }

    fn lose_link(&mut self, error: &dyn fmt::Display) {
        tracing::debug!(%error, path = %self.path.display(), "subscription lost, coming back");
        self.away_since.get_or_insert_with(Instant::now);
        self.wait();
    }

    fn wait(&mut self) {
        let delay = (BACKOFF_MIN * 2_u32.saturating_pow(self.attempt.min(16))).min(BACKOFF_MAX);
        self.attempt = self.attempt.saturating_add(1);
        let told = std::mem::take(&mut self.told_to_wait).min(TOLD_MAX);
        self.state = State::Waiting(Box::pin(tokio::time::sleep(delay.max(told))));
    }

    /// Asks for what comes after the last event that was handed out, or after the acked one.
    fn reopen(&mut self) {
        let mut params: EventsSubscribeParams = self.options.params.clone();
        let mut ack = None;
        self.told = self.done.max(self.acked);
        if let Some(name) = &params.consumer {
            if self.acks_by_hand() && self.done > self.acked {
                ack = Some(EventsAckParams {
                    of: Ack::Consumer(name.clone()),
                    offset: self.done,
                });
            }
            // Counts only where the consumer was deleted meanwhile: it loses nothing then either.
            params.from = Start::Offset(self.done + 1);
        } else {
            params.from = Start::Offset(self.position.next());
        }
        self.state = State::Opening(Box::pin(Link::open(self.path.clone(), ack, params)));
    }

    fn end(&mut self, error: SubscriptionError) -> Poll<Option<Result<Event, SubscriptionError>>> {
        self.state = State::Ended;
        Poll::Ready(Some(Err(error)))
    }

    fn on_opened(&mut self, link: Link, answer: &Subscribed) -> Result<(), SubscriptionError> {
        self.away_since = None;
        self.moved = false;
        self.state = State::Open(link);
        let judged = self.position.on_subscribed(answer);
        let before = self.position.handed();
        // Where the daemon goes on before what it was told, its word on where this reader stands
        // holds: it was moved, or refused the acknowledgement. Else what the reader said since the
        // daemon was told is still to be said.
        self.done = if self.acks_by_hand() && before >= self.told {
            self.done.max(before)
        } else {
            before
        };
        self.acked = before;
        judged
    }

    /// Tries again, unless the daemon's answer stands or it has been away for too long.
    fn on_open_failed(&mut self, error: OpenError) -> Option<SubscriptionError> {
        let away = self
            .away_since
            .map_or(Duration::ZERO, |since| since.elapsed());
        if let OpenError::Refused(error) = error
            && !passes_by_itself(&error, away)
        {
            return Some(SubscriptionError::Refused(error));
        }
        if let Some(after) = self.options.give_up_after
            && away >= after
        {
            return Some(SubscriptionError::GaveUp { after });
        }
        self.wait();
        None
    }

    fn on_incoming(&mut self, incoming: Incoming) -> Option<Result<Event, SubscriptionError>> {
        match incoming {
            Incoming::Event(mut event) => {
                self.attempt = 0;
                match self.position.on_event(&mut event) {
                    Ok(()) => return Some(Ok(*event)),
                    Err(error) => {
                        if matches!(error, SubscriptionError::NotRising { .. }) {
                            self.moved = true;
                            self.done = self.acked;
                        }
                        self.lose_link(&error);
                        return Some(Err(error));
                    }
                }
            }
            Incoming::Closed(reason) => {
                if RESUMABLE.contains(&reason.as_str()) {
                    self.lose_link(&reason);
                } else {
                    self.state = State::Ended;
                    return Some(Err(SubscriptionError::Closed { reason }));
                }
            }
            Incoming::Lagged(dropped) => {
                tracing::warn!(dropped, "live-only events were dropped for a slow reader");
                self.lagged = self.lagged.saturating_add(dropped);
            }
            Incoming::GoingAway(wait) => self.told_to_wait = wait,
            Incoming::Acked(offset) => self.acked = self.acked.max(offset),
            Incoming::Failed(error) => return Some(Err(SubscriptionError::Ack(error))),
            Incoming::Other => {}
        }
        None
    }
}

impl Stream for Subscription {
    type Item = Result<Event, SubscriptionError>;

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Event, SubscriptionError>>> {
        let this = self.get_mut();
        loop {
            this.note_done();
            // What cannot be written yet waits; reading goes on, so that the two never block each
            // other.
            let _ = this.poll_acks(cx);
            match &mut this.state {
                State::Ended => return Poll::Ready(None),
                State::Waiting(sleep) => {
                    ready!(sleep.as_mut().poll(cx));
                    this.reopen();
                }
                State::Opening(opening) => match ready!(opening.as_mut().poll(cx)) {
                    Ok((link, answer)) => {
                        if let Err(error) = this.on_opened(link, &answer) {
                            return Poll::Ready(Some(Err(error)));
                        }
                    }
                    Err(error) => {
                        if let Some(error) = this.on_open_failed(error) {
                            return this.end(error);
                        }
                    }
                },
                State::Open(link) => match ready!(link.poll_incoming(cx)) {
                    Ok(incoming) => {
                        if let Some(item) = this.on_incoming(incoming) {
                            return Poll::Ready(Some(item));
                        }
                    }
                    Err(error) => this.lose_link(&error),
                },
            }
        }
    }
}

/// Whether a refusal is a matter of time. A consumer that is still attached may be this one: the daemon
/// has not seen yet that the connection before is gone.
fn passes_by_itself(error: &RpcError, away: Duration) -> bool {
    match error.kind() {
        Some(
            ErrorCode::ShuttingDown
            | ErrorCode::Overloaded
            | ErrorCode::StorageError
            | ErrorCode::InternalError,
        ) => true,
        Some(ErrorCode::ConsumerConflict) => {
            let data = error.data_as::<ConsumerConflictData>();
            away < ATTACHED_PATIENCE
                && data.is_ok_and(|data| data.reason == ConsumerConflictReason::Attached)
        }
        _ => false,
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open(_) => "Open",
            Self::Waiting(_) => "Waiting",
            Self::Opening(_) => "Opening",
            Self::Ended => "Ended",
        })
    }
}

/// Ends after which it makes sense to subscribe again.
const RESUMABLE: [&str; 2] = [closed_reason::STORAGE_ERROR, closed_reason::SHUTTING_DOWN];
const ENDED: &str = "the subscription has ended";
const BACKOFF_MIN: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// How long a daemon that stops may ask to be left alone.
const TOLD_MAX: Duration = Duration::from_secs(60);
/// How long a consumer that is attached elsewhere is taken for a trace of the connection before.
const ATTACHED_PATIENCE: Duration = Duration::from_secs(10);
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(5);
/// With `auto_ack`, how many acknowledgements go out for a full window.
const ACKS_PER_WINDOW: u64 = 4;
