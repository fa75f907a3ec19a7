//! What holds for a connection, whatever is asked on it.

use crate::{stage, version};
use agentchatd_tests::stage::until;
use serde_json::json;

#[test]
fn a_connection_is_kept_for_the_next_request_and_closed_when_asked() {
    let stage = stage();
    let daemon = stage.start();
    let mut http = daemon.http().unwrap();
    for id in 1..=3 {
        assert_eq!(
            http.post(version(&id.to_string())).unwrap().json()["id"],
            id
        );
    }
    let reply = http.call("GET", "/healthz", &[("connection", "close")], b"");
    assert_eq!(reply.unwrap().status(), 200);
    http.is_closed().unwrap();
}

#[test]
fn requests_written_ahead_are_answered_in_their_order() {
    let stage = stage();
    let daemon = stage.start();
    let mut http = daemon.http().unwrap();
    for id in 0..50 {
        let body = version(&id.to_string());
        http.ask("POST", "/rpc", &[], body.as_bytes()).unwrap();
    }
    for id in 0..50 {
        assert_eq!(http.reply().unwrap().json()["id"], id);
    }
}

#[test]
fn a_head_that_comes_byte_by_byte_is_read() {
    let stage = stage();
    let daemon = stage.start();
    let mut http = daemon.http().unwrap();
    for byte in b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n" {
        http.write([*byte]).unwrap();
    }
    assert_eq!(http.reply().unwrap().status(), 200);
}

#[test]
fn a_client_that_closes_its_writing_side_still_gets_its_answer() {
    let stage = stage();
    let daemon = stage.start();
    let mut http = daemon.http().unwrap();
    let wait = r#"{"jsonrpc":"2.0","id":1,"method":"events.fetch","params":{"wait_ms":500}}"#;
    http.ask("POST", "/rpc", &[], wait.as_bytes()).unwrap();
    http.finish().unwrap();
    assert_eq!(http.reply().unwrap().json()["result"]["events"], json!([]));
}

#[test]
fn a_head_that_is_none_or_too_large_is_refused() {
    let stage = stage();
    let daemon = stage.start();
    for (head, status) in [
        ("NONSENSE\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/9.9\r\n\r\n".to_owned(), 400),
        (
            format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(100)),
            431,
        ),
        (
            format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "b".repeat(100_000)),
            431,
        ),
    ] {
        let mut http = daemon.http().unwrap();
        // It may be refused before all of it is written.
        let _unread = http.write(&head);
        let reply = http.reply().unwrap();
        assert_eq!(reply.status(), status, "{}", &head[..12]);
    }
}

#[test]
fn a_connection_counts_as_a_client_for_as_long_as_it_is_there() {
    let stage = stage();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    let mut clients = || raw.result("daemon.status", &json!({})).unwrap()["clients"].clone();
    let mut http = daemon.http().unwrap();
    assert_eq!(http.fetch("/healthz").unwrap().status(), 200);
    assert_eq!(clients(), 2);
    drop(http);
    until("it is counted no more", || match clients() {
        one if one == 1 => Ok(()),
        more => Err(more.to_string()),
    });
}
