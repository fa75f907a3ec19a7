//! Bodies of requests that are read whole: bounded in size and in time.

use std::time::Duration;

use agentchatd_client::RpcError;
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::{Body, Incoming};
use tokio::time::timeout;

use crate::rpc::errors;

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is longer than this.
    TooLong(usize),
    /// It ends before it should, or its chunks are none.
    Broken,
    /// Nothing more came for too long.
    Slow,
}

impl Unread {
    /// What the client is told; the connection ends with it.
    pub(super) fn told(self) -> (StatusCode, RpcError) {
        match self {
            Self::TooLong(limit) => (StatusCode::PAYLOAD_TOO_LARGE, errors::too_long(limit)),
            Self::Broken => (
                StatusCode::BAD_REQUEST,
                errors::not_json("the body is cut off"),
            ),
            Self::Slow => (
                StatusCode::REQUEST_TIMEOUT,
                errors::not_json("the body did not come in time"),
            ),
        }
    }
}

/// Reads a body of up to `limit` bytes. A longer one that says so is not asked for.
///
/// # Errors
/// See [`Unread`].
pub(super) async fn whole(mut body: Incoming, limit: usize) -> Result<Vec<u8>, Unread> {
    let told = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if told > limit {
        return Err(Unread::TooLong(limit));
    }
    let mut bytes = Vec::with_capacity(told.min(READ_AHEAD_BYTES));
    loop {
        let frame = timeout(PIECE_TIME, body.frame())
            .await
            .map_err(|_| Unread::Slow)?;
        let Some(frame) = frame else { return Ok(bytes) };
        // Trailers say nothing here.
        let Some(piece) = frame.map_err(|_| Unread::Broken)?.into_data().ok() else {
            continue;
        };
        if bytes.len() + piece.len() > limit {
            return Err(Unread::TooLong(limit));
        }
        bytes.extend_from_slice(&piece);
    }
}

/// How long the next piece of a body may take.
pub(super) const PIECE_TIME: Duration = Duration::from_secs(10);

/// How much room is made for a body before it is there.
const READ_AHEAD_BYTES: usize = 64 << 10;
