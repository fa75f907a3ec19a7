//! Settings made into the parts that they configure, and what a failed start ends with.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agentchatd_client::types::SocketStatus;
use agentchatd_engine::{OutboxSettings, Settings as EngineSettings};
use reqwest::Certificate;

use crate::{
    args::ExitStatus,
    config::{AuthMethod, Durability, Settings},
    credentials::{self, KeyState, Sources},
    driver::DriverConfig,
    lock::LockError,
    metrics::Metrics,
    rpc::{BindError, Limits, SocketOptions},
    store::{self, StoreError},
    upstream::{
        self, ApiKey, PlatformConfig, PlatformError, Proxy, RestConfig, RetryPolicy,
        socket::{Auth, SocketConfig},
    },
};

/// Why the daemon did not start.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("{}: {source}{}", .path.display(), mend(.path, .source))]
    Store { path: PathBuf, source: StoreError },
    #[error("{}: nothing could be saved: {source}{}", .path.display(), last_resort(.path, .source))]
    Unsalvaged { path: PathBuf, source: StoreError },
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error("[agent] base_url: {0}")]
    Platform(#[from] PlatformError),
    #[error("[http] ca_file: {}: {reason}", path.display())]
    Roots { path: PathBuf, reason: String },
    #[error("{0}")]
    System(#[from] std::io::Error),
}

/// What helps. A damaged database is never repaired or made anew by itself.
fn mend(path: &Path, source: &StoreError) -> String {
    let directory = path.parent().unwrap_or(path);
    match source {
        StoreError::Corrupt(_) => {
            let dir = directory.display();
            format!(
                "; it is left as it is. This saves what can be read of it: \
                 agentchatd --salvage --state-dir '{dir}'"
            )
        }
        StoreError::Full => "; make room on its disk, or name another state directory \
                             (--state-dir)"
            .to_owned(),
        StoreError::Io(_) => "; see whether its disk has room, may be written and works, or name \
                              another state directory (--state-dir)"
            .to_owned(),
        StoreError::Newer { .. } | StoreError::Refused(_) | StoreError::Closed => String::new(),
    }
}

/// SQLite's own program also reads files whose head is gone.
fn last_resort(path: &Path, source: &StoreError) -> String {
    match source {
        StoreError::Corrupt(_) => format!("; try: sqlite3 '{}' .recover", path.display()),
        _ => String::new(),
    }
}

impl StartError {
    pub(super) fn status(&self) -> ExitStatus {
        match self {
            Self::Lock(LockError::Held { .. }) | Self::Bind(BindError::InUse(_)) => {
                ExitStatus::Unavailable
            }
            Self::Lock(LockError::Shared { .. } | LockError::NoLocks { .. })
            | Self::Bind(BindError::TooLong { .. } | BindError::NoSocket(_))
            | Self::Platform(_)
            | Self::Roots { .. } => ExitStatus::Config,
            Self::Lock(LockError::Io { .. })
            | Self::Store { .. }
            | Self::Unsalvaged { .. }
            | Self::Bind(BindError::Io { .. })
            | Self::System(_) => ExitStatus::Io,
        }
    }
}

pub(super) fn driver_config(settings: &Settings, seed: u64, metrics: Arc<Metrics>) -> DriverConfig {
    let Settings { config, .. } = settings;
    let realtime = &config.realtime;
    DriverConfig {
        engine: EngineSettings {
            hello_timeout_ms: millis(realtime.hello_timeout),
            header_auth: realtime.auth == AuthMethod::Header,
            gap_window_ms: millis(realtime.gap_window),
            backoff_min_ms: millis(realtime.backoff_min),
            backoff_max_ms: millis(realtime.backoff_max),
            stable_after_ms: millis(realtime.stable_after),
            liveness_ms: millis(realtime.liveness),
            sync_interval_ms: millis(realtime.sync_interval),
            reconcile_interval_ms: millis(realtime.reconcile_interval),
            outbox: OutboxSettings {
                concurrency: config.outbox.concurrency,
                rate_per_second: config.outbox.rate_per_second,
                base_delay_ms: millis(config.http.base_delay),
                max_delay_ms: millis(config.http.max_delay),
            },
            seed,
        },
        rest: RestConfig {
            timeout: config.http.timeout,
            retry: RetryPolicy {
                max_retries: config.http.max_retries,
                base_delay: config.http.base_delay,
                max_delay: config.http.max_delay,
            },
        },
        socket: SocketConfig {
            auth: match realtime.auth {
                AuthMethod::Hello => Auth::Hello,
                AuthMethod::Header => Auth::Header,
            },
            ..SocketConfig::default()
        },
        outbox_max: usize::try_from(config.outbox.max_entries).unwrap_or(usize::MAX),
        outbox_expires: config.outbox.expires_in,
        config_path: settings.config_path.clone(),
        local_socket: SocketStatus {
            path: settings.socket.path.display().to_string(),
            handed_over: settings.socket.handed_over,
        },
        durability: durability(config.storage.durability),
        warnings: settings.warnings.clone(),
        metrics,
    }
}

pub(super) fn durability(durability: Durability) -> store::Durability {
    match durability {
        Durability::Full => store::Durability::Full,
        Durability::Normal => store::Durability::Normal,
    }
}

pub(super) fn platform_config(settings: &Settings) -> Result<PlatformConfig, StartError> {
    Ok(PlatformConfig {
        base_url: settings.config.agent.base_url.as_str().to_owned(),
        allow_insecure: settings.config.agent.allow_insecure,
        proxy: settings
            .config
            .http
            .proxy
            .as_ref()
            .map_or(Proxy::Environment, |proxy| {
                Proxy::Url(proxy.expose().to_owned())
            }),
        extra_roots: extra_roots(settings)?,
        ..PlatformConfig::default()
    })
}

fn extra_roots(settings: &Settings) -> Result<Vec<Certificate>, StartError> {
    let Some(path) = &settings.config.http.ca_file else {
        return Ok(Vec::new());
    };
    let read = fs::read(path).map_err(|error| error.to_string());
    read.and_then(|pem| upstream::roots(&pem).map_err(str::to_owned))
        .map_err(|reason| StartError::Roots {
            path: path.clone(),
            reason,
        })
}

pub(super) fn socket_options(settings: &Settings) -> SocketOptions {
    SocketOptions {
        path: settings.socket.path.clone(),
        mode: settings.socket.mode.bits(),
        directory_mode: settings.socket.dir_mode,
        group: settings.socket.gid,
    }
}

/// The limits of the local API, where there is room for so many connections.
pub(super) fn limits(settings: &Settings, places: usize) -> Limits {
    let socket = &settings.config.socket;
    Limits {
        max_request_bytes: socket.max_request_bytes,
        max_connections: places,
        max_subscriptions: socket.max_subscriptions,
        ..Limits::default()
    }
}

/// The key that counts now and what is to be said of it, or the word for why there is none.
pub(super) fn key(sources: &Sources) -> Result<(ApiKey, Option<String>), String> {
    match credentials::load(sources) {
        KeyState::Ready(credential) => {
            if let Some(warning) = &credential.warning {
                tracing::warn!("{warning}");
            }
            tracing::info!(source = %credential.source, "API key found");
            let key = ApiKey::new(credential.key.expose()).map_err(|error| error.to_string())?;
            Ok((key, credential.warning))
        }
        KeyState::NotConfigured => Err(NOT_CONFIGURED.to_owned()),
        KeyState::Refused(refusal) => {
            tracing::error!("{refusal}");
            Err(refusal.to_string())
        }
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The reason in `daemon.status` where no source has a key (`local-api.md` 7).
pub(super) const NOT_CONFIGURED: &str = "not_configured";
