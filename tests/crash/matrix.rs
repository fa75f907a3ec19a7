//! Where the daemon is killed, and how often it was.

use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::process::ExitStatusExt as _;
use std::thread;
use std::time::Duration;

use agentchatd_tests::daemon::Setup;
use agentchatd_tests::sandbox::{Event, HttpFault, HttpRule, Sandbox};

use crate::run::Rng;

/// The moment of a kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Moment {
    /// The daemon kills itself at a step of this name (`agentchatd::failpoint`).
    Step(&'static str),
    /// A send has reached the platform and is not answered.
    RequestWritten,
    /// Whenever it happens to be.
    Random,
}

impl Moment {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Step(name) => name,
            Self::RequestWritten => "request-written",
            Self::Random => "random",
        }
    }
}

/// Every step between a message and its consumer, and between a send and its outcome.
pub(crate) const MOMENTS: [Moment; 14] = [
    Moment::Step("frame-read"),
    Moment::Step("committing"),
    Moment::Step("committed"),
    Moment::Step("published"),
    Moment::Step("acked"),
    Moment::Step("cursor-acked"),
    Moment::Step("consumer-ack-stored"),
    Moment::Random,
    Moment::Step("send-accepted"),
    Moment::Step("request-ready"),
    Moment::RequestWritten,
    Moment::Step("answer-read"),
    Moment::Step("answer-stored"),
    Moment::Random,
];

/// Kills per moment: those that were tried, and those that hit it.
#[derive(Debug, Default)]
pub(crate) struct Matrix {
    kills: BTreeMap<Moment, (u64, u64)>,
}

impl Matrix {
    /// Runs the daemon once, to its violent end.
    pub(crate) fn kill(&mut self, moment: Moment, sandbox: &Sandbox, setup: &Setup, rng: &mut Rng) {
        let hit = match moment {
            Moment::Step(step) => at_step(step, setup, rng),
            Moment::RequestWritten => request_written(sandbox, setup),
            Moment::Random => {
                let mut daemon = setup.spawn().expect("the daemon starts");
                // The moment of the kill is the fault that is injected; nothing is waited for.
                thread::sleep(Duration::from_millis(rng.below(250)));
                daemon.kill().expect("the daemon can be killed");
                true
            }
        };
        let (tried, hits) = self.kills.entry(moment).or_default();
        *tried += 1;
        *hits += u64::from(hit);
    }

    /// Each step of the list was really hit, or the figures mean nothing.
    pub(crate) fn was_hit(&self) {
        for (moment, (tried, hits)) in &self.kills {
            let name = moment.name();
            assert!(
                *hits * 2 >= *tried,
                "{name} was hit {hits} times in {tried}"
            );
        }
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (moment, (tried, hits)) in &self.kills {
            write!(f, "\n    {:<20} {hits:>4} of {tried}", moment.name())?;
        }
        Ok(())
    }
}

fn at_step(step: &'static str, setup: &Setup, rng: &mut Rng) -> bool {
    let passes = 1 + rng.below(MOST_PASSES);
    let armed = setup.killed_at(step, passes).expect("it builds");
    let mut daemon = armed.spawn().expect("the daemon starts");
    match daemon.wait(REACHES_IT) {
        Ok(status) => {
            assert_eq!(status.signal(), Some(KILLED), "at {step}: {status}");
            true
        }
        // Its step did not come in time: a kill all the same.
        Err(_) => {
            daemon.kill().expect("the daemon can be killed");
            false
        }
    }
}

fn request_written(sandbox: &Sandbox, setup: &Setup) -> bool {
    let held = HttpRule::next(SEND, HttpFault::DelayAnswer(Duration::from_secs(5)));
    sandbox.faults(|faults| faults.http = vec![held]);
    let journal = sandbox.journal();
    let from = journal.entries().len();
    let mut daemon = setup.spawn().expect("the daemon starts");
    let is_send = |event: &Event| {
        matches!(event, Event::Http { agent: Some(agent), method, path, .. }
            if agent == "me" && method == "POST" && path == "/v1/messages")
    };
    let deadline = std::time::Instant::now() + REACHES_IT;
    let mut seen = false;
    while !seen && std::time::Instant::now() < deadline {
        seen = journal
            .entries_from(from)
            .iter()
            .any(|entry| is_send(&entry.event));
        thread::sleep(Duration::from_millis(2));
    }
    daemon.kill().expect("the daemon can be killed");
    sandbox.faults(|faults| faults.http.clear());
    seen
}

/// A step is passed so many times before the kill, at most.
const MOST_PASSES: u64 = 12;
/// How long a daemon may take to get to its step.
const REACHES_IT: Duration = Duration::from_millis(2_500);
const KILLED: i32 = 9;
const SEND: &str = "POST /v1/messages";
