//! Keys that do not come, that are not to be kept, or that are another's.

use crate::{CODE, begun, is_current, read, stage};
use agentchatd_tests::raw::Raw;
use agentchatd_tests::sandbox::{HttpFault, HttpRule};
use agentchatd_tests::stage::Stage;
use serde_json::{Value, json};
use std::time::Duration;

/// The code of an error of the platform.
fn told(error: &Value) -> &str {
    error["data"]["code"]
        .as_str()
        .expect("the platform says why")
}

fn is_untouched(stage: &Stage, status: &Value) {
    assert_eq!(status["connection"]["state"], "ready", "{status}");
    assert_eq!(status["connection"]["connected_total"], 1, "{status}");
    assert_eq!(read(&stage.setup.key_file()), stage.setup.key);
    assert!(!stage.setup.dir.join("state/credentials.toml").exists());
}

#[test]
fn wrong_and_late_codes_are_told_and_change_nothing() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let mut proof = begun(&mut raw);
    proof["code"] = json!("000000");
    for attempt in 1..=5 {
        let error = raw.refused(-32001, "agents.rotate_key_verify", proof.clone());
        let expected = match attempt {
            5 => "OTP_ATTEMPTS_EXHAUSTED",
            _ => "INVALID_CODE",
        };
        assert_eq!(told(&error), expected);
    }
    let error = raw.refused(-32001, "agents.rotate_key_verify", proof.clone());
    assert_eq!(
        (told(&error), &error["data"]["class"]),
        ("EXPIRED", &json!("AgentChatError"))
    );
    proof["code"] = json!("12345");
    let error = raw.refused(-32001, "agents.rotate_key_verify", proof);
    assert_eq!(told(&error), "VALIDATION_ERROR");
    let proof = begun(&mut raw);
    stage.sandbox.pass_time(Duration::from_secs(601));
    let error = raw.refused(-32001, "agents.rotate_key_verify", proof);
    assert_eq!(told(&error), "EXPIRED");
    let unknown = json!({"pending_id": "pnd_none", "code": CODE});
    for method in ["agents.recover_verify", "agents.rotate_key_verify"] {
        assert_eq!(
            told(&raw.refused(-32001, method, unknown.clone())),
            "EXPIRED"
        );
    }
    is_untouched(&stage, &raw.ok("daemon.status", json!({})));
    // A refusal that has nothing to do with a rotation is one again.
    stage
        .sandbox
        .rotate_key("dora", "ac_by_somebody_else_entirely");
    daemon
        .status_until(|status| status["connection"]["state"] == "parked")
        .unwrap();
}

#[test]
fn another_agents_handle_is_refused_by_the_platform() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let error = raw.refused(-32001, "agents.rotate_key", json!({"handle": "@ann"}));
    assert_eq!(error["data"]["status"], 403, "{error}");
    let mut proof = begun(&mut raw);
    proof["handle"] = json!("ann");
    let error = raw.refused(-32001, "agents.rotate_key_verify", proof);
    assert_eq!(error["data"]["status"], 403, "{error}");
    is_untouched(&stage, &raw.ok("daemon.status", json!({})));
}

#[test]
fn a_key_for_another_handle_is_refused_by_name_before_anything_is_asked() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let asked = json!({"email": "ann@example.test", "handle": "@Ann"});
    let begun = raw.ok("agents.recover", asked);
    let mut proof = json!({"pending_id": begun["pending_id"], "code": CODE});
    let error = raw.refused(-32602, "agents.recover_verify", proof.clone());
    assert_eq!(error["data"]["path"], "/save");
    let text = error["message"].as_str().unwrap();
    assert!(text.contains("@ann") && text.contains("@dora"), "{text}");
    assert_eq!(stage.requests("POST", "/v1/agents/recover/verify"), 0);
    proof["save"] = json!(false);
    let recovered = raw.ok("agents.recover_verify", proof);
    assert!(is_current(&stage, "ann", &recovered["api_key"]));
    is_untouched(&stage, &raw.ok("daemon.status", json!({})));
}

/// Recovers the key of the agent with this address; the parameters of the second step.
fn recovering(raw: &mut Raw, handle: &str) -> Value {
    let asked = json!({"email": format!("{handle}@example.test")});
    let begun = raw.ok("agents.recover", asked);
    json!({"pending_id": begun["pending_id"], "code": CODE})
}

#[test]
fn a_recovery_writes_over_no_key_of_which_nobody_knows_whose_it_is() {
    let stage = stage();
    stage.sandbox.faults(|faults| {
        faults.http.push(HttpRule {
            route: "GET /v1/agents/me".to_owned(),
            skip: 0,
            times: None,
            what: HttpFault::error(500, "INTERNAL_ERROR"),
        });
    });
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    let mut proof = recovering(&mut raw, "ann");
    let error = raw.refused(-32602, "agents.recover_verify", proof.clone());
    assert_eq!(error["data"]["path"], "/save");
    let text = error["message"].as_str().unwrap();
    assert!(text.contains("save: false"), "{text}");
    assert_eq!(stage.requests("POST", "/v1/agents/recover/verify"), 0);
    assert_eq!(read(&stage.setup.key_file()), stage.setup.key);
    assert!(is_current(&stage, "dora", &json!(stage.setup.key)));
    // As soon as AgentChat says whose key it is, that counts.
    stage.sandbox.faults(|faults| faults.http.clear());
    let answer = raw.ok("agents.recover_verify", proof.clone());
    assert_eq!(answer["saved"], false, "{answer}");
    assert!(answer["not_saved"].as_str().unwrap().contains("@dora"));
    assert_eq!(read(&stage.setup.key_file()), stage.setup.key);
    // And who takes the key alone is asked for nothing.
    proof = recovering(&mut raw, "ann");
    proof["save"] = json!(false);
    assert!(is_current(
        &stage,
        "ann",
        &raw.ok("agents.recover_verify", proof)["api_key"]
    ));
}

#[test]
fn a_dead_key_of_which_nobody_knows_whose_it_was_is_replaced() {
    let stage = stage();
    stage
        .sandbox
        .rotate_key("dora", "ac_before_the_first_start");
    let daemon = stage.start();
    daemon
        .status_until(|status| status["connection"]["state"] == "parked")
        .unwrap();
    let mut raw = stage.connect(&daemon);
    let proof = recovering(&mut raw, "dora");
    let answer = raw.ok("agents.recover_verify", proof);
    assert_eq!(answer["saved"], true, "{answer}");
    stage.settle(&daemon);
}

#[test]
fn a_rotation_asks_for_the_own_handle_where_it_is_not_known_yet() {
    let stage = stage();
    stage.sandbox.faults(|faults| {
        faults.http.push(HttpRule {
            route: "GET /v1/agents/me".to_owned(),
            skip: 0,
            times: Some(4),
            what: HttpFault::error(500, "INTERNAL_ERROR"),
        });
    });
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    let begun = raw.ok("agents.rotate_key", json!({}));
    assert!(begun["pending_id"].is_string(), "{begun}");
}

#[test]
fn a_key_that_turns_out_to_be_anothers_is_in_the_answer_and_not_kept() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let begun = raw.ok("agents.recover", json!({"email": "ann@example.test"}));
    let proof = json!({"pending_id": begun["pending_id"], "code": CODE});
    let recovered = raw.ok("agents.recover_verify", proof);
    assert_eq!(recovered["saved"], false, "{recovered}");
    let text = recovered["not_saved"].as_str().unwrap();
    assert!(text.contains("@ann") && text.contains("@dora"), "{text}");
    assert!(is_current(&stage, "ann", &recovered["api_key"]));
    is_untouched(&stage, &raw.ok("daemon.status", json!({})));
}

#[test]
fn a_key_that_is_not_to_be_saved_leaves_the_daemon_parked_with_the_reason() {
    for method in ["agents.rotate_key_verify", "agents.recover_verify"] {
        let mut stage = stage();
        let daemon = stage.ready();
        let mut raw = stage.connect(&daemon);
        let mut proof = if method == "agents.recover_verify" {
            let begun = raw.ok("agents.recover", json!({"email": "dora@example.test"}));
            json!({"pending_id": begun["pending_id"], "code": CODE})
        } else {
            begun(&mut raw)
        };
        proof["save"] = json!(false);
        let answer = raw.ok(method, proof);
        assert_eq!(answer["saved"], false);
        assert!(is_current(&stage, "dora", &answer["api_key"]));
        assert_eq!(read(&stage.setup.key_file()), stage.setup.key);
        let parked = daemon
            .status_until(|status| status["connection"]["state"] == "parked")
            .unwrap();
        let reason = parked["connection"]["reason"].as_str().unwrap();
        assert!(reason.contains("`save` was false"), "{reason}");
        // Sends wait for the key, which the caller puts where the daemon looks for it.
        let queued = json!({"to": "bob", "text": "later", "delivery": "queue"});
        raw.ok("messages.send", queued);
        stage.setup.key = answer["api_key"].as_str().unwrap().to_owned();
        stage.setup.write_key().unwrap();
        crate::signal(&daemon, "HUP");
        stage.settle(&daemon);
        stage.logged(&daemon, |event| event["type"] == "message.sent");
    }
}
