//! A TCP stream that can be told to end with a reset.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Handle that decides how a [`Wire`] will end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fuse(Arc<AtomicBool>);

impl Fuse {
    /// From now on the end of the stream is a reset, and unsent bytes are thrown away.
    pub(crate) fn reset(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The stream itself. Dropping it ends the connection.
#[derive(Debug)]
pub(crate) struct Wire {
    /// `None` once it was ended ahead of its owner.
    tcp: Option<TcpStream>,
    fuse: Fuse,
}

impl Wire {
    pub(crate) fn new(tcp: TcpStream) -> Self {
        Self {
            tcp: Some(tcp),
            fuse: Fuse::default(),
        }
    }

    pub(crate) fn fuse(&self) -> Fuse {
        self.fuse.clone()
    }

    /// Ends the connection now, by reset if the fuse says so.
    pub(crate) fn end(&mut self) {
        let Some(tcp) = self.tcp.take() else { return };
        if self.fuse.0.load(Ordering::Relaxed) {
            // A lingering time of zero makes the kernel answer with RST instead of FIN.
            let _gone_already = tcp.set_zero_linger();
        }
    }

    fn live(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        let gone = || io::Error::from(io::ErrorKind::NotConnected);
        self.tcp.as_mut().map(Pin::new).ok_or_else(gone)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.end();
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.live() {
            Ok(tcp) => tcp.poll_read(cx, buf),
            Err(gone) => Poll::Ready(Err(gone)),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.live() {
            Ok(tcp) => tcp.poll_write(cx, buf),
            Err(gone) => Poll::Ready(Err(gone)),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.live() {
            Ok(tcp) => tcp.poll_flush(cx),
            Err(gone) => Poll::Ready(Err(gone)),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.live() {
            Ok(tcp) => tcp.poll_shutdown(cx),
            Err(gone) => Poll::Ready(Err(gone)),
        }
    }
}
