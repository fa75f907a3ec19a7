//! A durable consumer that does nothing but read, parse and acknowledge.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use std::borrow::Cow;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// One subscription on a connection of its own.
#[derive(Debug)]
pub(crate) struct Consumer {
    reader: BufReader<UnixStream>,
    line: Vec<u8>,
    name: String,
    ack_every: u64,
    last: u64,
}

/// What a consumer looks at of each event.
#[derive(Debug, Deserialize)]
pub(crate) struct Event<'a> {
    pub(crate) offset: Option<u64>,
    #[serde(borrow, rename = "type")]
    pub(crate) kind: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) payload: Payload<'a>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Payload<'a> {
    #[serde(borrow)]
    pub(crate) content: Option<Content<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Content<'a> {
    #[serde(borrow)]
    pub(crate) text: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    params: Option<Params<'a>>,
    error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow)]
    result: Option<Event<'a>>,
}

impl Consumer {
    /// Subscribes a new durable consumer from the first event on; it acknowledges each so many
    /// events.
    pub(crate) fn subscribe(
        socket: &Path,
        name: &str,
        window: u32,
        ack_every: u64,
    ) -> io::Result<Self> {
        let params = json!({"consumer": name, "from": "earliest", "max_in_flight": window});
        let mut consumer = Self::over(UnixStream::connect(socket)?, name, ack_every)?;
        consumer.write("events.subscribe", &params)?;
        consumer.read_line()?;
        let answer: serde_json::Value = serde_json::from_slice(&consumer.line)?;
        match answer.get("result") {
            Some(_) => Ok(consumer),
            None => Err(io::Error::other(format!("events.subscribe: {answer}"))),
        }
    }

    /// The same over a stream on which events come by themselves.
    pub(crate) fn over(stream: UnixStream, name: &str, ack_every: u64) -> io::Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self {
            reader: BufReader::with_capacity(READ_BYTES, stream),
            line: Vec::new(),
            name: name.to_owned(),
            ack_every,
            last: 0,
        })
    }

    /// Reads so many logged messages, shows each of them, and acknowledges on the way.
    pub(crate) fn take(
        &mut self,
        count: usize,
        mut each: impl FnMut(&Event<'_>, &[u8]),
    ) -> io::Result<()> {
        let mut taken = 0;
        while taken < count {
            self.read_line()?;
            let line: Line<'_> = serde_json::from_slice(&self.line)?;
            if line.error.is_some() {
                let text = String::from_utf8_lossy(&self.line).into_owned();
                return Err(io::Error::other(text));
            }
            let Some(event) = line.params.and_then(|params| params.result) else {
                continue;
            };
            let Some(offset) = event.offset else { continue };
            if offset != self.last + 1 {
                let text = format!("offset {offset} follows {}", self.last);
                return Err(io::Error::other(text));
            }
            self.last = offset;
            if event.kind == "message.new" {
                taken += 1;
                each(&event, &self.line);
            }
            if self.ack_every > 0 && (offset.is_multiple_of(self.ack_every) || taken == count) {
                let params = json!({"consumer": self.name, "offset": offset});
                self.write("events.ack", &params)?;
            }
        }
        Ok(())
    }

    /// The highest offset seen.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    fn read_line(&mut self) -> io::Result<()> {
        self.line.clear();
        if self.reader.read_until(b'\n', &mut self.line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }

    fn write(&mut self, method: &str, params: &serde_json::Value) -> io::Result<()> {
        let line = format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{method}\",\"params\":{params}}}\n"
        );
        self.reader.get_mut().write_all(line.as_bytes())
    }
}

/// Read from the socket at a time.
const READ_BYTES: usize = 64 << 10;
/// How long the next event may take.
const PATIENCE: Duration = Duration::from_secs(120);
