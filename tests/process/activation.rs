//! Socket activation: a socket that the service manager has bound, and what else it may hand over.
//!
//! `systemd-socket-activate` hands over as systemd does; where a test has to hold the socket over
//! several daemons, the shell stands in for it: it gives the descriptor its number and becomes the
//! daemon, so that the pid in the variables is the daemon's.

use crate::stage;
use agentchatd_tests::raw::Raw;
use agentchatd_tests::stage::{SOON, Stage};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A process that goes when this does.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

impl Running {
    fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        let done = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(done.expect("kill(1) is there").success());
    }

    fn ends(&mut self) -> i32 {
        let deadline = Instant::now() + SOON;
        loop {
            if let Some(status) = self.0.try_wait().expect("it can be waited for") {
                return status.code().expect("it ended by itself");
            }
            assert!(Instant::now() < deadline, "it runs on");
            std::thread::sleep(PAUSE);
        }
    }
}

/// The program and arguments of the stage's daemon, without the flag for a socket of its own.
fn without_socket(whole: &Command) -> Vec<OsString> {
    let mut line = vec![whole.get_program().to_owned()];
    let mut arguments = whole.get_args();
    while let Some(argument) = arguments.next() {
        if argument == "--socket" {
            arguments.next();
        } else {
            line.push(argument.to_owned());
        }
    }
    line
}

/// A daemon that is handed this descriptor, as systemd hands it over.
fn handed(stage: &Stage, descriptor: impl Into<OwnedFd>) -> Command {
    let whole = stage.setup.command().expect("a command line");
    let mut command = Command::new("sh");
    for (name, value) in whole.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
        .args(["-c", HAND_OVER, "sh"])
        .args(without_socket(&whole))
        .stdin(Stdio::from(descriptor.into()));
    command
}

/// Starts it with the stage's log.
fn started(stage: &Stage, mut command: Command) -> Running {
    let log = fs::File::options()
        .create(true)
        .append(true)
        .open(stage.setup.log())
        .expect("a log can be written");
    let child = command.stdout(Stdio::null()).stderr(log).spawn();
    Running(child.expect("the program starts"))
}

/// A socket as a unit with `SocketMode=0600` makes it.
fn bound(stage: &Stage) -> (UnixListener, PathBuf) {
    let path = stage.setup.socket();
    fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
    let listener = UnixListener::bind(&path).expect("the path is free");
    fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("it is ours");
    (listener, path)
}

fn line(value: &Value) -> String {
    format!("{value}\n")
}

#[test]
fn who_connects_and_writes_before_the_daemon_runs_is_answered() {
    let stage = stage();
    let path = stage.setup.socket();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let whole = stage.setup.command().unwrap();
    let mut command = Command::new("systemd-socket-activate");
    command.arg("--fdname=agentchatd.socket");
    command.arg("--listen").arg(&path);
    // It passes on what it is told to, and little else.
    for (name, value) in whole.get_envs() {
        if let Some(value) = value {
            let (name, value) = (name.to_str().unwrap(), value.to_str().unwrap());
            command.arg(format!("--setenv={name}={value}"));
        }
    }
    command.args(without_socket(&whole));
    let mut activator = started(&stage, command);
    let deadline = Instant::now() + SOON;
    let mut client = loop {
        match Raw::connect(&path, SOON) {
            Ok(client) => break client,
            Err(error) => assert!(Instant::now() < deadline, "nobody listens: {error}"),
        }
        assert!(
            activator.0.try_wait().unwrap().is_none(),
            "{}",
            stage.log_text()
        );
        std::thread::sleep(PAUSE);
    };
    let status = client.ok("daemon.status", json!({}));
    assert_eq!(status["socket"], json!({"path": path, "handed_over": true}));
    // It became the daemon, so the answer is the daemon's own.
    assert_eq!(status["pid"], activator.0.id());
    let variables = fs::read(format!("/proc/{}/environ", activator.0.id())).unwrap();
    assert!(
        String::from_utf8_lossy(&variables).contains("LISTEN_FDNAMES=agentchatd.socket"),
        "systemd-socket-activate handed over nothing"
    );
    let descriptor = fs::read_to_string(format!("/proc/{}/fdinfo/3", activator.0.id())).unwrap();
    let flags = descriptor
        .lines()
        .find_map(|line| line.strip_prefix("flags:"));
    let flags = u32::from_str_radix(flags.unwrap().trim(), 8).unwrap();
    assert_ne!(flags & CLOSE_ON_EXEC, 0, "no other program gets the socket");
    activator.signal("TERM");
    assert_eq!(activator.ends(), 0, "{}", stage.log_text());
    assert!(path.exists(), "the file is another's");
}

#[test]
fn in_a_restart_nobody_is_refused() {
    let stage = stage();
    let (listener, path) = bound(&stage);
    let over = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (over, path) = (Arc::clone(&over), path.clone());
            std::thread::spawn(move || {
                let mut served_by = Vec::new();
                while !over.load(Ordering::Acquire) {
                    if let Some(pid) = ask(&path) {
                        served_by.push(pid);
                    }
                }
                served_by
            })
        })
        .collect();
    let mut pids = Vec::new();
    for round in 0..ROUNDS {
        let held = listener.try_clone().unwrap();
        let mut daemon = started(&stage, handed(&stage, held));
        pids.push(u64::from(daemon.0.id()));
        // A request of our own tells that this daemon serves.
        let deadline = Instant::now() + SOON;
        while ask(&path) != pids.last().copied() {
            assert!(Instant::now() < deadline, "{}", stage.log_text());
        }
        // Once in order, once in the middle of everything.
        if round % 2 == 0 {
            daemon.signal("TERM");
            assert_eq!(daemon.ends(), 0, "{}", stage.log_text());
        } else {
            daemon.0.kill().unwrap();
            daemon.0.wait().unwrap();
        }
        assert!(path.exists(), "the file is another's");
    }
    // The last requests wait for somebody.
    let last = started(&stage, handed(&stage, listener.try_clone().unwrap()));
    pids.push(u64::from(last.0.id()));
    let deadline = Instant::now() + SOON;
    while ask(&path) != pids.last().copied() {
        assert!(Instant::now() < deadline, "{}", stage.log_text());
    }
    over.store(true, Ordering::Release);
    for client in clients {
        let served_by = client.join().expect("no client was refused");
        assert!(!served_by.is_empty());
        for pid in &served_by {
            assert!(pids.contains(pid), "{pid} of {pids:?}");
        }
    }
}

/// Connects, writes, and waits for the answer: the daemon's pid. `None` where it ended in between.
/// To be refused is what must never happen.
fn ask(path: &std::path::Path) -> Option<u64> {
    let mut client = Raw::connect(path, SOON).expect("somebody listens");
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "daemon.status"});
    client.write(line(&request).as_bytes()).ok()?;
    match client.line() {
        Ok(Some(answer)) if answer["id"] == 1 => answer["result"]["pid"].as_u64(),
        Ok(_) => None,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            panic!("nobody answers in time")
        }
        Err(_) => None,
    }
}

#[test]
fn a_request_that_waited_in_the_queue_is_answered_by_the_next_daemon() {
    let stage = stage();
    let (listener, path) = bound(&stage);
    let mut early = Raw::connect(&path, SOON).unwrap();
    early
        .write(line(&json!({"jsonrpc": "2.0", "id": 7, "method": "daemon.version"})).as_bytes())
        .unwrap();
    let mut daemon = started(&stage, handed(&stage, listener.try_clone().unwrap()));
    assert_eq!(early.line().unwrap().unwrap()["id"], 7);
    daemon.signal("TERM");
    assert_eq!(daemon.ends(), 0);
    let mut between = Raw::connect(&path, SOON).expect("the socket listens without a daemon");
    between
        .write(line(&json!({"jsonrpc": "2.0", "id": 8, "method": "daemon.version"})).as_bytes())
        .unwrap();
    let _daemon = started(&stage, handed(&stage, listener));
    assert_eq!(between.line().unwrap().unwrap()["id"], 8);
}

#[test]
fn what_is_no_listening_unix_stream_socket_is_refused_with_78() {
    let stage = stage();
    fs::create_dir_all(&stage.setup.dir).unwrap();
    let file = fs::File::create(stage.setup.dir.join("plain")).unwrap();
    let (connected, _other) = UnixStream::pair().unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let dialled = TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
    let datagram = UnixDatagram::bind(stage.setup.dir.join("datagram")).unwrap();
    let address =
        std::os::unix::net::SocketAddr::from_abstract_name(format!("hub-{}", std::process::id()));
    let abstract_one = UnixListener::bind_addr(&address.unwrap()).unwrap();
    for (what, descriptor, words) in [
        ("a file", OwnedFd::from(file), "not a socket"),
        ("one connection", connected.into(), "does not listen"),
        ("TCP", tcp.into(), "not a valid unix stream socket"),
        (
            "a TCP connection",
            dialled.into(),
            "not a valid unix stream socket",
        ),
        (
            "datagrams",
            datagram.into(),
            "not a valid unix stream socket",
        ),
        ("an abstract address", abstract_one.into(), "ListenStream="),
    ] {
        let (status, said) = ended(&stage, handed(&stage, descriptor));
        assert_eq!(status, 78, "{what}: {said}");
        assert!(said.contains(words), "{what}: {said}");
        assert!(said.contains("socket activation"), "{what}: {said}");
    }
    assert!(
        !stage.setup.dir.join("state").exists(),
        "nothing was started"
    );
    assert!(!stage.setup.socket().exists(), "no other socket was made");
}

#[test]
fn variables_that_make_no_sense_are_refused_and_several_sockets_named() {
    let stage = stage();
    let (listener, path) = bound(&stage);
    for (name, value, words) in [
        ("COUNT", "lots", "no number"),
        ("COUNT", "2", "2 sockets were handed over (api, metrics)"),
    ] {
        let mut command = handed(&stage, listener.try_clone().unwrap());
        command
            .env(name, value)
            .env("LISTEN_FDNAMES", "api:metrics");
        let (status, said) = ended(&stage, command);
        assert_eq!(status, 78, "{said}");
        assert!(said.contains(words), "{said}");
    }
    assert!(path.exists());
}

#[test]
fn variables_for_another_process_are_passed_over() {
    let mut stage = stage();
    stage.env("LISTEN_FDS", "1");
    stage.env("LISTEN_PID", "1");
    let daemon = stage.start();
    let status = stage.connect(&daemon).ok("daemon.status", json!({}));
    assert_eq!(
        status["socket"],
        json!({"path": stage.setup.socket(), "handed_over": false})
    );
}

#[test]
fn a_configured_path_gives_way_and_a_socket_that_is_open_to_all_is_told_of() {
    let stage = stage();
    let (listener, path) = bound(&stage);
    fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    let mut command = handed(&stage, listener);
    let elsewhere = stage.setup.dir.join("elsewhere.sock");
    command.arg("--socket").arg(&elsewhere);
    let _daemon = started(&stage, command);
    let mut client = Raw::connect(&path, SOON).unwrap();
    let status = client.ok("daemon.status", json!({}));
    let warnings = status["warnings"].to_string();
    assert!(warnings.contains("elsewhere.sock"), "{warnings}");
    assert!(warnings.contains("SocketMode=0660"), "{warnings}");
    assert!(!elsewhere.exists());
    // A reload reads the same again.
    let reloaded = client.ok("daemon.reload", json!({}));
    assert_eq!(reloaded["warnings"].as_array().unwrap().len(), 2);
}

/// Runs it to its end; the status and what it said. [`crate::output`] would take its standard input
/// away, which is the socket here.
fn ended(stage: &Stage, command: Command) -> (i32, String) {
    let before = stage.log_text().len();
    let status = started(stage, command).ends();
    (status, stage.log_text().split_off(before))
}

/// Standard input becomes descriptor 3, as `sd_listen_fds(3)` has it, and the shell the daemon.
const HAND_OVER: &str = "exec 3<&0 </dev/null; export LISTEN_PID=$$ LISTEN_FDS=${COUNT:-1}; \
                         exec \"$@\"";
/// The flag in the form that `/proc` shows.
const CLOSE_ON_EXEC: u32 = 0o2_000_000;
/// Clients that connect again and again.
const CLIENTS: usize = 4;
/// Daemons that are ended under them.
const ROUNDS: usize = 4;
/// Between two looks at a condition that sends no signal.
const PAUSE: Duration = Duration::from_millis(10);
