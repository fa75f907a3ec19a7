//! Where the key comes from, and where it never goes.

use crate::{ended, said, stage};
use agentchatd_tests::sandbox::{HttpFault, HttpRule};
use agentchatd_tests::stage::Stage;
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Whether any file below `dir` but the key's own holds these bytes.
fn holds(dir: &Path, bytes: &[u8], but: &Path) -> Option<String> {
    for entry in fs::read_dir(dir).expect("the folder is there") {
        let path = entry.expect("its entries are readable").path();
        if path == but {
            continue;
        }
        if path.is_dir() {
            if let Some(found) = holds(&path, bytes, but) {
                return Some(found);
            }
        } else if path.is_file()
            && fs::read(&path)
                .expect("a file of ours")
                .windows(bytes.len())
                .any(|window| window == bytes)
        {
            return Some(path.display().to_string());
        }
    }
    None
}

/// Makes the daemon say and store as much as it can, then looks for the key everywhere.
fn leaks(stage: &Stage, secret: &str) -> Option<String> {
    let mut daemon = stage.start();
    daemon
        .status_until(|status| {
            let state = &status["connection"]["state"];
            *state == "ready" || *state == "parked"
        })
        .expect("it connects, or parks");
    let mut raw = stage.connect(&daemon);
    for fault in [
        HttpFault::DropBefore,
        HttpFault::Html(502),
        HttpFault::error(400, "ODD"),
    ] {
        stage
            .sandbox
            .faults(|faults| faults.http.push(HttpRule::next("GET /v1/agents/me", fault)));
    }
    let mut told = String::new();
    for (method, params) in [
        ("agents.me", json!({})),
        ("agents.me", json!({})),
        (
            "messages.send",
            json!({"to": "bob", "text": "x", "timeout_ms": 1000}),
        ),
        (
            "messages.send",
            json!({"to": "nobody", "text": "x", "timeout_ms": 1000}),
        ),
        ("messages.list", json!({"conversation_id": "conv_none"})),
        ("sync.drain", json!({})),
        ("outbox.list", json!({})),
        ("daemon.status", json!({})),
        ("daemon.health", json!({})),
    ] {
        told.push_str(&raw.call(method, &params).expect("an answer").to_string());
    }
    stage.bob_says("hi");
    told.push_str(&Value::from(stage.log(&daemon)).to_string());
    if told.contains(secret) {
        return Some(told);
    }
    let before = holds(&stage.setup.dir, secret.as_bytes(), &stage.setup.key_file());
    daemon.stop().expect("it stops");
    before.or_else(|| holds(&stage.setup.dir, secret.as_bytes(), &stage.setup.key_file()))
}

#[test]
fn the_key_stands_in_no_answer_no_log_and_no_file() {
    for format in ["human", "json"] {
        let mut stage = stage();
        stage.env("AGENTCHATD_LOG_LEVEL", "trace");
        stage.env("AGENTCHATD_LOG_FORMAT", format);
        let key = stage.setup.key.clone();
        assert_eq!(leaks(&stage, &key), None);
        assert!(!stage.log_text().is_empty());
    }
}

#[test]
fn a_refused_key_stands_nowhere_either() {
    let mut stage = stage();
    stage.env("AGENTCHATD_LOG_LEVEL", "trace");
    stage.setup.key = "ac_refused_0123456789abcdef".into();
    assert_eq!(leaks(&stage, "ac_refused_0123456789abcdef"), None);
}

#[test]
fn a_key_file_that_others_can_read_is_refused_with_file_and_mode() {
    let mut stage = stage();
    let file = stage.setup.dir.join("open-key");
    fs::create_dir_all(&stage.setup.dir).unwrap();
    fs::write(&file, &stage.setup.key).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    stage.setup.key = String::new();
    stage.env("AGENTCHATD_AGENT_API_KEY_FILE", file.to_str().unwrap());
    let output = ended(&stage, &["--check-config"]);
    assert_eq!(output.status.code(), Some(78), "{}", said(&output));
    let is_told = |text: &str| text.contains(file.to_str().unwrap()) && text.contains("644");
    assert!(is_told(&said(&output)), "{}", said(&output));
    let daemon = stage.start();
    // The socket serves a moment before the key is looked for.
    let status = daemon
        .status_until(|status| status["connection"]["state"] == "parked")
        .unwrap();
    let reason = status["connection"]["reason"].as_str().unwrap();
    assert!(is_told(reason), "{reason}");
    assert_eq!(
        stage.connect(&daemon).ok("daemon.health", json!({}))["verdict"],
        "parked"
    );
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    crate::signal(&daemon, "HUP");
    stage.settle(&daemon);
}

#[test]
fn the_key_is_taken_from_the_environment_or_the_state_dir_too() {
    let mut stage = stage();
    let key = std::mem::take(&mut stage.setup.key);
    stage.env("AGENTCHAT_API_KEY", &key);
    let mut daemon = stage.ready();
    assert!(daemon.stop().unwrap().success());
    stage
        .setup
        .env
        .retain(|(name, _)| name != "AGENTCHAT_API_KEY");
    let saved = stage.setup.dir.join("state/credentials.toml");
    fs::write(&saved, format!("api_key = \"{key}\"\n")).unwrap();
    fs::set_permissions(&saved, Permissions::from_mode(0o600)).unwrap();
    stage.ready();
}

#[test]
fn pitfall_42_another_agents_key_under_a_state_dir_is_refused_and_nothing_is_done_in_its_name() {
    let mut stage = stage();
    let mut daemon = stage.ready();
    stage.bob_says("for dora");
    stage.log_is_whole(&daemon);
    assert!(daemon.stop().unwrap().success());
    stage.setup.key = stage.sandbox.agent("ann").key().to_owned();
    stage.sandbox.send(
        "bob",
        agentchatd_tests::sandbox::To::Handle("ann"),
        "for ann",
    );
    let before = stage.sandbox.journal().len();
    let daemon = stage.start();
    let parked = daemon
        .status_until(|status| status["connection"]["state"] == "parked")
        .unwrap();
    assert_eq!(parked["connection"]["reason"], "other_agent", "{parked}");
    let warnings = parked["warnings"].to_string();
    assert!(
        warnings.contains("ann") && warnings.contains("dora"),
        "{warnings}"
    );
    let mut raw = stage.connect(&daemon);
    let send = json!({"to": "bob", "text": "as whom?"});
    let error = raw.call("messages.send", &send).unwrap()["error"].clone();
    assert_eq!(error["data"]["state"], "queued", "{error}");
    assert_eq!(stage.log(&daemon).len(), 1);
    let entries = stage.sandbox.journal().entries_from(before);
    let touched = |event: &agentchatd_tests::sandbox::Event| {
        use agentchatd_tests::sandbox::Event;
        match event {
            Event::Http { path, .. } => path != "/v1/agents/me",
            Event::Ready { .. } | Event::AckFrame { .. } | Event::AckCursor { .. } => true,
            _ => false,
        }
    };
    let done: Vec<_> = entries
        .iter()
        .filter(|entry| touched(&entry.event))
        .collect();
    assert!(done.is_empty(), "{done:?}");
    assert_eq!(stage.sandbox.rows_by_state("ann")["stored"], 1);
}
