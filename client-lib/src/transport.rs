//! Newline JSON over a Unix socket, as jsonrpsee's async client wants its transports.

use std::io;
use std::path::Path;
use std::time::Duration;

use jsonrpsee::core::client::{ReceivedMessage, TransportReceiverT, TransportSenderT};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use crate::line::LineReader;

/// Writes one request a line.
#[derive(Debug)]
pub struct Sender(OwnedWriteHalf);

/// Reads one answer or notification a line.
#[derive(Debug)]
pub struct Receiver(LineReader<OwnedReadHalf>);

/// Connects and splits the connection into its two directions.
///
/// # Errors
/// Where nobody answers at the path.
pub async fn connect(path: &Path) -> io::Result<(Sender, Receiver)> {
    let (read, write) = open(path).await?.into_split();
    Ok((Sender(write), Receiver(LineReader::new(read))))
}

/// Connects within a bounded time; it takes long only where the daemon accepts nobody.
pub(crate) async fn open(path: &Path) -> io::Result<UnixStream> {
    tokio::time::timeout(CONNECT_TIMEOUT, UnixStream::connect(path))
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

impl TransportSenderT for Sender {
    type Error = io::Error;

    async fn send(&mut self, mut message: String) -> io::Result<()> {
        message.push('\n');
        self.0.write_all(message.as_bytes()).await
    }

    async fn close(&mut self) -> io::Result<()> {
        self.0.shutdown().await
    }
}

impl TransportReceiverT for Receiver {
    type Error = io::Error;

    /// Safe to be cancelled: what was read stays with the receiver.
    async fn receive(&mut self) -> io::Result<ReceivedMessage> {
        loop {
            let Some(line) = self.0.next_line().await? else {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            };
            if !line.trim_ascii().is_empty() {
                return Ok(ReceivedMessage::Bytes(line));
            }
        }
    }
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
