//! What waited at the platform while nobody was connected, from the daemon's start to the last
//! event at one durable consumer, which acknowledges.

use crate::consumer::Consumer;
use crate::limits::{self, Disk};
use crate::memory;
use crate::pages;
use crate::report::{Report, median};
use crate::sdk::{self, Sdk};
use crate::stage::{Lab, Stage};
use std::io;
use std::time::Instant;

/// Without the SDK.
pub(crate) fn measure(lab: &Lab, report: &mut Report) -> io::Result<()> {
    for conversations in CONVERSATIONS {
        one(lab, report, conversations, None)?;
    }
    Ok(())
}

/// Beside the official SDK, where it can be installed.
pub(crate) fn measure_beside_sdk(lab: &Lab, report: &mut Report) -> io::Result<()> {
    let sdk = match sdk::install(lab.dir()) {
        Ok(sdk) => Some(sdk),
        Err(error) => {
            let text = format!("not beside the Python SDK: {error}");
            report.note("backlog", &text);
            None
        }
    };
    for conversations in CONVERSATIONS {
        one(lab, report, conversations, sdk.as_ref())?;
    }
    Ok(())
}

fn one(lab: &Lab, report: &mut Report, conversations: usize, sdk: Option<&Sdk>) -> io::Result<()> {
    let rows = lab.scale.backlog;
    let group = format!("backlog of {rows} in {conversations} conversation(s)");
    let sdk = sdk.map(|sdk| by_sdk(lab, sdk, rows, conversations));
    let sdk = sdk.transpose()?;
    let mut figures = Figures::default();
    for (name, ack_every) in [
        ("daemon, acks each event", 1),
        ("daemon, acks each 100th", 100),
    ] {
        let mut rates = Vec::new();
        for _ in 0..lab.scale.rounds {
            rates.push(figures.round(lab, rows, conversations, ack_every)?);
        }
        let rate = median(&mut rates);
        let line = report.add(&group, name, rate, "rows/s");
        line.of(figures.in_series(), "pages, then inserts");
        if let Some(sdk) = sdk {
            let text = format!("{:.1} x the SDK, at least 1", rate / sdk);
            line.bar(&text, rate >= sdk);
        }
    }
    let (inserts, pages) = (median(&mut figures.inserts), median(&mut figures.pages));
    for (name, rate) in [
        ("bare SQLite inserts, 500 rows a commit", Some(inserts)),
        ("the platform's pages alone, bare HTTP", Some(pages)),
        ("Python SDK 1.1.1, a handler that counts", sdk),
    ] {
        if let Some(rate) = rate {
            report.add(&group, name, rate, "rows/s");
        }
    }
    let size = median(&mut figures.sizes);
    report.add(&group, "daemon, resident at its end", size, "MB");
    Ok(())
}

/// What is measured in each round beside the daemon.
#[derive(Default)]
struct Figures {
    inserts: Vec<f64>,
    pages: Vec<f64>,
    sizes: Vec<f64>,
}

impl Figures {
    /// Measures the daemon and its limits one after the other; the daemon's rows/s.
    fn round(
        &mut self,
        lab: &Lab,
        rows: usize,
        conversations: usize,
        ack_every: u64,
    ) -> io::Result<f64> {
        let stage = lab.stage()?;
        stage.fill(rows, conversations);
        let (seconds, size) = drain(&stage, rows, ack_every)?;
        self.sizes.push(size);
        let stored = limits::rows_of(&stage.setup.database())?;
        let mut disk = Disk::open(lab.dir())?;
        self.inserts.push(disk.inserts(&stored, ROWS_PER_COMMIT)?);
        let pages = by_bare_http(lab, rows, conversations)?;
        self.pages.push(rows as f64 / pages);
        Ok(rows as f64 / seconds)
    }

    /// Rows/s of both limits together: a page is asked for when the one before is stored and
    /// acknowledged, so their times add up.
    fn in_series(&mut self) -> f64 {
        1.0 / (1.0 / median(&mut self.inserts) + 1.0 / median(&mut self.pages))
    }
}

/// Rows/s of the SDK.
fn by_sdk(lab: &Lab, sdk: &Sdk, rows: usize, conversations: usize) -> io::Result<f64> {
    let stage = lab.stage()?;
    stage.fill(rows, conversations);
    Ok(rows as f64 / sdk.drain(&stage, rows)?)
}

/// Seconds that the platform needs to hand everything out.
fn by_bare_http(lab: &Lab, rows: usize, conversations: usize) -> io::Result<f64> {
    let stage = lab.stage()?;
    stage.fill(rows, conversations);
    pages::drain(&stage)
}

/// Seconds from the daemon's start to the last event, and its size then.
fn drain(stage: &Stage, rows: usize, ack_every: u64) -> io::Result<(f64, f64)> {
    let begun = Instant::now();
    let daemon = stage.setup.start()?;
    let mut consumer = Consumer::subscribe(&stage.setup.socket(), "bench", WINDOW, ack_every)?;
    consumer.take(rows, |_, _| {})?;
    let seconds = begun.elapsed().as_secs_f64();
    let size = memory::resident(&daemon)?;
    daemon.ready()?;
    let left = stage.sandbox.rows_by_state("me").get("stored").copied();
    if left.is_some() {
        return Err(io::Error::other(format!("unacknowledged rows: {left:?}")));
    }
    Ok((seconds, size))
}

/// Everything from one peer, and from many.
const CONVERSATIONS: [usize; 2] = [1, 100];
/// The default of `max_in_flight`.
const WINDOW: u32 = 256;
/// A whole page of the platform's sync.
const ROWS_PER_COMMIT: usize = 500;
