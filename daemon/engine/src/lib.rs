//! The rules of agentchatd.

pub mod consumer;
mod row;

pub use row::{Failure, Row};
