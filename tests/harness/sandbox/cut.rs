//! The ends of a socket: closing in order, and cuts of every kind.

use super::link::{Cut, Link};
use super::socket::{End, Socket};
use futures_util::{SinkExt as _, StreamExt as _};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// How long a close handshake, or the last bytes before a cut, may take.
const CLOSING: Duration = Duration::from_secs(1);

impl Socket {
    /// Sends a close frame and waits a little for the client's own.
    pub(crate) async fn close(&mut self, code: u16, reason: &str) -> End {
        self.close_link(None, code, reason).await
    }

    /// The same for a registered socket, whose link is told when the frame has left.
    pub(crate) async fn close_link(&mut self, link: Option<&Link>, code: u16, reason: &str) -> End {
        let frame = CloseFrame {
            code: code.into(),
            reason: reason.into(),
        };
        let goodbye = async {
            let left = self.ws.close(Some(frame)).await;
            if let Some(link) = link {
                link.has_gone();
            }
            if left.is_ok() {
                while let Some(Ok(_)) = self.ws.next().await {}
            }
        };
        let _unanswered = tokio::time::timeout(CLOSING, goodbye).await;
        End {
            code,
            reason: reason.to_owned(),
            by_server: true,
        }
    }

    pub(crate) async fn cut(&mut self, link: &Link, cut: Cut) -> End {
        if !matches!(cut, Cut::Silent { .. } | Cut::HalfOpen { .. }) {
            link.give_up();
        }
        match cut {
            Cut::Reset => self.fuse.reset(),
            Cut::Drop => {
                let _gone = self.ws.get_mut().shutdown().await;
            }
            Cut::Clean { code, reason } => return self.close(code, &reason).await,
            Cut::MidFrame => {
                let frame = r#"{"type":"message.new","payload":{"id":"msg_never_comes_whole"}}"#;
                return self.half_frame(&frame.into()).await;
            }
            Cut::Silent { for_ } => {
                link.make_void();
                self.wait(for_).await;
            }
            Cut::HalfOpen { for_ } => {
                link.make_void();
                self.fuse.reset();
                self.ws.get_mut().end();
                self.wait(for_).await;
            }
        }
        End {
            code: 1006,
            reason: "cut".to_owned(),
            by_server: true,
        }
    }

    /// Writes the header of a whole frame and half of its payload, then resets.
    pub(crate) async fn half_frame(&mut self, text: &Utf8Bytes) -> End {
        let payload = text.as_bytes();
        let mut bytes = vec![0x81];
        match u16::try_from(payload.len()) {
            Ok(short @ 0..=125) => bytes.push(short.to_be_bytes()[1]),
            Ok(medium) => {
                bytes.push(126);
                bytes.extend(medium.to_be_bytes());
            }
            Err(_) => {
                bytes.push(127);
                bytes.extend((payload.len() as u64).to_be_bytes());
            }
        }
        bytes.extend(&payload[..payload.len() / 2]);
        let write = async {
            let _broken = self.ws.flush().await;
            let wire = self.ws.get_mut();
            let _broken = wire.write_all(&bytes).await;
            let _broken = wire.flush().await;
        };
        let _stuck = tokio::time::timeout(CLOSING, write).await;
        self.fuse.reset();
        End {
            code: 1006,
            reason: "cut inside a frame".to_owned(),
            by_server: true,
        }
    }

    async fn wait(&self, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.shared.tasks.stopped() => {}
        }
    }
}
