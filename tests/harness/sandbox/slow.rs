//! Bodies that trickle, or end too early.

use super::http::{Aborted, Reply};
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use std::time::Duration;

/// A body in pieces with pauses between them.
pub(crate) fn trickle(body: Bytes, piece: usize, pause: Duration) -> Reply {
    let piece = piece.max(1);
    let pieces = stream::unfold((body, false), move |(mut rest, started)| async move {
        if rest.is_empty() {
            return None;
        }
        if started {
            tokio::time::sleep(pause).await;
        }
        let part = rest.split_to(piece.min(rest.len()));
        Some((Ok::<_, Aborted>(Frame::data(part)), (rest, true)))
    });
    StreamBody::new(pieces).boxed_unsync()
}

/// The first half of a body, then an abort of the connection.
pub(crate) fn half(body: &Bytes) -> Reply {
    let first = body.slice(..body.len() / 2);
    let pieces = stream::iter([Ok(Frame::data(first)), Err(Aborted)]);
    StreamBody::new(pieces).boxed_unsync()
}
