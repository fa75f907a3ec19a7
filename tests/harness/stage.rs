//! A sandbox and the settings of one daemon against it: what most tests of the real program begin
//! with.
//!
//! The platform has three agents: `dora`, whose daemon is tested, and `bob` and `ann`, who write to
//! it. Everything here panics where a test cannot go on; that is how it tells.

use crate::daemon::{Daemon, Setup};
use crate::raw::Raw;
use crate::sandbox::{Entry, Event, Message, Options, Sandbox, To};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// A platform, and a folder for a daemon.
#[derive(Debug)]
pub struct Stage {
    /// The platform.
    pub sandbox: Sandbox,
    /// How the daemon is started.
    pub setup: Setup,
    runtime: Runtime,
    _dir: TempDir,
}

impl Stage {
    /// A stage for this program, with a platform of the newest kind and no limits on sends.
    ///
    /// # Panics
    /// Where the system gives no port, folder or thread.
    pub fn new(binary: &str) -> Self {
        Self::with(binary, Self::options())
    }

    /// The same with a platform of another kind.
    ///
    /// # Panics
    /// As for [`Stage::new`].
    pub fn with(binary: &str, options: Options) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime starts");
        let started = runtime.block_on(Sandbox::start(options));
        let sandbox = started.expect("a loopback port is free");
        let dir = tempfile::tempdir().expect("a folder can be made");
        let key = sandbox.agent("dora").key().to_owned();
        sandbox.agent("bob");
        sandbox.agent("ann");
        let setup = Setup::new(Path::new(binary), dir.path(), &sandbox.base_url(), &key);
        Self {
            sandbox,
            setup,
            runtime,
            _dir: dir,
        }
    }

    /// Another platform of the newest kind, at this port.
    ///
    /// # Panics
    /// Where the port is taken.
    pub fn platform_at(&self, port: u16) -> Sandbox {
        let options = Options {
            port,
            ..Self::options()
        };
        let started = self.runtime.block_on(Sandbox::start(options));
        started.expect("the port is free")
    }

    /// The newest platform without limits on sends.
    pub fn options() -> Options {
        Self::unlimited(Options::modern())
    }

    /// These options without limits on sends, and with quick pauses.
    pub fn unlimited(options: Options) -> Options {
        Options {
            sends_per_second: None,
            group_sends_per_second: None,
            cold_cap: None,
            drain_pause: Duration::from_millis(5),
            ..options
        }
    }

    /// Sets a variable of the daemon's environment, over the one of this name before.
    pub fn env(&mut self, name: &str, value: &str) {
        self.setup.env.push((name.to_owned(), value.to_owned()));
    }

    /// A started daemon, connected or not.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn start(&self) -> Daemon {
        match self.setup.start() {
            Ok(daemon) => daemon,
            Err(error) => panic!("the daemon starts: {error}"),
        }
    }

    /// A daemon that is connected.
    ///
    /// # Panics
    /// Where it does not start or connect.
    pub fn ready(&self) -> Daemon {
        let daemon = self.start();
        self.settle(&daemon);
        daemon
    }

    /// Waits until a daemon is connected and has stored what waited.
    ///
    /// # Panics
    /// Where it does not get there; its log is told.
    pub fn settle(&self, daemon: &Daemon) {
        if let Err(error) = daemon.ready() {
            panic!("{error}; its log:\n{}", self.log_text());
        }
    }

    /// A new connection to a daemon.
    ///
    /// # Panics
    /// Where it does not listen.
    pub fn connect(&self, daemon: &Daemon) -> Raw {
        daemon.connect().expect("the daemon listens")
    }

    /// What the daemon has written to standard error.
    pub fn log_text(&self) -> String {
        fs::read_to_string(self.setup.log()).unwrap_or_default()
    }

    /// Bob writes to the daemon's agent.
    pub fn bob_says(&self, text: &str) -> Message {
        self.sandbox.send("bob", To::Handle("dora"), text)
    }

    /// Waits for something in the platform's journal, from an entry on.
    ///
    /// # Panics
    /// Where it does not come.
    pub fn seen_from(&self, index: usize, fits: impl Fn(&Event) -> bool) -> Entry {
        let journal = self.sandbox.journal();
        let entry = journal.wait_from(index, |entry| fits(&entry.event), SOON);
        match self.runtime.block_on(entry) {
            Ok(entry) => entry,
            Err(error) => panic!("{error}; the daemon's log:\n{}", self.log_text()),
        }
    }

    /// How many requests of this method and path the platform has answered or dropped.
    pub fn requests(&self, method: &str, path: &str) -> usize {
        self.sandbox.journal().count(|event| {
            matches!(event, Event::Http { method: of, path: at, .. } if of == method && at == path)
        })
    }

    /// How many requests for a send the platform has seen.
    pub fn send_requests(&self) -> usize {
        self.requests("POST", "/v1/messages")
    }

    /// The whole log of a daemon, by `events.fetch`.
    ///
    /// # Panics
    /// Where it cannot be read.
    pub fn log(&self, daemon: &Daemon) -> Vec<Value> {
        let mut raw = self.connect(daemon);
        let mut log = Vec::new();
        let mut after = 0;
        loop {
            let params = json!({"after": after, "limit": 1000});
            let page = raw.result("events.fetch", &params).expect("a page");
            let events = page["events"].as_array().expect("a list of events");
            if events.is_empty() {
                return log;
            }
            log.extend(events.iter().cloned());
            after = page["next_after"].as_u64().expect("an offset");
        }
    }

    /// Waits until the log holds an event that fits, and gives it.
    ///
    /// # Panics
    /// Where it does not come.
    pub fn logged(&self, daemon: &Daemon, fits: impl Fn(&Value) -> bool) -> Value {
        let mut found = None;
        until("an event in the log", || {
            let log = self.log(daemon);
            found = log.iter().find(|event| fits(event)).cloned();
            if found.is_some() {
                Ok(())
            } else {
                Err(format!("{log:#?}"))
            }
        });
        found.expect("the wait ends with it")
    }

    /// Waits until the log holds each message that the platform has for the agent, then checks
    /// that each stands there once, that a conversation's seqs rise except where an event says
    /// that it is late, and that offsets have no holes.
    ///
    /// # Panics
    /// Where one of it is not so.
    pub fn log_is_whole(&self, daemon: &Daemon) -> Vec<Value> {
        let mut log = Vec::new();
        until("each message of the platform in the log", || {
            log = self.log(daemon);
            let missing: Vec<String> = self.missing(&log);
            if missing.is_empty() {
                return Ok(());
            }
            Err(format!("missing {missing:?}; {}", self.log_text()))
        });
        once_and_in_order(&log);
        log
    }

    /// What the platform has and the log has not.
    fn missing(&self, log: &[Value]) -> Vec<String> {
        let held: BTreeSet<&str> = log
            .iter()
            .filter_map(|event| event["message_id"].as_str())
            .collect();
        let of_platform = self.sandbox.messages_for("dora").into_values().flatten();
        of_platform
            .map(|message| message.id)
            .filter(|id| !held.contains(id.as_str()))
            .collect()
    }
}

/// Checks a log by itself.
///
/// # Panics
/// Where a message stands twice or out of order, or an offset is missing.
pub fn once_and_in_order(log: &[Value]) {
    let mut ids = BTreeSet::new();
    let mut tops: BTreeMap<&str, u64> = BTreeMap::new();
    for (place, event) in log.iter().enumerate() {
        assert_eq!(event["offset"], place + 1, "offsets have no holes");
        let is_message = event["type"] == "message.new" || event["type"] == "message.sent";
        let Some(id) = event["message_id"].as_str().filter(|_| is_message) else {
            continue;
        };
        assert!(ids.insert(id), "{id} stands twice in {log:#?}");
        let conversation = event["conversation_id"].as_str().unwrap_or_default();
        let seq = event["seq"].as_u64().unwrap_or_default();
        let top = tops.entry(conversation).or_default();
        assert_eq!(event["late"], seq <= *top, "{event} after seq {top}");
        *top = seq.max(*top);
    }
}

/// Polls a condition that sends no signal.
///
/// # Panics
/// Where it does not come to hold within [`SOON`].
pub fn until(what: &str, mut holds: impl FnMut() -> Result<(), String>) {
    let deadline = Instant::now() + SOON;
    loop {
        match holds() {
            Ok(()) => return,
            Err(why) if Instant::now() > deadline => panic!("{what} within {SOON:?}: {why}"),
            Err(_) => std::thread::sleep(POLL),
        }
    }
}

/// How long anything expected may take.
pub const SOON: Duration = Duration::from_secs(20);
/// How long is waited for something that must not come.
pub const NEVER: Duration = Duration::from_millis(150);
/// Between two looks.
const POLL: Duration = Duration::from_millis(10);
