//! Files over the daemon's socket, as HTTP bodies: in pieces, so that progress can be seen, and for
//! callers whose files the daemon itself may not open.
//!
//! One connection a file, with just as much of HTTP/1.1 as these two requests need: a body of known
//! length up, a body of known length or in chunks down. Calls block; async programs run them on a
//! thread of their own. Nothing that the daemon answers is believed beyond a bounded head.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use crate::error::RpcError;
use crate::types::{Address, UploadedFile};

/// Why a file did not get through.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The daemon refused it.
    #[error(transparent)]
    Refused(#[from] RpcError),
    /// Nobody answers at the socket.
    #[error("cannot connect to the daemon")]
    Connect(#[source] io::Error),
    /// The connection broke, or gave no more bytes in time.
    #[error("the connection to the daemon failed: {0}")]
    Broken(#[source] io::Error),
    /// The bytes to send could not be read, or those that came not be written.
    #[error("the file failed: {0}")]
    File(#[source] io::Error),
    /// The answer is none of this API.
    #[error("the daemon's answer cannot be read: {0}")]
    Answer(&'static str),
}

/// A file to send.
#[derive(Debug, Clone)]
pub struct Upload<'u> {
    /// The name under which it is shown.
    pub filename: &'u str,
    /// What it is; told from the name where it is not given.
    pub content_type: Option<&'u str>,
    /// Whom it is for.
    pub address: &'u Address,
    /// How many bytes there are; no more are read.
    pub size: u64,
    /// How long the daemon may say nothing.
    pub patience: Duration,
}

/// Sends a file; `moved` is told how many bytes went out so far.
///
/// # Errors
/// See [`TransferError`]. What the daemon did not get whole leaves nothing behind.
pub fn upload(
    socket: &Path,
    upload: &Upload<'_>,
    file: &mut impl Read,
    mut moved: impl FnMut(u64),
) -> Result<UploadedFile, TransferError> {
    let stream = connect(socket, upload.patience)?;
    let head = format!(
        "PUT /attachments?{} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        query(upload),
        upload.size
    );
    let sent = send(&stream, &head, file, upload.size, &mut moved);
    if let Err(error @ TransferError::File(_)) = sent {
        return Err(error);
    }
    // A refusal may come before the last byte was taken; it says more than the broken pipe.
    let mut answer = match Answer::read(stream) {
        Ok(answer) => answer,
        Err(error) => return Err(sent.err().unwrap_or(error)),
    };
    if answer.status / 100 != 2 {
        return Err(answer.refusal());
    }
    sent?;
    let text = answer.text()?;
    serde_json::from_slice(&text).map_err(|_| TransferError::Answer("it names no attachment"))
}

/// Fetches a file; `moved` is told how many bytes came so far, and of how many where that is known.
///
/// # Errors
/// See [`TransferError`]. After an error what was written is not the file.
pub fn download(
    socket: &Path,
    attachment_id: &str,
    patience: Duration,
    file: &mut impl Write,
    mut moved: impl FnMut(u64, Option<u64>),
) -> Result<u64, TransferError> {
    let mut stream = connect(socket, patience)?;
    let head = format!(
        "GET /attachments/{} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
        escaped(attachment_id)
    );
    stream
        .write_all(head.as_bytes())
        .map_err(TransferError::Broken)?;
    let mut answer = Answer::read(stream)?;
    if answer.status != OK {
        return Err(answer.refusal());
    }
    let size = match answer.length {
        Length::Known(size) => Some(size),
        Length::Chunks => None,
    };
    let mut count = 0;
    moved(count, size);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let got = answer.some(&mut piece)?;
        if got == 0 {
            return Ok(count);
        }
        file.write_all(&piece[..got]).map_err(TransferError::File)?;
        count += got as u64;
        moved(count, size);
    }
}

fn connect(socket: &Path, patience: Duration) -> Result<UnixStream, TransferError> {
    let stream = UnixStream::connect(socket).map_err(TransferError::Connect)?;
    let patience = Some(patience.max(LEAST_PATIENCE));
    stream
        .set_read_timeout(patience)
        .and_then(|()| stream.set_write_timeout(patience))
        .map_err(TransferError::Connect)?;
    Ok(stream)
}

fn send(
    mut stream: &UnixStream,
    head: &str,
    file: &mut impl Read,
    size: u64,
    moved: &mut impl FnMut(u64),
) -> Result<(), TransferError> {
    stream
        .write_all(head.as_bytes())
        .map_err(TransferError::Broken)?;
    let mut piece = vec![0; PIECE_BYTES];
    let mut left = size;
    while left > 0 {
        let room = usize::try_from(left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
        let got = file.read(&mut piece[..room]).map_err(TransferError::File)?;
        if got == 0 {
            let shrunk = io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter");
            return Err(TransferError::File(shrunk));
        }
        stream
            .write_all(&piece[..got])
            .map_err(TransferError::Broken)?;
        left -= got as u64;
        moved(size - left);
    }
    Ok(())
}

fn query(upload: &Upload<'_>) -> String {
    let (name, value) = match upload.address {
        Address::To(handle) => ("to", handle.as_str()),
        Address::Conversation(id) => ("conversation_id", id.as_str()),
    };
    let mut query = format!(
        "filename={}&{name}={}",
        escaped(upload.filename),
        escaped(value)
    );
    if let Some(kind) = upload.content_type {
        query.push_str(&format!("&content_type={}", escaped(kind)));
    }
    query
}

/// Percent-encoding of everything that could mean something in a path or a query.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// How long a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Known(u64),
    Chunks,
}

/// An answer whose head was read.
struct Answer<R> {
    reader: BufReader<R>,
    status: u16,
    length: Length,
    /// What is left of the body, or of the chunk under way.
    left: u64,
    is_over: bool,
}

impl<R: Read> Answer<R> {
    fn read(stream: R) -> Result<Self, TransferError> {
        let mut reader = BufReader::new(stream);
        let mut room = MAX_HEAD_BYTES;
        let first = line(&mut reader, &mut room)?;
        let status = first
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3));
        let status = status.and_then(|status| status.parse().ok());
        let status = status.ok_or(TransferError::Answer("it is no HTTP"))?;
        let mut length = None;
        loop {
            let text = line(&mut reader, &mut room)?;
            if text.is_empty() {
                break;
            }
            let (name, value) = text.split_once(':').unwrap_or((&text, ""));
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().ok().map(Length::Known);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                length = Some(Length::Chunks);
            }
        }
        let length = length.ok_or(TransferError::Answer("it does not say how long it is"))?;
        let left = match length {
            Length::Known(size) => size,
            Length::Chunks => 0,
        };
        Ok(Self {
            reader,
            status,
            length,
            left,
            is_over: length == Length::Known(0),
        })
    }

    /// The next bytes of the body; none at its end. A body that ends early is an error.
    fn some(&mut self, piece: &mut [u8]) -> Result<usize, TransferError> {
        if self.left == 0 && !self.is_over {
            self.next_chunk()?;
        }
        if self.is_over {
            return Ok(0);
        }
        let room = usize::try_from(self.left).map_or(piece.len(), |left| left.min(piece.len()));
        let got = self.reader.read(&mut piece[..room]);
        let got = got.map_err(TransferError::Broken)?;
        if got == 0 {
            return Err(TransferError::Broken(io::ErrorKind::UnexpectedEof.into()));
        }
        self.left -= got as u64;
        if self.left == 0 {
            match self.length {
                Length::Known(_) => self.is_over = true,
                // The line end behind a chunk.
                Length::Chunks => {
                    line(&mut self.reader, &mut CHUNK_LINE_BYTES.clone())?;
                }
            }
        }
        Ok(got)
    }

    fn next_chunk(&mut self) -> Result<(), TransferError> {
        let text = line(&mut self.reader, &mut CHUNK_LINE_BYTES.clone())?;
        let size = text.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16);
        self.left = size.map_err(|_| TransferError::Answer("a chunk has no length"))?;
        self.is_over = self.left == 0;
        Ok(())
    }

    /// The whole body of an answer that is small.
    fn text(&mut self) -> Result<Vec<u8>, TransferError> {
        let (mut text, mut piece) = (Vec::new(), [0; 4096]);
        loop {
            let got = self.some(&mut piece)?;
            if got == 0 {
                return Ok(text);
            }
            text.extend_from_slice(&piece[..got]);
            if text.len() as u64 > MAX_HEAD_BYTES {
                return Err(TransferError::Answer("it is too long"));
            }
        }
    }

    fn refusal(&mut self) -> TransferError {
        #[derive(Deserialize)]
        struct Refusal {
            error: RpcError,
        }
        match self
            .text()
            .map(|text| serde_json::from_slice::<Refusal>(&text))
        {
            Ok(Ok(refusal)) => refusal.error.into(),
            Ok(Err(_)) => TransferError::Answer("it refuses and does not say why"),
            Err(error) => error,
        }
    }
}

/// A line without its end; `room` is what may still come of lines.
fn line(reader: &mut impl BufRead, room: &mut u64) -> Result<String, TransferError> {
    let mut bytes = Vec::new();
    let read = reader.take(*room).read_until(b'\n', &mut bytes);
    read.map_err(TransferError::Broken)?;
    *room -= bytes.len() as u64;
    if bytes.pop() != Some(b'\n') {
        return Err(TransferError::Broken(io::ErrorKind::UnexpectedEof.into()));
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    String::from_utf8(bytes).map_err(|_| TransferError::Answer("its head is no text"))
}

/// The longest head, and the longest answer that is no file.
const MAX_HEAD_BYTES: u64 = 64 * 1024;
const CHUNK_LINE_BYTES: u64 = 1024;
const PIECE_BYTES: usize = 64 * 1024;
const OK: u16 = 200;
/// A time of zero would mean none.
const LEAST_PATIENCE: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads one byte at a time, as the worst network would give it.
    struct Slow<'b>(&'b [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = into.len().min(1);
            self.0.read(&mut into[..count])
        }
    }

    fn body(answer: &str) -> Result<Vec<u8>, TransferError> {
        Answer::read(Slow(answer.as_bytes()))?.text()
    }

    #[test]
    fn bodies_come_whole_or_not_at_all() {
        let known = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        assert_eq!(body(known).unwrap(), b"hello");
        let chunks = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        let whole = format!("{chunks}3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n");
        assert_eq!(body(&whole).unwrap(), b"hello");
        assert_eq!(
            body("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap(),
            b""
        );
        for cut in 0..known.len() {
            assert!(body(&known[..cut]).is_err(), "{cut}");
        }
        for cut in 0..whole.len() - 2 {
            assert!(body(&whole[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(100_000));
        for answer in [
            "hello\n",
            "HTTP/1.1 abc\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
            &long,
        ] {
            assert!(body(answer).is_err(), "{}", &answer[..20.min(answer.len())]);
        }
        let refused = r#"{"error":{"code":-32602,"message":"no"}}"#;
        let answer = format!(
            "HTTP/1.1 400 Bad\r\ncontent-length: {}\r\n\r\n{refused}",
            refused.len()
        );
        let refusal = Answer::read(answer.as_bytes()).unwrap().refusal();
        assert!(matches!(refusal, TransferError::Refused(error) if error.code == -32602));
    }

    #[test]
    fn names_are_escaped() {
        assert_eq!(escaped("a b&to=x/é.txt"), "a%20b%26to%3Dx%2F%C3%A9.txt");
    }
}
