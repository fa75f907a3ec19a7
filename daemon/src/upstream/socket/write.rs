//! Writing that can be left and taken up again without losing a frame.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use futures_util::{Sink, SinkExt};
use tokio_tungstenite::tungstenite::{Error, Message};

/// Frames on their way out: taken from the queue, not all of them on the wire yet.
///
/// A frame leaves `frames` only when the connection has it, and [`Batch::poll`] can be dropped and
/// called again at any point, so that reading never has to wait for it.
#[derive(Debug, Default)]
pub(super) struct Batch {
    frames: VecDeque<Message>,
    unflushed: bool,
    /// Frames that were handed to the connection since the last flush.
    handed: usize,
}

impl Batch {
    pub(super) fn push(&mut self, frame: Message) {
        self.frames.push_back(frame);
        self.unflushed = true;
    }

    /// Asks for a flush of what the connection itself has to say, such as the answer to a ping.
    pub(super) fn flush_wanted(&mut self) {
        self.unflushed = true;
    }

    /// Forgets what is not on the wire yet.
    pub(super) fn abandon(&mut self) {
        *self = Self::default();
    }

    /// True where everything that was pushed is on the wire.
    pub(super) fn is_done(&self) -> bool {
        !self.unflushed
    }

    /// Drives the batch on; ready when it is on the wire, with the number of its frames.
    pub(super) fn poll<S>(
        &mut self,
        sink: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<Result<usize, Error>>
    where
        S: Sink<Message, Error = Error> + Unpin,
    {
        while !self.frames.is_empty() {
            ready!(sink.poll_ready_unpin(cx))?;
            if let Some(frame) = self.frames.pop_front() {
                sink.start_send_unpin(frame)?;
                self.handed += 1;
            }
        }
        ready!(sink.poll_flush_unpin(cx))?;
        self.unflushed = false;
        Poll::Ready(Ok(std::mem::take(&mut self.handed)))
    }
}

/// Writes frames and flushes them, without a deadline of its own.
pub(super) async fn all<S>(sink: &mut S, frames: Vec<Message>) -> Result<usize, Error>
where
    S: Sink<Message, Error = Error> + Unpin,
{
    let mut batch = Batch {
        frames: frames.into(),
        unflushed: true,
        handed: 0,
    };
    poll_fn(|cx| batch.poll(sink, cx)).await
}
