//! The local API of agentchatd: its declarations, its types, and clients for it.

pub mod api;
pub mod blocking;
#[cfg(feature = "client")]
pub mod client;
pub mod error;
#[cfg(feature = "client")]
mod line;
#[cfg(feature = "server")]
pub mod params;
pub mod path;
#[cfg(feature = "client")]
pub mod subscription;
#[cfg(feature = "client")]
pub mod transport;
pub mod types;

pub use api::{METHODS, Method, MethodInfo, Scope};
#[cfg(feature = "client")]
pub use client::{Client, ClientError};
pub use error::{ErrorCode, RpcError};
#[cfg(feature = "client")]
pub use subscription::{Subscription, SubscriptionError};
