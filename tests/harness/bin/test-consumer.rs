//! A durable consumer to be killed: writes each event to a file, then acknowledges it.
//!
//! `test-consumer SOCKET NAME FILE`: one line an event, `offset type message_id conversation seq
//! late redelivered`. It lives until it is killed and outlives restarts of the daemon.

use agentchatd_tests::raw::Raw;
use serde_json::json;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

fn main() -> io::Result<()> {
    let mut args = std::env::args_os().skip(1);
    let (Some(socket), Some(name), Some(file)) = (args.next(), args.next(), args.next()) else {
        return Err(io::Error::other("usage: test-consumer SOCKET NAME FILE"));
    };
    let (socket, name) = (PathBuf::from(socket), name.to_string_lossy().into_owned());
    let mut out = File::options().create(true).append(true).open(file)?;
    loop {
        // The daemon comes and goes; whatever broke, the way on is a new connection.
        if let Err(_gone) = consume(&socket, &name, &mut out) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn consume(socket: &std::path::Path, name: &str, out: &mut File) -> io::Result<()> {
    let mut raw = Raw::connect(socket, Duration::from_secs(3600))?;
    let params =
        json!({"consumer": name, "from": "earliest", "takeover": true, "max_in_flight": 64});
    raw.result("events.subscribe", &params)?;
    while let Some(note) = raw.notification()? {
        if note["method"] == "events.closed" {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        let event = &note["params"]["result"];
        let Some(offset) = event["offset"].as_u64() else {
            continue;
        };
        let text = |member: &str| event[member].as_str().unwrap_or("-").to_owned();
        // One write, so that a kill leaves whole lines or none.
        let line = format!(
            "{offset} {} {} {} {} {} {}\n",
            text("type"),
            text("message_id"),
            text("conversation_id"),
            event["seq"],
            event["late"],
            event["redelivered"] == true,
        );
        out.write_all(line.as_bytes())?;
        raw.start("events.ack", &json!({"consumer": name, "offset": offset}))?;
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}
