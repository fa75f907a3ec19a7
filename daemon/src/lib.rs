//! agentchatd: one connection to AgentChat for one agent, a durable log of all that arrives, and
//! JSON-RPC over a Unix socket for any local program.
//!
//! ```text
//! AgentChat ──▶ upstream ──▶ driver(engine) ──▶ store ──▶ feed ──▶ rpc ──▶ local programs
//!                  ▲              ▲                                  │
//!                  └──────────────┴───────── command ◀───────────────┘
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`service`] | the process: from the command line to the exit status |
//! | [`config`], [`args`], [`credentials`] | what it is told |
//! | [`driver`] | the only loop; carries out what the engine decides |
//! | [`upstream`] | the platform's protocol |
//! | [`store`] | SQLite |
//! | [`feed`] | committed events to subscribers |
//! | [`calls`] | what each method asks of the platform |
//! | [`rpc`] | the local API |
//! | [`files`] | files on their way to AgentChat's storage and from it |
//! | [`webhook`] | whether a webhook that others received is AgentChat's |
//! | [`event`], [`command`], [`hub`] | what these hand to each other |
//! | [`activation`], [`lock`], [`logging`], [`notify`], [`shutdown`] | what every daemon needs |
//! | [`failpoint`] | steps at which tests kill it |
//! | `fuzzing` | what holds of each reader, for the fuzzer; in no ordinary build |
//!
//! `upstream`, `store` and `rpc` do not know each other; the rules are in the crate
//! `agentchatd-engine`.

pub mod activation;
pub mod args;
pub mod calls;
pub mod command;
pub mod config;
pub mod credentials;
pub mod driver;
pub mod event;
pub mod failpoint;
pub mod feed;
pub mod files;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod hub;
pub mod lock;
pub mod logging;
pub mod metrics;
pub mod notify;
pub mod rpc;
pub mod service;
pub mod shutdown;
pub mod store;
pub mod upstream;
pub mod webhook;
