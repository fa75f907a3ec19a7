//! The one HTTP client of the daemon: where the platform is, who we say we are, whom we trust.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Certificate, Url};
use secrecy::{ExposeSecret, SecretString};

use super::clock::PlatformClock;
use super::storage::Storage;

/// The name that the platform knows this client by.
pub const CLIENT_NAME: &str = "agentchatd";

/// This version, as it is told to the platform.
pub(super) const CLIENT_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Whether requests go through a proxy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Proxy {
    /// As the environment says (`HTTPS_PROXY` and its kin); never for a loopback address.
    #[default]
    Environment,
    /// Never.
    Off,
    /// Always this one.
    Url(String),
}

/// Where the platform is and how to get there.
#[derive(Debug, Clone)]
pub struct PlatformConfig {
    /// The address before `/v1`; a path prefix is kept.
    pub base_url: String,
    /// Allows plain `http` to an address that is not loopback.
    pub allow_insecure: bool,
    /// The proxy, if any.
    pub proxy: Proxy,
    /// Trusted beside the system's own roots.
    pub extra_roots: Vec<Certificate>,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
}

impl Default for PlatformConfig {
    fn default() -> Self {
        Self {
            base_url: "https://api.agentchat.me".into(),
            allow_insecure: false,
            proxy: Proxy::default(),
            extra_roots: Vec::new(),
            connect_timeout: Duration::from_secs(10),
        }
    }
}

/// Why the platform cannot be talked to at all.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// The address is not one.
    #[error("the base address is unusable: {0}")]
    BaseUrl(&'static str),
    /// The key would go over the wire in the clear.
    #[error("plain http is allowed for loopback addresses only, unless allow_insecure is set")]
    Insecure,
    /// No trusted roots, or a proxy that is no address.
    #[error("the HTTP client could not be made: {0}")]
    Client(String),
}

/// Reads certificates to trust, from the text form (PEM).
///
/// # Errors
/// They cannot be read, or there are none.
pub fn roots(pem: &[u8]) -> Result<Vec<Certificate>, &'static str> {
    const DAMAGED: &str = "a certificate in it is damaged";
    let roots = Certificate::from_pem_bundle(pem).map_err(|_| DAMAGED)?;
    if roots.is_empty() {
        return Err("it holds no certificate (-----BEGIN CERTIFICATE-----)");
    }
    choose_cryptography();
    // What is inside of the armour is looked at when a client is made, and not before.
    let client = reqwest::Client::builder().tls_certs_only(roots.iter().cloned());
    client.build().map(|_| roots).map_err(|_| DAMAGED)
}

/// Where the platform is, and the client that goes there. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Platform {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    http: reqwest::Client,
    base: String,
    clock: PlatformClock,
    storage: Storage,
}

impl Platform {
    /// Checks the address and builds the client.
    ///
    /// # Errors
    /// See [`PlatformError`]; nothing is sent here.
    pub fn new(config: &PlatformConfig) -> Result<Self, PlatformError> {
        let url = Url::parse(&config.base_url)
            .map_err(|_| PlatformError::BaseUrl("it cannot be parsed"))?;
        let host = url
            .host_str()
            .ok_or(PlatformError::BaseUrl("it names no host"))?;
        let plain = match url.scheme() {
            "https" => false,
            "http" => true,
            _ => return Err(PlatformError::BaseUrl("it is neither https nor http")),
        };
        if url.query().is_some() || url.fragment().is_some() {
            return Err(PlatformError::BaseUrl("it has a query or a fragment"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(PlatformError::BaseUrl("it holds a user name or a password"));
        }
        let loopback = is_loopback(host);
        if plain && !loopback && !config.allow_insecure {
            return Err(PlatformError::Insecure);
        }
        let http = client(config, plain, loopback)
            .map_err(|error| PlatformError::Client(reason(error)))?;
        let base = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self {
            inner: Arc::new(Inner {
                http,
                base,
                clock: PlatformClock::default(),
                storage: Storage::new(config.clone(), plain, loopback),
            }),
        })
    }

    /// The address before `/v1`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.inner.base
    }

    /// Milliseconds by which the platform's clock is ahead of ours, where an answer told.
    #[must_use]
    pub fn clock_offset_ms(&self) -> Option<i64> {
        self.inner.clock.offset_ms()
    }

    pub(super) fn clock(&self) -> &PlatformClock {
        &self.inner.clock
    }

    /// The way to the platform's files.
    pub(super) fn storage(&self) -> &Storage {
        &self.inner.storage
    }

    /// A request for a target behind the base address, with a fresh request id.
    pub(super) fn request(&self, method: reqwest::Method, target: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{target}", self.inner.base);
        let id = uuid::Uuid::now_v7().to_string();
        self.inner
            .http
            .request(method, url)
            .header("x-request-id", id)
    }
}

fn client(
    config: &PlatformConfig,
    plain: bool,
    loopback: bool,
) -> Result<reqwest::Client, reqwest::Error> {
    let mut headers = HeaderMap::new();
    headers.insert("x-agentchat-client", HeaderValue::from_static(CLIENT_NAME));
    headers.insert(
        "x-agentchat-client-version",
        HeaderValue::from_static(CLIENT_VERSION),
    );
    bare_client(config, plain, loopback)?
        .user_agent(concat!("agentchatd/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .build()
}

/// TLS by ring.
fn choose_cryptography() {
    // Whoever has chosen before has chosen the same, or is a program around this library.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A client that says nothing of itself and follows nothing.
pub(super) fn bare_client(
    config: &PlatformConfig,
    plain: bool,
    loopback: bool,
) -> Result<reqwest::ClientBuilder, reqwest::Error> {
    choose_cryptography();
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        // The retries are ours, and so is their count.
        .retry(reqwest::retry::never())
        .connect_timeout(config.connect_timeout)
        .http1_only();
    if plain {
        // Without TLS there is nobody to trust, and a machine without root certificates will do.
        builder = builder.tls_certs_only([]);
    } else {
        builder = builder.tls_certs_merge(config.extra_roots.iter().cloned());
    }
    match &config.proxy {
        Proxy::Environment if !loopback => {}
        Proxy::Environment | Proxy::Off => builder = builder.no_proxy(),
        Proxy::Url(url) => builder = builder.proxy(reqwest::Proxy::all(url)?),
    }
    Ok(builder)
}

pub(super) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

/// What went wrong, down to its cause, without the address.
pub(super) fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(next) = cause {
        let said = next.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = next.source();
    }
    text
}

/// The agent's API key. It prints as dots, whoever asks.
#[derive(Clone)]
pub struct ApiKey(SecretString);

/// A key that cannot be put into a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the API key is empty, or holds blanks or characters other than printable ASCII")]
pub struct BadKey;

impl ApiKey {
    /// Takes a key; blanks around it, as a file's last line break, do not belong to it.
    ///
    /// # Errors
    /// [`BadKey`] where no header could carry it.
    pub fn new(key: &str) -> Result<Self, BadKey> {
        let key = key.trim();
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BadKey);
        }
        Ok(Self(SecretString::from(key.to_owned())))
    }

    /// Whether both are the same key; a reload asks so.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }

    /// The key itself, for the one place that sends it.
    pub(super) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// `Authorization: Bearer …`, marked so that no debug output shows it.
    pub(super) fn bearer(&self) -> HeaderValue {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", self.expose()))
            .expect("a key of printable ASCII makes a header");
        value.set_sensitive(true);
        value
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(base_url: &str) -> Result<Platform, PlatformError> {
        Platform::new(&PlatformConfig {
            base_url: base_url.into(),
            ..PlatformConfig::default()
        })
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        assert!(at("http://127.0.0.1:8080/prefix/").is_ok());
        assert!(at("http://[::1]:8080").is_ok());
        assert!(at("http://localhost").is_ok());
        assert!(matches!(
            at("http://api.agentchat.me"),
            Err(PlatformError::Insecure)
        ));
        assert!(matches!(
            at("http://localhost.evil.example"),
            Err(PlatformError::Insecure)
        ));
        for bad in [
            "ftp://127.0.0.1",
            "nonsense",
            "http://u:p@127.0.0.1",
            "http://127.0.0.1/?x",
        ] {
            assert!(matches!(at(bad), Err(PlatformError::BaseUrl(_))), "{bad}");
        }
    }

    #[test]
    fn a_key_never_prints_itself() {
        let key = ApiKey::new(" ac_secret\n").unwrap();
        assert_eq!(key.expose(), "ac_secret");
        assert!(!format!("{key:?} {:?}", key.bearer()).contains("secret"));
        assert_eq!(ApiKey::new("two words").unwrap_err(), BadKey);
        assert_eq!(ApiKey::new("  ").unwrap_err(), BadKey);
    }
}
