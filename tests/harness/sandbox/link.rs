//! One registered socket as the rest of the sandbox sees it: who it belongs to and what waits to
//! be written to it. The task that writes is in `socket`; a link without a task is a ghost.

use super::platform::AgentNo;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::sync::CancellationToken;

/// Ways to end or cripple a connection from the server's side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// A TCP reset; what was not sent yet is thrown away.
    Reset,
    /// A close frame, then the end.
    Clean {
        /// Close code.
        code: u16,
        /// Close reason.
        reason: String,
    },
    /// The TCP connection ends in order, without a close frame.
    Drop,
    /// Half a frame, then a reset.
    MidFrame,
    /// Nothing more is read or written for this time, though the connection stays up and the
    /// server goes on handing messages to it; then the TCP connection ends.
    Silent {
        /// How long; `for_ms` in JSON.
        #[serde(rename = "for_ms", with = "millis")]
        for_: Duration,
    },
    /// The client's side is reset at once, but the server believes in the connection for this time
    /// and goes on handing messages to it.
    HalfOpen {
        /// How long; `for_ms` in JSON.
        #[serde(rename = "for_ms", with = "millis")]
        for_: Duration,
    },
}

/// What a socket's task is to do next.
#[derive(Debug)]
pub(crate) enum Out {
    /// A whole text frame.
    Text(Utf8Bytes),
    /// The first half of a text frame, then a reset.
    Half(Utf8Bytes),
    /// A close frame.
    Close(u16, String),
}

/// What came of handing a frame to a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offered {
    /// It will be written.
    Queued,
    /// It counts as written, but nobody is there.
    Void,
    /// The socket was given up before.
    Refused,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Out>,
    bytes: usize,
    cut: Option<Cut>,
    /// Closed or overloaded: nothing more goes in.
    given_up: bool,
    void: bool,
    waker: Option<Waker>,
    /// Messages still to come before `hello.ok`.
    hello_after: Option<(u32, Utf8Bytes)>,
}

/// A registered socket.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) socket: u64,
    pub(crate) agent: AgentNo,
    pub(crate) handle: String,
    /// Whether rows stay stored until the client acknowledges them.
    pub(crate) ack: bool,
    queue: Mutex<Queue>,
    limit: usize,
    /// Set when its close frame has left, or it has ended in another way.
    gone: CancellationToken,
}

impl Link {
    pub(crate) fn new(
        socket: u64,
        agent: AgentNo,
        handle: String,
        ack: bool,
        limit: usize,
    ) -> Self {
        Self {
            socket,
            agent,
            handle,
            ack,
            queue: Mutex::default(),
            limit,
            gone: CancellationToken::new(),
        }
    }

    /// Hands a frame over. When the buffer is full, the socket gets its 1013 behind what waits.
    pub(crate) fn offer(&self, frame: Out) -> Offered {
        let mut queue = self.lock();
        if queue.void {
            return Offered::Void;
        }
        if queue.given_up {
            return Offered::Refused;
        }
        let size = match &frame {
            Out::Text(text) | Out::Half(text) => text.len(),
            Out::Close(..) => 0,
        };
        if queue.bytes + size > self.limit {
            queue.given_up = true;
            queue
                .frames
                .push_back(Out::Close(1013, "overload".to_owned()));
            wake(&mut queue);
            return Offered::Refused;
        }
        queue.given_up = matches!(frame, Out::Close(..));
        queue.bytes += size;
        queue.frames.push_back(frame);
        if let Some((left, hello)) = queue.hello_after.take() {
            match left.saturating_sub(1) {
                0 => queue.frames.push_back(Out::Text(hello)),
                left => queue.hello_after = Some((left, hello)),
            }
        }
        wake(&mut queue);
        Offered::Queued
    }

    /// Waits until its close frame has left.
    pub(crate) async fn farewell(&self) {
        self.gone.cancelled().await;
    }

    /// Its close frame has left, or it has ended.
    pub(crate) fn has_gone(&self) {
        self.gone.cancel();
    }

    /// `hello.ok` leaves behind so many frames.
    pub(crate) fn hello_behind(&self, frames: u32, hello: Utf8Bytes) {
        self.lock().hello_after = Some((frames, hello));
    }

    /// Cuts the connection, ahead of everything that waits.
    pub(crate) fn cut(&self, cut: Cut) {
        let mut queue = self.lock();
        queue.cut = Some(cut);
        wake(&mut queue);
    }

    /// From now on frames count as written but go nowhere.
    pub(crate) fn make_void(&self) {
        let mut queue = self.lock();
        queue.void = true;
        queue.frames.clear();
        queue.bytes = 0;
    }

    /// Whether nothing more goes in.
    pub(crate) fn is_given_up(&self) -> bool {
        self.lock().given_up
    }

    /// Nothing more goes in; what waits is thrown away.
    pub(crate) fn give_up(&self) {
        let mut queue = self.lock();
        queue.given_up = true;
        queue.frames.clear();
        queue.bytes = 0;
    }

    /// A cut that was asked for, or remembers whom to wake.
    pub(crate) fn take_cut(&self, waker: &Waker) -> Option<Cut> {
        let mut queue = self.lock();
        if queue.cut.is_none() && !queue.waker.as_ref().is_some_and(|w| w.will_wake(waker)) {
            queue.waker = Some(waker.clone());
        }
        queue.cut.take()
    }

    /// The next frames to write, up to a number.
    pub(crate) fn take(&self, most: usize, into: &mut VecDeque<Out>) {
        let mut queue = self.lock();
        let count = most.min(queue.frames.len());
        into.extend(queue.frames.drain(..count));
        // The bytes leave the count when the frames leave for the kernel; see `written`.
    }

    /// So many bytes left for the kernel.
    pub(crate) fn written(&self, bytes: usize) {
        let mut queue = self.lock();
        queue.bytes = queue.bytes.saturating_sub(bytes);
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wake(queue: &mut Queue) {
    if let Some(waker) = queue.waker.take() {
        waker.wake();
    }
}

mod millis {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::time::Duration;

    pub(super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(value.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}
