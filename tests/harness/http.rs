//! A bare HTTP/1.1 client on the daemon's socket: what is sent is what the test wrote, what comes
//! back is read by the letter of the protocol.

use serde_json::Value;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// One connection.
#[derive(Debug)]
pub struct Http {
    reader: BufReader<UnixStream>,
}

/// The head of an answer.
#[derive(Clone, Debug)]
pub struct Head {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case, in order.
    pub headers: Vec<(String, String)>,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Status and headers.
    pub head: Head,
    /// The body.
    pub body: Vec<u8>,
}

impl Http {
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
        })
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    /// Where the daemon is gone, or does not read in time.
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.reader.get_mut().write_all(bytes.as_ref())
    }

    /// Writes a request with a body of known length.
    ///
    /// # Errors
    /// As for [`Http::write`].
    pub fn ask(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<()> {
        let mut head = format!("{method} {target} HTTP/1.1\r\nhost: localhost\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        self.write(head)?;
        self.write(body)
    }

    /// Asks and gives the whole answer.
    ///
    /// # Errors
    /// As for [`Http::write`] and [`Http::reply`].
    pub fn call(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Reply> {
        self.ask(method, target, headers, body)?;
        self.reply_to(method)
    }

    /// Asks with GET and gives the whole answer.
    ///
    /// # Errors
    /// As for [`Http::call`].
    pub fn fetch(&mut self, target: &str) -> io::Result<Reply> {
        self.call("GET", target, &[], b"")
    }

    /// Posts JSON text to `/rpc` and gives the whole answer.
    ///
    /// # Errors
    /// As for [`Http::call`].
    pub fn post(&mut self, body: impl AsRef<[u8]>) -> io::Result<Reply> {
        let kind = [("content-type", "application/json")];
        self.call("POST", "/rpc", &kind, body.as_ref())
    }

    /// The next answer, body included.
    ///
    /// # Errors
    /// Where nothing comes in time, or what comes is no HTTP.
    pub fn reply(&mut self) -> io::Result<Reply> {
        self.reply_to("")
    }

    fn reply_to(&mut self, method: &str) -> io::Result<Reply> {
        let head = self.head()?;
        let body = if method == "HEAD" || head.status == 204 {
            Vec::new()
        } else {
            self.body(&head)?
        };
        Ok(Reply { head, body })
    }

    /// The head of the next answer; its body is read by [`Http::body`] or [`Http::chunk`].
    ///
    /// # Errors
    /// As for [`Http::reply`].
    pub fn head(&mut self) -> io::Result<Head> {
        let first = self.text_line()?;
        let status = first
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3)?.parse().ok())
            .ok_or_else(|| io::Error::other(format!("no HTTP: {first:?}")))?;
        let mut headers = Vec::new();
        loop {
            let line = self.text_line()?;
            if line.is_empty() {
                return Ok(Head { status, headers });
            }
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| io::Error::other(format!("no header: {line:?}")))?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    /// The rest of an answer.
    ///
    /// # Errors
    /// As for [`Http::reply`].
    pub fn body(&mut self, head: &Head) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        if head.header("transfer-encoding") == Some("chunked") {
            while let Some(chunk) = self.chunk()? {
                body.extend(chunk);
            }
            return Ok(body);
        }
        let length = head.header("content-length").and_then(|n| n.parse().ok());
        match length {
            Some(length) => {
                body.resize(length, 0);
                self.reader.read_exact(&mut body)?;
            }
            None => {
                self.reader.read_to_end(&mut body)?;
            }
        }
        Ok(body)
    }

    /// The next chunk of a body that is streamed; `None` after the last.
    ///
    /// # Errors
    /// As for [`Http::reply`].
    pub fn chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        let size = self.text_line()?;
        let length = usize::from_str_radix(&size, 16)
            .map_err(|_| io::Error::other(format!("no size of a chunk: {size:?}")))?;
        let mut chunk = vec![0; length];
        self.reader.read_exact(&mut chunk)?;
        self.text_line()?;
        Ok((length > 0).then_some(chunk))
    }

    /// The next line without its end.
    ///
    /// # Errors
    /// Where nothing comes in time, or the connection ends.
    pub fn text_line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// Closes the writing side.
    ///
    /// # Errors
    /// Where the connection is gone.
    pub fn finish(&mut self) -> io::Result<()> {
        self.reader.get_ref().shutdown(Shutdown::Write)
    }

    /// Whether the daemon closes the connection, with nothing said before.
    ///
    /// # Errors
    /// Where it says something, or does not close in time.
    pub fn is_closed(&mut self) -> io::Result<()> {
        match self.reader.fill_buf() {
            Ok([]) => Ok(()),
            Ok(bytes) => {
                let text = String::from_utf8_lossy(bytes);
                Err(io::Error::other(format!("it says {text:?}")))
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Head {
    /// The first header of this name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(of, _)| of == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl Reply {
    /// The status.
    pub fn status(&self) -> u16 {
        self.head.status
    }

    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}
