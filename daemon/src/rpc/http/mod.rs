//! HTTP/1.1 on the socket: the same requests as over NDJSON, and what only HTTP has.
//!
//! ```text
//! connection ── hyper on the stream: time limits, order of the end, upgrades
//!   wire ────── the stream under hyper; tells when something was read and when all is written
//!   router ──── path and method to a handler; further routes stand there
//!     post ──── a request or a batch, through the session that NDJSON uses
//!     websocket  the same session over messages, subscriptions included
//!     contract ─ /openrpc.json
//!     events ── /events: a subscription as server-sent events (query, stream)
//!     probes ── /healthz, /readyz
//!     attachments  files as bodies, streamed both ways
//!   body ────── bodies of requests: bounded in size and in time
//!   answer ──── bodies of answers, and which status an error has
//! ```
//!
//! Invariants: a request body is never held past its limit; a client that sends or reads slowly, or
//! stops in the middle, costs its own connection; what is under way when the daemon stops is
//! finished, then the connection closes.

mod answer;
mod attachments;
mod body;
mod connection;
mod contract;
mod events;
mod post;
mod probes;
mod query;
mod router;
mod stream;
mod visit;
mod websocket;
mod wire;

pub(super) use connection::serve;
