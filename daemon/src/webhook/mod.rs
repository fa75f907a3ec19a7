//! Webhooks that others receive: whether they are AgentChat's (`wire.md` 8). Pure; nothing here
//! listens or asks.

mod verify;

pub use verify::{Rejection, verify};
