//! From a push of the platform to the event line at a durable consumer, at a steady pace.

use crate::consumer::{Consumer, Event};
use crate::limits::{self, Echo, sleep_until};
use crate::report::{Report, percentile};
use crate::stage::{Lab, Stage};
use agentchatd_tests::sandbox::{Draft, To};
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

pub(crate) fn measure(lab: &Lab, report: &mut Report) -> io::Result<()> {
    let group = "live messages at 1,000/s";
    let before = Limits::measure(lab.dir())?;
    let stage = lab.stage()?;
    stage.sandbox.agent("ann");
    let _daemon = stage.ready()?;
    let mut consumer = Consumer::subscribe(&stage.setup.socket(), "bench", WINDOW, 1)?;
    let mut delays = paced_delays(&stage, &mut consumer, lab.scale.live)?;
    // The disk is not ours alone: its better time is what the daemon has to stand beside.
    let after = Limits::measure(lab.dir())?;
    let (hop, commit) = (before.hop.min(after.hop), before.commit.min(after.commit));
    let p50 = percentile(&mut delays, 50.0);
    let limit = hop + commit;
    report
        .add(group, "daemon, p50", p50 * MICROS, "us")
        .of(limit * MICROS, "bare hop + commit")
        .bar("below 3 x", p50 < BAR * limit);
    for (name, percent) in [("daemon, p99", 99.0), ("daemon, max", 100.0)] {
        let value = percentile(&mut delays, percent);
        report.add(group, name, value * MICROS, "us");
    }
    report.add(group, "bare hop over a Unix socket", hop * MICROS, "us");
    report.add(group, "bare commit of one row", commit * MICROS, "us");
    Ok(())
}

/// What a message cannot do without: one hop and one commit, in seconds.
struct Limits {
    hop: f64,
    commit: f64,
}

impl Limits {
    /// The better of two ways to measure them: back to back, where no thread sleeps in between,
    /// and at the pace of this part.
    fn measure(dir: &Path) -> io::Result<Self> {
        let echo = Echo::start(dir)?;
        let (mut hop, mut commit) = (f64::INFINITY, f64::INFINITY);
        for pace in [None, Some(PACE)] {
            hop = hop.min(echo.hop(SAMPLES, pace)?);
            commit = commit.min(limits::one_commit(dir, SAMPLES, pace)?);
        }
        Ok(Self { hop, commit })
    }
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
/// How often a limit is measured.
const SAMPLES: usize = 2_000;
/// The default of `max_in_flight`.
const WINDOW: u32 = 256;
/// How many times its limit the median may be.
const BAR: f64 = 3.0;
pub(crate) const MICROS: f64 = 1e6;
const NANOS: f64 = 1e9;
