//! One call over HTTP: the request out, the answer in, everything bounded.

use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use tokio::time::Instant;

use super::{
    Answer, ApiFailure, ApiKey, Download, Platform, Request, RetryPolicy, Upload, answer, platform,
};

/// How calls are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestConfig {
    /// How long a call may take where it does not say so itself.
    pub timeout: Duration,
    /// The retries of calls that allow them.
    pub retry: RetryPolicy,
}

impl Default for RestConfig {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            retry: RetryPolicy::default(),
        }
    }
}

/// The platform's REST interface, as one agent or as nobody. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Rest {
    platform: Platform,
    key: Option<ApiKey>,
    config: RestConfig,
}

impl Rest {
    /// Without a key only the calls that need none will do.
    #[must_use]
    pub fn new(platform: Platform, key: Option<ApiKey>, config: RestConfig) -> Self {
        Self {
            platform,
            key,
            config,
        }
    }

    /// Makes a call, with retries where the request allows them.
    ///
    /// # Errors
    /// [`ApiFailure`] for every end but a 2xx answer.
    pub async fn call(&self, request: Request) -> Result<Answer, ApiFailure> {
        if let Some(reason) = &request.flaw {
            return Err(ApiFailure::Unsendable {
                reason: reason.clone(),
            });
        }
        let timeout = request.timeout.unwrap_or(self.config.timeout);
        let deadline = Instant::now()
            .checked_add(timeout)
            .unwrap_or_else(far_future);
        let attempt = || self.attempt(&request, deadline, timeout);
        self.config
            .retry
            .run(request.retryable(), deadline, attempt)
            .await
    }

    /// Sends a file to the address that the platform gave for it, with retries.
    ///
    /// # Errors
    /// [`ApiFailure`] for every end but a 2xx answer; [`ApiFailure::Unsendable`] where the bytes
    /// themselves failed.
    pub async fn put_file(
        &self,
        address: &str,
        upload: &Upload<'_>,
        deadline: Option<Instant>,
    ) -> Result<(), ApiFailure> {
        let storage = self.platform.storage();
        let attempt = || storage.put(address, upload, deadline);
        let last = deadline.unwrap_or_else(far_future);
        self.config.retry.run(true, last, attempt).await.map(drop)
    }

    /// Opens the file behind an address that the platform gave for it. Such an address is good for
    /// one time, so this is not tried again.
    ///
    /// # Errors
    /// [`ApiFailure`] for every end but a 2xx answer.
    pub async fn get_file(
        &self,
        address: &str,
        deadline: Option<Instant>,
    ) -> Result<Download, ApiFailure> {
        self.platform.storage().get(address, deadline).await
    }

    async fn attempt(
        &self,
        request: &Request,
        deadline: Instant,
        timeout: Duration,
    ) -> Result<Answer, ApiFailure> {
        let started = Instant::now();
        let result = tokio::time::timeout_at(deadline, self.exchange(request))
            .await
            .unwrap_or_else(|_| {
                let reason = format!("no complete answer within {} ms", timeout.as_millis());
                Err(ApiFailure::network(reason, false))
            });
        let (method, path) = (&request.method, request.path());
        let elapsed_ms = started.elapsed().as_millis();
        match &result {
            Ok(answer) => {
                tracing::debug!(%method, path, status = answer.status, elapsed_ms, "answered");
            }
            Err(failure) => tracing::debug!(%method, path, elapsed_ms, %failure, "failed"),
        }
        result
    }

    async fn exchange(&self, request: &Request) -> Result<Answer, ApiFailure> {
        let mut builder = self
            .platform
            .request(request.method.clone(), &request.target);
        if let Some(key) = &self.key {
            builder = builder.header(AUTHORIZATION, key.bearer());
        }
        if let Some(name) = &request.idempotency_key {
            builder = builder.header("idempotency-key", name);
        }
        if let Some((content_type, body)) = &request.body {
            builder = builder
                .header(CONTENT_TYPE, *content_type)
                .body(body.clone());
        }
        let (client, built) = builder.build_split();
        let built = built.map_err(network)?;
        let our_id = built.headers().get("x-request-id").cloned();
        let mut response = client.execute(built).await.map_err(network)?;
        let came = SystemTime::now();
        let status = response.status();
        let limit = if status.is_success() {
            BODY_MAX_BYTES
        } else {
            ERROR_BODY_MAX_BYTES
        };
        let body = match read_body(&mut response, limit).await {
            Ok(body) => body,
            // The status alone says what an error answer is; its text is a courtesy.
            Err(_) if !status.is_success() => Bytes::new(),
            Err(failure) => return Err(failure),
        };
        let mut answer = Answer::new(status.as_u16(), response.headers(), body);
        if let Some(date_ms) = answer.date_ms {
            self.platform.clock().see(date_ms, came);
        }
        if request.redirects && status.is_redirection() {
            let location = answer::header(response.headers(), LOCATION.as_str());
            let url = location.and_then(|location| response.url().join(location).ok());
            answer.location = url.map(String::from);
        }
        if status.is_success() || answer.location.is_some() {
            Ok(answer)
        } else {
            if status.is_server_error() && answer.request_id.is_none() {
                // It may never come to an end, and the platform gave nothing to find it by
                // (`wire.md` 11.52).
                let id = our_id.as_ref().and_then(|id| id.to_str().ok());
                let (method, path) = (&request.method, request.path());
                tracing::warn!(%method, path, status = answer.status, request_id = id, "failed without a word");
            }
            Err(ApiFailure::of_answer(&answer))
        }
    }
}

pub(super) async fn read_body(
    response: &mut reqwest::Response,
    limit: usize,
) -> Result<Bytes, ApiFailure> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(network)? {
        if body.len() + chunk.len() > limit {
            let reason = format!("the body is longer than {limit} bytes");
            return Err(ApiFailure::Shape {
                reason,
                request_id: None,
            });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn network(error: reqwest::Error) -> ApiFailure {
    let unsent = error.is_connect() || error.is_builder();
    ApiFailure::network(platform::reason(error), unsent)
}

/// Where a caller's time would overflow the clock, it has all the time in the world.
fn far_future() -> Instant {
    Instant::now() + Duration::from_secs(30 * 365 * 24 * 3600)
}

/// Far above any page of the platform, far below what would hurt.
const BODY_MAX_BYTES: usize = 64 * 1024 * 1024;

/// Error bodies are small; a proxy's page or an endless one is cut off here.
const ERROR_BODY_MAX_BYTES: usize = 1024 * 1024;

#[cfg(test)]
#[path = "rest_tests.rs"]
mod tests;
