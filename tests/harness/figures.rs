//! Figures of a daemon's process, as the kernel tells them.

use crate::daemon::Daemon;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::collections::BTreeSet;
use std::fs;

/// Lets this process open as many files as it ever may, for tests with a crowd of clients. How many
/// that is.
///
/// # Panics
/// Where the system refuses.
pub fn allow_many_files() -> u64 {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("the limit can be read");
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).expect("up to the hard limit it is free");
    hard
}

/// What a daemon has resident, in bytes.
///
/// # Panics
/// Where the process is gone.
pub fn resident(daemon: &Daemon) -> u64 {
    kib(daemon, "VmRSS:") << 10
}

/// The most that it had resident since its start or [`forget_peak`], in bytes.
///
/// # Panics
/// Where the process is gone.
pub fn peak(daemon: &Daemon) -> u64 {
    kib(daemon, "VmHWM:") << 10
}

/// The peak begins anew.
///
/// # Panics
/// Where the process is gone.
pub fn forget_peak(daemon: &Daemon) {
    let path = format!("/proc/{}/clear_refs", daemon.pid());
    fs::write(path, "5").expect("the peak can be set back");
}

/// How many files it has open.
///
/// # Panics
/// Where the process is gone.
pub fn open_files(daemon: &Daemon) -> usize {
    let folder = format!("/proc/{}/fd", daemon.pid());
    fs::read_dir(folder).expect("the process is there").count()
}

/// How many files it has open that are no connections to AgentChat: those come and go by themselves,
/// two at a time where it asks two questions at once.
///
/// # Panics
/// Where the process is gone.
pub fn local_files(daemon: &Daemon) -> usize {
    let tables = ["tcp", "tcp6"].map(|name| {
        fs::read_to_string(format!("/proc/{}/net/{name}", daemon.pid())).unwrap_or_default()
    });
    let outward: BTreeSet<String> = tables
        .iter()
        .flat_map(|table| table.lines().skip(1))
        .filter_map(|line| line.split_whitespace().nth(INODE))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    let folder = format!("/proc/{}/fd", daemon.pid());
    let files = fs::read_dir(folder).expect("the process is there");
    files
        // One that is closed meanwhile is none.
        .filter_map(|file| fs::read_link(file.ok()?.path()).ok())
        .filter(|target| !outward.contains(&*target.to_string_lossy()))
        .count()
}

/// How much processor time it has used, in ticks; a second has a hundred of them.
///
/// # Panics
/// Where the process is gone.
pub fn ticks(daemon: &Daemon) -> u64 {
    let path = format!("/proc/{}/stat", daemon.pid());
    let stat = fs::read_to_string(path).expect("the process is there");
    // The name of the program stands in brackets and may hold blanks.
    let (_, rest) = stat.rsplit_once(')').expect("the kernel's format");
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |at: usize| fields[at].parse::<u64>().expect("a number");
    number(UTIME) + number(STIME)
}

fn kib(daemon: &Daemon, name: &str) -> u64 {
    let path = format!("/proc/{}/status", daemon.pid());
    let status = fs::read_to_string(path).expect("the process is there");
    let line = status.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_whitespace().nth(1))
        .and_then(|number| number.parse().ok())
        .unwrap_or_else(|| panic!("no {name} in {status}"))
}

/// The place of the inode in a line of the kernel's table of connections.
const INODE: usize = 9;
/// The places after the program's name.
const UTIME: usize = 11;
const STIME: usize = 12;
