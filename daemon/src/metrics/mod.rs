//! Figures for `GET /metrics`, in the text forms of Prometheus and OpenMetrics.
//!
//! Counters are counted where things happen (the driver, the local API); what somebody knows
//! anyway (the outbox, the holes, how far a consumer is behind) is read when the figures are
//! asked for. No label holds text from outside but the names of durable consumers, which local
//! programs choose: how many of them are told of is bounded where they are read.

mod figures;
mod labels;
mod scrape;
mod text;

pub use figures::{Form, Metrics};
pub use labels::{FrameKind, SendResult, close_reason};
pub use scrape::Snapshot;

#[cfg(test)]
mod tests;
