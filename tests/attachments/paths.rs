//! Files by path and bytes in the request.

use crate::{announcements, bytes, file, names, no_key_at_the_storage, stage, storage, upload};
use agentchatd_tests::sandbox::{Options, Sandbox, StorageFault};
use serde_json::json;
use std::time::Duration;

#[test]
fn a_file_goes_up_and_comes_down_the_same_and_the_key_stays_here() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let content = bytes(300_000);
    let (folder, path) = file("report.pdf", &content);
    let up = upload(&stage, &daemon, &path);
    assert_eq!(up["size"], 300_000);
    let id = up["attachment_id"].as_str().unwrap();
    assert_eq!(stage.sandbox.stored_file(id).unwrap(), content);
    let sent = json!({"to": "bob", "attachment_id": id});
    raw.ok("messages.send", sent);
    let down = folder.path().join("down.pdf");
    let params = json!({"attachment_id": id, "path": down, "sha256": up["sha256"]});
    let answer = raw.ok("attachments.download", params);
    let expected = json!({"path": down, "size": 300_000, "content_type": "application/pdf"});
    assert_eq!(answer, expected);
    assert_eq!(std::fs::read(&down).unwrap(), content);
    assert_eq!(names(folder.path()).len(), 2, "no temporary file stays");
    let url = raw.ok("attachments.download_url", json!([id]))["url"].clone();
    assert!(
        url.as_str()
            .unwrap()
            .starts_with(&stage.sandbox.storage_url())
    );
    no_key_at_the_storage(&stage);
}

#[test]
fn bytes_in_the_request_and_a_group_do_as_well() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let group = stage.sandbox.group("dora", "g", &["bob"]);
    let params = json!({"conversation_id": group, "data_base64": "aGVsbG8", "filename": "a.md"});
    let up = raw.ok("attachments.upload", params);
    let stored = stage
        .sandbox
        .stored_file(up["attachment_id"].as_str().unwrap());
    assert_eq!(stored.unwrap(), b"hello");
}

#[test]
fn what_no_upload_can_be_is_refused_before_anything_is_sent() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let (folder, script) = file("run.sh", b"#!/bin/sh");
    let empty = folder.path().join("empty.txt");
    std::fs::write(&empty, b"").unwrap();
    let large = folder.path().join("large.txt");
    let sparse = std::fs::File::create(&large).unwrap();
    sparse.set_len(26_214_401).unwrap();
    let missing = folder.path().join("missing.txt");
    for (params, place) in [
        (json!({"to": "bob", "path": script}), "/content_type"),
        (json!({"to": "bob", "path": empty}), "/path"),
        (json!({"to": "bob", "path": large}), "/path"),
        (json!({"to": "bob", "path": missing}), "/path"),
        (
            json!({"to": "bob", "path": "/dev/zero", "content_type": "text/csv"}),
            "/path",
        ),
        (json!({"to": "bob", "path": "a.txt"}), "/path"),
        (
            json!({"to": "bob", "path": folder.path(), "filename": "a.txt"}),
            "/path",
        ),
        (
            json!({"to": "bob", "data_base64": "e*", "filename": "a.txt"}),
            "/data_base64",
        ),
        (json!({"to": "bob", "data_base64": "eA=="}), "/content_type"),
        (
            json!({"to": "bob", "path": script, "content_type": "a/b"}),
            "/content_type",
        ),
        (json!({"path": script, "content_type": "text/plain"}), "/to"),
    ] {
        let error = raw.refused(-32602, "attachments.upload", params.clone());
        assert_eq!(error["data"]["path"], place, "{params}: {error}");
        if place == "/content_type" {
            let reason = error["data"]["reason"].as_str().unwrap();
            assert!(reason.contains("video/webm"), "the list is told: {reason}");
        }
    }
    assert_eq!(announcements(&stage), 0);
}

#[test]
fn a_refusal_of_the_platform_comes_as_it_is() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let (folder, path) = file("a.txt", b"x");
    let to_nobody = json!({"path": path, "to": "nobody-here"});
    let error = raw.refused(-32001, "attachments.upload", to_nobody);
    assert_eq!(error["data"]["code"], "AGENT_NOT_FOUND");
    let announced = json!({"to": "bob", "filename": "a.txt", "content_type": "text/plain",
        "size": 1, "sha256": "0".repeat(64)});
    let slot = raw.ok("attachments.create_upload", announced);
    let down = folder.path().join("down.txt");
    let params = json!({"attachment_id": slot["attachment_id"], "path": down});
    let error = raw.refused(-32001, "attachments.download", params);
    assert_eq!(
        error["data"]["code"], "STORAGE_UNAVAILABLE",
        "no bytes went up"
    );
    assert_eq!(names(folder.path()), ["a.txt"]);
}

#[test]
fn a_file_that_is_there_is_never_replaced() {
    let stage = stage();
    let daemon = stage.ready();
    let (folder, path) = file("a.txt", b"mine");
    let up = upload(&stage, &daemon, &path);
    let mut raw = stage.connect(&daemon);
    for (path, reason) in [
        (path.clone(), "already"),
        (folder.path().to_owned(), "already"),
        (folder.path().join("no/a.txt"), "nothing can be written"),
    ] {
        let params = json!({"attachment_id": up["attachment_id"], "path": path});
        let error = raw.refused(-32602, "attachments.download", params);
        assert_eq!(error["data"]["path"], "/path");
        assert!(
            error["message"].as_str().unwrap().contains(reason),
            "{error}"
        );
    }
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
    assert_eq!(names(folder.path()), ["a.txt"]);
}

#[test]
fn a_file_that_changes_on_its_way_never_arrives_whole() {
    let stage = stage();
    let daemon = stage.ready();
    let content = bytes(20 << 20);
    let (_folder, path) = file("a.csv", &content);
    let pause = Duration::from_millis(20);
    let piece = 0;
    storage(
        &stage,
        [StorageFault::Slow {
            bytes: piece,
            pause,
        }],
    );
    let mut raw = stage.connect(&daemon);
    let params = json!({"path": path, "to": "bob"});
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "attachments.upload",
        "params": params});
    raw.tell(&request.to_string());
    stage.seen_from(0, |event| {
        matches!(event, agentchatd_tests::sandbox::Event::Http { path, .. } if path == "/v1/uploads")
    });
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    std::os::unix::fs::FileExt::write_at(&file, b"other", (20 << 20) - 5).unwrap();
    let answer = raw.hear();
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
    assert_eq!(answer["error"]["data"]["path"], "/path");
    let text = answer["error"]["message"].as_str().unwrap();
    assert!(text.contains("changed"), "{text}");
}

#[test]
fn a_platform_that_redirects_to_itself_gets_no_key_with_it() {
    let stage = stage();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let other = runtime.block_on(Sandbox::start(Options::modern())).unwrap();
    let daemon = stage.ready();
    let (folder, path) = file("a.txt", b"x");
    let up = upload(&stage, &daemon, &path);
    storage(
        &stage,
        [StorageFault::Redirect(format!("{}/x", other.base_url()))],
    );
    let params = json!({"attachment_id": up["attachment_id"], "path": folder.path().join("b")});
    let error = stage
        .connect(&daemon)
        .refused(-32001, "attachments.download", params);
    assert_eq!(error["data"]["status"], 307);
    assert!(other.journal().entries().is_empty(), "nobody came there");
}
