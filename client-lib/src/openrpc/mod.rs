//! The OpenRPC document: what `rpc.discover` and `GET /openrpc.json` answer.
//!
//! Nothing is written twice. Methods, scopes and summaries come from [`crate::api`], schemas from the types
//! that read and write the calls, errors from [`crate::error`], prose and examples from the protocol
//! page, which the caller hands in. What the page leaves open in an example (`"…"`, `"{name}"`) is
//! filled in by the schema of its place, so an example in the document is a whole, valid one.
//!
//! The document is the same for the same build: members stand in a fixed order, nothing depends on the
//! machine or the time.

mod build;
mod errors;
mod events;
mod examples;
mod guide;
mod platform;
mod sample;
mod schemas;
mod tidy;

pub(crate) use schemas::Shape;

pub use build::document;
pub use sample::text_of;
