//! A bare client of the daemon's socket: what a script would see, line by line.

use serde_json::{Value, json};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// A connection that speaks NDJSON with nothing in between.
#[derive(Debug)]
pub struct Raw {
    reader: BufReader<UnixStream>,
    next_id: u64,
    /// Notifications that came while an answer was awaited, oldest first.
    pub notifications: Vec<Value>,
}

impl Raw {
    /// Connects; every later read or write may take this long.
    ///
    /// # Errors
    /// Where nobody listens.
    pub fn connect(socket: &Path, patience: Duration) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        Ok(Self { reader: BufReader::new(stream), next_id: 1, notifications: Vec::new() })
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    /// Where the daemon is gone, or does not read in time.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.reader.get_mut().write_all(bytes)
    }

    /// The next line, parsed; `None` at the end.
    ///
    /// # Errors
    /// Where nothing comes in time, or no JSON comes.
    pub fn line(&mut self) -> io::Result<Option<Value>> {
        let mut line = String::new();
        if self.reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        serde_json::from_str(&line).map(Some).map_err(io::Error::other)
    }

    /// Calls a method and gives the whole answer; notifications on the way are kept.
    ///
    /// # Errors
    /// As for [`Raw::line`], and where the connection ends without an answer.
    pub fn call(&mut self, method: &str, params: &Value) -> io::Result<Value> {
        let id = self.start(method, params)?;
        loop {
            let Some(line) = self.line()? else {
                return Err(io::ErrorKind::UnexpectedEof.into());
            };
            if line["id"] == id {
                return Ok(line);
            }
            self.notifications.push(line);
        }
    }

    /// Writes a request without waiting; its id.
    ///
    /// # Errors
    /// As for [`Raw::write`].
    pub fn start(&mut self, method: &str, params: &Value) -> io::Result<u64> {
        let id = self.next_id;
        self.next_id += 1;
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.write(format!("{request}\n").as_bytes())?;
        Ok(id)
    }

    /// Calls a method and gives its result.
    ///
    /// # Errors
    /// As for [`Raw::call`], and where the answer is an error.
    pub fn result(&mut self, method: &str, params: &Value) -> io::Result<Value> {
        let answer = self.call(method, params)?;
        match answer.get("result") {
            Some(result) => Ok(result.clone()),
            None => Err(io::Error::other(format!("{method}: {answer}"))),
        }
    }

    /// The next notification, one that was kept first.
    ///
    /// # Errors
    /// As for [`Raw::line`].
    pub fn notification(&mut self) -> io::Result<Option<Value>> {
        if self.notifications.is_empty() {
            return self.line();
        }
        Ok(Some(self.notifications.remove(0)))
    }
}
