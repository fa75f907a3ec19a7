//! The real daemon as a process, in a folder of its own.

use crate::http::Http;
use crate::raw::Raw;
use serde_json::{Value, json};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How a daemon is started.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The program.
    pub binary: PathBuf,
    /// Holds state, socket, key and log; kept over restarts.
    pub dir: PathBuf,
    /// The platform.
    pub base_url: String,
    /// The agent's key; with an empty one the daemon is told of none.
    pub key: String,
    /// More variables, `AGENTCHATD_REALTIME_GAP_WINDOW_MS` and the like.
    pub env: Vec<(String, String)>,
    /// A command line that runs the one that follows it, in the same process: `unshare --mount`.
    /// Usually empty.
    pub wrapper: Vec<String>,
}

/// A running daemon. Dropping it kills it.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    socket: PathBuf,
}

impl Setup {
    /// A daemon in `dir`, with short times so that tests need not wait.
    pub fn new(binary: &Path, dir: &Path, base_url: &str, key: &str) -> Self {
        let quick = [
            ("AGENTCHATD_REALTIME_BACKOFF_MIN_MS", "20"),
            ("AGENTCHATD_REALTIME_BACKOFF_MAX_MS", "200"),
            ("AGENTCHATD_REALTIME_GAP_WINDOW_MS", "100"),
            ("AGENTCHATD_REALTIME_SYNC_INTERVAL_S", "1"),
            ("AGENTCHATD_REALTIME_RECONCILE_INTERVAL_S", "1"),
            ("AGENTCHATD_HTTP_BASE_DELAY_MS", "20"),
            ("AGENTCHATD_OUTBOX_RATE_PER_SECOND", "1000"),
        ];
        Self {
            binary: binary.into(),
            dir: dir.into(),
            base_url: base_url.into(),
            key: key.into(),
            env: quick
                .map(|(name, value)| (name.into(), value.into()))
                .into(),
            wrapper: Vec::new(),
        }
    }

    /// The socket's path.
    pub fn socket(&self) -> PathBuf {
        self.dir.join("run/agentchatd.sock")
    }

    /// The database's path.
    pub fn database(&self) -> PathBuf {
        self.dir.join("state/state.db")
    }

    /// The file that the daemon's log is appended to.
    pub fn log(&self) -> PathBuf {
        self.dir.join("daemon.log")
    }

    /// The command line, for those who want to start it themselves.
    ///
    /// # Errors
    /// Where the key file or the folders cannot be written.
    pub fn command(&self) -> io::Result<Command> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.dir)?;
        let mut command = match self.wrapper.split_first() {
            Some((program, arguments)) => {
                let mut command = Command::new(program);
                command.args(arguments).arg(&self.binary);
                command
            }
            None => Command::new(&self.binary),
        };
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("AGENTCHAT") {
                command.env_remove(name);
            }
        }
        command
            .arg("--socket")
            .arg(self.socket())
            .arg("--state-dir")
            .arg(self.dir.join("state"))
            .env("AGENTCHAT_BASE_URL", &self.base_url)
            .envs(self.env.iter().map(|(name, value)| (name, value)));
        if !self.key.is_empty() {
            self.write_key()?;
            command.arg("--api-key-file").arg(self.key_file());
        }
        Ok(command)
    }

    /// The file with the key.
    pub fn key_file(&self) -> PathBuf {
        self.dir.join("key")
    }

    /// The same daemon, built with failpoints, killed the `passes`th time that it gets to a step.
    ///
    /// # Errors
    /// Where that program cannot be built.
    pub fn killed_at(&self, step: &str, passes: u64) -> io::Result<Self> {
        let before = passes.saturating_sub(1);
        let action = format!("{step}={before}*off->1*return");
        let mut setup = self.faulty()?;
        setup.env.push(("FAILPOINTS".into(), action));
        Ok(setup)
    }

    /// The same daemon, built with failpoints.
    ///
    /// # Errors
    /// Where that program cannot be built.
    pub fn faulty(&self) -> io::Result<Self> {
        static BINARY: Mutex<Option<PathBuf>> = Mutex::new(None);
        let mut binary = BINARY.lock().unwrap_or_else(PoisonError::into_inner);
        let built = match &*binary {
            Some(path) => path.clone(),
            None => build_with("agentchatd", "agentchatd-faulty", "failpoints")?,
        };
        Ok(Self {
            binary: binary.insert(built).clone(),
            ..self.clone()
        })
    }

    /// Writes the key where the daemon reads it.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write_key(&self) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(self.key_file())?;
        io::Write::write_all(&mut file, self.key.as_bytes())
    }

    /// Starts the daemon and waits for nothing: it may be meant to die at once.
    ///
    /// # Errors
    /// Where there is no such program.
    pub fn spawn(&self) -> io::Result<Daemon> {
        let mut command = self.command()?;
        let log = File::options().create(true).append(true).open(self.log())?;
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        Ok(Daemon {
            child,
            socket: self.socket(),
        })
    }

    /// Starts the daemon and waits until its socket answers.
    ///
    /// # Errors
    /// Where it ends at once, or does not answer within `START`.
    pub fn start(&self) -> io::Result<Daemon> {
        let mut daemon = self.spawn()?;
        let deadline = Instant::now() + START;
        loop {
            if let Ok(mut raw) = daemon.connect()
                && raw.call("daemon.version", &json!({})).is_ok()
            {
                return Ok(daemon);
            }
            if let Some(status) = daemon.child.try_wait()? {
                let log = fs::read_to_string(self.log()).unwrap_or_default();
                return Err(io::Error::other(format!(
                    "the daemon ended with {status}:\n{log}"
                )));
            }
            if Instant::now() > deadline {
                let log = fs::read_to_string(self.log()).unwrap_or_default();
                return Err(io::Error::other(format!(
                    "the daemon does not answer:\n{log}"
                )));
            }
            std::thread::sleep(POLL);
        }
    }
}

impl Daemon {
    /// A new connection.
    ///
    /// # Errors
    /// Where the daemon does not listen.
    pub fn connect(&self) -> io::Result<Raw> {
        Raw::connect(&self.socket, PATIENCE)
    }

    /// A new connection for HTTP.
    ///
    /// # Errors
    /// Where the daemon does not listen.
    pub fn http(&self) -> io::Result<Http> {
        Http::connect(&self.socket, PATIENCE)
    }

    /// The socket's path.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a power cut of the process would: SIGKILL.
    ///
    /// # Errors
    /// Where it cannot be waited for.
    pub fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(|_| ())
    }

    /// Sends it a signal, `TERM` and the like.
    ///
    /// # Errors
    /// Where there is no program to send it with.
    pub fn signal(&self, name: &str) -> io::Result<()> {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status()?;
        if sent.success() {
            return Ok(());
        }
        Err(io::Error::other(format!("no signal was sent: {sent}")))
    }

    /// Waits for its own end.
    ///
    /// # Errors
    /// Where it does not end within `patience`.
    pub fn wait(&mut self, patience: Duration) -> io::Result<ExitStatus> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                return Err(io::Error::other("the daemon does not end"));
            }
            std::thread::sleep(POLL);
        }
    }

    /// Asks it to stop over its socket and waits.
    ///
    /// # Errors
    /// Where it does not answer or does not end.
    pub fn stop(&mut self) -> io::Result<ExitStatus> {
        self.connect()?.result("daemon.shutdown", &json!({}))?;
        self.wait(PATIENCE)
    }

    /// Polls `daemon.status` until it fits.
    ///
    /// # Errors
    /// Where it does not within `PATIENCE`; the last status is told.
    pub fn status_until(&self, fits: impl Fn(&Value) -> bool) -> io::Result<Value> {
        let mut raw = self.connect()?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let status = raw.result("daemon.status", &json!({}))?;
            if fits(&status) {
                return Ok(status);
            }
            if Instant::now() > deadline {
                return Err(io::Error::other(format!("the status stays {status}")));
            }
            std::thread::sleep(POLL);
        }
    }

    /// Waits until it is connected and all that waited is stored.
    ///
    /// # Errors
    /// As for [`Daemon::status_until`].
    pub fn ready(&self) -> io::Result<Value> {
        self.status_until(|status| status["connection"]["state"] == "ready")
    }
}

/// Builds a program of the workspace with the cargo and the profile of the caller, and says where
/// it lies. For tests that need a program of another package than their own.
///
/// # Errors
/// Where cargo cannot be run, or the program does not compile.
pub fn build(package: &str, program: &str) -> io::Result<PathBuf> {
    build_with(package, program, "")
}

/// The same for a program that needs these features, separated by commas.
///
/// # Errors
/// As for [`build`].
pub fn build_with(package: &str, program: &str, features: &str) -> io::Result<PathBuf> {
    // .../target/PROFILE/deps/this-test
    let exe = std::env::current_exe()?;
    let profile_dir = exe
        .ancestors()
        .find(|dir| !dir.ends_with("deps") && dir.is_dir())
        .ok_or_else(|| io::Error::other("this test lies nowhere"))?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args([
        "build",
        "--quiet",
        "--package",
        package,
        "--bin",
        program,
        "--features",
        features,
    ]);
    if profile_dir.ends_with("release") {
        command.arg("--release");
    }
    // Of the package that runs now: ring's build script takes them for its own that have changed,
    // and it and all behind it is built anew (briansmith/ring#2454).
    for (name, _) in std::env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"]
            .iter()
            .any(|of| name.to_string_lossy().starts_with(of))
        {
            command.env_remove(name);
        }
    }
    let status = command.status()?;
    if !status.success() {
        return Err(io::Error::other(format!(
            "cargo could not build {program}: {status}"
        )));
    }
    Ok(profile_dir.join(program))
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// How long a start may take.
const START: Duration = Duration::from_secs(20);
/// How long anything else may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks at a condition that sends no signal.
const POLL: Duration = Duration::from_millis(10);
