//! What waited at the platform while nobody was connected, from the daemon's start to the last
//! event at one durable consumer, which acknowledges.

use crate::consumer::Consumer;
use crate::limits::{self, Disk};
use crate::memory;
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
    let sdk = match sdk {
        Some(sdk) => {
            let stage = lab.stage()?;
            stage.fill(rows, conversations);
            Some(rows as f64 / sdk.drain(&stage, rows)?)
        }
        None => None,
    };
    let mut bare = Vec::new();
    for (name, ack_every) in [
        ("daemon, acks each event", 1),
        ("daemon, acks each 100th", 100),
    ] {
        let (mut rates, mut sizes) = (Vec::new(), Vec::new());
        for _ in 0..lab.scale.rounds {
            let stage = lab.stage()?;
            stage.fill(rows, conversations);
            let (seconds, size) = drain(&stage, rows, ack_every)?;
            rates.push(rows as f64 / seconds);
            sizes.push(size);
            let stored = limits::rows_of(&stage.setup.database())?;
            bare.push(Disk::open(lab.dir())?.inserts(&stored, ROWS_PER_COMMIT)?);
        }
        let rate = median(&mut rates);
        let line = report.add(&group, name, rate, "rows/s");
        line.of(median(&mut bare), "bare inserts");
        if let Some(sdk) = sdk {
            let text = format!("{:.1} x the SDK, at least 1", rate / sdk);
            line.bar(&text, rate >= sdk);
        }
        if ack_every == 1 {
            report.add(
                &group,
                "daemon, resident at its end",
                median(&mut sizes),
                "MB",
            );
        }
    }
    let bare = median(&mut bare);
    report.add(
        &group,
        "bare SQLite inserts, 500 rows a commit",
        bare,
        "rows/s",
    );
    if let Some(sdk) = sdk {
        report.add(
            &group,
            "Python SDK 1.1.1, a handler that counts",
            sdk,
            "rows/s",
        );
    }
    Ok(())
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
