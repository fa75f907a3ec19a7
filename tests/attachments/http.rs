//! `PUT /attachments` and `GET /attachments/{id}`.

use crate::{announcements, bytes, names, no_key_at_the_storage, stage, storage};
use agentchatd_tests::sandbox::StorageFault;
use agentchatd_tests::stage::until;
use serde_json::json;

/// One byte more than AgentChat takes.
const TOO_LARGE: usize = 26_214_401;

#[test]
fn a_body_goes_up_and_comes_down_with_its_type_and_length() {
    let stage = stage();
    let daemon = stage.ready();
    let mut http = daemon.http().unwrap();
    let content = bytes(150_000);
    for (target, headers, kind) in [
        (
            "/attachments?filename=a%20b.md&to=%40bob",
            vec![],
            "text/markdown",
        ),
        (
            "/attachments?filename=a.md&to=bob&content_type=text%2Fcsv",
            vec![("content-type", "image/png")],
            "text/csv",
        ),
        (
            "/attachments?to=bob",
            vec![("content-type", "Text/Plain; charset=utf-8")],
            "text/plain",
        ),
        (
            "/attachments?to=bob&filename=a.json",
            vec![("content-type", "application/octet-stream")],
            "application/json",
        ),
    ] {
        let reply = http.call("PUT", target, &headers, &content).unwrap();
        assert_eq!(reply.status(), 201, "{:?}", reply.json());
        assert_eq!(reply.json()["size"], 150_000);
        let id = reply.json()["attachment_id"].as_str().unwrap().to_owned();
        let reply = http.fetch(&format!("/attachments/{id}")).unwrap();
        assert_eq!(reply.status(), 200);
        assert_eq!(reply.head.header("content-type"), Some(kind));
        assert_eq!(reply.head.header("content-length"), Some("150000"));
        assert!(reply.body == content);
    }
    no_key_at_the_storage(&stage);
}

#[test]
fn errors_are_json_with_a_status_of_their_own() {
    let stage = stage();
    let daemon = stage.ready();
    for (method, target, body, status, code) in [
        ("PUT", "/attachments?filename=a.txt", "x", 400, -32602),
        (
            "PUT",
            "/attachments?filename=a.txt&to=bob&conversation_id=g",
            "x",
            400,
            -32602,
        ),
        ("PUT", "/attachments?filename=a.sh&to=bob", "x", 400, -32602),
        (
            "PUT",
            "/attachments?filename=a.txt&to=bob&content_type=a/b",
            "x",
            400,
            -32602,
        ),
        (
            "PUT",
            "/attachments?filename=a.txt&to=bob&typo=1",
            "x",
            400,
            -32602,
        ),
        (
            "PUT",
            "/attachments?filename=a.txt&to=bob&timeout_ms=x",
            "x",
            400,
            -32602,
        ),
        ("PUT", "/attachments?filename=a.txt&to=bob", "", 400, -32600),
        (
            "PUT",
            "/attachments?filename=a.txt&to=bob&to=ann",
            "x",
            400,
            -32602,
        ),
        (
            "PUT",
            "/attachments?filename=a.txt&to=nobody-here",
            "x",
            404,
            -32001,
        ),
        ("GET", "/attachments/att_unknown", "", 404, -32001),
        ("GET", "/attachments/%2E%2E", "", 400, -32602),
        ("GET", "/attachments/", "", 400, -32602),
        ("POST", "/attachments", "x", 405, -32600),
        ("PUT", "/attachments/att_1", "x", 405, -32600),
    ] {
        let mut http = daemon.http().unwrap();
        let reply = http.call(method, target, &[], body.as_bytes()).unwrap();
        assert_eq!(
            reply.status(),
            status,
            "{method} {target}: {:?}",
            reply.json()
        );
        assert_eq!(reply.json()["error"]["code"], code, "{method} {target}");
    }
    assert_eq!(announcements(&stage), 1, "one of them got that far");
}

#[test]
fn a_body_that_is_too_large_is_refused_told_or_not() {
    let stage = stage();
    let daemon = stage.ready();
    let target = "PUT /attachments?filename=a.txt&to=bob HTTP/1.1\r\nhost: x\r\n";
    let mut http = daemon.http().unwrap();
    let told = format!("{target}expect: 100-continue\r\ncontent-length: {TOO_LARGE}\r\n\r\n");
    http.write(told).unwrap();
    let reply = http.reply().unwrap();
    assert_eq!(reply.status(), 413, "with no byte of it sent");
    assert_eq!(reply.json()["error"]["data"]["limit_bytes"], TOO_LARGE - 1);
    let mut http = daemon.http().unwrap();
    http.write(format!("{target}transfer-encoding: chunked\r\n\r\n"))
        .unwrap();
    let chunk = format!("100000\r\n{}\r\n", " ".repeat(1 << 20));
    for _ in 0..26 {
        // It may have been refused already.
        let _sent = http.write(&chunk);
    }
    assert_eq!(http.reply().unwrap().status(), 413);
    assert_eq!(announcements(&stage), 0);
}

#[test]
fn uploads_past_the_room_for_them_are_refused_until_there_is_room() {
    let stage = stage();
    let daemon = stage.ready();
    let target = "/attachments?filename=a.txt&to=bob";
    let head = format!("PUT {target} HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n");
    let mut held: Vec<_> = (0..8).map(|_| daemon.http().unwrap()).collect();
    for http in &mut held {
        http.write(&head).unwrap();
    }
    let ask = || {
        daemon
            .http()
            .unwrap()
            .call("PUT", target, &[], b"x")
            .unwrap()
    };
    until("all room is taken", || {
        let reply = ask();
        match reply.status() {
            429 => {
                assert_eq!(reply.json()["error"]["code"], -32008);
                assert_eq!(reply.head.header("retry-after"), Some("1"));
                Ok(())
            }
            other => Err(other.to_string()),
        }
    });
    // Those that have room get through, and make room.
    for http in &mut held {
        http.write("123456789").unwrap();
        assert_eq!(http.reply().unwrap().status(), 201);
    }
    assert_eq!(ask().status(), 201);
}

#[test]
fn a_body_that_is_cut_off_leaves_no_announcement_and_no_file() {
    let stage = stage();
    let daemon = stage.ready();
    let state = stage.setup.dir.join("state");
    let before = names(&state);
    let mut http = daemon.http().unwrap();
    let head = "PUT /attachments?filename=a.txt&to=bob HTTP/1.1\r\nhost: x\r\n\
                content-length: 100000\r\n\r\n";
    http.write(head).unwrap();
    http.write(bytes(50_000)).unwrap();
    let mut raw = stage.connect(&daemon);
    until("the connection is counted", || {
        match raw.ok("daemon.status", json!({}))["clients"].as_u64() {
            Some(2) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    drop(http);
    until("the connection is gone", || {
        match raw.ok("daemon.status", json!({}))["clients"].as_u64() {
            Some(1) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    assert_eq!(names(&state).len(), before.len());
    assert_eq!(announcements(&stage), 0);
}

#[test]
fn a_download_that_fails_in_the_middle_is_cut_and_never_looks_whole() {
    let stage = stage();
    let daemon = stage.ready();
    let mut http = daemon.http().unwrap();
    let target = "/attachments?filename=a.csv&to=bob";
    let reply = http.call("PUT", target, &[], &bytes(500_000)).unwrap();
    let id = reply.json()["attachment_id"].as_str().unwrap().to_owned();
    for fault in [StorageFault::Cut, StorageFault::Corrupt] {
        storage(&stage, [fault.clone()]);
        let mut http = daemon.http().unwrap();
        let cut = http.fetch(&format!("/attachments/{id}"));
        let whole = cut.is_ok_and(|reply| reply.status() == 200);
        assert!(!whole, "{fault:?}");
    }
    storage(&stage, [StorageFault::Status(503)]);
    let mut http = daemon.http().unwrap();
    let reply = http.fetch(&format!("/attachments/{id}")).unwrap();
    assert_eq!(reply.status(), 502);
    assert_eq!(reply.json()["error"]["data"]["status"], 503);
}
