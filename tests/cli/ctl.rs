//! The program as a shell starts it: with arguments, something on standard input, and pipes behind it.

use agentchatd_tests::daemon;
use agentchatd_tests::stage::{SOON, Stage};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Instant;

/// The program, told where one daemon's socket is.
#[derive(Clone)]
pub(crate) struct Ctl {
    socket: PathBuf,
}

/// What became of a run.
pub(crate) struct Ran {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

/// A run that goes on.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Ctl {
    pub(crate) fn new(stage: &Stage) -> Self {
        Self::at(&stage.setup.socket())
    }

    pub(crate) fn at(socket: &Path) -> Self {
        Self {
            socket: socket.to_owned(),
        }
    }

    /// The command line behind pipes.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.prepare(Command::new(binary()), arguments);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Makes this the command line: its arguments, and nothing of this test's surroundings that could
    /// change what it does.
    pub(crate) fn prepare(&self, mut command: Command, arguments: &[&str]) -> Command {
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("AGENTCHAT") || name.starts_with("CLICOLOR") || name == "NO_COLOR" {
                command.env_remove(&*name);
            }
        }
        command
            .env("AGENTCHATD_SOCKET", &self.socket)
            .args(arguments);
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        ended(
            self.command(arguments).spawn().expect("it starts"),
            arguments,
        )
    }

    /// Runs it to its end with this on standard input.
    pub(crate) fn fed(&self, arguments: &[&str], input: &[u8]) -> Ran {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).spawn().expect("it starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        // A program that ends without reading it is judged by how it ends.
        let _unread = stdin.write_all(input);
        drop(stdin);
        ended(child, arguments)
    }

    /// What it prints, where it succeeds.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stderr);
        ran.stdout
    }

    /// Starts it and reads along.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let mut child = self.command(arguments).spawn().expect("it starts");
        let stdout = child.stdout.take().expect("a pipe");
        Running {
            child,
            lines: lines_of(stdout),
        }
    }
}

impl Running {
    /// The next line.
    pub(crate) fn line(&mut self) -> String {
        self.lines.recv_timeout(SOON).unwrap_or_else(|_| {
            let _ended = self.child.kill();
            let mut said = String::new();
            let stderr = self.child.stderr.as_mut();
            let _read = stderr.map(|stderr| stderr.read_to_string(&mut said));
            panic!("no line comes; it said: {said}")
        })
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it the hard way; it may have ended already.
    pub(crate) fn kill(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Waits for its end; what it printed that was not read yet, what it said, its status.
    pub(crate) fn end(self) -> Ran {
        let mut ran = ended(self.child, &["…"]);
        ran.stdout = self.lines.iter().map(|line| line + "\n").collect();
        ran
    }
}

fn lines_of(stdout: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Waits for the end with a deadline, reading both pipes meanwhile.
fn ended(mut child: Child, arguments: &[&str]) -> Ran {
    let stdout = child.stdout.take().map(all_of);
    let stderr = child.stderr.take().map(all_of);
    let deadline = Instant::now() + SOON;
    let status = loop {
        if let Some(status) = child.try_wait().expect("it can be waited for") {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().expect("it can be killed");
            panic!("{arguments:?} does not end");
        }
        thread::sleep(std::time::Duration::from_millis(5));
    };
    let text = |reader: Option<thread::JoinHandle<String>>| {
        reader
            .map(|reader| reader.join().expect("its output"))
            .unwrap_or_default()
    };
    Ran {
        stdout: text(stdout),
        stderr: text(stderr),
        code: status.code().unwrap_or(-1),
    }
}

fn all_of(mut pipe: impl std::io::Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("the pipe can be read");
        String::from_utf8(bytes).expect("UTF-8")
    })
}

pub(crate) fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        daemon::build_with("agentchatd-client", "agentchatctl", "cli").expect("it builds")
    })
}
