//! Server-sent events: the form, and the way from a connection's queue into the body of an answer.
//!
//! The body has one piece at a time under way, and [`Outlet::write`] returns when the socket has
//! taken it. So an event counts as written here when it does over NDJSON, and a client that does
//! not read holds up its own events and nothing else.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame as Piece};
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::rpc::http::wire::Flow;
use crate::rpc::outgoing::Frame;
use crate::rpc::outlet::{Outlet, clear, push_event};

/// The two ends of a stream of events on this connection; `gone` is cancelled when nobody reads the
/// body any more.
pub(super) fn pair(flow: &Arc<Flow>, gone: CancellationToken) -> (EventStream, EventBody) {
    let (sender, pieces) = mpsc::channel(1);
    let stream = EventStream {
        buffer: String::new(),
        sender: Some(sender),
        flow: Arc::clone(flow),
        sent: flow.handed(),
    };
    let body = EventBody {
        first: Some(Bytes::from_static(RETRY)),
        pieces,
        silence: Box::pin(sleep(HEARTBEAT)),
        flow: Arc::clone(flow),
        _gone: gone.drop_guard(),
    };
    (stream, body)
}

/// Where the connection's queue is written to.
#[derive(Debug)]
pub(super) struct EventStream {
    buffer: String,
    // `None`: the stream is over.
    sender: Option<mpsc::Sender<Bytes>>,
    flow: Arc<Flow>,
    // How many pieces the connection has got with the last one.
    sent: u64,
}

impl Outlet for EventStream {
    fn put(&mut self, frame: &Frame) -> usize {
        let before = self.buffer.len();
        match frame {
            Frame::Event(event) => {
                if event.at.offset > 0 {
                    self.line("id: ", &event.at.offset.to_string());
                }
                self.buffer.push_str("data: ");
                push_event(&mut self.buffer, event);
                self.buffer.push_str("\n\n");
            }
            Frame::Notice { method, params } => {
                self.line("event: ", method);
                self.line("data: ", params);
                self.buffer.push('\n');
            }
            // Nothing is asked here, so nothing is answered.
            Frame::Text(_) => {}
        }
        self.buffer.len() - before
    }

    async fn write(&mut self) -> io::Result<()> {
        let Some(sender) = &self.sender else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let piece = Bytes::copy_from_slice(self.buffer.as_bytes());
        clear(&mut self.buffer);
        if sender.send(piece).await.is_err() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.sent += 1;
        tokio::select! {
            biased;
            () = self.flow.written(self.sent) => Ok(()),
            () = sender.closed() => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    async fn end(&mut self) -> io::Result<()> {
        self.sender = None;
        Ok(())
    }
}

impl EventStream {
    fn line(&mut self, name: &str, value: &str) {
        for part in [name, value, "\n"] {
            self.buffer.push_str(part);
        }
    }
}

/// The body of the answer.
#[derive(Debug)]
pub(super) struct EventBody {
    first: Option<Bytes>,
    pieces: mpsc::Receiver<Bytes>,
    silence: Pin<Box<Sleep>>,
    flow: Arc<Flow>,
    _gone: DropGuard,
}

impl Body for EventBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Piece<Bytes>, io::Error>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Piece::data(first))));
        }
        let piece = match self.pieces.poll_recv(cx) {
            Poll::Ready(Some(piece)) => {
                self.flow.hand();
                piece
            }
            Poll::Ready(None) => return Poll::Ready(None),
            // In silence a dead connection is found out by what nobody reads.
            Poll::Pending if self.silence.as_mut().poll(cx).is_ready() => {
                Bytes::from_static(COMMENT)
            }
            Poll::Pending => return Poll::Pending,
        };
        self.silence.as_mut().reset(Instant::now() + HEARTBEAT);
        Poll::Ready(Some(Ok(Piece::data(piece))))
    }
}

/// After how much silence a comment is sent.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(15);

/// What a client passes over.
const COMMENT: &[u8] = b": \n\n";

/// After how long a client comes back by itself, in milliseconds.
const RETRY: &[u8] = b"retry: 1000\n\n";

#[cfg(test)]
mod tests {
    use futures_util::poll;
    use http_body_util::BodyExt;

    use super::*;
    use crate::feed::Written;
    use crate::rpc::outgoing::EventFrame;

    async fn piece(body: &mut EventBody) -> Bytes {
        body.frame().await.unwrap().unwrap().into_data().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn in_silence_a_comment_is_sent_now_and_then() {
        let (_stream, mut body) = pair(&Flow::new(b""), CancellationToken::new());
        assert_eq!(&piece(&mut body).await[..], RETRY);
        for _ in 0..2 {
            let began = Instant::now();
            assert_eq!(&piece(&mut body).await[..], COMMENT);
            assert_eq!(began.elapsed(), HEARTBEAT);
        }
    }

    #[tokio::test]
    async fn an_event_has_its_offset_as_id_and_its_json_in_one_line() {
        let (mut stream, _body) = pair(&Flow::new(b""), CancellationToken::new());
        let event = |offset, redelivered| {
            Frame::Event(EventFrame {
                head: "".into(),
                event: "{\"a\":1}".into(),
                redelivered,
                at: Written { epoch: 0, offset },
                track: Arc::default(),
            })
        };
        let notice = Frame::Notice {
            method: "events.lagged",
            params: "{}".into(),
        };
        for frame in [event(7, false), event(8, true), event(0, false), notice] {
            stream.put(&frame);
        }
        let expected = "id: 7\ndata: {\"a\":1}\n\nid: 8\ndata: {\"a\":1,\"redelivered\":true}\n\n\
                        data: {\"a\":1}\n\nevent: events.lagged\ndata: {}\n\n";
        assert_eq!(stream.buffer, expected);
    }

    #[tokio::test]
    async fn a_write_returns_with_the_flush_and_fails_with_the_connection() {
        let flow = Flow::new(b"");
        let (mut stream, mut body) = pair(&flow, CancellationToken::new());
        piece(&mut body).await;
        let mut writing = Box::pin(stream.write());
        assert!(poll!(&mut writing).is_pending());
        piece(&mut body).await;
        assert!(
            poll!(&mut writing).is_pending(),
            "hyper has it, the socket has not"
        );
        drop(body);
        assert!(writing.await.is_err());
    }
}
