//! NDJSON from bytes to requests.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::io::{AsyncRead, ReadBuf};

use crate::rpc::ndjson::{Frame, Framer};
use crate::rpc::request::{self, Incoming, MAX_BATCH_ENTRIES, Refused, Request};

/// Reads a stream whole and in pieces, and each of its lines alone.
///
/// # Panics
/// Where the pieces make a difference, a line makes one for another line, or a request is read as
/// something that does not stand there.
pub fn lines(input: &[u8]) {
    for limit in [LARGE, SMALL] {
        let whole = read(input, Pieces::of(input, usize::MAX), limit);
        for size in [1, 7, 0] {
            let pieces = read(input, Pieces::of(input, size), limit);
            assert_eq!(pieces, whole, "in pieces of {size}, limit {limit}");
        }
        assert_eq!(line_by_line(input, limit), whole, "limit {limit}");
        for seen in &whole {
            check(seen, input, limit);
        }
    }
}

/// What a session makes of one frame.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    frame: Frame,
    /// Of a value: how it is read, as `Debug` shows it.
    read: Option<String>,
}

/// Reads to the end as a session does, which passes over the rest of a line that is no JSON.
fn read(input: &[u8], mut stream: Pieces<'_>, limit: usize) -> Vec<Seen> {
    let head = stream.take(usize::MAX);
    let mut framer = Framer::new(head, limit);
    let mut all = Vec::new();
    loop {
        let next = framer.next(&mut stream).now_or_never();
        let frame = next
            .expect("nothing waits for a stream that is always ready")
            .expect("this stream has no errors");
        let is_last = matches!(frame, Frame::End | Frame::TooLong);
        let mut read = None;
        if let Frame::Value(bytes) = &frame {
            let incoming = request::read(bytes.clone());
            if matches!(incoming, Incoming::NotJson(_)) {
                framer.skip_line();
            }
            read = Some(format!("{incoming:?}"));
        }
        all.push(Seen { frame, read });
        assert!(all.len() <= input.len() + 1, "more frames than bytes");
        if is_last {
            return all;
        }
    }
}

/// Each line read as if it were alone.
fn line_by_line(input: &[u8], limit: usize) -> Vec<Seen> {
    let mut all = Vec::new();
    for line in input.split_inclusive(|byte| *byte == b'\n') {
        all.extend(read(line, Pieces::of(line, usize::MAX), limit));
        let last = all.pop_if(|seen| seen.frame == Frame::End);
        if last.is_none() {
            // Nothing is read after a value over the limit.
            return all;
        }
    }
    let (frame, read) = (Frame::End, None);
    all.push(Seen { frame, read });
    all
}

/// Holds what was read against the bytes and against an ordinary JSON parser.
fn check(seen: &Seen, input: &[u8], limit: usize) {
    let Frame::Value(bytes) = &seen.frame else {
        return;
    };
    assert!(!bytes.is_empty() && stands_in(input, bytes));
    assert!(bytes.len() <= limit + 1, "over the limit");
    let ends = bytes.iter().filter(|byte| **byte == b'\n').count();
    assert!(ends <= 1, "a value of two lines");
    let text = std::str::from_utf8(bytes);
    let parsed = text.ok().map(serde_json::from_str::<Value>);
    let incoming = request::read(bytes.clone());
    if let Incoming::NotJson(_) = incoming {
        assert!(!matches!(parsed, Some(Ok(_))), "JSON is called none");
        return;
    }
    let text = text.expect("what is no UTF-8 is no JSON");
    let parsed = match parsed.expect("it is text") {
        Ok(value) => Some(value),
        Err(error) => {
            // Numbers and nesting of any size pass through here unread.
            let reason = error.to_string();
            let is_large = ["number out of range", "recursion limit exceeded"]
                .iter()
                .any(|bound| reason.contains(bound));
            assert!(is_large, "no JSON is taken for some: {reason}");
            None
        }
    };
    match incoming {
        Incoming::Single(one) => check_request(&one, text, parsed.as_ref()),
        Incoming::Batch(all) => check_batch(&all, text),
        Incoming::TooMany => assert!(entries(text).len() > MAX_BATCH_ENTRIES),
        Incoming::NotJson(_) => unreachable!("looked at above"),
    }
}

/// A request says what the text says.
fn check_request(one: &Result<Request, Refused>, text: &str, parsed: Option<&Value>) {
    let request = match one {
        Ok(request) => request,
        Err(refused) => {
            let id = refused.id.as_deref().unwrap_or_default();
            assert!(text.contains(id), "an id that nobody wrote");
            assert!(!refused.reason.is_empty());
            return;
        }
    };
    let (id, params) = (request.id.as_deref(), request.params.as_deref());
    for member in [id, params].into_iter().flatten() {
        assert!(text.contains(member), "a member that nobody wrote");
    }
    let Some(parsed) = parsed else { return };
    let value = |member: &str| serde_json::from_str::<Value>(member).ok();
    assert_eq!(parsed["jsonrpc"], "2.0");
    assert_eq!(parsed["method"], request.method.as_str());
    assert_eq!(parsed.get("id"), id.and_then(value).as_ref());
    assert_eq!(parsed.get("params"), params.and_then(value).as_ref());
    let id = parsed.get("id").unwrap_or(&Value::Null);
    assert!(id.is_null() || id.is_string() || id.is_number());
    let params = parsed.get("params");
    assert!(params.is_none_or(|params| params.is_object() || params.is_array()));
}

/// An entry of a batch is read as it would be alone.
fn check_batch(all: &[Result<Request, Refused>], text: &str) {
    let entries = entries(text);
    assert!(!all.is_empty() && all.len() <= MAX_BATCH_ENTRIES);
    assert_eq!(all.len(), entries.len());
    for (one, entry) in all.iter().zip(entries) {
        if !entry.get().starts_with('{') {
            assert!(one.is_err(), "{} is no request", entry.get());
            continue;
        }
        let Incoming::Single(alone) = request::read(entry.get().into()) else {
            panic!("an object is one request");
        };
        assert_eq!(*one, alone);
    }
}

fn entries(text: &str) -> Vec<&RawValue> {
    serde_json::from_str(text).expect("a batch is an array")
}

pub(super) fn stands_in(whole: &[u8], part: &[u8]) -> bool {
    part.is_empty() || whole.windows(part.len()).any(|window| window == part)
}

/// A stream that is always ready and gives so many bytes at a time.
struct Pieces<'a> {
    rest: &'a [u8],
    size: usize,
    // Where the size is 0, each piece has another one, drawn from here.
    seed: u64,
}

impl<'a> Pieces<'a> {
    fn of(input: &'a [u8], size: usize) -> Self {
        let seed = input.iter().fold(1, |seed: u64, byte| {
            seed.wrapping_mul(31).wrapping_add(u64::from(*byte))
        });
        let rest = input;
        Self { rest, size, seed }
    }

    /// The next piece, of at most so many bytes.
    fn take(&mut self, most: usize) -> &'a [u8] {
        let mut size = self.size;
        if size == 0 {
            // Knuth's multiplier; what matters is that equal bytes give equal pieces.
            self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005) + 1;
            size = 1 + usize::from(self.seed.to_be_bytes()[0] % 32);
        }
        let (piece, rest) = self.rest.split_at(size.min(most).min(self.rest.len()));
        self.rest = rest;
        piece
    }
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let piece = self.take(buffer.remaining());
        buffer.put_slice(piece);
        Poll::Ready(Ok(()))
    }
}

/// A limit that no input reaches.
const LARGE: usize = 1 << 24;
/// One that many do.
const SMALL: usize = 48;
