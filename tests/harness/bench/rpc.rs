//! Calls of one connection: one at a time, and many under way.

use crate::limits::Echo;
use crate::report::Report;
use crate::stage::Lab;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Instant;

pub(crate) fn measure(lab: &Lab, report: &mut Report) -> io::Result<()> {
    let stage = lab.stage()?;
    let _daemon = stage.ready()?;
    let daemon = || UnixStream::connect(stage.setup.socket());
    let echo = Echo::start(lab.dir())?;
    let calls = lab.scale.calls;

    let group = "calls of daemon.version";
    let alone = in_turn(echo.client()?, calls, 1)?;
    report
        .add(
            group,
            "daemon, one at a time",
            in_turn(daemon()?, calls, 1)?,
            "calls/s",
        )
        .of(alone, "bare echo");
    let many = in_turn(echo.client()?, calls * 10, UNDER_WAY)?;
    report
        .add(
            group,
            "daemon, 64 under way",
            in_turn(daemon()?, calls * 10, UNDER_WAY)?,
            "calls/s",
        )
        .of(many, "bare echo");
    report.add(group, "bare echo, one at a time", alone, "calls/s");
    report.add(group, "bare echo, 64 under way", many, "calls/s");
    Ok(())
}

/// Writes `under_way` requests, reads as many lines, and so on: calls a second.
fn in_turn(stream: UnixStream, calls: usize, under_way: usize) -> io::Result<f64> {
    let request = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"daemon.version\"}\n";
    let group = request.repeat(under_way);
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    let begun = Instant::now();
    for _ in 0..calls / under_way {
        reader.get_mut().write_all(group.as_bytes())?;
        for _ in 0..under_way {
            line.clear();
            if reader.read_until(b'\n', &mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
    let answered = calls / under_way * under_way;
    Ok(answered as f64 / begun.elapsed().as_secs_f64())
}

/// Calls that are written before an answer is read.
const UNDER_WAY: usize = 64;
