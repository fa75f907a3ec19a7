//! Several daemons that want one state directory.

use crate::stage;
use agentchatd_tests::raw::Raw;
use agentchatd_tests::stage::{SOON, until};
use serde_json::json;
use std::io::Read as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// So many at once.
const STARTS: usize = 10;
/// So often.
const ROUNDS: usize = 3;

#[test]
fn of_ten_daemons_that_start_at_once_over_what_a_kill_left_one_stays_and_is_named() {
    let stage = stage();
    // A lock file with a dead pid, a socket at which nobody answers.
    stage.ready().kill().expect("the test can go on");
    for round in 0..ROUNDS {
        let mut all: Vec<Child> = (0..STARTS)
            .map(|_| {
                let mut command = stage.setup.command().expect("the test can go on");
                let command = command.stdin(Stdio::null()).stdout(Stdio::null());
                command
                    .stderr(Stdio::piped())
                    .spawn()
                    .expect("the test can go on")
            })
            .collect();
        let mut ended = Vec::new();
        let deadline = Instant::now() + SOON;
        while all.len() > 1 && Instant::now() < deadline {
            let (over, on): (Vec<Child>, Vec<Child>) =
                all.into_iter().partition_map(|mut child| {
                    (
                        child.try_wait().expect("the test can go on").is_some(),
                        child,
                    )
                });
            ended.extend(over);
            all = on;
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(all.len(), 1, "in round {round}");
        let mut stays = all.remove(0);
        let mut status = json!(null);
        until("the one that stays serves", || {
            let raw = Raw::connect(&stage.setup.socket(), SOON);
            let mut raw = raw.map_err(|error| error.to_string())?;
            status = raw.ok("daemon.status", json!({}));
            Ok(())
        });
        assert_eq!(status["pid"], stays.id());
        for mut loser in ended {
            let mut said = String::new();
            let mut stderr = loser.stderr.take().expect("the test can go on");
            stderr
                .read_to_string(&mut said)
                .expect("the test can go on");
            assert_eq!(
                loser.wait().expect("the test can go on").code(),
                Some(69),
                "{said}"
            );
            let named = format!("(pid {})", stays.id());
            assert!(said.contains(&named), "expected {named}: {said}");
        }
        // And again a kill.
        stays.kill().expect("the test can go on");
        stays.wait().expect("the test can go on");
    }
    stage.ready();
}

/// Two lists in one pass; a child cannot be looked at through a shared reference.
trait PartitionMap: Iterator<Item = Child> + Sized {
    fn partition_map(self, split: impl Fn(Child) -> (bool, Child)) -> (Vec<Child>, Vec<Child>) {
        let (mut yes, mut no) = (Vec::new(), Vec::new());
        for child in self {
            match split(child) {
                (true, child) => yes.push(child),
                (false, child) => no.push(child),
            }
        }
        (yes, no)
    }
}

impl<I: Iterator<Item = Child>> PartitionMap for I {}
