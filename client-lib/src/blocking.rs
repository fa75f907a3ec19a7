//! A client with nothing but the standard library: one request and its answer, or lines as they come.
//!
//! Enough for scripts and hooks. A program that must not miss an event uses
//! [`events.fetch`](crate::api::EventsFetch) with a consumer here, or the async subscription.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;
use std::{error, fmt};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::api::Method;
use crate::error::RpcError;
use crate::path::Surroundings;

/// A connection to the daemon.
#[derive(Debug)]
pub struct Connection {
    reader: BufReader<UnixStream>,
    /// The line under way; it outlives a read that timed out.
    line: Vec<u8>,
    next_id: u64,
    passed: VecDeque<Notification>,
}

/// A notification, as the daemon sent it.
#[derive(Debug, Clone, Deserialize)]
pub struct Notification {
    /// Its name; see [`crate::types::notification`].
    pub method: String,
    /// Its parameters.
    pub params: Box<RawValue>,
}

/// Why there is no answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The daemon answered with an error.
    Rpc(RpcError),
    /// The connection broke, or the time ran out.
    Io(io::Error),
    /// The parameters could not be written, or a line is not what this version expects.
    Json(serde_json::Error),
    /// More notifications came before the answer than are kept.
    Crowded,
}

impl Connection {
    /// Connects to the daemon at this path.
    ///
    /// # Errors
    /// Where nobody answers there.
    pub fn connect(path: impl AsRef<Path>) -> io::Result<Self> {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(DEFAULT_TIMEOUT))?;
        stream.set_write_timeout(Some(DEFAULT_TIMEOUT))?;
        Ok(Self {
            reader: BufReader::new(stream),
            line: Vec::new(),
            next_id: 1,
            passed: VecDeque::new(),
        })
    }

    /// Connects where the environment says, else to the user's own daemon, else to the machine's.
    ///
    /// # Errors
    /// Where nobody answers at any of these places.
    pub fn connect_default() -> io::Result<Self> {
        let mut first = None;
        for path in Surroundings::of_process().client_sockets(None) {
            match Self::connect(path) {
                Ok(connection) => return Ok(connection),
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.unwrap_or_else(|| io::Error::from(io::ErrorKind::NotFound)))
    }

    /// How long a read may take; two minutes at first, `None` for ever. A read that timed out can
    /// be tried again and goes on in mid-line.
    ///
    /// # Errors
    /// Where the time is zero.
    pub fn set_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.reader.get_ref().set_read_timeout(timeout)
    }

    /// Calls a method.
    ///
    /// # Errors
    /// [`Error::Rpc`] is the daemon's answer; after the others it is not known whether it was run.
    pub fn call<M: Method>(&mut self, params: &M::Params) -> Result<M::Result, Error> {
        let result = self.request(M::NAME, params)?;
        serde_json::from_str(result.get()).map_err(Error::Json)
    }

    /// Calls a method by name, with any parameters.
    ///
    /// # Errors
    /// As [`Connection::call`].
    pub fn request(
        &mut self,
        method: &str,
        params: &impl Serialize,
    ) -> Result<Box<RawValue>, Error> {
        #[derive(Serialize)]
        struct Request<'r, P> {
            jsonrpc: &'static str,
            id: u64,
            method: &'r str,
            params: P,
        }
        let id = self.next_id;
        self.next_id += 1;
        let request = Request {
            jsonrpc: "2.0",
            id,
            method,
            params,
        };
        let mut line = serde_json::to_vec(&request).map_err(Error::Json)?;
        line.push(b'\n');
        self.reader.get_mut().write_all(&line).map_err(Error::Io)?;
        loop {
            let line: Line = serde_json::from_str(&self.next_line()?).map_err(Error::Json)?;
            match line {
                Line {
                    method: Some(method),
                    params: Some(params),
                    ..
                } => {
                    if self.passed.len() >= MAX_PASSED {
                        return Err(Error::Crowded);
                    }
                    self.passed.push_back(Notification { method, params });
                }
                Line {
                    error: Some(error),
                    id: answered,
                    ..
                } if answered.is_none_or(|answered| answered == id) => {
                    return Err(Error::Rpc(error));
                }
                Line {
                    result: Some(result),
                    id: Some(answered),
                    ..
                } if answered == id => {
                    return Ok(result);
                }
                // The answer to a call that an earlier time-out gave up.
                Line { .. } => {}
            }
        }
    }

    /// The next notification: those that came while a call waited first, then from the socket.
    ///
    /// # Errors
    /// [`Error::Io`] with [`io::ErrorKind::UnexpectedEof`] where the daemon closed the connection.
    pub fn next_notification(&mut self) -> Result<Notification, Error> {
        if let Some(notification) = self.passed.pop_front() {
            return Ok(notification);
        }
        loop {
            let line: Line = serde_json::from_str(&self.next_line()?).map_err(Error::Json)?;
            if let Line {
                method: Some(method),
                params: Some(params),
                ..
            } = line
            {
                return Ok(Notification { method, params });
            }
        }
    }

    /// The next line as text, whatever it is, blank ones left out.
    ///
    /// # Errors
    /// As [`Connection::next_notification`].
    pub fn next_line(&mut self) -> Result<String, Error> {
        loop {
            let room = (MAX_LINE_BYTES - self.line.len()) as u64;
            let mut bounded = self.reader.by_ref().take(room);
            bounded
                .read_until(b'\n', &mut self.line)
                .map_err(Error::Io)?;
            if self.line.pop() != Some(b'\n') {
                // Half a line is no line: the daemon was cut off while it wrote, or it is too long.
                self.line.clear();
                return Err(Error::Io(io::ErrorKind::UnexpectedEof.into()));
            }
            let line = String::from_utf8(std::mem::take(&mut self.line)).map_err(|error| {
                Error::Io(io::Error::new(
                    io::ErrorKind::InvalidData,
                    error.utf8_error(),
                ))
            })?;
            if !line.trim_ascii().is_empty() {
                return Ok(line);
            }
        }
    }
}

/// Any line of the daemon's.
#[derive(Deserialize)]
struct Line {
    id: Option<u64>,
    method: Option<String>,
    params: Option<Box<RawValue>>,
    /// A result of `null` is one, too: hence no plain `Option`.
    #[serde(default, deserialize_with = "given")]
    result: Option<Box<RawValue>>,
    error: Option<RpcError>,
}

fn given<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::deserialize(deserializer).map(Some)
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rpc(error) => error.fmt(f),
            Self::Io(error) => write!(f, "the connection to the daemon failed: {error}"),
            Self::Json(error) => write!(f, "a line of the protocol could not be read: {error}"),
            Self::Crowded => write!(f, "over {MAX_PASSED} notifications came before the answer"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Rpc(error) => Some(error),
            Self::Io(error) => Some(error),
            Self::Json(error) => Some(error),
            Self::Crowded => None,
        }
    }
}

/// Longer than any call that leaves its time at the default, and any long poll.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(120);
/// How many notifications are kept while a call waits.
const MAX_PASSED: usize = 10_000;
/// How long a line may be.
const MAX_LINE_BYTES: usize = 256 * 1024 * 1024;
