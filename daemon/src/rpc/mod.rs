//! The local API: JSON-RPC 2.0 on a Unix socket, one value a line, or over HTTP.
//!
//! ```text
//! Listener ── the socket in the file system
//! serve ───── accepts, bounds, stops in order
//!   connection ── one client: tells the protocol by its first byte, reads NDJSON
//!   http ──────── the same requests over HTTP, and what only HTTP has
//!     session ─── reads with request, starts calls in order, bounds them
//!     service ─── one request: scope, parameters, handler (methods::*), answer; audit notes it
//!     outgoing ── the only way out: answers and events in one bounded queue, one writer,
//!                 which writes them to an outlet in the form that the client reads
//!     subscription ── one task each: feed → window → outgoing
//!     transfer ── files to AgentChat's storage and from it
//! ```
//!
//! It reads the log and the outbox through the [`crate::hub::Hub`] and asks the driver for all else.
//! Invariants: sends of one connection reach the driver in the order in which they were written; the
//! answer to `events.subscribe` is written before its first event; a client that does not read
//! stalls itself and nobody else; nothing here grows without a bound.

mod audit;
mod batch;
mod client;
mod connection;
mod desk;
mod document;
mod errors;
mod http;
mod listener;
mod methods;
pub(crate) mod ndjson;
mod outgoing;
mod outlet;
mod peer;
pub(crate) mod request;
mod server;
mod service;
mod session;
mod subscription;
#[cfg(test)]
mod tests;
mod transfer;
mod turn;

pub use client::Limits;
pub use listener::{BindError, Listener, MAX_PATH_BYTES, SocketOptions};
pub use peer::{Access, Caller, Peer};
pub use server::serve;
