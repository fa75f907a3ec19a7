//! How long a step of retention holds the writer, on a log of a million events.

use crate::report::Report;
use crate::stage::{Lab, Stage};
use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::http::Http;
use rusqlite::{Connection, params};
use std::collections::BTreeMap;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

pub(crate) fn measure(lab: &Lab, report: &mut Report) -> io::Result<()> {
    let rows = lab.scale.backlog * MANY;
    let group = format!("retention, {rows} events in the log");
    let mut stage = lab.stage()?;
    let daemon = stage.ready()?;
    stop(daemon)?;
    let bytes = fill(&stage, rows).map_err(io::Error::other)?;
    let kept = bytes / SHARE_KEPT.1 * SHARE_KEPT.0;
    let bound = ("AGENTCHATD_STORAGE_RETENTION_BYTES", kept.to_string());
    stage.setup.env.push((bound.0.into(), bound.1));
    let goes = (rows as f64) * (SHARE_KEPT.1 - SHARE_KEPT.0) as f64 / SHARE_KEPT.1 as f64;

    let daemon = stage.ready()?;
    let begun = Instant::now();
    let figures = loop {
        let figures = figures(&stage)?;
        if figure(&figures, "removed_total")? >= goes * NEARLY {
            break figures;
        }
        if begun.elapsed() > PATIENCE {
            let left = figures.get("agentchatd_retention_removed_total");
            return Err(io::Error::other(format!("{left:?} of {goes} are removed")));
        }
        thread::sleep(LOOK);
    };
    let took = begun.elapsed().as_secs_f64();
    let steps = figure(&figures, "seconds_count")?;
    let removed = figure(&figures, "removed_total")?;
    let within = figure(&figures, "seconds_bucket{le=\"0.05\"}")?;
    let mean = figure(&figures, "seconds_sum")? / steps;
    report.add(&group, "steps", steps, "");
    report.add(&group, "a step, mean", mean * 1e3, "ms");
    report
        .add(&group, "steps of more than 50 ms", steps - within, "")
        .bar("none", within >= steps);
    report.add(&group, "removed in a second", removed / took, "rows");
    stop(daemon)
}

fn stop(mut daemon: Daemon) -> io::Result<()> {
    if daemon.stop()?.success() {
        return Ok(());
    }
    Err(io::Error::other("the daemon did not stop in order"))
}

/// Writes so many events as if they had been received; what the log weighs then.
fn fill(stage: &Stage, rows: usize) -> rusqlite::Result<u64> {
    let mut connection = Connection::open(stage.setup.database())?;
    let transaction = connection.transaction()?;
    let body = format!("{{\"text\":\"{}\"}}", "x".repeat(BODY_BYTES - 11));
    transaction.execute(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
         INSERT INTO events (\"offset\", type, received_us, conversation_id, message_id, seq,
                             source, sender, body)
         SELECT n, 'message.new', unixepoch() * 1000000, 'conv_bench', 'msg_' || hex(randomblob(12)),
                n, 'sync', 'ann', ?2 FROM n",
        params![rows as i64, body],
    )?;
    transaction.execute(
        "UPDATE checkpoint SET last_offset = ?1,
             log_bytes = (SELECT sum(octet_length(body) + 160) FROM events)",
        params![rows as i64],
    )?;
    let query = "SELECT log_bytes FROM checkpoint";
    let bytes: i64 = transaction.query_row(query, [], |row| row.get(0))?;
    transaction.commit()?;
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(bytes.cast_unsigned())
}

/// The lines of `/metrics` by their names.
fn figures(stage: &Stage) -> io::Result<BTreeMap<String, f64>> {
    let mut http = Http::connect(&stage.setup.socket(), PATIENCE)?;
    let reply = http.fetch("/metrics")?;
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    let lines = text.lines().filter_map(|line| {
        let (name, value) = line.rsplit_once(' ')?;
        Some((name.to_owned(), value.parse().ok()?))
    });
    Ok(lines.collect())
}

/// One of retention's figures.
fn figure(figures: &BTreeMap<String, f64>, name: &str) -> io::Result<f64> {
    let name = format!("agentchatd_retention_{name}");
    let found = figures.get(&name).copied();
    found.ok_or_else(|| io::Error::other(format!("no figure {name}")))
}

/// Times the backlog of the other parts: a million.
const MANY: usize = 20;
/// Of the log, so much stays.
const SHARE_KEPT: (u64, u64) = (4, 5);
/// A page's worth of the bound may stay longer.
const NEARLY: f64 = 0.99;
const BODY_BYTES: usize = 400;
const LOOK: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(300);
