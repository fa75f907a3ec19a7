//! The form that all calls share.

use agentchatd_client::Method;
use agentchatd_client::types::TimeoutMs;

use super::{All, Request};

/// A method that is one request to the platform, answered with the platform's JSON, unchanged.
pub trait PlatformCall: Method {
    /// Whether the platform's `NOT_FOUND` means that there is none, which the method tells as `null`.
    const NULL_WHERE_NONE: bool = false;

    /// The request; `None` where it takes the agent's own handle and `me` does not know it yet.
    fn request(params: &Self::Params, me: Option<&str>) -> Option<Request>;

    /// How long the whole call may take.
    fn timeout_ms(params: &Self::Params) -> TimeoutMs;

    /// The list to walk, where the caller wants all pages of it.
    fn all(_: &Self::Params) -> Option<All> {
        None
    }
}

/// Implements [`PlatformCall`] for methods whose parameters alone make the request. A line reads:
/// method, a name for its parameters, and the request. What is a POST or PATCH takes the caller's
/// `idempotency_key` with it, and says so with `keyed` in front; `null_where_none` in front sets the
/// constant of that name. Retries are allowed for all, as far as the HTTP method or the key makes
/// them safe.
macro_rules! calls {
    ($($method:ident($params:ident) => $request:expr;)*) => {
        $crate::calls::call::calls! { @null false $($method($params) => $request;)* }
    };
    (null_where_none $($method:ident($params:ident) => $request:expr;)*) => {
        $crate::calls::call::calls! { @null true $($method($params) => $request;)* }
    };
    (@null $null:literal $($method:ident($params:ident) => $request:expr;)*) => {$(
        impl $crate::calls::PlatformCall for $method {
            const NULL_WHERE_NONE: bool = $null;

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
