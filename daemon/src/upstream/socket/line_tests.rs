//! One connection over a line in memory, under a clock that is ours.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

use super::super::testing::soon;
use super::super::wire::Frame;
use super::task::Connection;
use super::*;

type Peer = WebSocketStream<DuplexStream>;

/// A line that counts its writes and can refuse them.
#[derive(Debug)]
struct Line {
    inner: DuplexStream,
    writes: Arc<AtomicUsize>,
    broken: Arc<AtomicBool>,
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.broken.load(Ordering::Relaxed) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        self.writes.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

struct Rig {
    sender: SocketSender,
    receiver: SocketReceiver,
    peer: Peer,
    writes: Arc<AtomicUsize>,
    broken: Arc<AtomicBool>,
    _tasks: JoinSet<()>,
}

/// An open connection by header over a line that holds `bytes` on their way.
async fn rig(bytes: usize, config: SocketConfig) -> Rig {
    let (ours, theirs) = duplex(bytes);
    let (writes, broken) = (Arc::default(), Arc::default());
    let line = Line {
        inner: ours,
        writes: Arc::clone(&writes),
        broken: Arc::clone(&broken),
    };
    let stream = WebSocketStream::from_raw_socket(line, Role::Client, None).await;
    let peer = WebSocketStream::from_raw_socket(theirs, Role::Server, None).await;
    let config = SocketConfig {
        auth: Auth::Header,
        ..config
    };
    let (sender, receiver, connection) = Connection::new(stream, &config);
    let mut tasks = JoinSet::new();
    tasks.spawn(connection.run());
    Rig {
        sender,
        receiver,
        peer,
        writes,
        broken,
        _tasks: tasks,
    }
}

fn message(n: usize) -> Message {
    let payload = format!(r#"{{"id":"m{n}","conversation_id":"c"}}"#);
    Message::text(format!(r#"{{"type":"message.new","payload":{payload}}}"#))
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_is_given_up_and_still_heard_until_then() {
    let Rig {
        _tasks,
        sender,
        mut receiver,
        mut peer,
        ..
    } = rig(256, SocketConfig::default()).await;
    let started = Instant::now();
    sender.ready();
    for n in 0..1000 {
        sender.ack(&format!("m{n}")).unwrap();
    }
    for n in 0..50 {
        peer.feed(message(n)).await.unwrap();
        peer.flush().await.unwrap();
    }
    for n in 0..50 {
        match soon(receiver.next()).await {
            Some(SocketEvent::Frame(Frame::Message(row))) => {
                assert_eq!(*row.message_id, format!("m{n}"));
            }
            other => panic!("message {n} was expected, not {other:?}"),
        }
    }
    assert_eq!(
        started.elapsed(),
        Duration::ZERO,
        "reading never waited for writing"
    );
    let Some(SocketEvent::Closed(closed)) = soon(receiver.next()).await else {
        panic!()
    };
    assert_eq!((closed.code, closed.by_us), (None, true));
    let waited = started.elapsed();
    assert!(
        (Duration::from_secs(10)..Duration::from_secs(11)).contains(&waited),
        "{waited:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_close_that_is_not_answered_ends_in_time_and_is_ours() {
    let Rig {
        _tasks,
        sender,
        mut receiver,
        peer: _silent,
        ..
    } = rig(4096, SocketConfig::default()).await;
    let started = Instant::now();
    sender.close(1000, "bye");
    let ours = Closed {
        code: Some(1000),
        reason: "bye".into(),
        by_us: true,
    };
    assert_eq!(soon(receiver.next()).await, Some(SocketEvent::Closed(ours)));
    let waited = started.elapsed();
    assert!(
        (Duration::from_secs(2)..Duration::from_secs(3)).contains(&waited),
        "{waited:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn many_acknowledgements_go_out_in_few_writes_and_in_order() {
    let Rig {
        _tasks,
        sender,
        receiver: _receiver,
        mut peer,
        writes,
        ..
    } = rig(1 << 20, SocketConfig::default()).await;
    for n in 0..2000 {
        sender.ack(&format!("m{n}")).unwrap();
    }
    sender.ready();
    for n in 0..2000 {
        let Some(Ok(Message::Text(text))) = soon(peer.next()).await else {
            panic!()
        };
        assert_eq!(text, format!(r#"{{"type":"ack","message_id":"m{n}"}}"#));
    }
    let writes = writes.load(Ordering::Relaxed);
    assert!(writes <= 10, "{writes} writes");
}

#[tokio::test(start_paused = true)]
async fn when_writing_fails_the_peers_last_words_are_still_read() {
    let Rig {
        _tasks,
        sender,
        mut receiver,
        mut peer,
        broken,
        ..
    } = rig(4096, SocketConfig::default()).await;
    broken.store(true, Ordering::Relaxed);
    sender.ready();
    sender.ack("m0").unwrap();
    // The write has failed by the time that the clock can move.
    tokio::time::sleep(Duration::from_millis(1)).await;
    peer.send(message(1)).await.unwrap();
    let close = CloseFrame {
        code: 1008.into(),
        reason: "API key rotated".into(),
    };
    peer.send(Message::Close(Some(close))).await.unwrap();
    assert!(matches!(
        soon(receiver.next()).await,
        Some(SocketEvent::Frame(Frame::Message(_)))
    ));
    let Some(SocketEvent::Closed(closed)) = soon(receiver.next()).await else {
        panic!()
    };
    assert_eq!(
        (closed.code, &*closed.reason, closed.by_us),
        (Some(1008), "API key rotated", false)
    );
}

#[tokio::test(start_paused = true)]
async fn when_writing_fails_and_the_peer_is_silent_the_end_is_told_in_time() {
    let Rig {
        _tasks,
        sender,
        mut receiver,
        peer: _silent,
        broken,
        ..
    } = rig(4096, SocketConfig::default()).await;
    broken.store(true, Ordering::Relaxed);
    sender.ready();
    sender.ack("m0").unwrap();
    let started = Instant::now();
    let Some(SocketEvent::Closed(closed)) = soon(receiver.next()).await else {
        panic!()
    };
    assert_eq!((closed.code, closed.by_us), (None, false));
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn what_waits_to_be_written_is_bounded_and_refusals_are_told() {
    let config = SocketConfig {
        outbound_bytes: 4096,
        ..SocketConfig::default()
    };
    let Rig {
        _tasks,
        sender,
        receiver,
        peer: _peer,
        ..
    } = rig(4096, config).await;
    let mut taken = 0;
    let mut refused = None;
    while refused.is_none() && taken < 1000 {
        match sender.ack("message") {
            Ok(()) => taken += 1,
            Err(reason) => refused = Some(reason),
        }
    }
    assert_eq!(refused, Some(NotSent::Full));
    assert!((20..60).contains(&taken), "{taken}");
    assert_eq!(
        sender.raw("x".repeat(1024 * 1024 + 1)),
        Err(NotSent::TooLong)
    );
    drop(receiver);
}

#[tokio::test(start_paused = true)]
async fn past_the_budget_the_peer_has_to_wait_for_the_consumer() {
    let config = SocketConfig {
        inbound_bytes: 4096,
        ..SocketConfig::default()
    };
    let Rig {
        _tasks,
        sender: _sender,
        mut receiver,
        mut peer,
        ..
    } = rig(1024, config).await;
    let all = async {
        for n in 0..200 {
            peer.send(message(n)).await.unwrap();
        }
    };
    tokio::pin!(all);
    let blocked = tokio::time::timeout(Duration::from_secs(1), &mut all).await;
    assert!(blocked.is_err(), "200 messages went into room for a few");
    let read = async {
        for n in 0..200 {
            let Some(SocketEvent::Frame(Frame::Message(row))) = soon(receiver.next()).await else {
                panic!("message {n} was expected")
            };
            assert_eq!(*row.message_id, format!("m{n}"));
        }
    };
    tokio::join!(all, read);
}

#[tokio::test(start_paused = true)]
async fn an_unread_socket_still_answers_the_last_ping_and_keeps_its_last_frame() {
    let config = SocketConfig {
        inbound_bytes: 600,
        ..SocketConfig::default()
    };
    let Rig {
        _tasks,
        sender: _sender,
        mut receiver,
        mut peer,
        ..
    } = rig(1 << 16, config).await;
    peer.send(message(0)).await.unwrap();
    peer.send(Message::Ping("?".into())).await.unwrap();
    let Some(Ok(Message::Pong(_))) = soon(peer.next()).await else {
        panic!("no pong")
    };
    assert!(matches!(
        soon(receiver.next()).await,
        Some(SocketEvent::Frame(_))
    ));
    assert_eq!(soon(receiver.next()).await, Some(SocketEvent::Ping));
}
