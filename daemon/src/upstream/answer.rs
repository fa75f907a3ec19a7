//! What came back from the platform: a status, the headers that mean something, a bounded body.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use serde_json::value::RawValue;

use super::{ApiFailure, retry_after, wire};

/// A complete answer: 2xx, or the redirect that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `X-Request-Id`.
    pub request_id: Option<String>,
    /// `Retry-After`, as it came.
    pub retry_after: Option<String>,
    /// `X-Backlog-Warning`: a recipient and how many of its messages wait.
    pub backlog_warning: Option<(String, u64)>,
    /// True where `Idempotent-Replay` says that an earlier answer was given again.
    pub idempotent_replay: bool,
    /// The server's `Date`, in milliseconds since the Unix epoch.
    pub date_ms: Option<i64>,
    /// Where the redirect that was asked for leads; it is not followed.
    pub location: Option<String>,
    /// The body's bytes.
    pub body: Bytes,
}

impl Answer {
    pub(super) fn new(status: u16, headers: &HeaderMap, body: Bytes) -> Self {
        Self {
            status,
            request_id: header(headers, "x-request-id").map(str::to_owned),
            retry_after: header(headers, RETRY_AFTER.as_str()).map(str::to_owned),
            backlog_warning: header(headers, "x-backlog-warning").and_then(backlog),
            idempotent_replay: header(headers, "idempotent-replay")
                .is_some_and(|value| value.trim().eq_ignore_ascii_case("true")),
            date_ms: header(headers, DATE.as_str()).and_then(date_ms),
            location: None,
            body,
        }
    }

    /// The body as text.
    ///
    /// # Errors
    /// [`ApiFailure::Shape`] where it is not UTF-8.
    pub fn text(&self) -> Result<&str, ApiFailure> {
        std::str::from_utf8(&self.body).map_err(|_| self.shape("the body is not UTF-8"))
    }

    /// The body as JSON; `None` where it is empty, as with 204.
    ///
    /// # Errors
    /// [`ApiFailure::Shape`] where there is a body and it is no JSON.
    pub fn json(&self) -> Result<Option<&RawValue>, ApiFailure> {
        let text = self.text()?;
        if text.trim().is_empty() {
            return Ok(None);
        }
        serde_json::from_str(text)
            .map(Some)
            .map_err(|_| self.shape("the body is no JSON"))
    }

    pub(super) fn retry_after_wait(&self) -> Option<Duration> {
        retry_after::parse(self.retry_after.as_deref()?, SystemTime::now())
    }

    pub(super) fn shape(&self, reason: impl Into<String>) -> ApiFailure {
        let reason = format!("status {}: {}", self.status, reason.into());
        ApiFailure::Shape {
            reason,
            request_id: self.request_id.clone(),
        }
    }
}

/// The first header of a name, where it is text.
pub(super) fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    std::str::from_utf8(headers.get(name)?.as_bytes()).ok()
}

fn backlog(value: &str) -> Option<(String, u64)> {
    let (handle, count) = value.rsplit_once('=')?;
    Some((wire::handle_text(handle)?, count.trim().parse().ok()?))
}

fn date_ms(value: &str) -> Option<i64> {
    let since = httpdate::parse_http_date(value.trim())
        .ok()?
        .duration_since(UNIX_EPOCH)
        .ok()?;
    i64::try_from(since.as_millis()).ok()
}
