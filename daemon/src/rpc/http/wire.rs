//! The stream under hyper.
//!
//! It begins with the bytes that told the protocol, and it keeps account of what hyper does not
//! tell: when the first byte of a request came, whether the client has closed its side, and when
//! everything that was handed to hyper is written to the socket. hyper flushes the stream only when
//! its own buffer is empty, so a flush is the sign for the last. While a request is under way hyper
//! reads nothing that follows it; so that a client that goes away is noticed all the same, the
//! connection's loop looks a little ahead.
//!
//! hyper is given a head up to its end and a body up to its length, so what it holds beyond a request
//! is known: nothing, but after a body in chunks, whose length nobody tells.

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
    // What hyper reads now.
    reading: Reading,
    // The end of what hyper was given last.
    tail: [u8; 2],
    // Requests of which hyper has not got the whole answer: one, or none.
    busy: usize,
    // hyper has the whole of an answer, and the socket has not.
    unwritten: bool,
    // Since when the client may begin a request, or has begun one.
    since: Instant,
    // The first bytes of the next request are there.
    begun: bool,
    ended: bool,
    // Pieces of streamed answers that hyper was given, and those that the socket has taken.
    handed: u64,
    written: u64,
}

/// What hyper reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// The head of a request.
    Head,
    /// So much of a body, and a head after it.
    Body(u64),
    /// A body in chunks, and whatever follows it.
    Chunks,
}

/// A request that is under way; dropped when hyper has the last byte of its answer. From then on the
/// answer is unwritten until the next flush.
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
                reading: Reading::Head,
                tail: [0; 2],
                busy: 0,
                unwritten: false,
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

    /// The head of a request is read, of which the body has this length, where it is told; the
    /// request will be answered.
    pub(super) fn enter(self: &Arc<Self>, body: Option<u64>) -> UnderWay {
        let mut state = self.lock();
        state.reading = match (state.reading, body) {
            // How much of the body hyper has is not known.
            (Reading::Chunks, Some(1..)) | (_, None) => Reading::Chunks,
            (Reading::Chunks, Some(0)) if !state.at_an_end() => Reading::Chunks,
            (_, Some(0)) => Reading::Head,
            (_, Some(length)) => Reading::Body(length),
        };
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
        (state.busy == 0 && !state.unwritten).then(|| state.since + allowed)
    }

    /// The client has closed its side for writing, at least.
    pub(super) fn ended(&self) -> bool {
        self.lock().ended
    }

    /// Whether there is reason and room for [`Self::look_ahead`].
    pub(super) fn looks_ahead(&self) -> bool {
        let state = self.lock();
        let waits = state.busy > 0 || state.unwritten;
        waits && !state.ended && state.ahead.len() < READ_BYTES + AHEAD_BYTES
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

    /// Gives hyper what was read ahead, as far as it may have it now.
    fn take_ahead(&self, buffer: &mut ReadBuf<'_>) -> bool {
        let mut state = self.lock();
        let length = state.next_part().min(buffer.remaining());
        let part = state.ahead.split_to(length);
        buffer.put_slice(&part);
        state.given(&part);
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
            self.flushed.notify_one();
        }
        if state.unwritten {
            state.unwritten = false;
            state.since = Instant::now();
            // hyper may hold the beginning of the next head already.
            state.begun = state.reading == Reading::Chunks && !state.at_an_end();
            drop(state);
            self.changed.notify_one();
        }
    }

    fn read_some(&self) {
        let mut state = self.lock();
        if state.busy == 0 && !state.unwritten && !state.begun {
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

impl State {
    /// How much of what is there hyper may have: not more than the request that it reads.
    fn next_part(&self) -> usize {
        let there = self.ahead.len();
        match self.reading {
            Reading::Head => head_end(self.tail, &self.ahead).unwrap_or(there),
            Reading::Body(rest) => usize::try_from(rest).unwrap_or(there).min(there),
            Reading::Chunks => there,
        }
    }

    /// hyper has got this.
    fn given(&mut self, part: &[u8]) {
        for byte in part.iter().filter(|byte| **byte != b'\r') {
            self.tail = [self.tail[1], *byte];
        }
        if let Reading::Body(rest) = &mut self.reading {
            *rest = rest.saturating_sub(part.len() as u64);
            if *rest == 0 {
                self.reading = Reading::Head;
                self.tail = [0; 2];
            }
        }
    }

    /// What hyper was given ends with an empty line, as heads and bodies in chunks do.
    fn at_an_end(&self) -> bool {
        self.tail == *b"\n\n"
    }
}

/// Where the first empty line in the bytes ends; `tail` came before them.
fn head_end(mut tail: [u8; 2], bytes: &[u8]) -> Option<usize> {
    let ends = |byte: &u8| {
        if *byte != b'\r' {
            tail = [tail[1], *byte];
        }
        *byte == b'\n' && tail == *b"\n\n"
    };
    bytes.iter().position(ends).map(|last| last + 1)
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.busy -= 1;
        // The clock of the next request begins with the flush.
        state.unwritten = true;
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
        let mut piece = [0; READ_BYTES];
        loop {
            let stream = (*self.read).as_ref();
            ready!(stream.poll_read_ready(cx))?;
            match stream.try_read(&mut piece) {
                Ok(0) => self.flow.read_all(),
                Ok(length) => {
                    self.flow.lock().ahead.extend_from_slice(&piece[..length]);
                    self.flow.take_ahead(buffer);
                    self.flow.read_some();
                }
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

/// How much is read from the socket at a time.
const READ_BYTES: usize = 8 << 10;

/// How much is read ahead while a request is under way.
const AHEAD_BYTES: usize = 1024;

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
