//! Answers: their bodies, and which status an error has.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use agentchatd_client::{ErrorCode, RpcError};
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde::Deserialize;

use crate::rpc::http::wire::UnderWay;

/// An answer of any route.
pub(super) type Answer = Response<AnswerBody>;

/// Its body: whole, or streamed. An error cuts the connection, so that nobody takes what came
/// before it for the whole.
pub(super) type AnswerBody = UnsyncBoxBody<Bytes, io::Error>;

/// An answer with a JSON body.
pub(super) fn json(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    with_type(status, "application/json", text)
}

/// An answer with a body that is there already.
pub(super) fn with_type(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Answer {
    let body = Full::new(body.into()).map_err(|never: Infallible| match never {});
    let mut answer = Response::new(body.boxed_unsync());
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    // Everything here changes from one moment to the next.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// An answer with no body.
pub(super) fn empty(status: StatusCode) -> Answer {
    let body = Full::default().map_err(|never: Infallible| match never {});
    let mut answer = Response::new(body.boxed_unsync());
    *answer.status_mut() = status;
    answer
}

/// An error outside of JSON-RPC, with the status that its code has.
pub(super) fn error(error: &RpcError) -> Answer {
    problem(status_of(error), error)
}

/// An error outside of JSON-RPC: `{"error": {"code", "message", "data"}}`.
pub(super) fn problem(status: StatusCode, error: &RpcError) -> Answer {
    let text = serde_json::to_string(error).unwrap_or_else(|_| "null".into());
    let mut answer = json(status, format!("{{\"error\":{text}}}"));
    if let Some(seconds) = details(error).retry_after_ms.map(|ms| ms.div_ceil(1000)) {
        answer.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    answer
}

/// The status of an error outside of JSON-RPC.
pub(super) fn status_of(error: &RpcError) -> StatusCode {
    let Some(code) = error.kind() else {
        return StatusCode::INTERNAL_SERVER_ERROR;
    };
    match code {
        ErrorCode::ParseError | ErrorCode::InvalidRequest | ErrorCode::InvalidParams => {
            match details(error).limit_bytes {
                Some(_) => StatusCode::PAYLOAD_TOO_LARGE,
                None => StatusCode::BAD_REQUEST,
            }
        }
        ErrorCode::MethodNotFound | ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::PermissionDenied => StatusCode::FORBIDDEN,
        ErrorCode::ConsumerConflict | ErrorCode::Conflict => StatusCode::CONFLICT,
        ErrorCode::Overloaded => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::NotConfigured | ErrorCode::ShuttingDown | ErrorCode::UpstreamUnavailable => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        ErrorCode::StorageError => StatusCode::INSUFFICIENT_STORAGE,
        ErrorCode::Expired => StatusCode::GATEWAY_TIMEOUT,
        ErrorCode::ApiError => of_upstream(details(error).status),
        ErrorCode::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// AgentChat's refusal of what the caller asked is the caller's; what it has against the daemon or
/// itself is not.
fn of_upstream(status: Option<u16>) -> StatusCode {
    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
    match status {
        Some(
            status @ (StatusCode::BAD_REQUEST
            | StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::CONFLICT
            | StatusCode::GONE
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::UNPROCESSABLE_ENTITY
            | StatusCode::TOO_MANY_REQUESTS),
        ) => status,
        _ => StatusCode::BAD_GATEWAY,
    }
}

/// The answer, its request under way until hyper has the last byte of it, and the flush after that.
pub(super) fn until_written(answer: Answer, under_way: UnderWay) -> Answer {
    answer.map(|body| {
        Held {
            body,
            _under_way: under_way,
        }
        .boxed_unsync()
    })
}

/// A body that keeps its request under way.
struct Held {
    body: AnswerBody,
    _under_way: UnderWay,
}

impl Body for Held {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What of an error's data bears on the status.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Details {
    status: Option<u16>,
    limit_bytes: Option<u64>,
    retry_after_ms: Option<u64>,
}

fn details(error: &RpcError) -> Details {
    error.data_as().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::errors;

    #[test]
    fn each_code_has_its_status() {
        let api = |status: u16| {
            RpcError::new(ErrorCode::ApiError, "x")
                .with_data(&serde_json::json!({"status": status, "retry_after_ms": 1500}))
        };
        for (error, status) in [
            (errors::not_json("x"), 400),
            (errors::invalid_params("/x", "y"), 400),
            (errors::too_long(5), 413),
            (errors::no_such_path("/x"), 404),
            (errors::not_found("consumer", "x"), 404),
            (errors::overloaded("x", None), 429),
            (errors::shutting_down(), 503),
            (errors::internal("x"), 500),
            (api(404), 404),
            (api(429), 429),
            (api(401), 502),
            (api(500), 502),
        ] {
            assert_eq!(status_of(&error).as_u16(), status, "{error:?}");
        }
        assert_eq!(error(&api(429)).headers()[RETRY_AFTER], "2");
    }
}
