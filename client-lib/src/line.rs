//! Lines from the daemon, one JSON value each, read with a bound and safe to be cancelled.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

/// Cuts a byte stream into lines. What was read stays here, so a read that is given up loses nothing.
#[derive(Debug)]
pub(crate) struct LineReader<R> {
    io: R,
    buffer: Vec<u8>,
    /// Where the line under way begins.
    start: usize,
    /// Up to where `buffer` was searched for a line's end.
    searched: usize,
}

impl<R: AsyncRead + Unpin> LineReader<R> {
    pub(crate) fn new(io: R) -> Self {
        Self {
            io,
            buffer: Vec::new(),
            start: 0,
            searched: 0,
        }
    }

    /// The next line without its end, or `None` where the stream ended. What stands after the last
    /// line's end is no line: the daemon was cut off while it wrote.
    pub(crate) async fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        std::future::poll_fn(|cx| self.poll_line(cx, |line| line.to_vec())).await
    }

    /// As [`Self::next_line`], handing the line to `read` where it lies.
    pub(crate) fn poll_line<T>(
        &mut self,
        cx: &mut Context<'_>,
        read: impl FnOnce(&[u8]) -> T,
    ) -> Poll<io::Result<Option<T>>> {
        loop {
            if let Some(end) = self.buffered_end() {
                let value = read(&self.buffer[self.start..end]);
                self.start = end + 1;
                self.searched = self.start;
                return Poll::Ready(Ok(Some(value)));
            }
            if self.buffer.len() - self.start > MAX_LINE_BYTES {
                let text = format!("the daemon sent a line of more than {MAX_LINE_BYTES} bytes");
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, text)));
            }
            if ready!(self.poll_more(cx))? == 0 {
                return Poll::Ready(Ok(None));
            }
        }
    }

    /// Whether a whole line is here already.
    pub(crate) fn has_line(&mut self) -> bool {
        self.buffered_end().is_some()
    }

    fn buffered_end(&mut self) -> Option<usize> {
        let found = self.buffer[self.searched..]
            .iter()
            .position(|byte| *byte == b'\n');
        let end = found.map(|at| self.searched + at);
        self.searched = end.unwrap_or(self.buffer.len());
        end
    }

    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        if self.buffer.is_empty() && self.buffer.capacity() > KEEP_BYTES {
            self.buffer.shrink_to(KEEP_BYTES);
        }
        let len = self.buffer.len();
        self.buffer.resize(len + READ_BYTES, 0);
        let mut part = ReadBuf::new(&mut self.buffer[len..]);
        let polled = Pin::new(&mut self.io).poll_read(cx, &mut part);
        let count = part.filled().len();
        self.buffer.truncate(len + count);
        polled.map_ok(|()| count)
    }
}

/// How much is asked of the socket at a time.
const READ_BYTES: usize = 16 * 1024;
/// How much room an empty buffer keeps.
const KEEP_BYTES: usize = 256 * 1024;
/// A page of a thousand events of the largest size that AgentChat allows has room in it.
const MAX_LINE_BYTES: usize = 256 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_found_however_the_bytes_are_cut() {
        let (mut write, read) = tokio::io::duplex(3);
        let mut lines = LineReader::new(read);
        let sender = async {
            tokio::io::AsyncWriteExt::write_all(&mut write, b"one\n\nthree four\nrest")
                .await
                .unwrap();
            drop(write);
        };
        let reader = async {
            let mut all = Vec::new();
            while let Some(line) = lines.next_line().await.unwrap() {
                all.push(String::from_utf8(line).unwrap());
            }
            all
        };
        let (all, ()) = tokio::join!(reader, sender);
        assert_eq!(all, ["one", "", "three four"]);
    }

    #[tokio::test]
    async fn a_read_that_is_given_up_loses_nothing() {
        let (mut write, read) = tokio::io::duplex(64);
        let mut lines = LineReader::new(read);
        tokio::io::AsyncWriteExt::write_all(&mut write, b"ha")
            .await
            .unwrap();
        tokio::select! {
            biased;
            _ = lines.next_line() => panic!("there is no whole line yet"),
            () = std::future::ready(()) => {}
        }
        tokio::io::AsyncWriteExt::write_all(&mut write, b"lf\n")
            .await
            .unwrap();
        assert_eq!(lines.next_line().await.unwrap(), Some(b"half".to_vec()));
    }
}
