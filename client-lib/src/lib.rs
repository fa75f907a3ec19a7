//! The local API of agentchatd: its declarations, its types, and clients for it.

pub mod api;
pub mod error;
#[cfg(feature = "server")]
pub mod params;
pub mod types;

pub use api::{METHODS, Method, MethodInfo, Scope};
pub use error::{ErrorCode, RpcError};
