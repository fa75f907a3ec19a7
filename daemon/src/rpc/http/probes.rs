//! `GET /healthz`, `GET /readyz` and `GET /metrics`: what a supervisor asks.

use agentchatd_client::api::Scope;
use hyper::body::Incoming;
use hyper::header::ACCEPT;
use hyper::{Request, StatusCode};
use serde::Deserialize;

use crate::metrics::Form;
use crate::rpc::errors;
use crate::rpc::http::answer::{self, Answer};
use crate::rpc::http::visit::Visit;
use crate::rpc::methods;

/// The process serves, or nobody would answer.
pub(super) fn health() -> Answer {
    answer::json(StatusCode::OK, r#"{"status":"ok"}"#)
}

/// 200 with the answer of `daemon.health` where its verdict is `ok`, else 503 with it.
pub(super) async fn ready(visit: &Visit) -> Answer {
    let health = match visit.call("daemon.health", None).await {
        Ok(health) => health,
        Err(error) => return answer::error(&error),
    };
    let verdict = serde_json::from_str::<Verdict<'_>>(health.get());
    let status = match verdict {
        Ok(Verdict { verdict: OK }) => StatusCode::OK,
        Ok(_) | Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    answer::json(status, health.get().to_owned())
}

/// The daemon's figures, for whoever may look.
pub(super) async fn metrics(visit: &Visit, request: &Request<Incoming>) -> Answer {
    if !visit.caller.may(Scope::Read) {
        return answer::error(&errors::permission_denied(&visit.caller, Scope::Read));
    }
    let accept = request.headers().get(ACCEPT);
    let form = Form::wanted(accept.and_then(|accept| accept.to_str().ok()));
    match methods::metrics(&visit.shared, form).await {
        Ok(text) => answer::with_type(StatusCode::OK, form.content_type(), text),
        Err(error) => answer::error(&error),
    }
}

#[derive(Deserialize)]
struct Verdict<'a> {
    verdict: &'a str,
}

/// The one verdict that lets a caller count on the receive path.
const OK: &str = "ok";
