//! Keys stand in their source, new ones in their answer and in their file, and nowhere else; what leads
//! to one stands in no log.

use crate::{CODE, rotate, without_key};
use agentchatd_tests::stage::Stage;
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
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

/// Puts the key where a source has it; the one file of the stage that holds it then, if any.
fn provide(stage: &mut Stage, source: &str) -> Option<&'static str> {
    let key = std::mem::take(&mut stage.setup.key);
    let dir = stage.setup.dir.clone();
    let path = |name: &str| dir.join(name).to_str().expect("a plain path").to_owned();
    let write = |name: &str, text: &str| {
        let file = dir.join(name);
        fs::create_dir_all(file.parent().expect("it has one")).expect("it can be made");
        fs::write(&file, text).expect("it can be written");
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(&file, private).expect("it is ours");
    };
    match source {
        "flag" => {
            stage.setup.key = key;
            Some("key")
        }
        "variable" => {
            stage.env("AGENTCHAT_API_KEY", &key);
            None
        }
        "systemd" => {
            write("credentials/agentchat_api_key", &key);
            stage.env("CREDENTIALS_DIRECTORY", &path("credentials"));
            Some("agentchat_api_key")
        }
        "configuration" => {
            write("from-config", &key);
            stage.env("AGENTCHATD_AGENT_API_KEY_FILE", &path("from-config"));
            Some("from-config")
        }
        _ => {
            write("state/credentials.toml", &format!("api_key = \"{key}\"\n"));
            let private = fs::Permissions::from_mode(0o700);
            fs::set_permissions(dir.join("state"), private).expect("it is ours");
            Some("credentials.toml")
        }
    }
}

/// Ends the daemon, the agent or its key.
const ENDS: [&str; 5] = [
    "daemon.shutdown",
    "agents.delete",
    "agents.rotate_key",
    "agents.rotate_key_verify",
    "agents.verify",
];

#[test]
fn a_key_of_any_source_stands_in_no_answer_no_error_no_metric_no_log_no_file_and_nowhere_in_proc() {
    for source in ["flag", "variable", "systemd", "configuration", "saved"] {
        let mut stage = crate::stage();
        let key = stage.setup.key.clone();
        let holder = provide(&mut stage, source);
        stage.env("AGENTCHATD_LOG_LEVEL", "trace");
        let mut daemon = stage.ready();
        let mut raw = stage.connect(&daemon);
        let mut told = vec![raw.ok("rpc.discover", json!({})).to_string()];
        let document: serde_json::Value = serde_json::from_str(&told[0]).unwrap();
        let methods = document["methods"].as_array().unwrap();
        assert!(methods.len() > 60, "all of them");
        for method in methods {
            let name = method["name"].as_str().unwrap();
            if ENDS.contains(&name) {
                continue;
            }
            for params in [
                json!({}),
                json!({"handle": "bob"}),
                json!({"consumer": "c"}),
            ] {
                told.push(raw.call(name, &params).unwrap().to_string());
            }
        }
        let holding: Vec<_> = told.iter().filter(|text| text.contains(&key)).collect();
        assert_eq!(holding, Vec::<&String>::new(), "{source}");
        let mut http = daemon.http().unwrap();
        for target in ["/metrics", "/healthz", "/readyz", "/openrpc.json"] {
            let body = http.fetch(target).unwrap().body;
            assert!(!String::from_utf8_lossy(&body).contains(&key), "{target}");
        }
        let proc = Path::new("/proc").join(daemon.pid().to_string());
        for name in ["cmdline", "environ", "comm"] {
            let text = fs::read(proc.join(name)).unwrap();
            assert!(!String::from_utf8_lossy(&text).contains(&key), "{name}");
        }
        let limits = fs::read_to_string(proc.join("limits")).unwrap();
        let core = limits.lines().find(|line| line.contains("core file size"));
        let numbers: Vec<_> = core.unwrap().split_whitespace().skip(4).take(2).collect();
        assert_eq!(numbers, ["0", "0"], "a core would hold it");
        daemon.stop().unwrap();
        assert_eq!(
            holders(&stage.setup.dir, &key),
            Vec::from_iter(holder),
            "{source}"
        );
    }
}
