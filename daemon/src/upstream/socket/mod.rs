//! One WebSocket connection, from the dial to the close (`wire.md` 2).
//!
//! ```text
//! dial ─▶ SocketTask (owns the connection) ──frames, pings, the end──▶ SocketReceiver
//!              ▲──────────acks, frames, ready, close─────────────────── SocketSender
//! ```
//!
//! The task reads whatever comes, answers pings at once and never waits for a consumer until 64 MiB
//! of frames wait for it; it never waits for a write while it could read, and gives up a peer that
//! takes nothing. What a frame means, and when to dial again, is decided elsewhere.

mod budget;
mod dial;
mod event;
mod handle;
mod task;
mod write;

#[cfg(test)]
mod line_tests;
#[cfg(test)]
mod tests;

pub use dial::{DialFailure, Refusal, Socket, dial};
pub use event::{Auth, Closed, SocketConfig, SocketEvent};
pub use handle::{NotSent, SocketReceiver, SocketSender};
pub use task::SocketTask;
