//! The first key, and the loss of one.

use crate::{CODE, goes_over, is_current, read, rotate, stage, watcher, without_key};
use agentchatd_tests::raw::Raw;
use agentchatd_tests::sandbox::{Event, To};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;

/// The parameters of the second step of a registration that was just begun.
fn registering(raw: &mut Raw, handle: &str) -> Value {
    let asked = json!({
        "email": format!("{handle}@example.org"),
        "handle": format!("@{handle}"),
        "display_name": "Somebody",
    });
    let begun = raw.ok("agents.register", asked);
    json!({"pending_id": begun["pending_id"], "code": CODE})
}

#[test]
fn a_daemon_without_a_key_registers_an_agent_and_is_connected_as_it() {
    let stage = without_key();
    let mut daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    let status = raw.ok("daemon.status", json!({}));
    assert_eq!(status["connection"]["reason"], "not_configured");
    raw.refused(-32003, "agents.rotate_key", json!({}));
    let proof = registering(&mut raw, "eve");
    let verified = raw.ok("agents.verify", proof);
    assert_eq!(verified["saved"], true, "{verified}");
    assert_eq!(verified["agent"]["handle"], "eve");
    assert!(verified.get("not_saved").is_none());
    assert!(is_current(&stage, "eve", &verified["api_key"]));
    let file = stage.setup.dir.join("state/credentials.toml");
    assert!(read(&file).contains(verified["api_key"].as_str().unwrap()));
    let mode = file.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);

    stage.settle(&daemon);
    let sent = raw.ok("messages.send", json!({"to": "bob", "text": "it is me"}));
    assert_eq!(sent["message"]["sender"], "eve");
    let heard = stage.sandbox.send("bob", To::Handle("eve"), "welcome");
    stage.logged(&daemon, |event| event["message_id"] == heard.id);
    assert!(daemon.stop().unwrap().success());
    let daemon = stage.ready();
    let status = stage.connect(&daemon).ok("daemon.status", json!({}));
    assert_eq!(status["agent"]["handle"], "eve");
}

#[test]
fn whoever_comes_before_the_key_is_read_waits_for_it_and_is_not_refused() {
    let stage = stage();
    let mut slow = stage.setup.faulty().expect("it builds");
    // The reading alone takes longer; the socket is there before.
    let step = ("FAILPOINTS".into(), "key-looked-for=1*sleep(1500)".into());
    slow.env.push(step);
    let daemon = slow.start().expect("it starts");
    let mut raw = stage.connect(&daemon);
    let send = json!({"to": "bob", "text": "early", "delivery": "queue"});
    let taken = raw.ok("messages.send", send);
    assert_eq!(taken["queued"], true, "{taken}");
}

#[test]
fn a_registration_under_a_state_dir_that_is_an_agents_is_refused_before_it_is_asked_for() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let mut proof = registering(&mut raw, "eve");
    let error = raw.refused(-32602, "agents.verify", proof.clone());
    assert_eq!(error["data"]["path"], "/save");
    let text = error["message"].as_str().unwrap();
    assert!(
        text.contains("@dora") && text.contains("--state-dir"),
        "{text}"
    );
    assert_eq!(stage.requests("POST", "/v1/register/verify"), 0);
    // Who wants the key alone gets it, and the daemon stays who it is.
    proof["save"] = json!(false);
    let verified = raw.ok("agents.verify", proof);
    assert_eq!(verified["saved"], false);
    assert!(is_current(&stage, "eve", &verified["api_key"]));
    let status = raw.ok("daemon.status", json!({}));
    assert_eq!(status["connection"]["state"], "ready");
    assert_eq!(status["agent"]["handle"], "dora");
    assert_eq!(read(&stage.setup.key_file()), stage.setup.key);
}

#[test]
fn a_key_that_is_not_to_be_saved_leaves_a_daemon_without_one_as_it_was() {
    let stage = without_key();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    let mut proof = registering(&mut raw, "eve");
    proof["save"] = json!(false);
    let verified = raw.ok("agents.verify", proof);
    assert_eq!(verified["saved"], false);
    assert!(verified["not_saved"].is_string());
    let status = raw.ok("daemon.status", json!({}));
    assert_eq!(status["connection"]["reason"], "not_configured");
    assert!(!stage.setup.dir.join("state/credentials.toml").exists());
}

#[test]
fn registration_and_recovery_go_out_without_the_key() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let before = stage.sandbox.journal().len();
    registering(&mut raw, "eve");
    raw.ok("agents.recover", json!({"email": "ann@example.test"}));
    let entries = stage.sandbox.journal().entries_from(before);
    let keyless = entries.iter().filter(|entry| match &entry.event {
        Event::Http { path, agent, .. } => {
            let is_open = path == "/v1/register" || path == "/v1/agents/recover";
            assert!(!is_open || agent.is_none(), "{entry:?}");
            is_open
        }
        _ => false,
    });
    assert_eq!(keyless.count(), 2);
}

#[test]
fn a_recovery_brings_a_daemon_back_whose_key_died() {
    let stage = stage();
    let mut daemon = stage.ready();
    stage
        .sandbox
        .rotate_key("dora", "ac_somebody_else_rotated_it");
    daemon
        .status_until(|status| status["connection"]["state"] == "parked")
        .unwrap();
    let mut raw = stage.connect(&daemon);
    let asked = json!({"email": "dora@example.test", "handle": "@Dora", "timeout_ms": 5000});
    let begun = raw.ok("agents.recover", asked);
    let proof = json!({"pending_id": begun["pending_id"], "code": CODE});
    let recovered = raw.ok("agents.recover_verify", proof);
    assert_eq!(recovered["saved"], true, "{recovered}");
    stage.settle(&daemon);
    let key = recovered["api_key"].as_str().unwrap();
    assert_eq!(read(&stage.setup.key_file()).trim_end(), key);
    stage.bob_says("after all");
    stage.log_is_whole(&daemon);
    daemon.stop().unwrap();
}

#[test]
fn a_recovery_with_an_open_socket_parks_nothing() {
    let stage = stage();
    let daemon = stage.ready();
    let mut watcher = watcher(&stage, &daemon);
    let mut raw = stage.connect(&daemon);
    let begun = raw.ok("agents.recover", json!({"email": "dora@example.test"}));
    let proof = json!({"pending_id": begun["pending_id"], "code": CODE});
    let recovered = raw.ok("agents.recover_verify", proof);
    assert_eq!(
        (&recovered["saved"], &recovered["handle"]),
        (&json!(true), &json!("dora"))
    );
    goes_over(&mut watcher);
    assert!(is_current(&stage, "dora", &recovered["api_key"]));
    // And what came by a recovery can be rotated.
    rotate(&mut raw);
    goes_over(&mut watcher);
}
