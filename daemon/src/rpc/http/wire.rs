//! The stream under hyper.
//!
//! It begins with the bytes that told the protocol, and it keeps account of what hyper does not
//! tell: when the first byte of a request came, whether the client has closed its side, and when
//! everything that was handed to hyper is written to the socket. hyper flushes the stream only when
//! its own buffer is empty, so a flush is the sign for the last. While a request is under way hyper
//! reads nothing that follows it; so that a client that goes away is noticed all the same, the
//! connection's loop looks a little ahead.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Notify;
use tokio::time::Instant;

/// The stream.
#[derive(Debug)]
pub(super) struct Wire {
    read: Arc<OwnedReadHalf>,
    write: OwnedWriteHalf,
    flow: Arc<Flow>,
}

/// What is known of a connection besides what hyper tells.
#[derive(Debug)]
pub(super) struct Flow {
    state: Mutex<State>,
    changed: Notify,
    flushed: Notify,
}

#[derive(Debug)]
struct State {
    // Read from the socket, and not by hyper yet.
    ahead: BytesMut,
    // Requests of which the answer is not written to its end: one, or none.
    busy: usize,
    // Since when the client may begin a request, or has begun one.
    since: Instant,
    // The first bytes of the next request are there.
    begun: bool,
    ended: bool,
    // Pieces of streamed answers that hyper was given, and those that the socket has taken.
    handed: u64,
    written: u64,
}

/// A request that is under way; dropped with the last byte of its answer.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<Flow>);

impl Wire {
    pub(super) fn new(read: Arc<OwnedReadHalf>, write: OwnedWriteHalf, flow: Arc<Flow>) -> Self {
        Self { read, write, flow }
    }
}

impl Flow {
    /// A connection from which `head` was read.
    pub(super) fn new(head: &[u8]) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                ahead: head.into(),
                busy: 0,
                since: Instant::now(),
                begun: false,
                ended: false,
                handed: 0,
                written: 0,
            }),
            changed: Notify::new(),
            flushed: Notify::new(),
        })
    }

    /// A request is read and will be answered.
    pub(super) fn enter(self: &Arc<Self>) -> UnderWay {
        let mut state = self.lock();
        state.busy += 1;
        state.begun = false;
        drop(state);
        self.changed.notify_one();
        UnderWay(Arc::clone(self))
    }

    /// When the client has been silent for too long; `None` while it waits for an answer.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let state = self.lock();
        let allowed = if state.begun { HEAD_TIME } else { IDLE_TIME };
        (state.busy == 0).then(|| state.since + allowed)
    }

    /// The client has closed its side for writing, at least.
    pub(super) fn ended(&self) -> bool {
        self.lock().ended
    }

    /// Whether there is reason and room for [`Self::look_ahead`].
    pub(super) fn looks_ahead(&self) -> bool {
        let state = self.lock();
        state.busy > 0 && !state.ended && state.ahead.len() < AHEAD_BYTES
    }

    /// Waits for what follows the request that is under way: the next one, or the end.
    pub(super) async fn look_ahead(&self, read: &OwnedReadHalf) {
        let mut piece = [0; AHEAD_BYTES];
        let readable = read.readable().await;
        match readable.and_then(|()| read.try_read(&mut piece)) {
            Ok(0) => self.read_all(),
            Ok(length) => self.lock().ahead.extend_from_slice(&piece[..length]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => self.read_all(),
        }
    }

    /// Takes what was read ahead.
    fn take_ahead(&self, buffer: &mut ReadBuf<'_>) -> bool {
        let mut state = self.lock();
        let length = buffer.remaining().min(state.ahead.len());
        buffer.put_slice(&state.ahead.split_to(length));
        length > 0
    }

    /// Waits until something of the above changes. For one waiter at a time.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// hyper is given one more piece of a streamed answer.
    pub(super) fn hand(&self) {
        self.lock().handed += 1;
    }

    /// How many pieces hyper was given on this connection.
    pub(super) fn handed(&self) -> u64 {
        self.lock().handed
    }

    /// Waits until the socket has taken so many pieces. For one waiter at a time.
    pub(super) async fn written(&self, pieces: u64) {
        while self.lock().written < pieces {
            self.flushed.notified().await;
        }
    }

    fn flush(&self) {
        let mut state = self.lock();
        if state.written < state.handed {
            state.written = state.handed;
            drop(state);
            self.flushed.notify_one();
        }
    }

    fn read_some(&self) {
        let mut state = self.lock();
        if state.busy == 0 && !state.begun {
            state.begun = true;
            state.since = Instant::now();
            drop(state);
            self.changed.notify_one();
        }
    }

    fn read_all(&self) {
        self.lock().ended = true;
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.busy -= 1;
        state.since = Instant::now();
        drop(state);
        self.0.changed.notify_one();
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.flow.take_ahead(buffer) {
            self.flow.read_some();
            return Poll::Ready(Ok(()));
        }
        loop {
            let stream = (*self.read).as_ref();
            ready!(stream.poll_read_ready(cx))?;
            match stream.try_read_buf(buffer) {
                Ok(0) => self.flow.read_all(),
                Ok(_) => self.flow.read_some(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Poll::Ready(Err(error)),
            }
            return Poll::Ready(Ok(()));
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.write).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.write).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.write.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // hyper comes here when its buffer is empty, so what it was given is in the socket.
        self.flow.flush();
        Pin::new(&mut self.write).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.write).poll_shutdown(cx)
    }
}

/// How long the head of a request may take from its first byte on.
pub(super) const HEAD_TIME: Duration = Duration::from_secs(10);

/// How long a connection may be idle between requests.
pub(super) const IDLE_TIME: Duration = Duration::from_secs(75);

/// How much is read ahead while a request is under way.
const AHEAD_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use futures_util::poll;

    use super::*;

    #[tokio::test]
    async fn a_piece_counts_as_written_with_the_flush_after_it_and_not_before() {
        let flow = Flow::new(b"");
        flow.flush();
        flow.hand();
        let mut waiting = std::pin::pin!(flow.written(1));
        assert!(poll!(&mut waiting).is_pending());
        flow.flush();
        assert!(poll!(&mut waiting).is_ready());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_may_be_idle_for_longer_than_a_head_may_take() {
        let flow = Flow::new(b"");
        assert_eq!(flow.deadline(), Some(Instant::now() + IDLE_TIME));
        flow.read_some();
        assert_eq!(flow.deadline(), Some(Instant::now() + HEAD_TIME));
        tokio::time::advance(HEAD_TIME / 2).await;
        flow.read_some();
        assert_eq!(flow.deadline(), Some(Instant::now() + HEAD_TIME / 2));
        let under_way = flow.enter();
        assert_eq!(flow.deadline(), None);
        drop(under_way);
        assert_eq!(flow.deadline(), Some(Instant::now() + IDLE_TIME));
    }
}
