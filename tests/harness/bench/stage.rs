//! What every part stands on: a sandbox with a thread of its own, and daemons with their defaults.

use agentchatd_tests::daemon::{Daemon, Setup};
use agentchatd_tests::sandbox::{Draft, Options, Sandbox, To};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// How much of everything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// Messages that wait.
    pub(crate) backlog: usize,
    /// How often a figure that varies is taken; the median counts.
    pub(crate) rounds: usize,
    /// How long live messages come.
    pub(crate) live: Duration,
    /// Calls one at a time; pipelined calls are ten times as many.
    pub(crate) calls: usize,
    /// How long a daemon is left alone before its size is taken.
    pub(crate) idle: Duration,
    /// Pushes of the sandbox.
    pub(crate) pushes: usize,
}

impl Scale {
    /// What the bars are about.
    pub(crate) fn full() -> Self {
        Self {
            backlog: 50_000,
            rounds: 3,
            live: Duration::from_secs(20),
            calls: 20_000,
            idle: Duration::from_secs(5),
            pushes: 500_000,
        }
    }

    /// A look at whether it works.
    pub(crate) fn quick() -> Self {
        Self {
            backlog: 2_000,
            rounds: 1,
            live: Duration::from_secs(2),
            calls: 500,
            idle: Duration::from_secs(1),
            pushes: 20_000,
        }
    }
}

/// The room for all parts.
#[derive(Debug)]
pub(crate) struct Lab {
    pub(crate) scale: Scale,
    runtime: Runtime,
    binary: PathBuf,
    dir: PathBuf,
}

/// A platform, and a daemon's folder that belongs to it. The agent is `me`.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) setup: Setup,
    pub(crate) key: String,
    // Removed last.
    _dir: TempDir,
}

impl Lab {
    pub(crate) fn new(binary: PathBuf, dir: PathBuf, scale: Scale) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        Ok(Self {
            scale,
            runtime,
            binary,
            dir,
        })
    }

    /// The folder on whose disk everything is measured.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// A fresh platform of this kind.
    pub(crate) fn sandbox(&self, options: Options) -> io::Result<Sandbox> {
        let starting = Sandbox::start(options);
        self.runtime.block_on(starting).map_err(io::Error::other)
    }

    /// A fresh platform and a fresh folder.
    pub(crate) fn stage(&self) -> io::Result<Stage> {
        let options = Options {
            sends_per_second: None,
            group_sends_per_second: None,
            cold_cap: None,
            journal_pushes: false,
            socket_buffer: usize::MAX,
            ..Options::modern()
        };
        let sandbox = self.sandbox(options)?;
        let key = sandbox.agent("me").key().to_owned();
        let dir = tempfile::Builder::new()
            .prefix("bench-")
            .tempdir_in(&self.dir)?;
        let mut setup = Setup::new(&self.binary, dir.path(), &sandbox.base_url(), &key);
        // The defaults of the daemon, not the short times of tests.
        setup.env.clear();
        setup
            .env
            .push(("AGENTCHATD_LOG_LEVEL".into(), "warn".into()));
        Ok(Stage {
            sandbox,
            setup,
            key,
            _dir: dir,
        })
    }
}

impl Stage {
    /// Messages that wait for the agent, in so many conversations, taken in turn.
    pub(crate) fn fill(&self, messages: usize, conversations: usize) {
        let peers: Vec<String> = (0..conversations).map(|n| format!("peer{n}")).collect();
        for peer in &peers {
            self.sandbox.agent(peer);
        }
        for number in 0..messages {
            let draft = Draft::text(&format!("{number:>8} {TEXT}"));
            let peer = &peers[number % conversations];
            self.sandbox.flood(peer, To::Handle("me"), [draft]);
        }
    }

    /// A daemon that is connected and has nothing left to fetch.
    pub(crate) fn ready(&self) -> io::Result<Daemon> {
        let daemon = self.setup.start()?;
        daemon.ready()?;
        Ok(daemon)
    }
}

/// About what an agent says.
const TEXT: &str = "Thanks, I looked at the figures for the third quarter again. They agree with \
    the ledger now; the two rows that differed were booked twice on the supplier's side.";
