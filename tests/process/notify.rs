//! What the service manager is told, on a notify socket of the test's own (`sd_notify(3)`).

use crate::stage;
use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::raw::Raw;
use agentchatd_tests::sandbox::AccountStatus;
use agentchatd_tests::shim::{EIO, Shim};
use agentchatd_tests::stage::{SOON, Stage, until};
use nix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

/// The service manager's end of the line.
struct Manager(UnixDatagram);

impl Manager {
    /// Listens for the daemons that the stage starts from now on.
    fn of(stage: &mut Stage) -> Self {
        fs::create_dir_all(&stage.setup.dir).expect("the folder can be made");
        let path = stage.setup.dir.join("notify");
        let socket = UnixDatagram::bind(&path).expect("the path is free");
        stage.env("NOTIFY_SOCKET", path.to_str().expect("a plain path"));
        Self(socket)
    }

    /// The next datagram that comes until then.
    fn hears_by(&self, deadline: Instant) -> Option<String> {
        let left = deadline.saturating_duration_since(Instant::now());
        // A limit of nothing would be none.
        let left = left.max(Duration::from_millis(1));
        self.0.set_read_timeout(Some(left)).expect("a limit");
        let mut buffer = [0; 4096];
        match self.0.recv(&mut buffer) {
            Ok(length) => {
                Some(String::from_utf8(buffer[..length].to_vec()).expect("the daemon writes text"))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Err(error) => panic!("the line is cut: {error}"),
        }
    }

    /// Everything up to the first datagram that fits, which is the last one.
    fn hears_until(&self, what: &str, fits: impl Fn(&str) -> bool) -> Vec<String> {
        let deadline = Instant::now() + SOON;
        let mut heard = Vec::new();
        while let Some(text) = self.hears_by(deadline) {
            heard.push(text);
            if heard.last().is_some_and(|text| fits(text)) {
                return heard;
            }
        }
        panic!("{what} within {SOON:?}, and not {heard:?}");
    }

    /// Waits for this datagram.
    fn hears(&self, text: &str) -> Vec<String> {
        self.hears_until(text, |heard| heard == text)
    }

    /// Forgets what came up to now.
    fn forget(&self) {
        while self.hears_by(Instant::now()).is_some() {}
    }
}

fn verdict(raw: &mut Raw) -> Value {
    raw.ok("daemon.health", json!({}))["verdict"].take()
}

fn becomes(raw: &mut Raw, word: &str) {
    until(word, || match verdict(raw) {
        is if is == word => Ok(()),
        is => Err(is.to_string()),
    });
}

fn monotonic_us() -> u128 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("there is a clock");
    Duration::from(now).as_micros()
}

fn answers(daemon: &Daemon) {
    let mut raw = daemon.connect().expect("READY came, so the socket serves");
    raw.ok("daemon.version", json!({}));
}

#[test]
fn ready_comes_when_the_socket_serves_whether_there_is_a_network_or_not() {
    let mut stage = stage();
    let manager = Manager::of(&mut stage);
    let mut daemon = stage.setup.spawn().unwrap();
    manager.hears("READY=1");
    answers(&daemon);
    daemon.kill().unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    stage.setup.base_url = format!("http://{address}");
    manager.forget();
    let daemon = stage.setup.spawn().unwrap();
    manager.hears("READY=1");
    answers(&daemon);
}

#[test]
fn the_status_line_follows_the_connection() {
    let mut stage = stage();
    let manager = Manager::of(&mut stage);
    let daemon = stage.ready();
    let heard = manager.hears_until("a connection", |text| text.starts_with("STATUS=ready"));
    let mut states: Vec<_> = heard.iter().filter_map(|text| state(text)).collect();
    states.dedup();
    assert_eq!(
        states,
        ["connecting", "authenticating", "draining", "ready"],
        "{heard:?}"
    );
    stage.sandbox.set_status("dora", AccountStatus::Suspended);
    let heard = manager.hears_until("a refusal", |text| text.starts_with("STATUS=parked"));
    let status = stage.connect(&daemon).ok("daemon.status", json!({}));
    let reason = status["connection"]["reason"].as_str().unwrap();
    assert_eq!(*heard.last().unwrap(), format!("STATUS=parked: {reason}"));
    stage.sandbox.set_status("dora", AccountStatus::Active);
    stage.connect(&daemon).ok("daemon.reload", json!({}));
    manager.hears_until("a connection", |text| text.starts_with("STATUS=ready"));
}

/// The state of a status line.
fn state(text: &str) -> Option<&str> {
    let line = text.strip_prefix("STATUS=")?;
    Some(line.split(':').next().unwrap_or(line))
}

#[test]
fn a_reload_is_told_with_its_time_and_ends_with_ready() {
    let mut stage = stage();
    let manager = Manager::of(&mut stage);
    let file = stage.setup.dir.join("agentchatd.toml");
    stage.env("AGENTCHATD_CONFIG", file.to_str().unwrap());
    fs::write(&file, "").unwrap();
    let daemon = stage.ready();
    manager.hears("READY=1");
    // A configuration that is refused ends a reload as well.
    for text in ["[log]\nlevel = \"debug\"\n", "[log]\nlevel = \"loud\"\n"] {
        fs::write(&file, text).unwrap();
        manager.forget();
        let before = monotonic_us();
        daemon.signal("HUP").unwrap();
        let heard = manager.hears_until("the reload", |text| text.starts_with("RELOADING=1\n"));
        let (_, time) = heard.last().unwrap().split_once('\n').unwrap();
        let time: u128 = time
            .strip_prefix("MONOTONIC_USEC=")
            .unwrap()
            .parse()
            .unwrap();
        assert!((before..=monotonic_us()).contains(&time), "{time}");
        manager.hears("READY=1");
    }
}

#[test]
fn the_end_is_told_however_it_was_asked_for() {
    for by_signal in [true, false] {
        let mut stage = stage();
        let manager = Manager::of(&mut stage);
        let mut daemon = stage.ready();
        manager.hears("READY=1");
        if by_signal {
            daemon.signal("TERM").unwrap();
        } else {
            stage.connect(&daemon).ok("daemon.shutdown", json!({}));
        }
        manager.hears("STOPPING=1");
        assert_eq!(daemon.wait(SOON).unwrap().code(), Some(0));
    }
}

#[test]
fn the_watchdog_is_fed_twice_in_its_time() {
    let mut stage = stage();
    let manager = Manager::of(&mut stage);
    stage.env("WATCHDOG_USEC", "3000000");
    let _daemon = stage.ready();
    manager.hears("WATCHDOG=1");
    let first = Instant::now();
    let mut last = first;
    for _ in 0..FEEDS {
        manager.hears("WATCHDOG=1");
        let now = Instant::now();
        // A busy machine may be late, but never by so much.
        assert!(now - last < Duration::from_millis(2500), "{:?}", now - last);
        last = now;
    }
    let mean = (last - first) / FEEDS;
    assert!(mean > Duration::from_secs(1), "{mean:?}: too often");
}

#[test]
fn the_watchdog_starves_where_health_says_down_and_only_there() {
    let mut stage = stage();
    let shim = Shim::under(&mut stage.setup);
    let manager = Manager::of(&mut stage);
    stage.env("WATCHDOG_USEC", "100000");
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let fed = |why: &str| {
        manager.forget();
        for _ in 0..FEEDS {
            manager.hears_until(why, |text| text == "WATCHDOG=1");
        }
    };
    becomes(&mut raw, "ok");
    fed("all is well");
    stage.sandbox.set_status("dora", AccountStatus::Suspended);
    becomes(&mut raw, "parked");
    fed("AgentChat refuses the account");
    stage.sandbox.set_status("dora", AccountStatus::Active);
    raw.ok("daemon.reload", json!({}));
    becomes(&mut raw, "ok");
    shim.fail_writes(EIO);
    stage.bob_says("cannot be kept");
    becomes(&mut raw, "down");
    // What was on its way when the verdict fell.
    manager.forget();
    let quiet = Instant::now() + STARVED;
    while let Some(text) = manager.hears_by(quiet) {
        assert_ne!(text, "WATCHDOG=1", "fed although the disk fails");
    }
    assert_eq!(verdict(&mut raw), "down");
    shim.heal();
    becomes(&mut raw, "ok");
    fed("the disk takes writes again");
}

/// Datagrams that are counted.
const FEEDS: u32 = 3;
/// Ten times as long as the daemon has between two feeds in the test that starves.
const STARVED: Duration = Duration::from_millis(500);
