//! One task that looks at the daemon for all browsers: often while somebody looks at the page, now and
//! then while nobody does.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use agentchatd_client::types::Timestamp;
use hyper::body::Bytes;
use serde_json::Value;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};

use super::link::Link;
use super::messages::Messages;
use super::rates::Rates;
use super::view;

/// What was seen last, for whoever asks. However many ask, and however slowly they read, there is one
/// of it.
#[derive(Debug, Clone)]
pub(super) struct Latest {
    seen: watch::Receiver<Seen>,
    asked: Arc<Asked>,
}

/// The task's side.
#[derive(Debug)]
pub(super) struct Look {
    link: Link,
    messages: Messages,
    rates: Rates,
    view: Value,
    away_since: Option<Timestamp>,
    seen: watch::Sender<Seen>,
    asked: Arc<Asked>,
}

#[derive(Debug, Clone)]
struct Seen {
    at: Instant,
    json: Bytes,
}

#[derive(Debug)]
struct Asked {
    at: Mutex<Instant>,
    wake: Notify,
}

impl Look {
    /// At the daemon of this socket.
    pub(super) fn new(socket: PathBuf) -> (Self, Latest) {
        let view = view::nothing(&now());
        let at = Instant::now();
        let (seen, latest) = watch::channel(Seen {
            // Too old to be given to anybody.
            at: at.checked_sub(FRESH * 2).unwrap_or(at),
            json: Bytes::from(view.to_string()),
        });
        let asked = Arc::new(Asked {
            at: Mutex::new(at),
            wake: Notify::new(),
        });
        let latest = Latest {
            seen: latest,
            asked: Arc::clone(&asked),
        };
        let look = Self {
            link: Link::new(socket),
            messages: Messages::default(),
            rates: Rates::new(at),
            view,
            away_since: None,
            seen,
            asked,
        };
        (look, latest)
    }

    /// Looks until it is given up.
    pub(super) async fn go_on(mut self) -> Infallible {
        loop {
            self.once().await;
            sleep(OFTEN).await;
            if self.asked.age() > IDLE_AFTER {
                // Nobody looks: the counters alone are kept up.
                let _woken = timeout(SELDOM, self.asked.wake.notified()).await;
            }
        }
    }

    async fn once(&mut self) {
        let answer = self.link.ask(&mut self.messages).await;
        let (at, time) = (Instant::now(), now());
        self.view = match answer {
            Ok(told) => {
                self.away_since = None;
                if let Some(figures) = &told.figures {
                    self.rates.add(at, figures);
                }
                view::here(told, self.messages.view(), self.rates.view(at), &time)
            }
            Err(failure) => {
                let since = self.away_since.get_or_insert_with(|| time.clone());
                let sentence = failure.sentence.unwrap_or_default();
                view::away(&self.view, &sentence, since, &time)
            }
        };
        let json = Bytes::from(self.view.to_string());
        self.seen.send_replace(Seen { at, json });
    }
}

impl Latest {
    /// The newest state as JSON, not older than a moment where the daemon is not slower than that.
    pub(super) async fn get(&self) -> Bytes {
        self.asked.now();
        let mut seen = self.seen.clone();
        let fresh = seen.wait_for(|seen| seen.at.elapsed() < FRESH);
        if let Ok(Ok(seen)) = timeout(PATIENCE, fresh).await {
            return seen.json.clone();
        }
        seen.borrow().json.clone()
    }
}

impl Asked {
    fn now(&self) {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.wake.notify_one();
    }

    fn age(&self) -> Duration {
        self.at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .elapsed()
    }
}

/// The time of this machine.
fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_unix_ms(i64::try_from(since.as_millis()).unwrap_or_default())
}

/// Between two looks while somebody asks.
const OFTEN: Duration = Duration::from_secs(1);
/// And while nobody does.
const SELDOM: Duration = Duration::from_secs(9);
/// After this long without a question nobody asks.
const IDLE_AFTER: Duration = Duration::from_secs(15);
/// What is older is waited for anew.
const FRESH: Duration = Duration::from_secs(3);
/// How long: longer than the daemon may take.
const PATIENCE: Duration = Duration::from_secs(8);
