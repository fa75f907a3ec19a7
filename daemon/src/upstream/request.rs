//! A request to the platform, written down before it is sent.
//!
//! Ids and handles come from outside, so every path segment is escaped to the bone, and one that
//! no escaping can keep in its place (`.`, `..`, nothing) makes the request unsendable.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
pub use reqwest::Method;

/// One call: method, target, body and how long it may take.
#[derive(Debug, Clone)]
pub struct Request {
    pub(super) method: Method,
    pub(super) target: String,
    pub(super) body: Option<(&'static str, Bytes)>,
    pub(super) idempotency_key: Option<String>,
    pub(super) timeout: Option<Duration>,
    pub(super) retry: bool,
    pub(super) redirects: bool,
    pub(super) flaw: Option<String>,
}

impl Request {
    /// A request for the path made of `segments`, for instance `["v1", "messages", id]`.
    #[must_use]
    pub fn new(method: Method, segments: &[&str]) -> Self {
        let mut target = String::new();
        let mut flaw = None;
        for segment in segments {
            if matches!(*segment, "" | "." | "..") {
                flaw = Some(format!("`{segment}` cannot stand in a path"));
            }
            target.push('/');
            target.extend(utf8_percent_encode(segment, RESERVED));
        }
        Self {
            method,
            target,
            body: None,
            idempotency_key: None,
            timeout: None,
            retry: false,
            redirects: false,
            flaw,
        }
    }

    /// A GET.
    #[must_use]
    pub fn get(segments: &[&str]) -> Self {
        Self::new(Method::GET, segments)
    }

    /// A POST.
    #[must_use]
    pub fn post(segments: &[&str]) -> Self {
        Self::new(Method::POST, segments)
    }

    /// A PUT.
    #[must_use]
    pub fn put(segments: &[&str]) -> Self {
        Self::new(Method::PUT, segments)
    }

    /// A PATCH.
    #[must_use]
    pub fn patch(segments: &[&str]) -> Self {
        Self::new(Method::PATCH, segments)
    }

    /// A DELETE.
    #[must_use]
    pub fn delete(segments: &[&str]) -> Self {
        Self::new(Method::DELETE, segments)
    }

    /// Adds a query parameter. `name` is one of our own words and is not escaped.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        let escaped = utf8_percent_encode(&value.to_string(), QUERY)
            .to_string()
            .replace(' ', "+");
        let mark = if self.target.contains('?') { '&' } else { '?' };
        // Writing to a String never fails.
        let _ = write!(self.target, "{mark}{name}={escaped}");
        self
    }

    /// Adds a query parameter where there is a value for it.
    #[must_use]
    pub fn query_some(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Gives it a JSON body.
    #[must_use]
    pub fn json(self, body: impl Into<Bytes>) -> Self {
        self.bytes("application/json", body)
    }

    /// Gives it a body of another type.
    #[must_use]
    pub fn bytes(mut self, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.body = Some((content_type, body.into()));
        self
    }

    /// Names the call, so that the platform does it once however often it is asked.
    #[must_use]
    pub fn idempotency_key(mut self, key: Option<String>) -> Self {
        self.idempotency_key = key;
        self
    }

    /// How long the whole call may take, retries included; otherwise the configured time.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Allows retries, as far as the method and the idempotency key make them safe.
    #[must_use]
    pub fn retry(mut self, retry: bool) -> Self {
        self.retry = retry;
        self
    }

    /// Expects a redirect as its answer. It is told, never followed: the key stays here.
    #[must_use]
    pub fn redirects(mut self) -> Self {
        self.redirects = true;
        self
    }

    /// The HTTP method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The body and its content type, where it has one.
    #[must_use]
    pub fn body(&self) -> Option<(&'static str, &[u8])> {
        let (content_type, body) = self.body.as_ref()?;
        Some((content_type, body))
    }

    /// The name under which the platform does it once, where it has one.
    #[must_use]
    pub fn named(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    /// Path and query as they go on the wire, behind the base address.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// True where a second attempt is allowed and can do no harm.
    pub(crate) fn retryable(&self) -> bool {
        let idempotent = matches!(
            self.method,
            Method::GET | Method::HEAD | Method::PUT | Method::DELETE
        );
        self.retry && (idempotent || self.idempotency_key.is_some())
    }

    /// The path without its query, for logs.
    pub(super) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The same for a query, where a blank becomes a plus sign afterwards.
const QUERY: &AsciiSet = &RESERVED.remove(b' ');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_handle_stays_one_segment() {
        let request = Request::get(&["v1", "agents", "café/ü ?#%&+=@x"]);
        assert_eq!(
            request.target(),
            "/v1/agents/caf%C3%A9%2F%C3%BC%20%3F%23%25%26%2B%3D%40x"
        );
    }

    #[test]
    fn a_query_is_escaped_as_the_official_client_does() {
        let request = Request::get(&["v1", "directory"])
            .query("q", "py thon&x")
            .query("limit", 50)
            .query_some("offset", Some(0))
            .query_some("after", None::<&str>);
        assert_eq!(
            request.target(),
            "/v1/directory?q=py+thon%26x&limit=50&offset=0"
        );
        assert_eq!(request.path(), "/v1/directory");
    }

    #[test]
    fn segments_that_would_climb_out_of_the_path_are_a_flaw() {
        for segment in ["", ".", ".."] {
            assert!(
                Request::get(&["v1", "messages", segment]).flaw.is_some(),
                "{segment:?}"
            );
        }
        assert!(Request::get(&["v1", "messages", "..."]).flaw.is_none());
    }

    #[test]
    fn only_idempotent_methods_and_named_calls_may_be_tried_again() {
        let named = |request: Request| request.idempotency_key(Some("k-12345678".into()));
        assert!(Request::get(&["v1"]).retry(true).retryable());
        assert!(!Request::get(&["v1"]).retryable());
        assert!(!Request::post(&["v1"]).retry(true).retryable());
        assert!(named(Request::post(&["v1"])).retry(true).retryable());
        assert!(!Request::new(Method::PATCH, &["v1"]).retry(true).retryable());
        assert!(
            Request::new(Method::DELETE, &["v1"])
                .retry(true)
                .retryable()
        );
    }
}
