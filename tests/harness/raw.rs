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
        Ok(Self {
            reader: BufReader::new(stream),
            next_id: 1,
            notifications: Vec::new(),
        })
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
        serde_json::from_str(&line)
            .map(Some)
            .map_err(io::Error::other)
    }

    /// The next line as it stands, without its end; `None` at the end of the stream.
    ///
    /// # Errors
    /// Where nothing comes in time.
    pub fn text_line(&mut self) -> io::Result<Option<String>> {
        let mut line = String::new();
        let length = self.reader.read_line(&mut line)?;
        Ok((length > 0).then(|| line.trim_end().to_owned()))
    }

    /// The next line if one begins within this time.
    ///
    /// # Errors
    /// As for [`Raw::line`].
    pub fn line_within(&mut self, time: Duration) -> io::Result<Option<Value>> {
        if self.reader.buffer().is_empty() {
            let patience = self.reader.get_ref().read_timeout()?;
            self.reader.get_ref().set_read_timeout(Some(time))?;
            let came = self.reader.fill_buf().map(<[u8]>::len);
            self.reader.get_ref().set_read_timeout(patience)?;
            match came {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
                Ok(_) => {}
            }
        }
        self.line()
    }

    /// The same connection for another thread to write to.
    ///
    /// # Errors
    /// Where the system gives no handle.
    pub fn second_hand(&self) -> io::Result<UnixStream> {
        self.reader.get_ref().try_clone()
    }

    /// Closes the writing side: the daemon sees the end of what this client says.
    ///
    /// # Errors
    /// Where the connection is gone.
    pub fn finish(&mut self) -> io::Result<()> {
        self.reader.get_ref().shutdown(std::net::Shutdown::Write)
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
