//! The stream under hyper.
//!
//! It begins with the bytes that told the protocol, and it keeps account of what hyper does not
//! tell: when the first byte of a request came, whether the client has closed its side, and when
//! everything that was handed to hyper is written to the socket. hyper flushes the stream only when
//! its own buffer is empty, so a flush is the sign for the last.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Notify;
use tokio::time::Instant;

/// The stream.
#[derive(Debug)]
pub(super) struct Wire {
    head: Bytes,
    read: Arc<OwnedReadHalf>,
    write: OwnedWriteHalf,
    flow: Arc<Flow>,
}

/// What is known of a connection besides what hyper tells.
#[derive(Debug)]
pub(super) struct Flow {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    // Requests of which the answer is not written to its end: one, or none.
    busy: usize,
    // Since when the client may begin a request, or has begun one.
    since: Instant,
    // The first bytes of the next request are there.
    begun: bool,
    ended: bool,
}

/// A request that is under way; dropped with the last byte of its answer.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<Flow>);

impl Wire {
    pub(super) fn new(
        head: &[u8],
        read: Arc<OwnedReadHalf>,
        write: OwnedWriteHalf,
        flow: Arc<Flow>,
    ) -> Self {
        Self {
            head: Bytes::copy_from_slice(head),
            read,
            write,
            flow,
        }
    }
}

impl Flow {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                busy: 0,
                since: Instant::now(),
                begun: false,
                ended: false,
            }),
            changed: Notify::new(),
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

    /// Waits until something of the above changes. For one waiter at a time.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
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
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.head.has_remaining() {
            let length = buffer.remaining().min(self.head.len());
            buffer.put_slice(&self.head.split_to(length));
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
