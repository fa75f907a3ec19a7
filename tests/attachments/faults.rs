//! Each fault of the storage host: a clear error, and nothing left behind.

use crate::{bytes, file, names, no_key_at_the_storage, stage, storage, upload};
use agentchatd_tests::sandbox::StorageFault;
use serde_json::{Value, json};
use std::time::Duration;

/// A fault, the code of the error, and a part of its words.
fn downs() -> Vec<(StorageFault, i64, &'static str)> {
    vec![
        (StorageFault::Status(503), -32001, "503"),
        (
            StorageFault::Status(403),
            -32001,
            "the file storage answered 403",
        ),
        (StorageFault::Cut, -32002, "file storage"),
        (
            StorageFault::WrongSize,
            -32002,
            "99999 bytes came, not the 100000",
        ),
        (StorageFault::Corrupt, -32002, "another SHA-256"),
        (
            StorageFault::Redirect("http://127.0.0.1:1/".into()),
            -32001,
            "redirect",
        ),
        (StorageFault::Hang, -32002, "the time ran out"),
    ]
}

#[test]
fn a_download_that_fails_tells_why_and_leaves_nothing() {
    let stage = stage();
    let daemon = stage.ready();
    let (folder, path) = file("a.csv", &bytes(100_000));
    let up = upload(&stage, &daemon, &path);
    let mut raw = stage.connect(&daemon);
    let down = folder.path().join("down.csv");
    for (fault, code, words) in downs() {
        storage(&stage, [fault.clone()]);
        let params = json!({"attachment_id": up["attachment_id"], "path": down,
            "timeout_ms": 2_000});
        let error = raw.refused(code, "attachments.download", params);
        let said = error["message"].as_str().unwrap();
        assert!(said.contains(words), "{fault:?}: {error}");
        assert_eq!(names(folder.path()), ["a.csv"], "{fault:?}");
    }
    no_key_at_the_storage(&stage);
}

#[test]
fn a_hash_that_the_caller_knows_is_held_against_the_bytes() {
    let stage = stage();
    let mut daemon = stage.ready();
    let (folder, path) = file("a.csv", b"abc");
    let up = upload(&stage, &daemon, &path);
    daemon.stop().unwrap();
    // What the daemon itself knew is gone with it.
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let id = up["attachment_id"].as_str().unwrap();
    assert!(stage.sandbox.replace_file(id, b"abd".to_vec()));
    let down = |name: &str, sha256: Value| json!({"attachment_id": id, "path": folder.path().join(name), "sha256": sha256});
    let error = raw.refused(
        -32002,
        "attachments.download",
        down("b", up["sha256"].clone()),
    );
    assert!(
        error["message"].as_str().unwrap().contains("SHA-256"),
        "{error}"
    );
    raw.ok("attachments.download", down("c", Value::Null));
    assert!(!folder.path().join("b").exists());
    assert_eq!(std::fs::read(folder.path().join("c")).unwrap(), b"abd");
}

#[test]
fn an_upload_that_fails_tells_why_and_one_that_only_stumbles_arrives() {
    let mut stage = stage();
    stage.env("AGENTCHATD_HTTP_MAX_RETRIES", "2");
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let (_folder, path) = file("a.csv", &bytes(100_000));
    for (fault, code, words) in [
        (StorageFault::Status(503), -32001, "503"),
        (
            StorageFault::Status(403),
            -32001,
            "the file storage answered 403",
        ),
        (StorageFault::Cut, -32002, "file storage"),
        (
            StorageFault::Redirect("http://127.0.0.1:1/".into()),
            -32001,
            "redirect",
        ),
        (StorageFault::Hang, -32002, "the time ran out"),
    ] {
        storage(&stage, vec![fault.clone(); 3]);
        let params = json!({"path": path, "to": "bob", "timeout_ms": 2_000});
        let error = raw.refused(code, "attachments.upload", params);
        let said = error["message"].as_str().unwrap();
        assert!(said.contains(words), "{fault:?}: {error}");
    }
    storage(&stage, [StorageFault::Status(503), StorageFault::Cut]);
    let up = upload(&stage, &daemon, &path);
    let stored = stage
        .sandbox
        .stored_file(up["attachment_id"].as_str().unwrap());
    assert_eq!(stored.unwrap(), bytes(100_000));
    no_key_at_the_storage(&stage);
}

#[test]
fn a_slow_storage_is_waited_for_as_long_as_it_moves() {
    let stage = stage();
    let daemon = stage.ready();
    let (folder, path) = file("a.csv", &bytes(100_000));
    let pause = Duration::from_millis(20);
    let piece = 10_000;
    storage(
        &stage,
        vec![
            StorageFault::Slow {
                bytes: piece,
                pause
            };
            2
        ],
    );
    let up = upload(&stage, &daemon, &path);
    let params = json!({"attachment_id": up["attachment_id"], "path": folder.path().join("b")});
    let answer = stage.connect(&daemon).ok("attachments.download", params);
    assert_eq!(answer["size"], 100_000);
}
