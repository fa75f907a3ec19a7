//! Test harness of agentchatd: everything its tests, benchmarks and the demo stand on.
//!
//! [`sandbox`] is a stand-in for the AgentChat platform that runs on loopback and can be told to
//! misbehave in every way the platform is known to.

mod calls;
pub mod daemon;
pub mod figures;
pub mod http;
pub mod raw;
pub mod sandbox;
pub mod scene;
pub mod shim;
pub mod stage;
pub mod tls;
