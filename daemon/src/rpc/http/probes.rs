//! `GET /healthz` and `GET /readyz`: what a supervisor asks.

use hyper::StatusCode;
use serde::Deserialize;

use crate::rpc::http::answer::{self, Answer};
use crate::rpc::http::visit::Visit;

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

#[derive(Deserialize)]
struct Verdict<'a> {
    verdict: &'a str,
}

/// The one verdict that lets a caller count on the receive path.
const OK: &str = "ok";
