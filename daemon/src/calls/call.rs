//! The form that all calls share.

use agentchatd_client::Method;
use agentchatd_client::types::TimeoutMs;

use super::Request;

/// A method that is one request to the platform, answered with the platform's JSON, unchanged.
pub trait PlatformCall: Method {
    /// The request; `None` where it takes the agent's own handle and `me` does not know it yet.
    fn request(params: &Self::Params, me: Option<&str>) -> Option<Request>;

    /// How long the whole call may take.
    fn timeout_ms(params: &Self::Params) -> TimeoutMs;
}
