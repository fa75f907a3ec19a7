//! Figures for `GET /metrics`, in the text form of Prometheus and OpenMetrics.
//!
//! Counters are counted where things happen (the driver, the local API); what somebody knows
//! anyway (the outbox, the holes, how far a consumer is behind) is read when the figures are
//! asked for. No label holds text from outside but the names of durable consumers, which local
//! programs choose and which are bounded in number by being kept on disk.

mod figures;
mod labels;
mod scrape;

pub use figures::Metrics;
pub use labels::{FrameKind, SendResult, close_reason};
pub use scrape::Snapshot;

#[cfg(test)]
mod tests;
