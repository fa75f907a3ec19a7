//! The scene that the examples of `docs/protocol.md` are played in.

use std::path::Path;

use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::daemon::{Daemon, Setup};
use crate::sandbox::{Options, Sandbox, To};

/// A connected daemon of `@bob`, in whose log one message of `@alice` stands.
#[derive(Debug)]
pub struct Scene {
    /// The daemon; first, so that it ends before what it stands on.
    pub daemon: Daemon,
    /// The platform.
    pub sandbox: Sandbox,
    _setup: Setup,
    _dir: TempDir,
    _runtime: Runtime,
}

impl Scene {
    /// Sets it up.
    ///
    /// # Panics
    /// Where that does not work within the harness's deadlines.
    pub fn of_page(binary: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let sandbox = runtime
            .block_on(Sandbox::start(Options::modern()))
            .expect("the sandbox starts");
        let key = sandbox.agent("bob").key().to_owned();
        sandbox.agent("alice");
        let dir = tempfile::tempdir().expect("a folder");
        let setup = Setup::new(Path::new(binary), dir.path(), &sandbox.base_url(), &key);
        let daemon = setup.start().expect("the daemon starts");
        daemon.ready().expect("it connects");
        sandbox.send("alice", To::Handle("bob"), json!({"text": "hello"}));
        daemon
            .status_until(|status| status["log"]["last_offset"] == 1)
            .expect("the message arrives");
        Self {
            daemon,
            sandbox,
            _setup: setup,
            _dir: dir,
            _runtime: runtime,
        }
    }
}
