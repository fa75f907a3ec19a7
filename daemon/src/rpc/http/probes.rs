//! `GET /healthz`, `GET /readyz` and `GET /metrics`: what a supervisor asks.

use agentchatd_client::api::Scope;
use hyper::StatusCode;
use serde::Deserialize;

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
pub(super) async fn metrics(visit: &Visit) -> Answer {
    if !visit.caller.may(Scope::Read) {
        return answer::error(&errors::permission_denied(&visit.caller, Scope::Read));
    }
    match methods::metrics(&visit.shared).await {
        Ok(text) => answer::with_type(StatusCode::OK, OPEN_METRICS, text),
        Err(error) => answer::error(&error),
    }
}

#[derive(Deserialize)]
struct Verdict<'a> {
    verdict: &'a str,
}

/// The form of the figures, in the version that names it.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The one verdict that lets a caller count on the receive path.
const OK: &str = "ok";
