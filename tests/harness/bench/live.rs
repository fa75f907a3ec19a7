//! From a push of the platform to the event line at a durable consumer, at a steady pace.

use crate::consumer::{Consumer, Event};
use crate::limits::{Disk, Echo, sleep_until};
use crate::report::{Report, median, percentile};
use crate::stage::{Lab, Stage};
use agentchatd_tests::sandbox::{Draft, To};
use std::io;
use std::thread;
use std::time::{Duration, Instant};

pub(crate) fn measure(lab: &Lab, report: &mut Report) -> io::Result<()> {
    let group = "live messages at 1,000/s";
    let (echo, mut disk) = (Echo::start(lab.dir())?, Disk::open(lab.dir())?);
    let stage = lab.stage()?;
    stage.sandbox.agent("ann");
    let _daemon = stage.ready()?;
    let mut consumer = Consumer::subscribe(&stage.setup.socket(), "bench", WINDOW, 1)?;

    // In turn and in small pieces: the disk and the processors are not ours alone, and what they
    // do meanwhile is to strike all three alike.
    let (mut delays, mut hops, mut commits) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..PIECES {
        delays.extend(paced_delays(
            &stage,
            &mut consumer,
            lab.scale.live / PIECES,
        )?);
        hops.extend(echo.hops(SAMPLES, PACE)?);
        commits.extend(disk.single_commits(SAMPLES, PACE)?);
    }
    let (p50, hop, commit) = (median(&mut delays), median(&mut hops), median(&mut commits));
    let limit = hop + commit;
    report
        .add(group, "daemon, p50", p50 * MICROS, "us")
        .of(limit * MICROS, "bare hop + commit")
        .bar("below 3 x", p50 < BAR * limit);
    let (p99, commit_p99) = (
        percentile(&mut delays, 99.0),
        percentile(&mut commits, 99.0),
    );
    report
        .add(group, "daemon, p99", p99 * MICROS, "us")
        .of(commit_p99 * MICROS, "bare commit, p99");
    let max = percentile(&mut delays, 100.0);
    report.add(group, "daemon, max", max * MICROS, "us");
    report.add(
        group,
        "bare hop over a Unix socket, p50",
        hop * MICROS,
        "us",
    );
    report.add(group, "bare commit of one row, p50", commit * MICROS, "us");
    report.add(
        group,
        "bare commit of one row, p99",
        commit_p99 * MICROS,
        "us",
    );
    Ok(())
}

/// Pushes from `ann` at the pace of this part and gives how long each took, in seconds.
pub(crate) fn paced_delays(
    stage: &Stage,
    consumer: &mut Consumer,
    time: Duration,
) -> io::Result<Vec<f64>> {
    let count = usize::try_from(time.as_micros() / PACE.as_micros()).unwrap_or(usize::MAX);
    let origin = Instant::now();
    let mut delays = Vec::with_capacity(count);
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..count {
                let number = u32::try_from(number).unwrap_or(u32::MAX);
                sleep_until(origin + PACE * number);
                let text = origin.elapsed().as_nanos().to_string();
                let draft = Draft::text(&text);
                stage.sandbox.flood("ann", To::Handle("me"), [draft]);
            }
        });
        consumer.take(count, |event, _| {
            if let Some(sent) = stamp(event) {
                delays.push((origin.elapsed().as_nanos() as f64 - sent as f64) / NANOS);
            }
        })
    })?;
    Ok(delays)
}

fn stamp(event: &Event<'_>) -> Option<u64> {
    event.payload.content.as_ref()?.text.as_ref()?.parse().ok()
}

/// Between two pushes.
const PACE: Duration = Duration::from_millis(1);
/// Turns of daemon, hop and commit.
const PIECES: u32 = 10;
/// How often a limit is measured in each of them.
const SAMPLES: u32 = 250;
/// The default of `max_in_flight`.
const WINDOW: u32 = 256;
/// How many times its limit the median may be.
const BAR: f64 = 3.0;
pub(crate) const MICROS: f64 = 1e6;
const NANOS: f64 = 1e9;
