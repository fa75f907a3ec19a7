//! The program in a pseudo-terminal, as a person has it: with keys to type, a width, colours, Ctrl-C.

use crate::ctl::{Ctl, Ran, binary};
use agentchatd_tests::stage::SOON;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::pty::{Winsize, openpty};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A run in a terminal of its own.
pub(crate) struct Terminal {
    child: Child,
    keys: File,
    screen: Arc<Mutex<Vec<u8>>>,
    read: usize,
}

impl Terminal {
    /// A run in a terminal of so many columns.
    pub(crate) fn open(ctl: &Ctl, arguments: &[&str], columns: u16) -> Self {
        Self::open_with(ctl, arguments, columns, &[])
    }

    /// The same with these variables.
    pub(crate) fn open_with(
        ctl: &Ctl,
        arguments: &[&str],
        columns: u16,
        variables: &[(&str, &str)],
    ) -> Self {
        let size = Winsize {
            ws_row: 50,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pty = openpty(Some(&size), None).expect("a pseudo-terminal");
        for end in [&pty.master, &pty.slave] {
            fcntl(end, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).expect("a flag");
        }
        // The session and its terminal, without which Ctrl-C would reach nobody; and a job that a
        // shell has put into the background is told to pass over it.
        let mut command = Command::new("setsid");
        command.args(["--ctty", "env", "--default-signal=INT"]);
        command.arg(binary());
        let slave = || Stdio::from(pty.slave.try_clone().expect("another end"));
        let child = ctl
            .prepare(command, arguments)
            .env("TERM", "xterm-256color")
            .envs(variables.iter().copied())
            .stdin(slave())
            .stdout(slave())
            .stderr(slave())
            .spawn()
            .expect("it starts");
        let screen = Arc::new(Mutex::new(Vec::new()));
        let keys = File::from(pty.master);
        follow(keys.try_clone().expect("another end"), Arc::clone(&screen));
        Self {
            child,
            keys,
            screen,
            read: 0,
        }
    }

    /// Waits for this text behind all that was waited for before.
    pub(crate) fn expect(&mut self, text: &str) {
        let deadline = Instant::now() + SOON;
        loop {
            let screen = self.screen();
            if let Some(place) = screen[self.read..].find(text) {
                self.read += place + text.len();
                return;
            }
            if Instant::now() > deadline {
                let _gone = self.child.kill();
                panic!("no {text:?} comes behind {} in {screen:?}", self.read);
            }
            thread::sleep(LOOK);
        }
    }

    /// Types a line.
    pub(crate) fn enter(&mut self, line: &str) {
        self.press(&format!("{line}\r"));
    }

    /// Types keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("it takes keys");
    }

    /// Waits for its end: all that stood on the screen, and its status (-1 where a signal ended it).
    pub(crate) fn end(mut self) -> Ran {
        let deadline = Instant::now() + SOON;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                break status;
            }
            if Instant::now() > deadline {
                let _gone = self.child.kill();
                panic!("it does not end: {:?}", self.screen());
            }
            thread::sleep(LOOK);
        };
        // What was written last may still be on its way through the terminal: a mark behind it.
        self.settle();
        Ran {
            stdout: self.screen().replace("\r\n", "\n"),
            stderr: String::new(),
            code: status.code().unwrap_or(-1),
        }
    }

    /// Waits until the reader has seen the end of the terminal, or nothing more has come for long.
    fn settle(&self) {
        let deadline = Instant::now() + QUIET;
        while Instant::now() < deadline && Arc::strong_count(&self.screen) > 1 {
            thread::sleep(LOOK);
        }
    }

    fn screen(&self) -> String {
        let bytes = self.screen.lock().expect("nobody fails with it").clone();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Reads along until the terminal is closed by its last user.
fn follow(mut terminal: File, screen: Arc<Mutex<Vec<u8>>>) {
    thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(count @ 1..) = terminal.read(&mut piece) {
            let mut screen = screen.lock().expect("nobody fails with it");
            screen.extend_from_slice(&piece[..count]);
        }
    });
}

/// The text without colours; a sequence of any other kind stays and can be seen.
pub(crate) fn without_colours(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(begin) = rest.find("\u{1b}[") {
        out.push_str(&rest[..begin]);
        let sequence = &rest[begin + 2..];
        let end = sequence.find(|c: char| !c.is_ascii_digit() && c != ';');
        rest = match end {
            Some(end) if sequence[end..].starts_with('m') => &sequence[end + 1..],
            _ => {
                out.push_str("\u{1b}[");
                sequence
            }
        };
    }
    out + rest
}

/// Between two looks.
const LOOK: Duration = Duration::from_millis(5);
/// How long the end of a terminal may take that another process may hold open.
const QUIET: Duration = Duration::from_secs(2);
