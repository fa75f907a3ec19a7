//! The rules of agentchatd.

mod row;

pub use row::{Failure, Row};
