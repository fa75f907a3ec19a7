//! From the log to local consumers: catching up, and a fast one beside slow ones.

use crate::consumer::Consumer;
use crate::limits::sleep_until;
use crate::live::{MICROS, paced_delays};
use crate::memory::resident;
use crate::report::{Report, median, percentile};
use crate::stage::{Lab, Stage};
use serde_json::json;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) fn measure(lab: &Lab, report: &mut Report) -> io::Result<()> {
    catch_up(lab, report)?;
    beside_slow_ones(lab, report)
}

/// One durable consumer reads a log that is there already.
fn catch_up(lab: &Lab, report: &mut Report) -> io::Result<()> {
    let rows = lab.scale.backlog;
    let group = format!("catching up with {rows} logged events");
    let stage = lab.stage()?;
    stage.fill(rows, 1);
    let daemon = stage.ready()?;
    daemon.status_until(|status| status["log"]["last_offset"].as_u64() >= Some(rows as u64))?;

    let mut lines = Vec::new();
    let mut first = Consumer::subscribe(&stage.setup.socket(), "first", WIDE, WIDE_ACK)?;
    first.take(rows, |_, line| lines.extend_from_slice(line))?;
    drop(first);
    let mut bare = Vec::new();
    for _ in 0..lab.scale.rounds {
        bare.push(rows as f64 / over_a_bare_socket(&lines, rows)?);
    }
    let bare = median(&mut bare);
    for (name, window, ack_every) in [
        ("daemon, window 256, acks each 100th", WINDOW, ACK),
        ("daemon, window 10,000, acks each 1,000th", WIDE, WIDE_ACK),
    ] {
        let mut rates = Vec::new();
        for round in 0..lab.scale.rounds {
            let consumer = format!("c{window}-{round}");
            let begun = Instant::now();
            let mut consumer =
                Consumer::subscribe(&stage.setup.socket(), &consumer, window, ack_every)?;
            consumer.take(rows, |_, _| {})?;
            rates.push(rows as f64 / begun.elapsed().as_secs_f64());
        }
        report
            .add(&group, name, median(&mut rates), "events/s")
            .of(bare, "bare socket");
    }
    report.add(
        &group,
        "the same lines over a bare socket",
        bare,
        "events/s",
    );
    Ok(())
}

/// Seconds that the same consumer needs for the same lines where nobody makes them.
fn over_a_bare_socket(lines: &[u8], rows: usize) -> io::Result<f64> {
    let (mut near, far) = UnixStream::pair()?;
    let mut consumer = Consumer::over(far, "bare", 0)?;
    let begun = Instant::now();
    thread::scope(|scope| {
        let writing = scope.spawn(move || lines.chunks(CHUNK).try_for_each(|c| near.write_all(c)));
        consumer.take(rows, |_, _| {})?;
        writing.join().unwrap_or(Ok(()))
    })?;
    Ok(begun.elapsed().as_secs_f64())
}

/// The delays of one that keeps up, alone and beside many that do not.
fn beside_slow_ones(lab: &Lab, report: &mut Report) -> io::Result<()> {
    let group = "one fast consumer at 1,000/s";
    let (mut alone, mut few, mut many) = (Delays::default(), Delays::default(), Delays::default());
    let (mut lag, mut sizes) = (0, Vec::new());
    for _ in 0..lab.scale.rounds {
        alone.add(fast(lab, &NONE)?.delays);
        let beside = fast(lab, &FEW)?;
        lag = beside.behind;
        few.add(beside.delays);
        let beside = fast(lab, &MANY)?;
        sizes.push(beside.size);
        many.add(beside.delays);
    }
    let [p50, p99] = alone.medians();
    report.add(group, "alone, p50", p50 * MICROS, "us");
    report.add(group, "alone, p99", p99 * MICROS, "us");
    for (count, mut delays) in [("50", few), ("1,000", many)] {
        let [p50_beside, p99_beside] = delays.medians();
        let name = format!("beside {count} slow ones, p50");
        report
            .add(group, &name, p50_beside * MICROS, "us")
            .of(p50 * MICROS, "alone");
        let name = format!("beside {count} slow ones, p99");
        report
            .add(group, &name, p99_beside * MICROS, "us")
            .of(p99 * MICROS, "alone")
            .bar("at most 2 x", p99_beside <= SLOWED * p99);
    }
    let name = "how far the slowest of 50 was behind at the end";
    report.add(group, name, lag as f64, "events");
    let name = "resident beside 1,000 slow ones";
    report.add(group, name, median(&mut sizes), "MB");
    Ok(())
}

/// Percentiles of several rounds.
#[derive(Default)]
struct Delays {
    p50: Vec<f64>,
    p99: Vec<f64>,
}

impl Delays {
    fn add(&mut self, mut delays: Vec<f64>) {
        self.p50.push(percentile(&mut delays, 50.0));
        self.p99.push(percentile(&mut delays, 99.0));
    }

    fn medians(&mut self) -> [f64; 2] {
        [median(&mut self.p50), median(&mut self.p99)]
    }
}

/// Consumers that do not keep up.
struct Slow {
    count: usize,
    /// How often each reads [`SLOW_BYTES`].
    pace: Duration,
    /// So many events are there before them: more than their sockets hold, so that they are slow
    /// from the beginning.
    filled: usize,
}

/// What was seen of a consumer beside slow ones.
struct Beside {
    /// Of the fast one, in seconds.
    delays: Vec<f64>,
    /// How far the slowest is behind.
    behind: u64,
    /// Of the daemon, in MB.
    size: f64,
}

fn fast(lab: &Lab, slow: &Slow) -> io::Result<Beside> {
    let stage = lab.stage()?;
    stage.sandbox.agent("ann");
    stage.fill(slow.filled, 1);
    let daemon = stage.ready()?;
    let mut consumer = Consumer::subscribe(&stage.setup.socket(), "fast", WINDOW, 1)?;
    consumer.take(slow.filled, |_, _| {})?;
    let readers = slow_readers(&stage, slow.count)?;
    if slow.filled > 0 {
        // Their sockets fill.
        thread::sleep(lab.scale.idle);
    }
    let over = AtomicBool::new(false);
    let delays = thread::scope(|scope| {
        scope.spawn(|| read_slowly(&readers, slow.pace, &over));
        let delays = paced_delays(&stage, &mut consumer, lab.scale.live / 4);
        over.store(true, Ordering::Relaxed);
        delays
    })?;
    Ok(Beside {
        delays,
        behind: consumer.last().saturating_sub(slowest(&stage)?),
        size: resident(&daemon)?,
    })
}

/// Subscribes consumers that acknowledge what is written to them.
fn slow_readers(stage: &Stage, count: usize) -> io::Result<Vec<UnixStream>> {
    (0..count)
        .map(|number| {
            let mut stream = UnixStream::connect(stage.setup.socket())?;
            let params =
                json!({"consumer": format!("slow{number}"), "from": "earliest", "ack": "auto"});
            let request =
                json!({"jsonrpc": "2.0", "id": 1, "method": "events.subscribe", "params": params});
            stream.write_all(format!("{request}\n").as_bytes())?;
            stream.set_nonblocking(true)?;
            Ok(stream)
        })
        .collect()
}

/// Each reads a little now and then, one after the other: far less than what comes.
fn read_slowly(readers: &[UnixStream], pace: Duration, over: &AtomicBool) {
    let mut buffer = [0; SLOW_BYTES];
    let step = pace / u32::try_from(readers.len().max(1)).unwrap_or(u32::MAX);
    let begun = Instant::now();
    let mut turn = 0;
    for mut reader in readers.iter().cycle() {
        if over.load(Ordering::Relaxed) {
            return;
        }
        // Nothing there, or nobody: either way this one is slow.
        let _ = reader.read(&mut buffer);
        turn += 1;
        sleep_until(begun + step * turn);
    }
}

/// The lowest offset that a slow consumer acknowledged; the end of the log without any.
fn slowest(stage: &Stage) -> io::Result<u64> {
    let mut raw =
        agentchatd_tests::raw::Raw::connect(&stage.setup.socket(), Duration::from_secs(30))?;
    let consumers = raw.result("consumers.list", &json!({}))?;
    let of_all = consumers.as_array().into_iter().flatten();
    let acked = of_all.filter_map(|consumer| consumer["acked_offset"].as_u64());
    Ok(acked.min().unwrap_or_default())
}

/// The default of `max_in_flight`.
const WINDOW: u32 = 256;
const ACK: u64 = 100;
/// The largest window.
const WIDE: u32 = 10_000;
const WIDE_ACK: u64 = 1_000;
/// Written to the bare socket at a time.
const CHUNK: usize = 64 << 10;
/// What a slow consumer reads at a time.
const SLOW_BYTES: usize = 1 << 10;
const NONE: Slow = Slow {
    count: 0,
    pace: Duration::from_secs(1),
    filled: 0,
};
/// Each about 50 events a second.
const FEW: Slow = Slow {
    count: 50,
    pace: Duration::from_millis(20),
    filled: 0,
};
/// Each about an event a second.
const MANY: Slow = Slow {
    count: 1000,
    pace: Duration::from_secs(1),
    filled: 2000,
};
/// How many times as slow the fast one may be beside them.
const SLOWED: f64 = 2.0;
