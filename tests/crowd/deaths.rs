//! Subscribers that are killed, or stopped, without a word.

use crate::{counted, files_are_back, logged, stage};
use agentchatd_tests::daemon::{self, Daemon};
use agentchatd_tests::figures::local_files;
use agentchatd_tests::stage::{Stage, until};
use serde_json::json;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

/// So many processes.
const MANY: usize = 30;

static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let program = daemon::build("agentchatd-tests", "agentchatd-test-consumer");
    program.expect("it compiles")
});

/// A consumer in a process of its own; dropping it kills it.
struct Process(Child);

impl Process {
    fn start(stage: &Stage, daemon: &Daemon, name: &str) -> Self {
        let mut command = Command::new(&*PROGRAM);
        command
            .arg(daemon.socket())
            .arg(name)
            .arg(stage.setup.dir.join(name))
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        Self(command.spawn().expect("it starts"))
    }

    fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.expect("kill(1) is there").success());
    }

    fn kill(mut self) {
        self.0.kill().expect("it runs");
        self.0.wait().expect("it is reaped");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn subscribers_that_are_killed_leave_nothing_and_their_consumers_are_free_at_once() {
    let stage = stage();
    let daemon = stage.ready();
    counted(&daemon, 0, 1);
    let files = local_files(&daemon);
    for round in 0..3 {
        let names: Vec<String> = (0..MANY).map(|n| format!("mortal-{round}-{n}")).collect();
        let all: Vec<Process> = names
            .iter()
            .map(|name| Process::start(&stage, &daemon, name))
            .collect();
        counted(&daemon, MANY, MANY + 1);
        // Events are on their way while they die.
        stage.bob_says("who hears this?");
        all.into_iter().for_each(Process::kill);
        for name in &names {
            let mut raw = stage.connect(&daemon);
            raw.subscribe(json!({"consumer": name}));
        }
        counted(&daemon, 0, 1);
        files_are_back(&daemon, files);
    }
    logged(&daemon, 3);
}

#[test]
fn a_stopped_subscriber_keeps_its_consumer_until_another_takes_it_or_it_dies() {
    let stage = stage();
    let daemon = stage.ready();
    let process = Process::start(&stage, &daemon, "stopped");
    counted(&daemon, 1, 2);
    process.signal("STOP");
    let mut fast = stage.connect(&daemon);
    fast.subscribe(json!({"consumer": "fast"}));
    for offset in 1..=100 {
        stage.bob_says(&"x".repeat(10_000));
        assert_eq!(fast.event()["offset"], offset);
        fast.ack("fast", offset);
    }
    let wanted = json!({"consumer": "stopped", "from": "earliest"});
    let error = fast.refused(-32005, "events.subscribe", wanted);
    assert_eq!(error["data"]["holder_pid"], process.0.id());
    let mut heir = stage.connect(&daemon);
    heir.subscribe(json!({"consumer": "stopped", "takeover": true}));
    // The stopped one has acknowledged nothing since; what may have reached it is marked.
    let first = heir.event();
    assert_eq!(
        (&first["offset"], &first["redelivered"]),
        (&json!(1), &json!(true))
    );
    drop(heir);
    process.kill();
    drop(fast);
    counted(&daemon, 0, 1);
    let mut again = stage.connect(&daemon);
    again.subscribe(json!({"consumer": "stopped"}));
    assert_eq!(again.event()["offset"], 1);
}

#[test]
fn a_stopped_subscriber_that_dies_with_a_full_queue_is_cleared_away() {
    let stage = stage();
    let daemon = stage.ready();
    counted(&daemon, 0, 1);
    let files = local_files(&daemon);
    let process = Process::start(&stage, &daemon, "full");
    counted(&daemon, 1, 2);
    process.signal("STOP");
    // More than the buffers of its socket and its queue hold.
    for _ in 0..60 {
        stage.bob_says(&"x".repeat(10_000));
    }
    logged(&daemon, 60);
    process.kill();
    counted(&daemon, 0, 1);
    files_are_back(&daemon, files);
    until("the consumer is free", || {
        let mut raw = stage.connect(&daemon);
        let answer = raw.call("events.subscribe", &json!({"consumer": "full"}));
        match answer.expect("an answer") {
            answer if answer.get("result").is_some() => Ok(()),
            answer => Err(answer.to_string()),
        }
    });
}
