//! The file storage behind presigned addresses (wire.md 9): a host of its own, which gets the bytes,
//! what the address itself demands, and nothing of ours. No key, no name of this client, no cookie.
//!
//! The address comes from the platform, so it is believed only as far as it must be: no user name in
//! it, plain `http` only where the platform itself is spoken to in plain `http`, and no redirect is
//! followed, wherever it leads. A literal address of this machine or its link is none, unless the
//! platform is on this machine; names are not looked up for that.
//!
//! A transfer may take as long as it moves: there is no time for the whole but the caller's, and
//! [`IDLE`] for each step.

use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Body, Client, Response, Url};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout, timeout_at};
use url::Host;

use super::platform::{self, PlatformConfig};
use super::{Answer, ApiFailure, answer, rest};

/// The way to the storage.
pub(super) struct Storage {
    config: PlatformConfig,
    /// Whether the platform itself is spoken to in plain `http`.
    plain: bool,
    /// Whether the platform itself is on this machine.
    local: bool,
    clients: Mutex<Vec<(Way, Client)>>,
}

/// What a client for an address depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Way {
    plain: bool,
    loopback: bool,
}

/// A file on its way out.
pub struct Upload<'f> {
    /// What was announced.
    pub content_type: &'static str,
    /// How many bytes were announced.
    pub size: u64,
    /// The bytes from their beginning, once for each attempt. An error in them ends the upload.
    pub bytes: &'f (dyn Fn() -> BoxStream<'static, io::Result<Bytes>> + Send + Sync),
}

impl fmt::Debug for Upload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("content_type", &self.content_type)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// A file on its way in.
#[derive(Debug)]
pub struct Download {
    /// How many bytes will come, where the storage says so.
    pub size: Option<u64>,
    /// What it is, where the storage says so.
    pub content_type: Option<String>,
    response: Response,
    came: u64,
    deadline: Option<Instant>,
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Storage").finish_non_exhaustive()
    }
}

impl Storage {
    pub(super) fn new(config: PlatformConfig, plain: bool, local: bool) -> Self {
        Self {
            config,
            plain,
            local,
            clients: Mutex::default(),
        }
    }

    /// Sends a file, once.
    pub(super) async fn put(
        &self,
        address: &str,
        upload: &Upload<'_>,
        deadline: Option<Instant>,
    ) -> Result<Answer, ApiFailure> {
        let (client, url) = self.client(address)?;
        let moved = Arc::new(Notify::new());
        let broken = Arc::new(AtomicBool::new(false));
        let bytes = {
            let (moved, broken) = (Arc::clone(&moved), Arc::clone(&broken));
            (upload.bytes)().inspect(move |piece| {
                moved.notify_one();
                if piece.is_err() {
                    broken.store(true, Ordering::Relaxed);
                }
            })
        };
        let request = client
            .put(url)
            .header(CONTENT_TYPE, upload.content_type)
            .header(CONTENT_LENGTH, upload.size)
            .body(Body::wrap_stream(bytes));
        let exchange = async {
            let response = request.send().await.map_err(away)?;
            ended(response).await
        };
        let result = match in_time(deadline, moving(exchange, &moved)).await {
            Ok(Some(result)) => result,
            Ok(None) => Err(still()),
            Err(late) => Err(late),
        };
        match result {
            // Nothing that is tried again would help.
            Err(failure) if broken.load(Ordering::Relaxed) => Err(ApiFailure::Unsendable {
                reason: failure.to_string(),
            }),
            result => result,
        }
    }

    /// Opens a file.
    pub(super) async fn get(
        &self,
        address: &str,
        deadline: Option<Instant>,
    ) -> Result<Download, ApiFailure> {
        let (client, url) = self.client(address)?;
        let head = timeout(IDLE, client.get(url).send());
        let response = in_time(deadline, head)
            .await?
            .map_err(|_| still())?
            .map_err(away)?;
        if !response.status().is_success() {
            let ended = in_time(deadline, timeout(IDLE, ended(response))).await?;
            return match ended {
                Ok(Err(failure)) => Err(failure),
                Ok(Ok(_)) | Err(_) => Err(still()),
            };
        }
        let header = |name| answer::header(response.headers(), name).map(str::to_owned);
        let size = response.content_length();
        if size.is_some_and(|size| size > MOST_BYTES) {
            return Err(too_long());
        }
        Ok(Download {
            size,
            content_type: header(CONTENT_TYPE.as_str()),
            response,
            came: 0,
            deadline,
        })
    }

    /// The client for an address, and the address, once it is one that may be used.
    fn client(&self, address: &str) -> Result<(Client, Url), ApiFailure> {
        let refused = |why: &str| ApiFailure::Shape {
            reason: format!("the address of the file storage is unusable: {why}"),
            request_id: None,
        };
        let url = Url::parse(address).map_err(|_| refused("it is none"))?;
        let host = url.host_str().ok_or_else(|| refused("it names no host"))?;
        let loopback = platform::is_loopback(host);
        let plain = match url.scheme() {
            "https" => false,
            "http" if self.plain && (loopback || self.config.allow_insecure) => true,
            "http" => return Err(refused("it is plain http")),
            _ => return Err(refused("it is neither https nor http")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("it holds a user name or a password"));
        }
        if !self.local && (loopback || url.host().is_some_and(is_inward)) {
            return Err(refused("it is this machine, or link-local"));
        }
        let way = Way { plain, loopback };
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = clients.iter().find(|(of, _)| *of == way) {
            return Ok((client.clone(), url));
        }
        let builder = platform::bare_client(&self.config, plain, loopback);
        let client = builder
            // A transfer is rare and long: no connection waits for the next one.
            .and_then(|builder| builder.pool_max_idle_per_host(0).build())
            .map_err(|error| refused(&platform::reason(error)))?;
        clients.push((way, client.clone()));
        Ok((client, url))
    }
}

impl Download {
    /// The next piece; `None` once all are there.
    ///
    /// # Errors
    /// The storage stopped in the middle, or sends more than it said.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ApiFailure> {
        let piece = in_time(self.deadline, timeout(IDLE, self.response.chunk()))
            .await?
            .map_err(|_| still())?
            .map_err(away)?;
        let Some(piece) = piece else {
            return match self.size {
                Some(size) if size != self.came => Err(ApiFailure::network(CUT_OFF, false)),
                _ => Ok(None),
            };
        };
        self.came += piece.len() as u64;
        if self.came > MOST_BYTES {
            return Err(too_long());
        }
        Ok(Some(piece))
    }
}

/// A literal address that leads to this machine, or to what only its own link should see.
fn is_inward(host: Host<&str>) -> bool {
    let inward_v4 = |ip: Ipv4Addr| ip.octets()[0] == 0 || ip.is_loopback() || ip.is_link_local();
    match host {
        Host::Domain(_) => false,
        Host::Ipv4(ip) => inward_v4(ip),
        Host::Ipv6(ip) => {
            let mapped = ip.to_ipv4_mapped().is_some_and(inward_v4);
            mapped || ip.is_unspecified() || ip.is_loopback() || ip.is_unicast_link_local()
        }
    }
}

/// Reads the answer to its end; what is not 2xx is a failure in the storage's name.
async fn ended(mut response: Response) -> Result<Answer, ApiFailure> {
    let status = response.status();
    let body = rest::read_body(&mut response, ANSWER_MAX_BYTES).await;
    let answer = Answer::new(status.as_u16(), response.headers(), Bytes::new());
    if status.is_success() {
        // Whether its words are whole says nothing about the file.
        drop(body);
        return Ok(answer);
    }
    let mut failure = ApiFailure::of_answer(&answer);
    if let ApiFailure::Api(error) = &mut failure {
        error.message = if status.is_redirection() {
            format!("the file storage answered {status}; a redirect is not followed")
        } else {
            format!("the file storage answered {status}")
        };
    }
    Err(failure)
}

/// The work, as long as something moves at least every [`IDLE`].
async fn moving<F: Future>(work: F, moved: &Notify) -> Option<F::Output> {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            biased;
            output = work.as_mut() => return Some(output),
            moved = timeout(IDLE, moved.notified()) => {
                if moved.is_err() {
                    return None;
                }
            }
        }
    }
}

async fn in_time<F: Future>(deadline: Option<Instant>, work: F) -> Result<F::Output, ApiFailure> {
    match deadline {
        None => Ok(work.await),
        Some(deadline) => timeout_at(deadline, work)
            .await
            .map_err(|_| ApiFailure::network(LATE, false)),
    }
}

fn away(error: reqwest::Error) -> ApiFailure {
    let unsent = error.is_connect() || error.is_builder();
    let reason = format!("the file storage: {}", platform::reason(error));
    ApiFailure::network(reason, unsent)
}

fn still() -> ApiFailure {
    let reason = format!("the file storage moved no byte for {} s", IDLE.as_secs());
    ApiFailure::network(reason, false)
}

fn too_long() -> ApiFailure {
    ApiFailure::Shape {
        reason: format!("the file storage gives more than {MOST_BYTES} bytes"),
        request_id: None,
    }
}

/// How long nothing may move.
const IDLE: Duration = Duration::from_secs(30);

/// The most bytes of a file that are taken: far above any attachment of the platform.
const MOST_BYTES: u64 = 256 << 20;

/// How much of an answer without a file is read.
const ANSWER_MAX_BYTES: usize = 64 << 10;

const LATE: &str = "the time ran out while the file was on its way";

const CUT_OFF: &str = "the file storage stopped in the middle of the file";

#[cfg(test)]
#[path = "storage_tests.rs"]
mod tests;
