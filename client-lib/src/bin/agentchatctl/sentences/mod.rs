//! Every way to fail as one sentence: what is wrong, a semicolon, what mends it.
//!
//! [`client`] has what can happen on the way to the daemon, [`rpc`] the daemon's own errors by their
//! codes, [`platform`] AgentChat's refusals by class and code, [`transfer`] what can happen to files. All of it is
//! pure.

mod client;
mod platform;
mod rpc;
mod transfer;

pub(crate) use client::{no_daemon, of_call, of_subscription};
pub(crate) use transfer::of_transfer;
