//! One connection against a peer in the same process, over real sockets.
//!
//! "Nothing was sent" is proven by order, not by waiting: the peer pings, and the next thing that
//! reaches it has to be the pong.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame as WireFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::super::testing::{KEY, Reply, Server, answer, header_of, platform, soon};
use super::super::wire::Frame;
use super::super::{ApiKey, CLIENT_NAME};
use super::*;

const SHORT: Duration = Duration::from_millis(300);

type Peer = WebSocketStream<TcpStream>;

fn key() -> ApiKey {
    ApiKey::new(KEY).unwrap()
}

fn by(auth: Auth) -> SocketConfig {
    SocketConfig {
        auth,
        ..SocketConfig::default()
    }
}

/// Both ends of a fresh connection, and what runs ours. With a hello, the peer has read it.
async fn connected(config: SocketConfig) -> (SocketSender, SocketReceiver, Peer, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let platform = platform(&format!("http://{}", listener.local_addr().unwrap()));
    let accept = async {
        let (stream, _) = listener.accept().await.unwrap();
        tokio_tungstenite::accept_async(stream).await.unwrap()
    };
    let key = key();
    let (socket, mut peer) = tokio::join!(dial(&platform, &key, &config), accept);
    let socket = socket.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(socket.task.run());
    if config.auth == Auth::Hello {
        assert_eq!(next_json(&mut peer).await["type"], "hello");
    }
    (socket.sender, socket.receiver, peer, tasks)
}

async fn next_json(peer: &mut Peer) -> Value {
    match soon(peer.next()).await {
        Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
        other => panic!("a text frame was expected, not {other:?}"),
    }
}

/// Pings; the pong has to be the first thing that comes.
async fn nothing_was_sent(peer: &mut Peer) {
    peer.send(Message::Ping(Bytes::from_static(b"?")))
        .await
        .unwrap();
    match soon(peer.next()).await {
        Some(Ok(Message::Pong(payload))) => assert_eq!(&*payload, b"?"),
        other => panic!("only a pong was expected, not {other:?}"),
    }
}

async fn say(peer: &mut Peer, frame: Value) {
    peer.send(Message::text(frame.to_string())).await.unwrap();
}

fn message(id: usize) -> Value {
    json!({"type": "message.new", "payload": {"id": format!("m{id}"), "conversation_id": "c"}})
}

/// The next frame, pings passed over.
async fn next_frame(receiver: &mut SocketReceiver) -> Frame {
    loop {
        match soon(receiver.next()).await {
            Some(SocketEvent::Frame(frame)) => return frame,
            Some(SocketEvent::Ping) => {}
            other => panic!("a frame was expected, not {other:?}"),
        }
    }
}

async fn next_id(receiver: &mut SocketReceiver) -> String {
    match next_frame(receiver).await {
        Frame::Message(row) => row.message_id.to_string(),
        other => panic!("a message was expected, not {other:?}"),
    }
}

async fn end(receiver: &mut SocketReceiver) -> Closed {
    loop {
        match soon(receiver.next()).await.expect("an end is always told") {
            SocketEvent::Closed(closed) => {
                assert_eq!(soon(receiver.next()).await, None, "nothing follows the end");
                return closed;
            }
            SocketEvent::Frame(_) | SocketEvent::Ping => {}
        }
    }
}

#[tokio::test]
async fn the_hello_names_key_capabilities_and_client_and_the_upgrade_has_no_key() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let platform = platform(&format!("http://{}/prefix", listener.local_addr().unwrap()));
    let mut seen = String::new();
    let accept = async {
        let (stream, _) = listener.accept().await.unwrap();
        let mut head = vec![0; 4096];
        let read = stream.peek(&mut head).await.unwrap();
        seen = String::from_utf8_lossy(&head[..read]).into_owned();
        tokio_tungstenite::accept_async(stream).await.unwrap()
    };
    let (key, config) = (key(), SocketConfig::default());
    let (socket, mut peer) = tokio::join!(dial(&platform, &key, &config), accept);
    socket.unwrap();
    assert!(seen.starts_with("GET /prefix/v1/ws HTTP/1.1\r\n"), "{seen}");
    assert_eq!(
        header_of(&seen, "x-agentchat-client").as_deref(),
        Some(CLIENT_NAME)
    );
    assert_eq!(header_of(&seen, "authorization"), None);
    assert_eq!(header_of(&seen, "sec-websocket-extensions"), None);
    let version = env!("CARGO_PKG_VERSION");
    let hello = json!({"type": "hello", "api_key": KEY, "capabilities": ["ack"],
        "client": CLIENT_NAME, "client_version": version});
    assert_eq!(next_json(&mut peer).await, hello);
}

#[tokio::test]
async fn pitfall_17_by_header_the_key_goes_with_the_upgrade_and_no_hello_follows() {
    let server = Server::start(vec![answer("401 No", &[], "")]).await;
    let refused = dial(&platform(&server.base), &key(), &by(Auth::Header))
        .await
        .unwrap_err();
    assert!(!refused.hello_sent && refused.refused.unwrap().status == 401);
    let seen = server.seen().remove(0);
    assert_eq!(
        header_of(&seen, "authorization"),
        Some(format!("Bearer {KEY}"))
    );
    assert_eq!(
        header_of(&seen, "x-agentchat-capabilities").as_deref(),
        Some("ack")
    );

    let (sender, _receiver, mut peer, _tasks) = connected(by(Auth::Header)).await;
    sender.ack("m1").unwrap();
    nothing_was_sent(&mut peer).await;
    sender.ready();
    assert_eq!(
        next_json(&mut peer).await,
        json!({"type": "ack", "message_id": "m1"})
    );
}

#[tokio::test]
async fn pitfall_16_messages_before_a_late_hello_ok_are_kept_and_nothing_is_sent_until_released() {
    let (sender, mut receiver, mut peer, _tasks) = connected(by(Auth::Hello)).await;
    say(&mut peer, message(1)).await;
    assert_eq!(next_id(&mut receiver).await, "m1");
    sender.ack("m1").unwrap();
    let typing = json!({"type": "typing.start", "payload": {"conversation_id": "c"}});
    sender.raw(typing.to_string()).unwrap();
    nothing_was_sent(&mut peer).await;

    say(
        &mut peer,
        json!({"type": "hello.ok", "capabilities": ["ack"]}),
    )
    .await;
    assert_eq!(
        next_frame(&mut receiver).await,
        Frame::HelloOk { ack: true }
    );
    nothing_was_sent(&mut peer).await;

    sender.ready();
    assert_eq!(
        next_json(&mut peer).await,
        json!({"type": "ack", "message_id": "m1"})
    );
    assert_eq!(next_json(&mut peer).await, typing);
}

#[tokio::test]
async fn a_release_that_comes_too_early_waits_for_hello_ok() {
    let (sender, _receiver, mut peer, _tasks) = connected(by(Auth::Hello)).await;
    sender.ready();
    sender.ack("m1").unwrap();
    nothing_was_sent(&mut peer).await;
    nothing_was_sent(&mut peer).await;
    say(&mut peer, json!({"type": "hello.ok"})).await;
    assert_eq!(next_json(&mut peer).await["message_id"], "m1");
}

#[tokio::test]
async fn pitfall_23_a_refused_upgrade_is_told_at_once_however_long_its_body_is() {
    let head = b"HTTP/1.1 429 Slow\r\nretry-after: 7\r\n\r\n".to_vec();
    let endless = Server::start(vec![Reply::SayForEver(head, vec![b'x'; 65536])]).await;
    let failure = dial(&platform(&endless.base), &key(), &by(Auth::Hello))
        .await
        .unwrap_err();
    let refusal = Refusal {
        status: 429,
        retry_after_ms: Some(7000),
    };
    assert_eq!(
        (failure.refused, failure.hello_sent),
        (Some(refusal), false)
    );

    for (line, status) in [("302 Found", 302), ("200 OK", 200), ("503 Away", 503)] {
        let server = Server::start(vec![answer(line, &["location: /elsewhere"], "")]).await;
        let failure = dial(&platform(&server.base), &key(), &by(Auth::Hello))
            .await
            .unwrap_err();
        assert_eq!(failure.refused.unwrap().status, status);
        assert_eq!(server.seen().len(), 1, "no redirect is followed");
        let failure = dial(&platform(&server.base), &key(), &by(Auth::Header))
            .await
            .unwrap_err();
        assert_eq!(
            failure.hello_sent,
            status >= 500,
            "behind a 5xx the server may have gone on"
        );
    }
}

#[tokio::test]
async fn pitfall_23_a_peer_that_never_answers_costs_the_deadline_and_no_more() {
    let server = Server::start(vec![Reply::SayAndHang(b"HTTP/1.1 101 ".to_vec())]).await;
    for (auth, hello_sent) in [(Auth::Hello, false), (Auth::Header, true)] {
        let config = SocketConfig {
            dial_timeout: SHORT,
            ..by(auth)
        };
        let failure = dial(&platform(&server.base), &key(), &config)
            .await
            .unwrap_err();
        assert!(failure.reason.contains("300 ms"), "{failure}");
        assert_eq!((failure.refused, failure.hello_sent), (None, hello_sent));
    }
}

#[tokio::test]
async fn nobody_there_and_somebody_else_there_are_failures_without_the_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let failure = dial(&platform(&nobody), &key(), &by(Auth::Header))
        .await
        .unwrap_err();
    assert!(
        !failure.hello_sent && !failure.reason.contains("127.0.0.1"),
        "{failure}"
    );

    let forged = "HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                  sec-websocket-accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n";
    let server = Server::start(vec![Reply::SayAndHang(forged.as_bytes().to_vec())]).await;
    let failure = dial(&platform(&server.base), &key(), &by(Auth::Hello))
        .await
        .unwrap_err();
    assert!(failure.reason.contains("something else"), "{failure}");
}

#[tokio::test]
async fn the_peers_close_codes_and_reasons_are_told() {
    for (code, reason) in [
        (1008, "Invalid token"),
        (1001, "Heartbeat timeout"),
        (4401, ""),
    ] {
        let (_sender, mut receiver, mut peer, _tasks) = connected(by(Auth::Hello)).await;
        say(&mut peer, message(1)).await;
        peer.close(Some(CloseFrame {
            code: code.into(),
            reason: reason.into(),
        }))
        .await
        .unwrap();
        assert_eq!(
            next_id(&mut receiver).await,
            "m1",
            "what came before the close is kept"
        );
        let expected = Closed {
            code: Some(code),
            reason: reason.into(),
            by_us: false,
        };
        assert_eq!(end(&mut receiver).await, expected);
    }
    let (sender, mut receiver, peer, _tasks) = connected(by(Auth::Hello)).await;
    drop(peer);
    let broken = end(&mut receiver).await;
    assert_eq!((broken.code, broken.by_us), (None, false));
    assert_eq!(sender.ack("m1"), Err(NotSent::Closed));
}

#[tokio::test]
async fn pitfall_05_our_own_close_goes_out_after_what_waits_and_is_known_as_ours() {
    let (sender, mut receiver, mut peer, _tasks) = connected(by(Auth::Header)).await;
    sender.ready();
    sender.ack("m1").unwrap();
    sender.close(1008, "HELLO ack timeout");
    sender.close(1000, "a second one");
    assert_eq!(next_json(&mut peer).await["message_id"], "m1");
    match soon(peer.next()).await {
        Some(Ok(Message::Close(Some(frame)))) => {
            assert_eq!(
                (u16::from(frame.code), &*frame.reason),
                (1008, "HELLO ack timeout")
            );
        }
        other => panic!("a close was expected, not {other:?}"),
    }
    while soon(peer.next()).await.is_some() {}
    let closed = end(&mut receiver).await;
    assert_eq!((closed.code, closed.by_us), (Some(1008), true));
}

#[tokio::test]
async fn pitfall_26_pings_are_answered_while_nobody_takes_the_messages() {
    let (_sender, mut receiver, mut peer, _tasks) = connected(by(Auth::Hello)).await;
    for round in 0..20 {
        for n in 0..250 {
            peer.feed(Message::text(message(round * 250 + n).to_string()))
                .await
                .unwrap();
        }
        nothing_was_sent(&mut peer).await;
    }
    for n in 0..5000 {
        assert_eq!(next_id(&mut receiver).await, format!("m{n}"));
    }
}

#[tokio::test]
async fn pitfall_37_past_its_budget_the_socket_is_not_read_and_nothing_is_lost() {
    let config = SocketConfig {
        inbound_bytes: 64 * 1024,
        ..by(Auth::Hello)
    };
    let (_sender, mut receiver, mut peer, mut tasks) = connected(config).await;
    let padding = "x".repeat(16 * 1024);
    tasks.spawn(async move {
        for n in 0..1000 {
            let payload = json!({"id": format!("m{n}"), "conversation_id": "c", "pad": padding});
            say(
                &mut peer,
                json!({"type": "message.new", "payload": payload}),
            )
            .await;
        }
        peer.close(None).await.unwrap();
        std::future::pending::<()>().await;
    });
    for n in 0..1000 {
        assert_eq!(next_id(&mut receiver).await, format!("m{n}"));
    }
    assert_eq!(end(&mut receiver).await.code, None);
}

#[tokio::test]
async fn frames_of_any_make_are_taken_or_reported_and_the_connection_lives() {
    let (_sender, mut receiver, mut peer, _tasks) = connected(by(Auth::Hello)).await;
    peer.send(Message::binary(message(1).to_string().into_bytes()))
        .await
        .unwrap();
    peer.send(Message::binary(vec![0xff, 0xfe])).await.unwrap();
    peer.send(Message::text("not json")).await.unwrap();
    say(&mut peer, message(2)).await;
    assert_eq!(next_id(&mut receiver).await, "m1");
    for _ in ["binary", "text"] {
        assert!(matches!(
            next_frame(&mut receiver).await,
            Frame::Unreadable { .. }
        ));
    }
    assert_eq!(next_id(&mut receiver).await, "m2");
}

#[tokio::test]
async fn a_frame_past_the_limit_or_of_broken_text_ends_the_connection_by_us() {
    let config = SocketConfig {
        frame_bytes: 1024,
        ..by(Auth::Hello)
    };
    let (_sender, mut receiver, mut peer, _tasks) = connected(config).await;
    say(&mut peer, json!({"type": "x", "payload": "x".repeat(2048)})).await;
    let closed = end(&mut receiver).await;
    assert_eq!((closed.code, closed.by_us), (Some(1009), true));

    let (_sender, mut receiver, mut peer, _tasks) = connected(by(Auth::Hello)).await;
    let broken = WireFrame::message(vec![0xff], OpCode::Data(Data::Text), true);
    peer.send(Message::Frame(broken)).await.unwrap();
    let closed = end(&mut receiver).await;
    assert_eq!((closed.code, closed.by_us), (Some(1007), true));
}

#[tokio::test]
async fn the_task_ends_when_nobody_listens_any_more() {
    let (_sender, receiver, mut peer, mut tasks) = connected(by(Auth::Hello)).await;
    drop(receiver);
    soon(tasks.join_next()).await.unwrap().unwrap();
    assert!(
        !matches!(soon(peer.next()).await, Some(Ok(_))),
        "the connection is cut"
    );
}
