//! Sockets as a model: both ends of them, what goes wrong on the way, and how long it takes
//! until somebody notices.

use std::{collections::BTreeMap, sync::Arc};

use agentchatd_engine::{Input, Row, SocketEnd};

use super::runner::{Happening, World};

/// What reaches our end of a socket.
#[derive(Debug, Clone)]
pub(crate) enum Frame {
    Open,
    HelloOk,
    Message(Row),
    Alive,
    Closed(SocketEnd),
}

/// Both ends of all sockets.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    /// Our socket, from dial to close.
    pub(crate) ours: Option<u64>,
    /// The key that our socket was dialled with.
    pub(crate) key: u64,
    /// Nothing reaches our end any more, and nobody has told us.
    pub(crate) silent: bool,
    /// Sockets that the platform pushes to, dead ones too; when their last frame arrives.
    pub(crate) registered: BTreeMap<u64, u64>,
    /// True once the upgrade was answered.
    pub(crate) opened: bool,
    /// True once `hello.ok` reached us on our socket.
    pub(crate) said_hello: bool,
    /// Frames of our socket not acknowledged yet, by message.
    pub(crate) owed: BTreeMap<Arc<str>, u32>,
    /// Own messages in the order in which the platform took them.
    pub(crate) taken: Vec<(u64, u64)>,
    pub(crate) last: u64,
    /// When we dialled.
    pub(crate) dials: Vec<u64>,
}

impl Wire {
    pub(crate) fn unregister(&mut self, socket: u64) {
        self.registered.remove(&socket);
    }
}

/// The platform takes this long to notice a dead socket (`wire.md` 2.1).
const HEARTBEAT_MS: u64 = 30_000;
/// The driver waits this long for an upgrade.
pub(crate) const DIAL_MS: u64 = 15_000;
/// Between two pings of the platform (`wire.md` 2.3).
const PING_MS: u64 = 45_000;
/// Rows of a batch of the connect drain.
const BATCH: usize = 10;

impl World {
    pub(crate) fn on_dial(&mut self, socket: u64) {
        if self.dice.chance(self.chances.dial_refused) {
            let end = SocketEnd {
                refused: Some(503),
                ..SocketEnd::default()
            };
            self.send_frame(socket, Frame::Closed(end));
            if self.dice.chance(50) {
                self.register(socket);
                self.later(HEARTBEAT_MS, Happening::Unregister(socket));
            }
            return;
        }
        self.send_frame(socket, Frame::Open);
        let wait = if self.dice.chance(self.chances.hello_late) {
            self.dice.between(4_100, 9_000)
        } else {
            self.delay()
        };
        self.later(wait, Happening::Hello(socket));
    }

    /// The driver waits no longer for the answer to the upgrade.
    pub(crate) fn on_dial_ends(&mut self, socket: u64) {
        if self.wire.ours == Some(socket) && !self.wire.opened {
            let end = SocketEnd::default();
            self.on_frame(socket, Frame::Closed(end));
        }
    }

    /// The platform has looked the key up, whether or not the socket still lives.
    pub(crate) fn on_hello(&mut self, socket: u64) {
        if self.wire.ours == Some(socket) && self.wire.key != self.valid_key {
            return self.cut(Some(1008), "Invalid token", false);
        }
        if self.wire.ours != Some(socket) {
            self.later(HEARTBEAT_MS, Happening::Unregister(socket));
        }
        // With real threads a push may overtake the hello.ok (`wire.md` 2.1).
        if self.dice.chance(self.chances.push_late) {
            self.register(socket);
            self.send_frame(socket, Frame::HelloOk);
        } else {
            self.send_frame(socket, Frame::HelloOk);
            self.register(socket);
        }
        self.later(PING_MS, Happening::Ping(socket));
    }

    pub(crate) fn register(&mut self, socket: u64) {
        self.wire.registered.entry(socket).or_insert(self.now_ms);
        let rows: Vec<Row> = self
            .platform
            .stored()
            .iter()
            .map(|m| m.row.clone())
            .collect();
        for batch in rows.chunks(BATCH) {
            let times = 1 + u32::from(self.dice.chance(self.chances.drain_repeated));
            for _ in 0..times {
                for row in batch {
                    self.push_to(socket, row);
                }
            }
        }
    }

    /// A message was made: push it to every socket that the platform believes in.
    pub(crate) fn push(&mut self, message_id: &str) {
        let Some(row) = self.platform.message_mut(message_id).map(|m| m.row.clone()) else {
            return;
        };
        let sockets: Vec<u64> = self.wire.registered.keys().copied().collect();
        for socket in sockets {
            self.push_to(socket, &row);
        }
    }

    fn push_to(&mut self, socket: u64, row: &Row) {
        if !self.platform.ack_mode {
            self.platform.mark(&row.message_id);
        }
        if self.dice.chance(self.chances.push_dropped) {
            return;
        }
        let late = self.dice.chance(self.chances.push_late);
        if late {
            let wait = self.dice.between(0, 4_000);
            let frame = Frame::Message(row.clone());
            self.later(wait, Happening::Frame(socket, Box::new(frame)));
        } else {
            self.send_frame(socket, Frame::Message(row.clone()));
        }
        if self.dice.chance(self.chances.push_repeated) {
            self.send_frame(socket, Frame::Message(row.clone()));
        }
    }

    /// Frames keep their order on a socket.
    pub(crate) fn send_frame(&mut self, socket: u64, frame: Frame) {
        let wait = self.delay();
        let at = self.now_ms + wait;
        let last = self.wire.registered.get(&socket).copied().unwrap_or(at);
        let at = at.max(last);
        if let Some(last) = self.wire.registered.get_mut(&socket) {
            *last = at;
        }
        self.later(at - self.now_ms, Happening::Frame(socket, Box::new(frame)));
    }

    pub(crate) fn on_frame(&mut self, socket: u64, frame: Frame) {
        if self.wire.ours != Some(socket) {
            return;
        }
        let is_closed = matches!(frame, Frame::Closed(_));
        if self.wire.silent && !is_closed {
            return;
        }
        let input = match frame {
            Frame::Open => {
                self.wire.opened = true;
                Input::SocketOpen
            }
            Frame::HelloOk => {
                self.wire.said_hello = true;
                if self.settings.header_auth {
                    // What came before is settled by sync, where the hello.ok is late.
                    self.wire.owed.clear();
                }
                Input::HelloOk {
                    ack: self.platform.ack_mode,
                }
            }
            Frame::Message(row) => {
                *self
                    .wire
                    .owed
                    .entry(Arc::clone(&row.message_id))
                    .or_default() += 1;
                Input::Message(row)
            }
            Frame::Alive => Input::Alive,
            Frame::Closed(end) => {
                self.wire.ours = None;
                Input::SocketClosed(end)
            }
        };
        self.input(input);
    }

    pub(crate) fn on_ack(&mut self, socket: u64, message_id: &str) {
        if self.wire.registered.contains_key(&socket) {
            self.platform.ack(message_id);
        }
    }

    pub(crate) fn on_ping(&mut self, socket: u64) {
        if self.wire.registered.contains_key(&socket) && self.wire.ours == Some(socket) {
            self.send_frame(socket, Frame::Alive);
            self.later(PING_MS, Happening::Ping(socket));
        }
    }

    /// We close: the platform learns of it soon, or by its heartbeat.
    pub(crate) fn close(&mut self, code: u16, reason: &'static str) {
        let Some(socket) = self.wire.ours else { return };
        let end = SocketEnd {
            code: Some(code),
            reason: reason.into(),
            by_us: true,
            ..SocketEnd::default()
        };
        let wait = self.delay();
        let notices = if self.wire.silent { HEARTBEAT_MS } else { wait };
        self.later(wait, Happening::Frame(socket, Box::new(Frame::Closed(end))));
        self.later(notices, Happening::Unregister(socket));
    }

    /// The platform or the way closes our socket; what is in flight arrives or not, as told.
    pub(crate) fn cut(&mut self, code: Option<u16>, reason: &str, loses: bool) {
        let Some(socket) = self.wire.ours else { return };
        self.wire.silent |= loses;
        let end = SocketEnd {
            code,
            reason: reason.into(),
            ..SocketEnd::default()
        };
        self.send_frame(socket, Frame::Closed(end));
        self.wire.unregister(socket);
    }

    /// Our end is dead, and the platform goes on pushing until it notices.
    pub(crate) fn half_open(&mut self) {
        if let Some(socket) = self.wire.ours {
            self.wire.silent = true;
            self.later(HEARTBEAT_MS, Happening::Unregister(socket));
        }
    }

    /// The daemon died: nobody is at our end any more.
    pub(crate) fn lose_socket(&mut self) {
        if let Some(socket) = self.wire.ours.take() {
            let wait = if self.dice.chance(50) {
                HEARTBEAT_MS
            } else {
                0
            };
            self.later(wait, Happening::Unregister(socket));
        }
    }
}
