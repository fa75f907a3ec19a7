//! How much memory the daemon holds.

use crate::report::Report;
use crate::stage::Lab;
use agentchatd_tests::daemon::Daemon;
use std::io;

pub(crate) fn measure(lab: &Lab, report: &mut Report) -> io::Result<()> {
    let group = "memory";
    let stage = lab.stage()?;
    let daemon = stage.ready()?;
    std::thread::sleep(lab.scale.idle);
    let size = resident(&daemon)?;
    report
        .add(group, "daemon, connected and idle, resident", size, "MB")
        .bar("below 16 MB", size < BAR_MB);
    let own = field(&daemon, "RssAnon")? / KIB_IN_MB;
    report.add(group, "of it heap and stacks", own, "MB");
    report.add(group, "threads", field(&daemon, "Threads")?, "");
    Ok(())
}

/// The resident size in MB (1,000,000 bytes).
pub(crate) fn resident(daemon: &Daemon) -> io::Result<f64> {
    Ok(field(daemon, "VmRSS")? / KIB_IN_MB)
}

/// A figure from `/proc`; sizes are in KiB.
fn field(daemon: &Daemon, name: &str) -> io::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid()))?;
    let line = status.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_whitespace().nth(1))
        .and_then(|number| number.parse::<f64>().ok())
        .ok_or_else(|| io::Error::other(format!("/proc has no {name}")))
}

const BAR_MB: f64 = 16.0;
/// KiB in a million bytes.
const KIB_IN_MB: f64 = 1e6 / 1024.0;
