//! `PUT /attachments` and `GET /attachments/{id}`: files as bodies, streamed both ways.
//!
//! What comes up is put on disk first, without a name, since AgentChat wants size and hash before the
//! first byte: a body that is cut off leaves no announcement and no file. What goes down is held
//! against the upload's hash where that is known; the last piece waits for it, so a client that has
//! the whole length has the right bytes.

use std::io;
use std::time::Duration;

use agentchatd_client::types::{Address, AttachmentType, FileName, Id, TimeoutMs};
use agentchatd_client::{RpcError, Scope};
use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};
use tokio::time::{Instant, timeout_at};
use url::form_urlencoded;

use crate::command::CallFailure;
use crate::files::{Print, Source, SourceError, Spool};
use crate::rpc::errors;
use crate::rpc::http::answer::{self, Answer};
use crate::rpc::http::body::{PIECE_TIME, Unread};
use crate::rpc::http::visit::Visit;
use crate::rpc::transfer::{self, Announced, Patience};

/// Takes a file and answers as `attachments.upload` does.
pub(super) async fn put(visit: &Visit, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let begun = allowed(visit, Scope::Send)
        .and_then(|()| Asked::read(head.uri.query().unwrap_or_default(), &head.headers))
        .map_err(|error| answer::error(&error));
    let uploaded = async {
        let asked = begun?;
        // For as long as the file is on the disk.
        let _room = visit.shared.spools.try_acquire().map_err(|_| {
            let full = errors::overloaded("uploads over HTTP", Some(RETRY_AFTER_MS));
            answer::error(&full)
        })?;
        let source = spooled(visit, body).await?;
        transfer::upload(&visit.shared, asked.file, &source, asked.patience)
            .await
            .map_err(|error| answer::error(&error))
    };
    let answer = match uploaded.await {
        Ok(file) => answer::json(
            StatusCode::CREATED,
            serde_json::to_vec(&file).unwrap_or_default(),
        ),
        // The rest of the body may not have been read, so nothing can follow it.
        Err(mut refusal) => {
            let close = HeaderValue::from_static("close");
            refusal.headers_mut().insert(CONNECTION, close);
            refusal
        }
    };
    visit.noted("PUT /attachments", Scope::Send, answer)
}

/// Gives a file.
pub(super) async fn get(visit: &Visit, path: &str) -> Answer {
    let answer = match opened(visit, path).await {
        Ok(answer) => answer,
        Err(error) => answer::error(&error),
    };
    visit.noted("GET /attachments", Scope::Read, answer)
}

async fn opened(visit: &Visit, path: &str) -> Result<Answer, RpcError> {
    allowed(visit, Scope::Read)?;
    let id = path.strip_prefix(PREFIX).unwrap_or_default();
    let id = percent_decode_str(id).decode_utf8_lossy().into_owned();
    let id =
        Id::new(id).map_err(|error| errors::invalid_params("/attachment_id", error.to_string()))?;
    let file = transfer::open(&visit.shared, &id, Patience::of(None)).await?;
    let known = visit.shared.known.of(id.as_str());
    let pieces = checked(file.bytes, known).map_ok(Frame::data);
    let mut answer = Response::new(StreamBody::new(pieces).boxed_unsync());
    let headers = answer.headers_mut();
    let told = file.content_type.and_then(|kind| kind.try_into().ok());
    let kind = told.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // The type is another agent's word.
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(size) = file.size {
        headers.insert(CONTENT_LENGTH, size.into());
    }
    Ok(answer)
}

/// What the query and the headers say of a file.
struct Asked {
    file: Announced,
    patience: Patience,
}

impl Asked {
    fn read(query: &str, headers: &HeaderMap) -> Result<Self, RpcError> {
        let (mut filename, mut to, mut conversation_id) = (None, None, None);
        let (mut content_type, mut timeout_ms, mut idempotency_key) = (None, None, None);
        let mut names = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            // A second recipient taken for the first would get another's file.
            if names.contains(&name) {
                let place = format!("/{name}");
                return Err(errors::invalid_params(&place, "it stands twice"));
            }
            match &*name {
                "filename" => filename = Some(read("/filename", FileName::new(value))?),
                "to" => to = Some(read("/to", value.parse())?),
                "conversation_id" => {
                    conversation_id = Some(read("/conversation_id", Id::new(value))?);
                }
                "content_type" => {
                    let kind = AttachmentType::of(&value);
                    content_type = Some(kind.ok_or_else(|| no_such_type(&value))?);
                }
                "timeout_ms" => {
                    let number = read("/timeout_ms", value.parse())?;
                    timeout_ms = Some(read("/timeout_ms", TimeoutMs::new(number))?);
                }
                "idempotency_key" => {
                    idempotency_key = Some(read("/idempotency_key", value.parse())?);
                }
                other => {
                    let reason = format!("unknown parameter `{other}` in the query");
                    return Err(errors::invalid_params(&format!("/{other}"), reason));
                }
            }
            names.push(name);
        }
        let address = match (to, conversation_id) {
            (Some(handle), None) => Address::To(handle),
            (None, Some(id)) => Address::Conversation(id),
            _ => return Err(errors::invalid_params("/to", ONE_ADDRESS)),
        };
        let filename = match filename {
            Some(filename) => filename,
            None => read("/filename", FileName::new(transfer::UNNAMED))?,
        };
        // Clients that do not care say something that is no type of a file.
        let told = headers
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let content_type = content_type
            .or_else(|| told.and_then(AttachmentType::of))
            .or_else(|| transfer::type_of(filename.as_str()))
            .ok_or_else(|| transfer::no_type("/content_type", filename.as_str()))?;
        Ok(Self {
            file: Announced {
                filename,
                content_type,
                address,
                idempotency_key,
            },
            patience: Patience::of(timeout_ms),
        })
    }
}

fn read<T, E: ToString>(place: &str, value: Result<T, E>) -> Result<T, RpcError> {
    value.map_err(|error| errors::invalid_params(place, error.to_string()))
}

fn no_such_type(value: &str) -> RpcError {
    let allowed = AttachmentType::names();
    let reason = format!("`{value}` is not allowed; allowed are {allowed}");
    errors::invalid_params("/content_type", reason)
}

fn allowed(visit: &Visit, scope: Scope) -> Result<(), RpcError> {
    if visit.shared.stopping.is_cancelled() {
        return Err(errors::shutting_down());
    }
    if visit.caller.may(scope) {
        Ok(())
    } else {
        Err(errors::permission_denied(&visit.caller, scope))
    }
}

/// The whole body, on disk.
async fn spooled(visit: &Visit, mut body: Incoming) -> Result<Source, Answer> {
    let refused = |unread: Unread| {
        let (status, error) = unread.told();
        answer::problem(status, &error)
    };
    let too_long = || refused(Unread::TooLong(MOST_BYTES));
    if body.size_hint().lower() > transfer::MAX_BYTES {
        return Err(too_long());
    }
    let unfit = |error: SourceError| match error {
        SourceError::TooLarge { .. } => too_long(),
        SourceError::Unreadable(error) => answer::error(&errors::disk(&error.to_string())),
        SourceError::Empty => answer::error(&errors::invalid_request("the body is empty")),
        other => answer::error(&errors::invalid_params("/body", other.to_string())),
    };
    let mut spool = Spool::begin(&visit.shared.hub.spool, transfer::MAX_BYTES)
        .await
        .map_err(|error| answer::error(&errors::disk(&error.to_string())))?;
    let begun = Instant::now();
    let mut came = 0;
    loop {
        let due = due(begun, came).min(Instant::now() + PIECE_TIME);
        let frame = timeout_at(due, body.frame())
            .await
            .map_err(|_| refused(Unread::Slow))?;
        let Some(frame) = frame else {
            return spool.end().map_err(unfit);
        };
        // Trailers say nothing here.
        let frame = frame.map_err(|_| refused(Unread::Broken))?;
        let Ok(piece) = frame.into_data() else {
            continue;
        };
        came += piece.len() as u64;
        spool.add(piece).await.map_err(unfit)?;
    }
}

/// When a body of which so much has come must go on at the latest: one that trickles ends.
fn due(begun: Instant, came: u64) -> Instant {
    begun + BODY_GRACE + Duration::from_secs(came / LEAST_BYTES_PER_SECOND)
}

/// The same pieces; where it is known what they must be, the last one comes only if they are.
fn checked(
    bytes: BoxStream<'static, Result<Bytes, CallFailure>>,
    known: Option<Print>,
) -> BoxStream<'static, io::Result<Bytes>> {
    let bytes = bytes.map_err(|failure| {
        let error = errors::call_failure(failure, None);
        tracing::warn!(%error, "an attachment is cut off");
        io::Error::other(error)
    });
    let Some(known) = known else {
        return bytes.boxed();
    };
    let state = (bytes, known, Sha256::new(), None::<Bytes>);
    stream::try_unfold(state, |(mut bytes, known, mut hash, mut held)| async move {
        loop {
            let Some(piece) = bytes.try_next().await? else {
                let came = transfer::hex(&hash.finalize_reset());
                let Some(last) = held.take() else {
                    return Ok(None);
                };
                if came != known.sha256 {
                    tracing::warn!("an attachment is not what was uploaded, and is cut off");
                    return Err(io::Error::other("the bytes are not what was uploaded"));
                }
                return Ok(Some((last, (bytes, known, Sha256::new(), None))));
            };
            hash.update(&piece);
            if let Some(before) = held.replace(piece) {
                return Ok(Some((before, (bytes, known, hash, held))));
            }
        }
    })
    .boxed()
}

/// Where the paths of files begin.
pub(super) const PREFIX: &str = "/attachments/";

/// How long a body may take before its rate counts.
const BODY_GRACE: Duration = Duration::from_secs(30);

/// How much of a body comes each second at least, on the whole.
const LEAST_BYTES_PER_SECOND: u64 = 16 << 10;

/// After how long a client that finds all room for uploads taken may ask again.
const RETRY_AFTER_MS: u64 = 1000;

const MOST_BYTES: usize = transfer::MAX_BYTES as usize;

const ONE_ADDRESS: &str = "expected exactly one of `to`, `conversation_id` in the query";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_trickles_ends_and_one_that_flows_does_not() {
        let begun = Instant::now();
        let after = |seconds| begun + Duration::from_secs(seconds);
        // One byte every nine seconds is never late by the piece, and late on the whole.
        assert!(due(begun, 4) < after(36));
        assert!(due(begun, 0) > after(10));
        // The largest file at twice the least rate.
        let rate = 2 * LEAST_BYTES_PER_SECOND;
        for second in 0..transfer::MAX_BYTES / rate {
            assert!(due(begun, second * rate) > after(second + 1), "{second}");
        }
    }
}
