//! The real daemon as a process: exit statuses, files and modes, signals, keys, damaged databases
//! (`local-api.md` 1, 7 and 8).

#[path = "process/activation.rs"]
mod activation;
#[path = "process/database.rs"]
mod database;
#[path = "process/keys.rs"]
mod keys;
#[path = "process/notify.rs"]
mod notify;
#[path = "process/reload.rs"]
mod reload;
#[path = "process/signals.rs"]
mod signals;
#[path = "process/socket_file.rs"]
mod socket_file;
#[path = "process/starting.rs"]
mod starting;

use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::stage::{SOON, Stage};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

/// A platform and the settings of the program under test.
fn stage() -> Stage {
    Stage::new(env!("CARGO_BIN_EXE_agentchatd"))
}

/// Runs the program as the stage would, with more arguments, to an end that comes by itself.
fn ended(stage: &Stage, arguments: &[&str]) -> Output {
    let mut command = stage.setup.command().expect("a command line");
    command.args(arguments);
    output(command)
}

/// Runs a command line to an end that comes by itself.
fn output(mut command: Command) -> Output {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let deadline = Instant::now() + SOON;
    while child.try_wait().expect("it can be waited for").is_none() {
        if Instant::now() > deadline {
            child.kill().expect("it can be killed");
            let output = child.wait_with_output().expect("its output");
            panic!("it runs on: {}", String::from_utf8_lossy(&output.stderr));
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    child.wait_with_output().expect("its output")
}

/// What a program wrote to standard error.
fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Sends a signal to a daemon.
fn signal(daemon: &Daemon, name: &str) {
    let pid = daemon.pid().to_string();
    let done = Command::new("kill").args(["-s", name, &pid]).status();
    assert!(done.expect("kill(1) is there").success());
}
