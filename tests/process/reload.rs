//! `daemon.reload` and `daemon.set_log_level`: what SIGHUP does, with an answer.

use crate::stage;
use agentchatd_tests::raw::Raw;
use agentchatd_tests::sandbox::AccountStatus;
use agentchatd_tests::stage::Stage;
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

/// A stage whose daemon reads a configuration file with this text.
fn configured(text: &str) -> Stage {
    let mut stage = stage();
    let file = stage.setup.dir.join("agentchatd.toml");
    stage.env("AGENTCHATD_CONFIG", file.to_str().expect("a plain path"));
    fs::create_dir_all(&stage.setup.dir).expect("the folder can be made");
    write(&stage, text);
    stage
}

fn write(stage: &Stage, text: &str) {
    fs::write(stage.setup.dir.join("agentchatd.toml"), text).expect("it can be written");
}

fn reload(raw: &mut Raw) -> Value {
    raw.ok("daemon.reload", json!({}))
}

#[test]
fn a_reload_tells_what_counts_now_and_what_waits_for_a_restart() {
    let stage = configured("[log]\nlevel = \"info\"\n");
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let path = stage.setup.dir.join("agentchatd.toml");
    let mut untouched = reload(&mut raw);
    // Depends on the groups of the machine.
    assert!(untouched["warnings"].take().is_array());
    assert_eq!(
        untouched,
        json!({
            "config_path": path, "changed": [], "needs_restart": [], "log_level": "info",
            "api_key": "found", "api_key_problem": null, "warnings": null,
        })
    );
    write(
        &stage,
        "[log]\nlevel = \"debug\"\n[access]\nread = [\"uid:12345\"]\n[outbox]\nconcurrency = 2\n",
    );
    let first = reload(&mut raw);
    assert_eq!(first["changed"], json!(["access.read", "log.level"]));
    assert_eq!(first["needs_restart"], json!(["outbox.concurrency"]));
    assert_eq!(first["log_level"], "debug");
    let second = reload(&mut raw);
    assert_eq!(second["changed"], json!([]));
    assert_eq!(
        second["needs_restart"],
        json!(["outbox.concurrency"]),
        "it still waits"
    );
    let status = raw.ok("daemon.status", json!({}));
    assert_eq!(status["connection"]["connected_total"], 1, "undisturbed");
}

#[test]
fn a_bad_configuration_is_an_error_with_its_places_and_the_old_one_stays() {
    let stage = configured("[log]\nlevel = \"warn\"\n");
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    write(&stage, "[log]\nlevel = \"loud\"\n[outbox]\ncolour = 1\n");
    let error = raw.refused(-32602, "daemon.reload", json!({}));
    let data = &error["data"];
    assert_eq!(
        (&data["path"], &data["reason"]),
        (&json!(""), &json!("bad_config"))
    );
    let problems = data["problems"].as_array().expect("a list");
    assert_eq!(problems.len(), 2, "{problems:?}");
    for (problem, place) in problems
        .iter()
        .zip(["toml:2: log.level", "toml:4: outbox.colour"])
    {
        assert!(problem.as_str().expect("text").contains(place), "{problem}");
    }
    write(&stage, "[log]\nlevel = \"warn\"\n");
    let good = reload(&mut raw);
    assert_eq!(good["changed"], json!([]), "the old one stayed in force");
    assert_eq!(good["log_level"], "warn");
}

#[test]
fn a_reload_brings_a_new_key_and_tries_a_refused_account_again() {
    let mut stage = stage();
    let right = std::mem::replace(&mut stage.setup.key, "ac_wrong_wrong_wrong".into());
    let daemon = stage.start();
    let parked = |status: &Value| status["connection"]["state"] == "parked";
    daemon.status_until(parked).expect("the key is refused");
    stage.setup.key = right;
    stage.setup.write_key().expect("the key can be written");
    let mut raw = stage.connect(&daemon);
    assert_eq!(reload(&mut raw)["api_key"], "found");
    stage.settle(&daemon);
    stage.sandbox.set_status("dora", AccountStatus::Suspended);
    daemon.status_until(parked).expect("the account is refused");
    stage.sandbox.set_status("dora", AccountStatus::Active);
    reload(&mut raw);
    stage.settle(&daemon);
}

#[test]
fn a_reload_tells_why_there_is_no_key() {
    let mut stage = stage();
    let file = stage.setup.dir.join("open-key");
    fs::create_dir_all(&stage.setup.dir).expect("the folder can be made");
    fs::write(&file, &stage.setup.key).expect("it can be written");
    stage.setup.key = String::new();
    stage.env(
        "AGENTCHATD_AGENT_API_KEY_FILE",
        file.to_str().expect("a plain path"),
    );
    fs::set_permissions(&file, Permissions::from_mode(0o644)).expect("it is ours");
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    let refused = reload(&mut raw);
    assert_eq!(refused["api_key"], "refused");
    let problem = refused["api_key_problem"].as_str().expect("a reason");
    assert!(
        problem.contains("644") && problem.contains("open-key"),
        "{problem}"
    );
    fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("it is ours");
    assert_eq!(reload(&mut raw)["api_key"], "found");
    stage.settle(&daemon);

    let mut bare = crate::stage();
    bare.setup.key = String::new();
    let daemon = bare.start();
    let none = reload(&mut bare.connect(&daemon));
    assert_eq!(
        (&none["api_key"], &none["api_key_problem"]),
        (&json!("not_configured"), &Value::Null)
    );
}

#[test]
fn the_log_level_is_set_until_the_next_reload() {
    let stage = configured("[log]\nlevel = \"error\"\n");
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let said = |words: &str| stage.log_text().matches(words).count();
    assert_eq!(said("configuration was read again"), 0);
    reload(&mut raw);
    assert_eq!(said("configuration was read again"), 0, "an info line");
    let set = |raw: &mut Raw, params| raw.ok("daemon.set_log_level", params);
    assert_eq!(
        set(&mut raw, json!({"level": "trace"})),
        json!({"level": "trace"})
    );
    assert_eq!(said("log level is set"), 1, "the level holds at once");
    assert_eq!(reload(&mut raw)["log_level"], "error");
    assert_eq!(set(&mut raw, json!(["off"])), json!({"level": "off"}));
    assert_eq!(
        said("log level is set"),
        1,
        "the configured level came back"
    );
}
