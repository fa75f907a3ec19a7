//! JSON-RPC and subscriptions over a WebSocket on the daemon's socket.

use crate::{stage, version};
use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::stage::{SOON, until};
use jsonrpsee::core::client::{Client, ClientBuilder, ClientT as _};
use jsonrpsee::core::params::ObjectParams;
use serde_json::{Value, json};
use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::time::Duration;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message, WebSocket, client};

type Ws = WebSocket<UnixStream>;

fn open(daemon: &Daemon) -> Ws {
    let stream = UnixStream::connect(daemon.socket()).expect("it listens");
    stream.set_read_timeout(Some(SOON)).expect("a time");
    client("ws://localhost/", stream).expect("a handshake").0
}

fn say(ws: &mut Ws, text: &str) {
    ws.send(Message::text(text)).expect("the daemon reads");
}

/// The next message as JSON.
fn hear(ws: &mut Ws) -> Value {
    loop {
        if let Message::Text(text) = ws.read().expect("a message") {
            return serde_json::from_str(&text).expect("JSON");
        }
    }
}

fn call(ws: &mut Ws, method: &str, params: &Value) -> Value {
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    say(ws, &request.to_string());
    let answer = hear(ws);
    assert_eq!(answer["id"], 1, "{answer}");
    answer
}

/// The code with which the daemon closes.
fn code(ws: &mut Ws) -> CloseCode {
    loop {
        match ws.read() {
            Ok(Message::Close(Some(close))) => return close.code,
            Ok(_) => {}
            Err(error) => panic!("no close, but {error}"),
        }
    }
}

#[test]
fn requests_and_batches_are_answered_with_their_ids_as_they_were_written() {
    let stage = stage();
    let daemon = stage.start();
    let mut ws = open(&daemon);
    for id in [
        "1",
        "\"a\"",
        "null",
        "-1.50",
        "123456789012345678901234567890",
    ] {
        say(&mut ws, &version(id));
        let Message::Text(text) = ws.read().unwrap() else {
            panic!("no text")
        };
        let head = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":"#);
        assert!(text.starts_with(&head), "{text}");
    }
    say(&mut ws, &format!("[{},\n{}]", version("1"), version("2")));
    assert_eq!(hear(&mut ws).as_array().unwrap().len(), 2);
    ws.send(Message::binary(version("7").into_bytes())).unwrap();
    assert_eq!(hear(&mut ws)["id"], 7, "binary is read like text");
}

#[test]
fn what_is_no_json_costs_its_message_and_nothing_else() {
    let stage = stage();
    let daemon = stage.start();
    let mut ws = open(&daemon);
    let deep = format!("{}{}", "[".repeat(129), "]".repeat(129));
    for text in ["hello", "", "{\"a\":1,}", "{} {}", &deep] {
        say(&mut ws, text);
        assert_eq!(hear(&mut ws)["error"]["code"], -32700, "{text}");
    }
    ws.send(Message::binary(b"\"\xff\"".as_slice())).unwrap();
    assert_eq!(hear(&mut ws)["error"]["code"], -32700);
    say(&mut ws, &version("1"));
    assert_eq!(hear(&mut ws)["id"], 1);
}

#[test]
fn pings_are_answered_pieces_are_put_together_and_a_close_is_returned() {
    let stage = stage();
    let daemon = stage.start();
    let mut ws = open(&daemon);
    ws.send(Message::Ping("are you there".into())).unwrap();
    assert_eq!(ws.read().unwrap(), Message::Pong("are you there".into()));
    let text = version("5");
    let (one, two) = text.split_at(10);
    let piece = |text: &str, opcode, last| {
        Message::Frame(Frame::message(
            Bytes::copy_from_slice(text.as_bytes()),
            opcode,
            last,
        ))
    };
    ws.send(piece(one, OpCode::Data(Data::Text), false))
        .unwrap();
    ws.send(Message::Ping("between".into())).unwrap();
    ws.send(piece(two, OpCode::Data(Data::Continue), true))
        .unwrap();
    assert_eq!(ws.read().unwrap(), Message::Pong("between".into()));
    assert_eq!(hear(&mut ws)["id"], 5);
    ws.close(None).unwrap();
    assert!(matches!(ws.read(), Ok(Message::Close(_))));
    assert!(matches!(ws.read(), Err(Error::ConnectionClosed)));
}

#[test]
fn a_message_past_the_limit_is_answered_with_an_error_and_a_close() {
    let stage = stage();
    let daemon = stage.start();
    let limit = 8 << 20;
    let mut ws = open(&daemon);
    let padded = |bytes: usize| {
        let text = version("1");
        format!("{text}{}", " ".repeat(bytes - text.len()))
    };
    say(&mut ws, &padded(limit));
    assert_eq!(hear(&mut ws)["id"], 1, "at the limit");
    say(&mut ws, &padded(10 << 20));
    let answer = hear(&mut ws);
    assert_eq!(answer["error"]["code"], -32600, "{answer}");
    assert_eq!(answer["error"]["data"]["limit_bytes"], limit);
    assert_eq!(code(&mut ws), CloseCode::Size);
}

#[test]
fn text_that_is_not_utf_8_and_frames_without_a_mask_close_the_connection() {
    let stage = stage();
    let daemon = stage.start();
    let mut ws = open(&daemon);
    let text = OpCode::Data(Data::Text);
    let broken = Frame::message(Bytes::from_static(b"\xff\xfe"), text, true);
    ws.send(Message::Frame(broken)).unwrap();
    assert_eq!(code(&mut ws), CloseCode::Invalid);

    let mut ws = open(&daemon);
    let mut bytes = Vec::new();
    let head = FrameHeader {
        opcode: text,
        ..FrameHeader::default()
    };
    head.format(2, &mut bytes).unwrap();
    bytes.extend(b"{}");
    ws.get_mut().write_all(&bytes).unwrap();
    assert_eq!(code(&mut ws), CloseCode::Protocol);
}

#[test]
fn a_handshake_that_is_none_is_refused() {
    let stage = stage();
    let daemon = stage.start();
    let key = ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let upgrade = ("upgrade", "websocket");
    let asks = ("connection", "keep-alive, Upgrade");
    let version = ("sec-websocket-version", "13");
    for (headers, status) in [
        (vec![], 426),
        (vec![upgrade, version, key], 426),
        (vec![("upgrade", "h2c"), asks, version, key], 426),
        (
            vec![upgrade, asks, ("sec-websocket-version", "8"), key],
            426,
        ),
        (vec![upgrade, asks, version], 400),
    ] {
        let reply = daemon
            .http()
            .unwrap()
            .call("GET", "/", &headers, b"")
            .unwrap();
        assert_eq!(reply.status(), status, "{headers:?}");
        assert!(reply.json()["error"]["message"].is_string());
    }
    let mut http = daemon.http().unwrap();
    http.ask("GET", "/", &[upgrade, asks, version, key], b"")
        .unwrap();
    let head = http.head().unwrap();
    assert_eq!(head.status, 101);
    // The example of RFC 6455, 1.3.
    let accept = head.header("sec-websocket-accept");
    assert_eq!(accept, Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
}

#[test]
fn a_subscription_gives_every_event_of_the_log_once_and_in_order_under_load() {
    const MESSAGES: usize = 1500;
    let stage = stage();
    let daemon = stage.ready();
    let mut ws = open(&daemon);
    let params = json!({"consumer": "ws", "from": "earliest", "ack": "auto"});
    let subscribed = call(&mut ws, "events.subscribe", &params);
    let name = subscribed["result"]["subscription"].clone();
    assert_eq!(subscribed["result"]["next_offset"], 1, "{subscribed}");
    let told: Vec<Value> = std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..MESSAGES {
                stage.bob_says(&format!("message {number}"));
            }
        });
        let mut told = Vec::new();
        while told.len() < MESSAGES {
            let notice = hear(&mut ws);
            assert_eq!(notice["method"], "events.event", "{notice}");
            assert_eq!(notice["params"]["subscription"], name);
            let event = notice["params"]["result"].clone();
            if !event["offset"].is_null() {
                told.push(event);
            }
        }
        told
    });
    let log = stage.log_is_whole(&daemon);
    assert_eq!(told, log[..MESSAGES]);
    // What was written is acknowledged: nothing of it comes again.
    drop(ws);
    let mut raw = stage.connect(&daemon);
    until("all is acknowledged", || {
        let consumers = raw.result("consumers.list", &json!({})).unwrap();
        match &consumers[0] {
            one if one["acked_offset"] == MESSAGES && one["attached"] == false => Ok(()),
            one => Err(one.to_string()),
        }
    });
}

#[test]
fn a_subscription_ends_by_unsubscribing_and_by_another_that_takes_over() {
    let stage = stage();
    let daemon = stage.ready();
    let (mut one, mut two) = (open(&daemon), open(&daemon));
    let params = json!({"consumer": "c", "from": "earliest"});
    let first = call(&mut one, "events.subscribe", &params);
    let refused = call(&mut two, "events.subscribe", &params);
    assert_eq!(refused["error"]["code"], -32005, "{refused}");
    let params = json!({"consumer": "c", "takeover": true});
    let second = call(&mut two, "events.subscribe", &params);
    let closed = hear(&mut one);
    assert_eq!(closed["method"], "events.closed", "{closed}");
    assert_eq!(
        closed["params"]["subscription"],
        first["result"]["subscription"]
    );
    let params = json!({"subscription": second["result"]["subscription"]});
    assert_eq!(
        call(&mut two, "events.unsubscribe", &params)["result"],
        true
    );
}

#[test]
fn a_stop_is_announced_and_closes_with_1001() {
    let stage = stage();
    let mut daemon = stage.start();
    let (mut quiet, mut ws) = (open(&daemon), open(&daemon));
    call(&mut ws, "events.subscribe", &json!({}));
    daemon.signal("TERM").unwrap();
    loop {
        let notice = hear(&mut ws);
        if notice["method"] == "daemon.going_away" {
            assert_eq!(notice["params"]["reason"], "shutdown");
            break;
        }
    }
    assert_eq!(code(&mut ws), CloseCode::Away);
    assert_eq!(code(&mut quiet), CloseCode::Away);
    drop((ws, quiet));
    assert!(daemon.wait(SOON).unwrap().success());
}

#[test]
fn a_client_that_does_not_read_slows_nobody() {
    let stage = stage();
    let daemon = stage.ready();
    let mut stuck = open(&daemon);
    call(&mut stuck, "events.subscribe", &json!({"from": "earliest"}));
    let mut ws = open(&daemon);
    call(&mut ws, "events.subscribe", &json!({"from": "earliest"}));
    let text = "x".repeat(20_000);
    let messages = 150;
    for _ in 0..messages {
        stage.bob_says(&text);
    }
    let mut seen = 0;
    while seen < messages {
        seen += usize::from(!hear(&mut ws)["params"]["result"]["offset"].is_null());
    }
    let mut seen = 0;
    while seen < messages {
        seen += 1;
        loop {
            let offset = hear(&mut stuck)["params"]["result"]["offset"].clone();
            if !offset.is_null() {
                assert_eq!(offset, seen);
                break;
            }
        }
    }
}

#[test]
fn the_websocket_client_of_jsonrpsee_calls_methods() {
    let stage = stage();
    let daemon = stage.ready();
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(async {
            let client = jsonrpsee_client(&daemon).await;
            let version: Value = client
                .request("daemon.version", ObjectParams::new())
                .await
                .unwrap();
            assert_eq!(version["name"], "agentchatd");
            let mut params = ObjectParams::new();
            params.insert("to", "@bob").unwrap();
            params.insert("text", "hi").unwrap();
            let sent: Value = client.request("messages.send", params).await.unwrap();
            assert_eq!(sent["message"]["content"]["text"], "hi");
            let refused = client
                .request::<Value, _>("messages.send", ObjectParams::new())
                .await
                .unwrap_err();
            assert!(
                refused.to_string().contains("-32602") || refused.to_string().contains("params")
            );
        });
    assert_eq!(stage.send_requests(), 1);
}

async fn jsonrpsee_client(daemon: &Daemon) -> Client {
    let stream = tokio::net::UnixStream::connect(daemon.socket())
        .await
        .expect("it listens");
    let url = "ws://localhost/".parse().expect("a URL");
    let builder = jsonrpsee::client_transport::ws::WsTransportClientBuilder::default();
    let (sender, receiver) = builder
        .build_with_stream(url, stream)
        .await
        .expect("a handshake");
    ClientBuilder::default()
        .request_timeout(Duration::from_secs(20))
        .build_with_tokio(sender, receiver)
}

#[test]
fn sends_over_one_socket_reach_the_platform_in_the_order_in_which_they_were_written() {
    let stage = stage();
    let daemon = stage.ready();
    let mut ws = open(&daemon);
    for number in 0..100 {
        let params = json!({"to": "bob", "text": format!("{number}")});
        let request = json!({"jsonrpc": "2.0", "id": number, "method": "messages.send",
            "params": params});
        say(&mut ws, &request.to_string());
    }
    let mut seqs = vec![0; 100];
    for _ in 0..100 {
        let answer = hear(&mut ws);
        let number = answer["id"].as_u64().unwrap() as usize;
        seqs[number] = answer["result"]["message"]["seq"].as_u64().unwrap();
    }
    assert!(seqs.is_sorted(), "{seqs:?}");
}
