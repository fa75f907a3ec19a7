//! A file of the largest size through a daemon whose memory does not grow with it.

use crate::{bytes, no_key_at_the_storage, stage, upload};
use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::stage::Stage;
use serde_json::json;
use std::path::Path;

/// The most that AgentChat takes.
const LARGE: usize = 26_214_400;
/// Enough that buffers which follow the pace of a stream have their size before the measurement.
const SMALL: usize = 1_000_000;
/// How much the daemon may grow meanwhile.
const GROWTH_KIB: u64 = 2 << 10;

/// A figure of the daemon's process, in KiB.
fn figure(daemon: &Daemon, name: &str) -> u64 {
    let path = format!("/proc/{}/status", daemon.pid());
    let status = std::fs::read_to_string(path).expect("the process is there");
    let line = status.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_whitespace().nth(1))
        .and_then(|number| number.parse().ok())
        .unwrap_or_else(|| panic!("no {name} in {status}"))
}

/// Runs the work and holds the peak of the daemon's memory against what it was before.
fn grows_little(daemon: &Daemon, what: &str, work: impl FnOnce()) {
    // The peak begins anew.
    let path = format!("/proc/{}/clear_refs", daemon.pid());
    std::fs::write(path, "5").expect("the peak can be set back");
    let before = figure(daemon, "VmRSS");
    work();
    let peak = figure(daemon, "VmHWM");
    let growth = peak.saturating_sub(before);
    assert!(growth < GROWTH_KIB, "{what}: {growth} KiB above {before}");
}

fn by_path(stage: &Stage, daemon: &Daemon, folder: &Path, content: &[u8]) {
    let path = folder.join("large.csv");
    std::fs::write(&path, content).expect("a file");
    let up = upload(stage, daemon, &path);
    std::fs::remove_file(&path).expect("it is there");
    let params = json!({"attachment_id": up["attachment_id"], "path": path});
    let down = stage.connect(daemon).ok("attachments.download", params);
    assert_eq!(down["size"], content.len());
    assert!(std::fs::read(&path).expect("it is there") == content);
    std::fs::remove_file(&path).expect("it is there");
}

fn by_http(daemon: &Daemon, content: &[u8]) {
    let mut http = daemon.http().expect("it listens");
    let target = "/attachments?filename=large.csv&to=bob";
    let reply = http.call("PUT", target, &[], content).expect("an answer");
    assert_eq!(reply.status(), 201, "{:?}", reply.json());
    let id = reply.json()["attachment_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let reply = http
        .fetch(&format!("/attachments/{id}"))
        .expect("an answer");
    assert_eq!(reply.status(), 200);
    assert!(reply.body == content);
}

#[test]
fn the_largest_file_makes_the_daemon_no_larger() {
    let stage = stage();
    let daemon = stage.ready();
    let folder = tempfile::tempdir().expect("a folder");
    let (small, large) = (bytes(SMALL), bytes(LARGE));
    for _ in 0..2 {
        by_path(&stage, &daemon, folder.path(), &small);
        by_http(&daemon, &small);
    }
    grows_little(&daemon, "by path", || {
        by_path(&stage, &daemon, folder.path(), &large);
    });
    grows_little(&daemon, "over HTTP", || by_http(&daemon, &large));
    no_key_at_the_storage(&stage);
}
