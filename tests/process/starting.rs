//! The command line, the configuration, and what a start ends with.

use crate::{ended, output, said, stage};
use std::fs;
use std::process::Command;

#[test]
fn the_version_says_which_program_this_is() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_agentchatd"));
    command.arg("--version");
    let output = output(command);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    let expected = format!(
        "agentchatd {} (local AgentChat hub)\n",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(text, expected);
}

#[test]
fn a_command_line_that_is_not_understood_ends_with_64() {
    let stage = stage();
    for line in [&["--colour"][..], &["stray"], &["--config"]] {
        assert_eq!(ended(&stage, line).status.code(), Some(64), "{line:?}");
    }
    assert!(!stage.setup.dir.join("state").exists());
}

#[test]
fn a_good_configuration_is_called_good_and_nothing_is_started_or_made() {
    let stage = stage();
    let output = ended(&stage, &["--check-config"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(!stage.setup.dir.join("state").exists());
    assert!(!stage.setup.socket().exists());
}

#[test]
fn a_bad_configuration_stops_the_start_with_file_line_key_and_what_is_allowed() {
    let stage = stage();
    let file = stage.setup.dir.join("agentchatd.toml");
    for (text, line, words) in [
        ("[agent]\ncolour = 1\n", 2, "colour"),
        ("\n\n[colours]\n", 3, "colours"),
        ("[socket]\n\nmax_connections = 0\n", 3, "65535"),
        ("[socket]\nmax_request_bytes = 5\n", 2, "max_request_bytes"),
        ("[realtime]\nauth = \"magic\"\n", 2, "header"),
        ("[storage]\ndurability = 7\n", 2, "durability"),
        ("[http]\ntimeout_ms = \"long\"\n", 2, "timeout_ms"),
        (
            "[access]\nadmin = [\"no-such-user-here\"]\n",
            2,
            "no-such-user-here",
        ),
        (
            "[agent]\nbase_url = \"http://example.org\"\n",
            2,
            "base_url",
        ),
        ("[agent\n", 1, ""),
    ] {
        fs::create_dir_all(&stage.setup.dir).unwrap();
        fs::write(&file, text).unwrap();
        for more in [&[][..], &["--check-config"]] {
            let mut command = stage.setup.command().unwrap();
            command
                .env_remove("AGENTCHAT_BASE_URL")
                .arg("--config")
                .arg(&file)
                .args(more);
            let output = output(command);
            let said = said(&output);
            assert_eq!(output.status.code(), Some(78), "{text}: {said}");
            assert!(
                said.contains(&format!("{}:{line}", file.display())),
                "{text}: {said}"
            );
            assert!(said.contains(words), "{text}: {said}");
        }
    }
}

#[test]
fn a_bad_variable_is_named() {
    let mut stage = stage();
    stage.env("AGENTCHATD_HTTP_MAX_RETRIES", "many");
    let output = ended(&stage, &[]);
    assert_eq!(output.status.code(), Some(78));
    assert!(
        said(&output).contains("AGENTCHATD_HTTP_MAX_RETRIES"),
        "{}",
        said(&output)
    );
}

#[test]
fn a_file_that_is_named_and_missing_stops_the_start() {
    let stage = stage();
    let output = ended(&stage, &["--config", "/no/such/file.toml"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(said(&output).contains("/no/such/file.toml"));
}

#[test]
fn pitfall_21_a_second_daemon_names_the_one_that_holds_the_state_dir() {
    let stage = stage();
    let daemon = stage.ready();
    let output = ended(&stage, &[]);
    assert_eq!(output.status.code(), Some(69), "{}", said(&output));
    assert!(
        said(&output).contains(&daemon.pid().to_string()),
        "{}",
        said(&output)
    );
    stage
        .connect(&daemon)
        .ok("daemon.version", serde_json::json!({}));
}

#[test]
fn a_state_dir_that_cannot_be_used_ends_with_74() {
    let stage = stage();
    fs::create_dir_all(&stage.setup.dir).unwrap();
    fs::write(stage.setup.dir.join("state"), "a file in its place").unwrap();
    let output = ended(&stage, &[]);
    assert_eq!(output.status.code(), Some(74), "{}", said(&output));
    assert!(said(&output).contains("state"));
}

#[test]
fn the_state_dir_is_the_daemons_own() {
    use std::os::unix::fs::MetadataExt as _;
    let stage = stage();
    let _daemon = stage.ready();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(&stage.setup.dir.join("state")), 0o700);
    assert!(stage.setup.database().exists());
}

#[test]
fn pitfall_25_with_no_network_the_socket_serves_and_the_daemon_connects_once_there_is_one() {
    let mut stage = stage();
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    stage.setup.base_url = format!("http://{address}");
    let daemon = stage.start();
    let status = daemon
        .status_until(|status| status["connection"]["attempt"].as_u64().unwrap() > 1)
        .unwrap();
    let state = &status["connection"]["state"];
    assert!(
        *state == "disconnected" || *state == "connecting",
        "{status}"
    );
    let mut raw = stage.connect(&daemon);
    assert_eq!(
        raw.ok("events.fetch", serde_json::json!({}))["next_after"],
        0
    );
    let verdict = raw.ok("daemon.health", serde_json::json!({}))["verdict"].clone();
    assert!(verdict == "starting" || verdict == "degraded", "{verdict}");
    let late = stage.platform_at(address.port());
    late.agent("dora");
    late.agent("bob");
    stage.settle(&daemon);
}
