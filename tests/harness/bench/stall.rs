//! The answers to the platform's pings while a commit takes five seconds longer.

use crate::live::MICROS;
use crate::report::{Report, median, percentile};
use crate::stage::Lab;
use agentchatd_tests::daemon::{Setup, build_with};
use agentchatd_tests::sandbox::{Entry, Event, Options, Sandbox, To};
use std::io;
use std::thread;
use std::time::{Duration, Instant};

pub(crate) fn measure(lab: &Lab, report: &mut Report) -> io::Result<()> {
    let group = "the disk stalls for 5 s";
    let binary = build_with("agentchatd", "agentchatd-faulty", "failpoints")?;
    let options = Options {
        heartbeat: HEARTBEAT,
        pong_deadline: PATIENCE,
        cold_cap: None,
        ..Options::modern()
    };
    let sandbox = lab.sandbox(options)?;
    let key = sandbox.agent("me").key().to_owned();
    sandbox.agent("ann");
    let dir = tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(lab.dir())?;
    let mut setup = Setup::new(&binary, dir.path(), &sandbox.base_url(), &key);
    setup.env.clear();
    // The commits of the start pass, one of those after it does not.
    let stall = "committing=25*off->1*sleep(5000)".to_owned();
    setup.env.push(("FAILPOINTS".into(), stall));
    let daemon = setup.start()?;
    daemon.ready()?;
    let (from, to) = stalled(&sandbox)?;
    let entries = sandbox.journal().entries();
    let mut calm = delays(&entries, Duration::ZERO, from);
    let mut hard = delays(&entries, from, to);
    if hard.is_empty() {
        return Err(io::Error::other("no ping was sent in the stall"));
    }
    let max = percentile(&mut hard, 100.0);
    report.add(group, "ping to pong, p50", median(&mut hard) * MICROS, "us");
    let line = report.add(group, "ping to pong, max", max * MICROS, "us");
    line.bar("below 50 ms", max < BAR);
    if !calm.is_empty() {
        let max = percentile(&mut calm, 100.0);
        report.add(group, "before the stall, max", max * MICROS, "us");
    }
    Ok(())
}

/// Sends messages one by one until the acknowledgement of one takes as long as the stall; when
/// that began and ended, on the journal's clock.
fn stalled(sandbox: &Sandbox) -> io::Result<(Duration, Duration)> {
    let journal = sandbox.journal();
    for number in 0..MOST {
        let from = journal.elapsed();
        let message = sandbox.send("ann", To::Handle("me"), number.to_string().as_str());
        let deadline = Instant::now() + PATIENCE;
        while !journal.acked_message_ids("me").contains(&message.id) {
            if Instant::now() > deadline {
                return Err(io::Error::other("a message is not acknowledged"));
            }
            thread::sleep(Duration::from_millis(1));
        }
        let to = journal.elapsed();
        if to - from > STALL {
            return Ok((from, to));
        }
    }
    Err(io::Error::other("no commit stalled"))
}

/// How long the pongs to the pings of this time took, in seconds. There is one connection, so the
/// n-th pong is that of the n-th ping.
fn delays(entries: &[Entry], from: Duration, to: Duration) -> Vec<f64> {
    let at = |is: fn(&Event) -> bool| {
        let fitting = entries.iter().filter(move |entry| is(&entry.event));
        fitting.map(|entry| entry.at)
    };
    let pings = at(|event| matches!(event, Event::Ping { .. }));
    let pongs = at(|event| matches!(event, Event::Pong { .. }));
    pings
        .zip(pongs)
        .filter(|(ping, _)| (from..to).contains(ping))
        .map(|(ping, pong)| pong.saturating_sub(ping).as_secs_f64())
        .collect()
}

/// Between two pings.
const HEARTBEAT: Duration = Duration::from_millis(50);
/// An acknowledgement that takes longer met the stall.
const STALL: Duration = Duration::from_millis(4_500);
/// Messages until one of them must have met it.
const MOST: usize = 100;
/// In seconds.
const BAR: f64 = 0.05;
const PATIENCE: Duration = Duration::from_secs(30);
