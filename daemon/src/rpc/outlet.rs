//! How what goes out is written: as lines, and what lines share with other forms.

use std::future::Future;
use std::io;

use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::event::REDELIVERED_TAIL;
use crate::rpc::outgoing::{EventFrame, Frame};

/// Where frames are written to, in the form that the client reads.
pub(crate) trait Outlet: Send {
    /// Takes a frame for the next write; how many bytes it has.
    fn put(&mut self, frame: &Frame) -> usize;

    /// Writes all that was put. Returns when the socket has taken the last byte of it.
    fn write(&mut self) -> impl Future<Output = io::Result<()>> + Send;

    /// Nothing comes any more.
    fn end(&mut self) -> impl Future<Output = io::Result<()>> + Send;
}

/// NDJSON: one value a line.
#[derive(Debug)]
pub(crate) struct Lines<W> {
    buffer: String,
    stream: W,
}

impl<W> Lines<W> {
    pub(crate) fn new(stream: W) -> Self {
        Self {
            buffer: String::new(),
            stream,
        }
    }
}

impl<W: AsyncWrite + Unpin + Send> Outlet for Lines<W> {
    fn put(&mut self, frame: &Frame) -> usize {
        let before = self.buffer.len();
        push_json_rpc(&mut self.buffer, frame);
        self.buffer.push('\n');
        self.buffer.len() - before
    }

    async fn write(&mut self) -> io::Result<()> {
        self.stream.write_all(self.buffer.as_bytes()).await?;
        clear(&mut self.buffer);
        Ok(())
    }

    async fn end(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }
}

/// Appends the frame as one JSON-RPC value.
pub(crate) fn push_json_rpc(out: &mut String, frame: &Frame) {
    match frame {
        Frame::Text(text) => out.push_str(text),
        Frame::Notice { method, params } => {
            for part in [
                "{\"jsonrpc\":\"2.0\",\"method\":\"",
                method,
                "\",\"params\":",
                params,
                "}",
            ] {
                out.push_str(part);
            }
        }
        Frame::Event(frame) => {
            out.push_str(&frame.head);
            push_event(out, frame);
            out.push_str("}}");
        }
    }
}

/// Appends the event itself.
pub(crate) fn push_event(out: &mut String, frame: &EventFrame) {
    if frame.redelivered {
        let open = frame.event.len().saturating_sub(1);
        out.push_str(&frame.event[..open]);
        out.push_str(REDELIVERED_TAIL);
    } else {
        out.push_str(&frame.event);
    }
}

/// Empties a buffer that was written; a large one is given back.
pub(crate) fn clear(buffer: &mut String) {
    buffer.clear();
    if buffer.capacity() > KEPT_BYTES {
        *buffer = String::new();
    }
}

/// A write buffer over this size is given back.
const KEPT_BYTES: usize = 64 << 10;
