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

/// Implements [`PlatformCall`] for methods whose parameters alone make the request. A line reads:
/// method, a name for its parameters, and the request. What is a POST or PATCH takes the caller's
/// `idempotency_key` with it, and says so with `keyed` in front. Retries are allowed for all, as far
/// as the HTTP method or the key makes them safe.
macro_rules! calls {
    ($($method:ident($params:ident) => $request:expr;)*) => {$(
        impl $crate::calls::PlatformCall for $method {
            fn request(
                $params: &<Self as agentchatd_client::Method>::Params,
                _: Option<&str>,
            ) -> Option<$crate::calls::Request> {
                Some($request.retry(true))
            }

            fn timeout_ms(
                params: &<Self as agentchatd_client::Method>::Params,
            ) -> agentchatd_client::types::TimeoutMs {
                params.timeout_ms
            }
        }
    )*};
    (keyed $($method:ident($params:ident) => $request:expr;)*) => {
        $crate::calls::call::calls! {$(
            $method($params) => $request.idempotency_key(
                $params.idempotency_key.as_ref().map(ToString::to_string),
            );
        )*}
    };
}
pub(super) use calls;
