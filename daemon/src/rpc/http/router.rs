//! Which handler answers which path. A new route is a new [`Route`]: its path, its methods, its
//! handler.

use hyper::body::Incoming;
use hyper::header::{ALLOW, HeaderValue};
use hyper::{Method, Request, StatusCode};

use crate::rpc::errors;
use crate::rpc::http::answer::{self, Answer};
use crate::rpc::http::visit::Visit;
use crate::rpc::http::wire::UnderWay;
use crate::rpc::http::{attachments, contract, events, post, probes, websocket};

/// What is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    /// `/`: JSON-RPC in a POST or over a WebSocket.
    Root,
    /// `/rpc`.
    Rpc,
    /// `/healthz`.
    Health,
    /// `/readyz`.
    Ready,
    /// `/metrics`.
    Metrics,
    /// `/openrpc.json`.
    Contract,
    /// `/events`.
    Events,
    /// `/attachments`: a file comes.
    Upload,
    /// `/attachments/{id}`: a file goes.
    Download,
}

impl Route {
    /// The route of a path.
    fn of(path: &str) -> Option<Self> {
        Some(match path {
            "/" => Self::Root,
            "/rpc" => Self::Rpc,
            "/healthz" => Self::Health,
            "/readyz" => Self::Ready,
            "/metrics" => Self::Metrics,
            "/openrpc.json" => Self::Contract,
            "/events" => Self::Events,
            "/attachments" => Self::Upload,
            path if path.starts_with(attachments::PREFIX) => Self::Download,
            _ => return None,
        })
    }

    /// The methods that it takes.
    fn methods(self) -> &'static [Method] {
        match self {
            Self::Root => &[Method::GET, Method::POST],
            Self::Rpc => &[Method::POST],
            Self::Health | Self::Ready | Self::Metrics | Self::Contract => {
                &[Method::GET, Method::HEAD]
            }
            // An address of a file is good for one time: a HEAD would use it up.
            Self::Events | Self::Download => &[Method::GET],
            Self::Upload => &[Method::PUT],
        }
    }
}

/// Answers a request that is under way.
pub(super) async fn answer(
    visit: &Visit,
    request: Request<Incoming>,
    under_way: UnderWay,
) -> Answer {
    let answer = routed(visit, request).await;
    answer::until_written(answer, under_way)
}

async fn routed(visit: &Visit, request: Request<Incoming>) -> Answer {
    let Some(route) = Route::of(request.uri().path()) else {
        return answer::problem(
            StatusCode::NOT_FOUND,
            &errors::no_such_path(request.uri().path()),
        );
    };
    let method = request.method();
    if !route.methods().contains(method) {
        return not_allowed(route, method);
    }
    // The body of an answer to HEAD is left out by hyper.
    match route {
        Route::Root if method == Method::GET => websocket::upgrade(visit, request),
        Route::Root | Route::Rpc => post::answer(visit, request).await,
        Route::Upload => attachments::put(visit, request).await,
        Route::Download => attachments::get(visit, request.uri().path()).await,
        Route::Health => probes::health(),
        Route::Ready => probes::ready(visit).await,
        Route::Metrics => probes::metrics(visit, &request).await,
        Route::Contract => contract::openrpc(visit).await,
        Route::Events => events::answer(visit, &request).await,
    }
}

fn not_allowed(route: Route, method: &Method) -> Answer {
    let allowed: Vec<&str> = route.methods().iter().map(Method::as_str).collect();
    let allowed = allowed.join(", ");
    let error = errors::invalid_request(&format!("this path takes {allowed}, not {method}"));
    let mut answer = answer::problem(StatusCode::METHOD_NOT_ALLOWED, &error);
    if let Ok(allowed) = HeaderValue::try_from(allowed) {
        answer.headers_mut().insert(ALLOW, allowed);
    }
    answer
}
