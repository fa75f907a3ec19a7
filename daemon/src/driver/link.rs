//! The socket to the platform: what it reports becomes inputs of the engine.

use std::sync::Arc;

use agentchatd_engine::{Input, SocketEnd};
use tokio::{sync::oneshot, task::AbortHandle};

use super::run::Driver;
use crate::command::{CallFailure, FrameRefusal};
use crate::failpoint;
use crate::metrics::{FrameKind, close_reason};
use crate::upstream::{
    socket::{Closed, DialFailure, NotSent, Socket, SocketEvent, SocketReceiver},
    wire::Frame,
};

impl Driver {
    pub(super) fn on_dialed(&mut self, dialed: Result<Socket, DialFailure>) {
        match dialed {
            Ok(Socket {
                sender,
                receiver,
                task,
            }) => {
                self.tasks.spawn("socket", task.run());
                if let Some((code, reason)) = self.close_when_open.take() {
                    sender.close(code, reason);
                }
                self.sender = Some(sender);
                self.receiver = Some(receiver);
                self.feed_engine(Input::SocketOpen);
            }
            Err(failure) => {
                self.close_when_open = None;
                let refused = failure.refused;
                let status = refused.map(|refusal| refusal.status);
                self.config.metrics.disconnected(close_reason(None, status));
                self.feed_engine(Input::SocketClosed(SocketEnd {
                    refused: refused.map(|refusal| refusal.status),
                    retry_after_ms: refused.and_then(|refusal| refusal.retry_after_ms),
                    code: None,
                    reason: failure.reason.into(),
                    by_us: false,
                }));
            }
        }
    }

    /// Hands a frame of a caller to the socket. Before the platform has answered the handshake
    /// nothing may be said (`wire.md` 2.1); what is said then would wait for an answer that may
    /// never come, so the caller is told at once.
    pub(super) fn send_frame(&self, frame: String) -> Result<(), FrameRefusal> {
        let failed = |failure| Err(FrameRefusal::Call(failure));
        if self.stopping {
            return failed(CallFailure::ShuttingDown);
        }
        if self.key.is_none() {
            return failed(CallFailure::NotConfigured);
        }
        let away = || CallFailure::Unavailable {
            reason: format!("no connection: {}", self.watched.link_words()),
            attempts: 0,
            retry_after_ms: None,
        };
        match &self.sender {
            Some(sender) if self.watched.is_connected() => {
                sender.raw(frame).map_err(|refused| match refused {
                    NotSent::Full => FrameRefusal::Full,
                    NotSent::TooLong => FrameRefusal::TooLong,
                    NotSent::Closed => FrameRefusal::Call(away()),
                })
            }
            _ => failed(away()),
        }
    }

    pub(super) fn on_socket(&mut self, first: Option<SocketEvent>) {
        let mut event = first;
        let mut left = FRAMES_A_TURN;
        loop {
            match event {
                Some(SocketEvent::Frame(frame)) => self.on_frame(frame),
                Some(SocketEvent::Ping) => {
                    self.config.metrics.frame(FrameKind::Ping);
                    self.feed_engine(Input::Alive);
                }
                Some(SocketEvent::Closed(closed)) => return self.on_closed(closed),
                None => {
                    let reason = Arc::from("the connection broke off");
                    return self.on_closed(Closed {
                        code: None,
                        reason,
                        by_us: false,
                    });
                }
            }
            // What is taken from the socket is handled: the turn ends before the next is taken.
            left -= 1;
            if left == 0 {
                return;
            }
            let Some(next) = self.receiver.as_mut().and_then(SocketReceiver::try_next) else {
                return;
            };
            event = Some(next);
        }
    }

    fn on_closed(&mut self, closed: Closed) {
        self.sender = None;
        self.receiver = None;
        let Closed {
            code,
            reason,
            by_us,
        } = closed;
        self.watched.closed(code, &reason);
        self.config.metrics.disconnected(close_reason(code, None));
        let end = SocketEnd {
            refused: None,
            retry_after_ms: None,
            code,
            reason,
            by_us,
        };
        self.feed_engine(Input::SocketClosed(end));
    }

    fn on_frame(&mut self, frame: Frame) {
        self.watched.frame();
        self.config.metrics.frame(match &frame {
            Frame::Message(_) => FrameKind::Message,
            Frame::HelloOk { .. } => FrameKind::Hello,
            Frame::Event(_) => FrameKind::Event,
            Frame::Unreadable { .. } => FrameKind::Unreadable,
        });
        match frame {
            Frame::Message(row) => {
                failpoint::reach("frame-read");
                self.feed_engine(Input::Message(row));
            }
            Frame::HelloOk { ack } => {
                if let Some(sender) = &self.sender {
                    sender.ready();
                }
                self.feed_engine(Input::HelloOk { ack });
            }
            Frame::Event(event) if is_ephemeral(&event.kind) => {
                self.publish_ephemeral(event.kind, event.conversation_id, event.payload);
                self.feed_engine(Input::Alive);
            }
            Frame::Event(event) => {
                self.feed_engine(Input::Other {
                    kind: event.kind,
                    payload: event.payload,
                    conversation_id: event.conversation_id,
                });
            }
            Frame::Unreadable { reason } => {
                tracing::warn!(%reason, "a frame of the platform could not be read");
                self.feed_engine(Input::Alive);
            }
        }
    }
}

fn is_ephemeral(kind: &str) -> bool {
    matches!(kind, "typing.start" | "typing.stop" | "presence.update")
}

/// A dial that is under way; dropping it cuts it off.
#[derive(Debug)]
pub(super) struct Dialing {
    result: oneshot::Receiver<Result<Socket, DialFailure>>,
    task: AbortHandle,
}

impl Dialing {
    pub(super) fn new(
        result: oneshot::Receiver<Result<Socket, DialFailure>>,
        task: AbortHandle,
    ) -> Self {
        Self { result, task }
    }
}

impl Drop for Dialing {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(super) async fn dialed(dialing: &mut Option<Dialing>) -> Result<Socket, DialFailure> {
    let Some(dial) = dialing else {
        return std::future::pending().await;
    };
    let result = (&mut dial.result).await.unwrap_or_else(|_| {
        let reason = "the dial was given up".to_owned();
        Err(DialFailure {
            refused: None,
            reason,
            hello_sent: true,
        })
    });
    *dialing = None;
    result
}

pub(super) async fn received(receiver: &mut Option<SocketReceiver>) -> Option<SocketEvent> {
    match receiver {
        Some(receiver) => receiver.next().await,
        None => std::future::pending().await,
    }
}

/// Frames taken from the socket before anything else has a turn.
const FRAMES_A_TURN: usize = 256;
