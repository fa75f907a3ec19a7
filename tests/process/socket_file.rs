//! The socket in the file system.

use crate::{ended, said, stage};
use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::UnixListener;
use std::path::Path;

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("it is there").mode() & 0o7777
}

/// Whether there is a group of this name; then the socket of a system service is the group's.
fn has_group(name: &str) -> bool {
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    groups
        .lines()
        .any(|line| line.starts_with(&format!("{name}:")))
}

#[test]
fn directory_and_socket_are_closed_to_others() {
    let stage = stage();
    let daemon = stage.start();
    let socket = stage.setup.socket();
    let is_root = fs::metadata(&stage.setup.dir).unwrap().uid() == 0;
    let shared = is_root && has_group("agentchat");
    assert!(
        fs::symlink_metadata(&socket)
            .unwrap()
            .file_type()
            .is_socket()
    );
    assert_eq!(mode(&socket), if shared { 0o660 } else { 0o600 });
    let expected = if is_root { 0o750 } else { 0o700 };
    assert_eq!(mode(socket.parent().unwrap()), expected);
    let status = stage
        .connect(&daemon)
        .ok("daemon.status", serde_json::json!({}));
    let warnings = status["warnings"].to_string();
    assert_eq!(
        is_root && !shared,
        warnings.contains("agentchat"),
        "{warnings}"
    );
}

#[test]
fn a_leftover_socket_is_replaced() {
    let stage = stage();
    let mut daemon = stage.start();
    daemon.kill().unwrap();
    assert!(stage.setup.socket().exists(), "a kill leaves it");
    let mut daemon = stage.start();
    assert!(daemon.stop().unwrap().success());
    assert!(!stage.setup.socket().exists(), "a stop removes it");
}

#[test]
fn a_socket_at_which_somebody_answers_is_left_alone() {
    let stage = stage();
    fs::create_dir_all(stage.setup.socket().parent().unwrap()).unwrap();
    let _other = UnixListener::bind(stage.setup.socket()).unwrap();
    let output = ended(&stage, &[]);
    assert_eq!(output.status.code(), Some(69), "{}", said(&output));
    assert!(stage.setup.socket().exists());
}

#[test]
fn a_file_in_the_sockets_place_is_left_alone() {
    let stage = stage();
    fs::create_dir_all(stage.setup.socket().parent().unwrap()).unwrap();
    fs::write(stage.setup.socket(), "precious").unwrap();
    let output = ended(&stage, &[]);
    assert!(!output.status.success());
    assert_eq!(
        fs::read_to_string(stage.setup.socket()).unwrap(),
        "precious"
    );
}

#[test]
fn a_path_that_is_too_long_is_refused_with_path_and_limit() {
    let stage = stage();
    let long = format!("{}/{}", stage.setup.dir.display(), "x".repeat(120));
    let mut command = stage.setup.command().unwrap();
    let key = stage.setup.key_file();
    // The flag of the stage stands already; the second program line takes its place.
    command = {
        let mut fresh = std::process::Command::new(command.get_program());
        fresh
            .arg("--socket")
            .arg(&long)
            .arg("--state-dir")
            .arg(stage.setup.dir.join("state"));
        fresh
            .arg("--api-key-file")
            .arg(key)
            .env("AGENTCHAT_BASE_URL", &stage.setup.base_url);
        fresh
    };
    let output = crate::output(command);
    assert_eq!(output.status.code(), Some(78), "{}", said(&output));
    assert!(said(&output).contains(&long), "{}", said(&output));
    assert!(said(&output).contains("108"), "{}", said(&output));
}
