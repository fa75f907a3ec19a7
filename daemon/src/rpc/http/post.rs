//! `POST /` and `POST /rpc`: a request or a batch, read and run as on an NDJSON connection.
//!
//! Status 200 stands for every answer of JSON-RPC, errors included; 204 for notifications; 400, 408
//! and 413 where the body could not be read as JSON, with a JSON-RPC error in each; 415 for a body
//! that says it is something else.

use std::sync::Arc;

use agentchatd_client::RpcError;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Request, StatusCode};

use crate::rpc::client::Client;
use crate::rpc::document;
use crate::rpc::errors;
use crate::rpc::http::answer::{self, Answer};
use crate::rpc::http::body;
use crate::rpc::http::visit::Visit;
use crate::rpc::outgoing;
use crate::rpc::request::{self, Incoming as Asked};
use crate::rpc::service::Answer as Response;
use crate::rpc::session::{Nothing, Session};

/// Answers the request in the body.
pub(super) async fn answer(visit: &Visit, request: Request<Incoming>) -> Answer {
    if !may_be_json(request.headers()) {
        let error = errors::invalid_request("the body is not said to be application/json");
        return closing(refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, &error));
    }
    let limit = visit.shared.limits.max_request_bytes;
    let body = match body::whole(request.into_body(), limit).await {
        Ok(body) => body,
        Err(unread) => {
            let (status, error) = unread.told();
            return closing(refusal(status, &error));
        }
    };
    let asked = match document::one_line(body) {
        Ok(text) => request::read(text),
        Err(reason) => Asked::NotJson(reason.into()),
    };
    if let Asked::NotJson(reason) = asked {
        return refusal(StatusCode::BAD_REQUEST, &errors::not_json(&reason));
    }
    match run(visit, asked).await {
        Some(text) => answer::json(StatusCode::OK, text),
        None => answer::empty(StatusCode::NO_CONTENT),
    }
}

/// Runs what was asked in a task of its own: a client that does not wait for its answer has asked
/// all the same.
async fn run(visit: &Visit, asked: Asked) -> Option<String> {
    let (outgoing, queue) = outgoing::queue();
    let client = Client::of_one_answer(Arc::clone(&visit.shared), visit.caller, outgoing);
    let _gone = client.closing.clone().drop_guard();
    let mut session = Session::new(Arc::new(client), visit.methods.clone());
    visit.shared.tasks.spawn(async move {
        session.begin(asked).await;
        session.run(Nothing).await;
    });
    queue.only().await.filter(|text| !text.is_empty())
}

/// Whether the body may be JSON by its type: none is said, JSON is, or what `curl -d` says of
/// everything.
fn may_be_json(headers: &HeaderMap) -> bool {
    let Some(told) = headers.get(CONTENT_TYPE) else {
        return true;
    };
    let told = told.to_str().unwrap_or_default();
    let kind = told.split(';').next().unwrap_or_default().trim();
    let kind = kind.to_ascii_lowercase();
    matches!(
        kind.as_str(),
        "application/json"
            | "application/json-rpc"
            | "application/jsonrequest"
            | "application/x-www-form-urlencoded"
    )
}

fn refusal(status: StatusCode, error: &RpcError) -> Answer {
    let text = Response::refusal(None, error).json.unwrap_or_default();
    answer::json(status, text)
}

/// The rest of the body is not read, so nothing can follow it.
fn closing(mut answer: Answer) -> Answer {
    let headers = answer.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}
