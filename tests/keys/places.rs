//! Where a new key is kept, by where the old one came from.

use crate::{
    ROTATE_VERIFY, answer_late, begun, goes_over, is_current, read, rotate, stage, watcher,
};
use agentchatd_tests::stage::{Stage, until};
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

fn saved(stage: &Stage) -> PathBuf {
    stage.setup.dir.join("state/credentials.toml")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").mode() & 0o7777
}

/// A file with the stage's key; the stage names it no more.
fn key_file(stage: &mut Stage, name: &str, mode: u32) -> PathBuf {
    let key = std::mem::take(&mut stage.setup.key);
    fs::create_dir_all(&stage.setup.dir).expect("a folder");
    let file = stage.setup.dir.join(name);
    fs::write(&file, key).expect("a file");
    fs::set_permissions(&file, Permissions::from_mode(mode)).expect("our file");
    file
}

/// Rotates the key of a new daemon, twice, and once more after a restart; gives the last answer and
/// the last status. The daemon connects with the new key each time, and so does one that is killed.
fn rotated(stage: &Stage) -> (Value, Value) {
    let mut daemon = stage.ready();
    let mut states = watcher(stage, &daemon);
    let mut raw = stage.connect(&daemon);
    for _ in 0..2 {
        assert_eq!(rotate(&mut raw)["saved"], true);
        goes_over(&mut states);
    }
    daemon.kill().expect("it runs");
    let mut daemon = stage.ready();
    let answer = rotate(&mut stage.connect(&daemon));
    assert_eq!(answer["saved"], true, "{answer}");
    assert!(is_current(stage, "dora", &answer["api_key"]));
    daemon.kill().expect("it runs");
    let daemon = stage.ready();
    let status = stage.connect(&daemon).ok("daemon.status", json!({}));
    (answer, status)
}

fn is_warned(status: &Value) -> bool {
    status["warnings"].to_string().contains("still holds")
}

/// Nothing is left over of the writing.
fn no_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let name = entry.expect("an entry").file_name();
        assert!(
            !name.to_string_lossy().contains("agentchatd-key"),
            "{name:?}"
        );
    }
}

#[test]
fn a_key_file_of_the_flag_or_of_the_configuration_is_written_in_place() {
    for is_flag in [true, false] {
        let mut stage = stage();
        let file = if is_flag {
            stage.setup.key_file()
        } else {
            let file = key_file(&mut stage, "configured", 0o600);
            stage.env("AGENTCHATD_AGENT_API_KEY_FILE", file.to_str().unwrap());
            file
        };
        // The harness writes its own key again at each start; from the second on it is the file.
        let mut daemon = stage.ready();
        let answer = rotate(&mut stage.connect(&daemon));
        assert_eq!(answer["saved"], true, "{answer}");
        assert!(answer.get("warning").is_none(), "{answer}");
        let key = answer["api_key"].as_str().unwrap();
        assert_eq!(read(&file).trim_end(), key);
        assert_eq!(mode(&file), 0o600);
        assert!(!saved(&stage).exists());
        no_leftovers(&stage.setup.dir);
        daemon.kill().unwrap();
        if is_flag {
            stage.setup.key = key.to_owned();
        }
        let daemon = stage.ready();
        let status = stage.connect(&daemon).ok("daemon.status", json!({}));
        assert!(!is_warned(&status), "{status}");
    }
}

#[test]
fn credentials_of_the_state_dir_are_written_in_place() {
    let mut stage = stage();
    let key = std::mem::take(&mut stage.setup.key);
    fs::create_dir_all(stage.setup.dir.join("state")).unwrap();
    fs::write(saved(&stage), format!("api_key = \"{key}\"\n")).unwrap();
    fs::set_permissions(saved(&stage), Permissions::from_mode(0o600)).unwrap();
    let (answer, status) = rotated(&stage);
    assert!(read(&saved(&stage)).contains(answer["api_key"].as_str().unwrap()));
    assert_eq!(mode(&saved(&stage)), 0o600);
    assert!(!is_warned(&status), "{status}");
    no_leftovers(&stage.setup.dir.join("state"));
}

#[test]
fn a_source_that_cannot_be_written_loses_against_the_state_dir_with_a_warning() {
    let variable = |stage: &mut Stage| {
        let key = std::mem::take(&mut stage.setup.key);
        stage.env("AGENTCHAT_API_KEY", &key);
    };
    let read_only = |stage: &mut Stage| {
        let file = key_file(stage, "read-only", 0o400);
        stage.env("AGENTCHATD_AGENT_API_KEY_FILE", file.to_str().unwrap());
    };
    let systemd = |stage: &mut Stage| {
        let file = key_file(stage, "agentchat_api_key", 0o400);
        let folder = file.parent().unwrap().to_str().unwrap().to_owned();
        stage.env("CREDENTIALS_DIRECTORY", &folder);
    };
    let sources: [&dyn Fn(&mut Stage); 3] = [&variable, &read_only, &systemd];
    for source in sources {
        let mut stage = stage();
        let first = stage.setup.key.clone();
        source(&mut stage);
        let (answer, status) = rotated(&stage);
        assert!(is_warned(&status), "{status}");
        assert!(!status.to_string().contains(&first), "no key in a warning");
        let text = read(&saved(&stage));
        assert!(text.contains(answer["api_key"].as_str().unwrap()), "{text}");
        assert!(text.contains("replaces_sha256"), "{text}");
        assert!(!text.contains(&first), "{text}");
        assert_eq!(mode(&saved(&stage)), 0o600);
    }
}

#[test]
fn the_answer_says_that_the_old_source_still_has_the_old_key() {
    let mut stage = stage();
    let key = std::mem::take(&mut stage.setup.key);
    stage.env("AGENTCHAT_API_KEY", &key);
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let answer = rotate(&mut raw);
    let warning = answer["warning"].as_str().unwrap();
    assert!(warning.contains("AGENTCHAT_API_KEY"), "{warning}");
    assert!(warning.contains("credentials.toml"), "{warning}");
    let status = raw.ok("daemon.status", json!({}));
    assert!(is_warned(&status), "{status}");
}

#[test]
fn a_link_to_the_key_file_stays_a_link() {
    let mut stage = stage();
    let file = key_file(&mut stage, "real", 0o600);
    let link = stage.setup.dir.join("link");
    symlink(&file, &link).unwrap();
    stage.env("AGENTCHATD_AGENT_API_KEY_FILE", link.to_str().unwrap());
    let daemon = stage.ready();
    let answer = rotate(&mut stage.connect(&daemon));
    assert!(link.is_symlink());
    assert_eq!(read(&file).trim_end(), answer["api_key"].as_str().unwrap());
}

#[test]
fn a_key_that_cannot_be_written_is_in_the_answer_and_the_daemon_parks_and_says_why() {
    let mut stage = stage();
    let key = std::mem::take(&mut stage.setup.key);
    stage.env("AGENTCHAT_API_KEY", &key);
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let proof = begun(&mut raw);
    // A folder stands where the file should: before the call, nothing is asked for; later, the
    // answer says so.
    fs::create_dir(saved(&stage)).unwrap();
    let error = raw.refused(-32602, "agents.rotate_key_verify", proof.clone());
    assert_eq!(error["data"]["path"], "/save");
    assert!(is_current(&stage, "dora", &json!(key)));
    fs::remove_dir(saved(&stage)).unwrap();
    answer_late(&stage, ROTATE_VERIFY, Duration::from_millis(500));
    raw.start("agents.rotate_key_verify", &proof).unwrap();
    until("the platform has replaced the key", || {
        let is_old = is_current(&stage, "dora", &json!(key));
        (!is_old)
            .then_some(())
            .ok_or_else(|| "it is the old one".to_owned())
    });
    fs::create_dir(saved(&stage)).unwrap();
    let answer = raw.hear()["result"].clone();
    assert_eq!(answer["saved"], false, "{answer}");
    assert!(
        answer["not_saved"]
            .as_str()
            .unwrap()
            .contains("credentials.toml")
    );
    assert!(is_current(&stage, "dora", &answer["api_key"]));
    let parked = daemon.status_until(|status| status["connection"]["state"] == "parked");
    let reason = parked.unwrap()["connection"]["reason"].to_string();
    assert!(reason.contains("not kept"), "{reason}");
    // The key that the caller was given mends it.
    let text = format!("api_key = {}\n", answer["api_key"]);
    fs::remove_dir(saved(&stage)).unwrap();
    fs::write(saved(&stage), text).unwrap();
    fs::set_permissions(saved(&stage), Permissions::from_mode(0o600)).unwrap();
    // It lost its variable's place only where it says whom it replaces.
    let hash = "replaces_sha256 = \"".to_owned() + &sha256(&key) + "\"\n";
    let text = read(&saved(&stage)) + &hash;
    fs::write(saved(&stage), text).unwrap();
    raw.ok("daemon.reload", json!({}));
    stage.settle(&daemon);
}

fn sha256(text: &str) -> String {
    let key = agentchatd::credentials::ApiKey::parse(text);
    key.expect("a key").sha256()
}

#[test]
fn what_is_no_key_is_never_written_over_and_the_call_is_refused_beforehand() {
    let mut stage = stage();
    let file = key_file(&mut stage, "diary", 0o600);
    fs::write(&file, "dear diary").unwrap();
    stage.env("AGENTCHATD_AGENT_API_KEY_FILE", file.to_str().unwrap());
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    let begun = raw.ok("agents.recover", json!({"email": "dora@example.test"}));
    let proof = json!({"pending_id": begun["pending_id"], "code": crate::CODE});
    let error = raw.refused(-32602, "agents.recover_verify", proof);
    assert_eq!(error["data"]["path"], "/save");
    assert!(
        error["message"].as_str().unwrap().contains("diary"),
        "{error}"
    );
    assert_eq!(stage.requests("POST", "/v1/agents/recover/verify"), 0);
    assert_eq!(read(&file), "dear diary");
}
