//! New keys stand in their answer and in their file, and nowhere else; what leads to one, in no log.

use crate::{CODE, rotate, without_key};
use serde_json::json;
use std::fs;
use std::path::Path;

/// The files below `dir` that hold these bytes.
fn holders(dir: &Path, bytes: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("the folder is there") {
        let path = entry.expect("its entries are readable").path();
        if path.is_dir() {
            found.extend(holders(&path, bytes));
        } else if path.is_file() {
            let text = fs::read(&path).expect("a file of ours");
            let holds = text
                .windows(bytes.len())
                .any(|part| part == bytes.as_bytes());
            if holds {
                found.push(
                    path.file_name()
                        .expect("it has a name")
                        .to_string_lossy()
                        .into_owned(),
                );
            }
        }
    }
    found
}

#[test]
fn new_keys_stand_in_no_log_no_event_and_no_file_but_their_own() {
    for (level, format) in [("trace", "human"), ("trace", "json"), ("info", "human")] {
        let mut stage = without_key();
        stage.env("AGENTCHATD_LOG_LEVEL", level);
        stage.env("AGENTCHATD_LOG_FORMAT", format);
        let mut daemon = stage.start();
        let mut raw = stage.connect(&daemon);
        let asked = json!({"email": "dora@example.test", "handle": "dorothy"});
        let begun = raw.ok("agents.register", asked);
        let proof = json!({"pending_id": begun["pending_id"], "code": CODE});
        let first = raw.ok("agents.verify", proof);
        stage.settle(&daemon);
        raw.refused(
            -32001,
            "agents.rotate_key_verify",
            json!({"pending_id": "pnd_none", "code": CODE}),
        );
        let second = rotate(&mut raw);
        stage.settle(&daemon);
        let third = rotate(&mut raw);
        stage.settle(&daemon);
        let mut told = String::new();
        for (method, params) in [
            ("daemon.status", json!({})),
            ("daemon.health", json!({})),
            ("agents.me", json!({})),
            ("events.fetch", json!({})),
            ("outbox.list", json!({})),
        ] {
            told.push_str(&raw.ok(method, params).to_string());
        }
        daemon.stop().unwrap();
        let log = stage.log_text();
        assert!(log.contains("a new API key was kept"), "{log}");
        let keys = [&first, &second, &third].map(|answer| answer["api_key"].as_str().unwrap());
        for key in keys {
            assert!(
                !told.contains(key) && !log.contains(key),
                "{level} {format}"
            );
            let expected: &[&str] = if key == keys[2] {
                &["credentials.toml"]
            } else {
                &[]
            };
            assert_eq!(holders(&stage.setup.dir, key), expected);
        }
        if level == "info" {
            let pending = begun["pending_id"].as_str().unwrap();
            assert!(!log.contains(pending) && !log.contains(CODE), "{log}");
        }
    }
}
