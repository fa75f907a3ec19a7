//! What goes out on one connection: answers and notifications, in the order in which they were put
//! here, written by one task.
//!
//! The queue is bounded by bytes and by number: who wants to add more waits until the client has
//! read. So a client that stops reading stalls its own answers and subscriptions and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Serialize;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

use crate::feed::{Track, Written};
use crate::rpc::client::Client;
use crate::rpc::outlet::Outlet;

/// The way out of a connection, shared by all who answer on it.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    queue: mpsc::UnboundedSender<(Frame, u32)>,
    room: Arc<Semaphore>,
    // Bytes of answers for which there is no room yet.
    backlog: Arc<AtomicUsize>,
}

/// The other end, for the task that writes.
#[derive(Debug)]
pub(crate) struct Drain {
    queue: mpsc::UnboundedReceiver<(Frame, u32)>,
    room: Arc<Semaphore>,
}

/// One thing to be told; how it is written is up to the [`Outlet`].
#[derive(Debug)]
pub(crate) enum Frame {
    /// An answer, a whole JSON value.
    Text(String),
    /// A notification that is no event.
    Notice {
        /// Its name.
        method: &'static str,
        /// Its parameters as JSON text.
        params: String,
    },
    /// An event for a subscription.
    Event(EventFrame),
}

/// An event for a subscription, put together only when it is written.
#[derive(Debug)]
pub(crate) struct EventFrame {
    /// The notification up to the event.
    pub(crate) head: Arc<str>,
    /// The event's JSON text.
    pub(crate) event: Arc<str>,
    /// It was given before.
    pub(crate) redelivered: bool,
    /// Where it stands; offset 0 for an ephemeral event.
    pub(crate) at: Written,
    /// The subscription that learns how far it was written.
    pub(crate) track: Arc<Track>,
}

/// The connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed;

/// A fresh queue.
pub(crate) fn queue() -> (Outgoing, Drain) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let room = Arc::new(Semaphore::new(QUEUE_BYTES as usize));
    (
        Outgoing {
            queue: sender,
            room: Arc::clone(&room),
            backlog: Arc::default(),
        },
        Drain {
            queue: receiver,
            room,
        },
    )
}

impl Outgoing {
    /// Puts a frame in the queue as soon as there is room, in the order of the calls.
    pub(crate) async fn send(&self, frame: Frame) -> Result<(), Closed> {
        let cost = frame.cost();
        let waits = match &frame {
            Frame::Text(text) => Waits::begin(&self.backlog, text.len()),
            Frame::Notice { .. } | Frame::Event(_) => Waits::begin(&self.backlog, 0),
        };
        let permit = self.room.acquire_many(cost).await.map_err(|_| Closed)?;
        permit.forget();
        drop(waits);
        self.queue.send((frame, cost)).map_err(|_| Closed)
    }

    /// Whether so much waits to be answered that nothing more should be asked.
    pub(crate) fn is_jammed(&self) -> bool {
        self.backlog.load(Ordering::Relaxed) > BACKLOG_BYTES
    }

    /// Puts a last word in the queue even where it is full. For notices of which there is at most
    /// one a subscription and one a connection.
    pub(crate) fn push_now(&self, frame: Frame) {
        let _ = self.queue.send((frame, 0));
    }
}

/// An answer that waits for room.
#[derive(Debug)]
struct Waits<'a> {
    backlog: &'a AtomicUsize,
    bytes: usize,
}

impl<'a> Waits<'a> {
    fn begin(backlog: &'a AtomicUsize, bytes: usize) -> Self {
        backlog.fetch_add(bytes, Ordering::Relaxed);
        Self { backlog, bytes }
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.backlog.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Frame {
    /// A notification that is no event.
    pub(crate) fn notice(method: &'static str, params: &impl Serialize) -> Self {
        let params = serde_json::to_string(params).unwrap_or_else(|_| "{}".into());
        Self::Notice { method, params }
    }

    fn cost(&self) -> u32 {
        let bytes = match self {
            Self::Text(text) => text.len(),
            Self::Notice { params, .. } => params.len(),
            Self::Event(frame) => frame.head.len() + frame.event.len(),
        };
        u32::try_from(bytes)
            .unwrap_or(u32::MAX)
            .clamp(LEAST_COST, QUEUE_BYTES)
    }

    /// Marks the frame as given; false where it must not go out any more.
    fn give(&self) -> bool {
        match self {
            Self::Text(_) | Self::Notice { .. } => true,
            // From here on the event counts as given: a byte of it may reach the client.
            Self::Event(frame) => frame.track.give(frame.at.offset),
        }
    }
}

impl Drain {
    /// Waits for the only frame of a request that gets a single answer; `None` where it gets none.
    pub(crate) async fn only(mut self) -> Option<String> {
        match self.queue.recv().await {
            Some((Frame::Text(text), _)) => Some(text),
            Some((Frame::Notice { .. } | Frame::Event(_), _)) | None => None,
        }
    }

    /// Writes what comes in a task of its own, until all [`Outgoing`]s are dropped and the queue is
    /// empty, or the client is gone. Gives the outlet back.
    pub(crate) fn write_to<O: Outlet + 'static>(
        self,
        mut outlet: O,
        client: &Client,
    ) -> JoinHandle<O> {
        let closing = client.closing.clone();
        let kill = client.shared.kill.clone();
        client.shared.tasks.spawn(async move {
            tokio::select! {
                // An error means that the client is gone; there is nobody to tell.
                result = self.write_all(&mut outlet) => drop(result),
                () = kill.cancelled() => {}
            }
            closing.cancel();
            outlet
        })
    }

    /// # Errors
    /// The client is gone; whoever waits for room learns it as well.
    async fn write_all(mut self, outlet: &mut impl Outlet) -> std::io::Result<()> {
        let result = self.run(outlet).await;
        self.room.close();
        result
    }

    async fn run(&mut self, outlet: &mut impl Outlet) -> std::io::Result<()> {
        // What is left of events until they are written: their bytes stand in the outlet's buffer.
        let mut events: Vec<(Arc<Track>, Written)> = Vec::new();
        while let Some(first) = self.queue.recv().await {
            let mut cost = 0;
            let mut gathered = 0;
            let mut next = Some(first);
            while let Some((frame, its_cost)) = next {
                cost += its_cost as usize;
                if frame.give() {
                    gathered += outlet.put(&frame);
                    if let Frame::Event(frame) = frame {
                        events.push((frame.track, frame.at));
                    }
                }
                next = if gathered < WRITE_BYTES {
                    self.queue.try_recv().ok()
                } else {
                    None
                };
            }
            outlet.write().await?;
            for (track, at) in events.drain(..).filter(|(_, at)| at.offset > 0) {
                track.wrote(at);
            }
            self.room.add_permits(cost);
        }
        outlet.end().await
    }
}

/// How many bytes may wait to be written. A thousand clients that do not read hold as many of them,
/// so there is no more than two writes need; a longer line goes when it is alone.
const QUEUE_BYTES: u32 = 64 << 10;

/// Where more bytes of answers wait for room than this, no more requests are taken.
const BACKLOG_BYTES: usize = 256 << 10;

/// What the smallest frame costs, so that no more than 256 wait.
const LEAST_COST: u32 = QUEUE_BYTES / 256;

/// How much is gathered for one write.
const WRITE_BYTES: usize = 32 << 10;

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;
    use crate::feed::Ending;
    use crate::rpc::outlet::Lines;

    fn event(offset: u64, track: &Arc<Track>, redelivered: bool) -> Frame {
        Frame::Event(EventFrame {
            head: "{\"h\":{\"r\":".into(),
            event: format!("{{\"offset\":{offset}}}").into(),
            redelivered,
            at: Written { epoch: 1, offset },
            track: Arc::clone(track),
        })
    }

    #[tokio::test]
    async fn frames_go_out_whole_and_in_order() {
        let (outgoing, writer) = queue();
        let track = Arc::default();
        outgoing
            .send(Frame::Text("{\"a\":1}".into()))
            .await
            .unwrap();
        outgoing.send(event(1, &track, false)).await.unwrap();
        outgoing.send(event(2, &track, true)).await.unwrap();
        drop(outgoing);
        let mut out = Vec::new();
        writer.write_all(&mut Lines::new(&mut out)).await.unwrap();
        let expected = "{\"a\":1}\n{\"h\":{\"r\":{\"offset\":1}}}\n\
                        {\"h\":{\"r\":{\"offset\":2,\"redelivered\":true}}}\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        assert_eq!((track.given(), track.written().offset), (2, 2));
    }

    #[tokio::test]
    async fn an_event_counts_as_written_only_when_the_socket_took_all_of_it() {
        let (near, mut far) = tokio::io::duplex(16);
        let (outgoing, writer) = queue();
        let track: Arc<Track> = Arc::default();
        outgoing.send(event(1, &track, false)).await.unwrap();
        let mut near = Lines::new(near);
        let writing = writer.write_all(&mut near);
        tokio::pin!(writing);
        assert!(futures_util::poll!(&mut writing).is_pending());
        assert_eq!((track.given(), track.written().offset), (1, 0));
        let mut line = [0; 25];
        let (read, _) = tokio::join!(
            async { far.read_exact(&mut line).await },
            tokio::time::timeout(std::time::Duration::from_millis(50), &mut writing),
        );
        read.unwrap();
        assert_eq!(track.written().offset, 1);
    }

    #[tokio::test]
    async fn a_client_that_stops_reading_makes_those_who_add_wait() {
        let (outgoing, _writer) = queue();
        for _ in 0..256 {
            outgoing.send(Frame::Text("x".into())).await.unwrap();
        }
        let one_more = outgoing.send(Frame::Text("x".into()));
        tokio::pin!(one_more);
        assert!(futures_util::poll!(&mut one_more).is_pending());
        outgoing.push_now(Frame::Text("last word".into()));
    }

    #[tokio::test]
    async fn events_of_a_subscription_that_ended_do_not_go_out() {
        let (outgoing, writer) = queue();
        let track: Arc<Track> = Arc::default();
        outgoing.send(event(1, &track, false)).await.unwrap();
        track.end(Ending::Takeover);
        outgoing.push_now(Frame::Text("closed".into()));
        drop(outgoing);
        let mut out = Vec::new();
        writer.write_all(&mut Lines::new(&mut out)).await.unwrap();
        assert_eq!(out, b"closed\n");
    }

    #[tokio::test]
    async fn whoever_waits_for_room_learns_that_the_client_is_gone() {
        let (near, far) = tokio::io::duplex(16);
        let (outgoing, writer) = queue();
        drop(far);
        outgoing.send(Frame::Text("x".into())).await.unwrap();
        assert!(writer.write_all(&mut Lines::new(near)).await.is_err());
        assert_eq!(outgoing.send(Frame::Text("x".into())).await, Err(Closed));
    }
}
