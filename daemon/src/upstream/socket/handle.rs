//! The two ends of a connection that the driver holds.

use serde::Serialize;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::{SocketEvent, budget};

/// Why a frame was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// Too much waits to be written; the connection is about to be given up.
    #[error("too many frames wait to be written")]
    Full,
    /// The connection has ended.
    #[error("the connection has ended")]
    Closed,
    /// The frame is longer than any that a client has reason to send.
    #[error("the frame is too long")]
    TooLong,
}

/// What the task is told beside frames; the latest state counts, so it needs no queue.
#[derive(Debug, Default)]
pub(super) struct Control {
    pub(super) ready: bool,
    pub(super) close: Option<(u16, String)>,
}

/// Takes what is to be sent. Nothing here waits; frames go out in order, many to a flush.
#[derive(Debug, Clone)]
pub struct SocketSender {
    frames: budget::Sender<Utf8Bytes>,
    control: watch::Sender<Control>,
}

#[derive(Serialize)]
struct AckFrame<'a> {
    r#type: &'static str,
    message_id: &'a str,
}

impl SocketSender {
    pub(super) fn new(frames: budget::Sender<Utf8Bytes>, control: watch::Sender<Control>) -> Self {
        Self { frames, control }
    }

    /// Acknowledges one message by its id.
    ///
    /// # Errors
    /// See [`NotSent`]. An acknowledgement that is lost is harmless: the message comes again.
    pub fn ack(&self, message_id: &str) -> Result<(), NotSent> {
        self.raw(json(&AckFrame {
            r#type: "ack",
            message_id,
        }))
    }

    /// Sends a frame as it is.
    ///
    /// # Errors
    /// See [`NotSent`].
    pub fn raw(&self, frame: String) -> Result<(), NotSent> {
        if frame.len() > FRAME_MAX_BYTES {
            return Err(NotSent::TooLong);
        }
        let bytes = frame.len() + FRAME_OVERHEAD_BYTES;
        self.frames
            .try_send(Utf8Bytes::from(frame), bytes)
            .map_err(|refused| match refused {
                budget::Refused::Full(_) => NotSent::Full,
                budget::Refused::Gone => NotSent::Closed,
            })
    }

    /// Lets frames out. Until then they wait, for whatever is sent before the server has answered
    /// the hello ends the connection (`wire.md` 2.1); on a connection with a hello they wait for
    /// `hello.ok` as well, whoever calls this.
    pub fn ready(&self) {
        self.control.send_modify(|control| control.ready = true);
    }

    /// Ends the connection, after the frames that may go out have gone. The first call counts.
    pub fn close(&self, code: u16, reason: &str) {
        self.control.send_modify(|control| {
            control
                .close
                .get_or_insert_with(|| (code, reason.to_owned()));
        });
    }
}

fn json(frame: &impl Serialize) -> String {
    serde_json::to_string(frame).expect("a frame of strings is JSON")
}

/// Gives what came, in order; ends after [`SocketEvent::Closed`].
#[derive(Debug)]
pub struct SocketReceiver {
    events: budget::Receiver<SocketEvent>,
}

impl SocketReceiver {
    pub(super) fn new(events: budget::Receiver<SocketEvent>) -> Self {
        Self { events }
    }

    /// The next event; `None` after the last, or where the task was dropped.
    pub async fn next(&mut self) -> Option<SocketEvent> {
        self.events.recv().await.map(|(event, _)| event)
    }

    /// The next event, where one waits already.
    pub fn try_next(&mut self) -> Option<SocketEvent> {
        self.events.try_recv().map(|(event, _)| event)
    }
}

/// No frame of a client comes near it; the platform swallows larger ones.
const FRAME_MAX_BYTES: usize = 1024 * 1024;

/// What a frame costs beside its text.
const FRAME_OVERHEAD_BYTES: usize = 64;
