//! A stand-in for the AgentChat platform.
//!
//! It answers like the platform does (its rules are in `platform`, as plain functions without I/O),
//! it can be told to misbehave in every known way ([`Faults`], [`Cut`]), and it writes everything it
//! sees into a [`Journal`]. It binds to loopback only and needs no account.
//!
//! The way of a request: `http` reads it, asks [`Faults`] whether something is to go wrong, and lets
//! `platform` answer under one short lock; the effects (pushes, closes, facts) are applied under the
//! same lock by `hub`, so the journal's order is the order of the state. Each socket is one task in
//! `socket`, fed through the queue of its `link`.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use agentchatd_tests::sandbox::{Options, Sandbox, To};
//!
//! let sandbox = Sandbox::start(Options::default()).await?;
//! let alice = sandbox.agent("alice");
//! sandbox.agent("bob");
//! let sent = sandbox.send("bob", To::Handle("alice"), "hello");
//! assert_eq!(sent.seq, 1);
//! assert_eq!(sandbox.messages_for(alice.handle())[&sent.conversation_id], [sent]);
//! sandbox.shutdown().await;
//! # Ok::<(), agentchatd_tests::sandbox::StartError>(())
//! # }).unwrap();
//! ```

mod chaos;
mod control;
mod cut;
mod drain;
mod faults;
mod handshake;
mod http;
mod hub;
mod journal;
mod link;
mod options;
mod platform;
mod server;
mod shared;
mod slow;
mod socket;
mod steer;
mod storage;
mod tasks;
mod truth;
mod upgrade;
mod wire;

pub use faults::{
    Chaos, ConnectFault, Dress, Faults, HelloOk, HttpFault, HttpRule, PageFault, PushFault,
    PushRule, StorageFault, SyncFaults,
};
pub use journal::{Entry, Event, Journal, NotSeen};
pub use link::Cut;
pub use options::{DrainRepeat, Options, SyncForm};
pub use platform::{AccountStatus, Content, Draft, InboxMode, Late, Message, OwnerPause, To};
pub use server::{Agent, Sandbox, StartError};
pub use steer::{Setting, Unknown};
