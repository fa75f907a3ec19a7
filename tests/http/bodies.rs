//! Bodies that are too long, cut off, slow, chunked, or asked for first.

use crate::{stage, version};
use agentchatd_tests::stage::until;
use serde_json::json;
use std::time::{Duration, Instant};

/// The default of `max_request_bytes`.
const LIMIT: usize = 8 << 20;

/// A request of exactly so many bytes.
fn padded(bytes: usize) -> String {
    let text = version("1");
    let room = " ".repeat(bytes - text.len());
    format!("{text}{room}")
}

#[test]
fn a_body_at_the_limit_is_read_and_one_past_it_is_refused_with_the_limit() {
    let stage = stage();
    let daemon = stage.start();
    let mut http = daemon.http().unwrap();
    assert_eq!(http.post(padded(LIMIT)).unwrap().json()["id"], 1);
    let mut http = daemon.http().unwrap();
    // The whole of it is written before the answer is read, as simple clients do.
    let reply = http.post(padded(10 << 20)).unwrap();
    assert_eq!(reply.status(), 413);
    assert_eq!(reply.json()["error"]["code"], -32600);
    assert_eq!(reply.json()["error"]["data"]["limit_bytes"], LIMIT);
    assert_eq!(reply.head.header("connection"), Some("close"));
    http.is_closed().unwrap();
}

#[test]
fn a_chunked_body_is_put_together_and_bounded_as_well() {
    let stage = stage();
    let daemon = stage.start();
    let head = "POST /rpc HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut http = daemon.http().unwrap();
    http.write(head).unwrap();
    for byte in version("1").chars() {
        http.write(format!("1\r\n{byte}\r\n")).unwrap();
    }
    http.write("0\r\n\r\n").unwrap();
    assert_eq!(http.reply().unwrap().json()["id"], 1);

    http.write(head).unwrap();
    let chunk = format!("100000\r\n{}\r\n", " ".repeat(1 << 20));
    for _ in 0..9 {
        http.write(&chunk).unwrap();
    }
    let reply = http.reply().unwrap();
    assert_eq!(reply.status(), 413);
    assert_eq!(reply.json()["error"]["data"]["limit_bytes"], LIMIT);
}

#[test]
fn a_client_that_asks_first_is_told_to_go_on_or_not_to() {
    let stage = stage();
    let daemon = stage.start();
    let ask = |length: usize| {
        format!(
            "POST /rpc HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n\
             content-length: {length}\r\n\r\n"
        )
    };
    let mut http = daemon.http().unwrap();
    let body = version("1");
    http.write(ask(body.len())).unwrap();
    assert_eq!(http.head().unwrap().status, 100);
    http.write(body).unwrap();
    assert_eq!(http.reply().unwrap().json()["id"], 1);
    http.write(ask(LIMIT + 1)).unwrap();
    assert_eq!(
        http.reply().unwrap().status(),
        413,
        "with no byte of it sent"
    );
}

#[test]
fn a_body_that_is_cut_off_is_an_error_and_disturbs_nobody() {
    let stage = stage();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    let body = version("1");
    let half = format!(
        "POST /rpc HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{}",
        body.len(),
        &body[..20]
    );
    let mut http = daemon.http().unwrap();
    http.write(&half).unwrap();
    http.finish().unwrap();
    let reply = http.reply().unwrap();
    assert_eq!(reply.status(), 400);
    assert_eq!(reply.json()["error"]["code"], -32700);
    for _ in 0..20 {
        let mut http = daemon.http().unwrap();
        http.write(&half).unwrap();
    }
    assert_eq!(raw.result("daemon.version", &json!({})).unwrap()["api"], 1);
    until("the connections are gone", || {
        let status = raw.result("daemon.status", &json!({})).unwrap();
        match status["clients"].as_u64() {
            Some(1) => Ok(()),
            other => Err(format!("{other:?} clients")),
        }
    });
}

#[test]
fn slow_clients_are_let_go_and_disturb_nobody() {
    let stage = stage();
    let daemon = stage.start();
    let began = Instant::now();
    let mut head = daemon.http().unwrap();
    head.write("POST /rpc HTTP/1.1\r\nhost: x\r\nx-slow: ")
        .unwrap();
    let mut body = daemon.http().unwrap();
    body.write("POST /rpc HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\n{")
        .unwrap();
    let mut raw = stage.connect(&daemon);
    let mut idle = daemon.http().unwrap();
    assert_eq!(idle.fetch("/healthz").unwrap().status(), 200);
    while began.elapsed() < Duration::from_secs(6) {
        // A byte now and then is no reason to wait for ever.
        head.write("a").unwrap();
        assert_eq!(raw.result("daemon.version", &json!({})).unwrap()["api"], 1);
        std::thread::sleep(Duration::from_millis(500));
    }
    head.is_closed().unwrap();
    let reply = body.reply().unwrap();
    assert_eq!(reply.status(), 408, "{:?}", reply.json());
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_eq!(
        idle.fetch("/healthz").unwrap().status(),
        200,
        "idle is not slow"
    );
}
