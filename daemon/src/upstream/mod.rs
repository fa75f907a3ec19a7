//! The platform's protocol and nothing else: REST calls and one WebSocket.
//!
//! Everything that arrives here is hostile until it is parsed, and everything that leaves here is
//! either a typed value or the platform's own bytes. This module knows no database and no
//! JSON-RPC, and it decides nothing: order, acknowledgements, reconnects and the retries of sends
//! belong to the engine, which is told what happened and says what comes next.
//!
//! ```text
//! Platform ── one HTTP client: addresses, TLS, identity headers, no redirects
//!   ├─ Rest ──── Request → Answer | ApiFailure, typed calls
//!   ├─ Storage ─ files at presigned addresses, through clients that know no key
//!   └─ socket ── dial → SocketSender, SocketReceiver, SocketTask
//! wire ───────── JSON text → Row, Frame, SyncPage
//! ```
//!
//! The WebSocket's upgrade is a request of the same HTTP client, so REST and socket trust the same
//! roots, take the same proxy and follow no redirect.

mod answer;
mod class;
mod clock;
mod failure;
mod platform;
mod request;
mod rest;
mod retry;
mod retry_after;
mod storage;
mod typed;

pub mod socket;
pub mod wire;

#[cfg(test)]
mod testing;

pub use answer::Answer;
pub use class::ErrorClass;
pub use failure::{ApiError, ApiFailure, TypedFields, Unavailable};
pub use platform::{
    ApiKey, BadKey, CLIENT_NAME, Platform, PlatformConfig, PlatformError, Proxy, roots,
};
pub use request::{Method, Request};
pub use rest::{Rest, RestConfig};
pub use retry::RetryPolicy;
pub use retry_after::parse as parse_retry_after;
pub use storage::{Download, Upload};
pub use typed::{Dated, HistoryCursor, Me, Sent};
