//! Attachments and pictures with the real daemon: up and down by path, as base64 and over HTTP,
//! through every fault of the storage host (`local-api.md` 5, 6; `wire.md` 1.5, 9).

#[path = "attachments/avatars.rs"]
mod avatars;
#[path = "attachments/faults.rs"]
mod faults;
#[path = "attachments/http.rs"]
mod http;
#[path = "attachments/memory.rs"]
mod memory;
#[path = "attachments/paths.rs"]
mod paths;

use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::sandbox::{Event, StorageFault};
use agentchatd_tests::stage::Stage;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A platform and the settings of the program under test.
fn stage() -> Stage {
    Stage::new(env!("CARGO_BIN_EXE_agentchatd"))
}

/// A folder with a file of this name and these bytes.
fn file(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("a file");
    (folder, path)
}

/// Bytes that do not repeat themselves at once.
fn bytes(count: usize) -> Vec<u8> {
    (0..count as u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect()
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

/// What the next requests of the storage host meet, one each.
fn storage(stage: &Stage, faults: impl IntoIterator<Item = StorageFault>) {
    stage
        .sandbox
        .faults(|all| all.storage = faults.into_iter().collect());
}

/// Uploads a file by its path for bob; the answer.
fn upload(stage: &Stage, daemon: &Daemon, path: &Path) -> Value {
    let params = json!({"path": path, "to": "@bob"});
    stage.connect(daemon).ok("attachments.upload", params)
}

/// How many announcements the platform has answered.
fn announcements(stage: &Stage) -> usize {
    stage.requests("POST", "/v1/uploads")
}

/// Every request of the storage host came without the key, whatever the header.
fn no_key_at_the_storage(stage: &Stage) {
    let key = stage.setup.key.as_str();
    let mut seen = 0;
    for entry in stage.sandbox.journal().entries() {
        let Event::Storage {
            target, headers, ..
        } = entry.event
        else {
            continue;
        };
        seen += 1;
        assert!(!target.contains(key));
        for (name, value) in headers {
            let ours = name == "authorization" || name.starts_with("x-agentchat");
            assert!(!ours && !value.contains(key), "{name}: {value}");
        }
    }
    assert!(seen > 0, "the storage was asked");
}
