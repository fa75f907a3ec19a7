//! `GET /openrpc.json`: the answer of `rpc.discover`, for tools that fetch a document.

use hyper::StatusCode;

use crate::rpc::http::answer::{self, Answer};
use crate::rpc::http::visit::Visit;

/// The document by itself.
pub(super) async fn openrpc(visit: &Visit) -> Answer {
    match visit.call("rpc.discover", None).await {
        Ok(document) => answer::json(StatusCode::OK, document.get().to_owned()),
        Err(error) => answer::error(&error),
    }
}
