//! The one place where the daemon's key changes: at start, at a reload, and when a new one comes.
//!
//! One change at a time, from the disk to the driver: or a reload that has read the old key could
//! hand it over after the new one.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    time::timeout,
};

use super::start::key;
use crate::{
    credentials::{self, Agent, ApiKey, Fingerprint, Kept, Reserved, Sources},
    driver::Signal,
    failpoint,
    hub::{Keys, Later},
    upstream,
};

/// What is known of keys, and who uses them.
pub(super) struct Keyring {
    known: Mutex<Known>,
    to_driver: mpsc::Sender<Signal>,
    turn: Semaphore,
}

struct Known {
    sources: Arc<Sources>,
    /// Why there is no key, where that was told to the driver.
    no_key: Option<String>,
    /// The key that the driver was given last.
    given: Option<upstream::ApiKey>,
    /// How the files looked right before they were read.
    read: Fingerprint,
}

impl Keyring {
    pub(super) fn new(sources: Sources, to_driver: mpsc::Sender<Signal>) -> Self {
        credentials::sweep(&sources);
        Self {
            known: Mutex::new(Known {
                sources: Arc::new(sources),
                no_key: None,
                given: None,
                read: Fingerprint::default(),
            }),
            to_driver,
            turn: Semaphore::new(1),
        }
    }

    /// From now on keys come from here.
    pub(super) fn look_in(&self, sources: Sources) {
        self.known(|known| known.sources = Arc::new(sources));
    }

    /// Hands the key to the driver, which does nothing about one that it uses already and tries
    /// one again that was refused. Gives the word for why there is none.
    pub(super) async fn offer(&self) -> Option<String> {
        let _turn = self.turn.acquire().await.ok()?;
        let sources = self.sources();
        let files = fingerprint(&sources).await;
        self.hand_over(&sources, files, false).await
    }

    /// The same where a file of keys changed since it was read, and another key came of it: who
    /// writes the refused one again has it tried no more often than the daemon does by itself.
    pub(super) async fn offer_change(&self) {
        let Ok(_turn) = self.turn.acquire().await else {
            return;
        };
        let sources = self.sources();
        let files = fingerprint(&sources).await;
        if self.known(|known| known.read != files) {
            tracing::info!("a file of the API key has changed");
            self.hand_over(&sources, files, true).await;
        }
    }

    async fn hand_over(
        &self,
        sources: &Sources,
        files: Fingerprint,
        only_another: bool,
    ) -> Option<String> {
        let found = key(sources);
        let problem = found.as_ref().err().cloned();
        let told = self.known(|known| {
            known.read = files;
            std::mem::replace(&mut known.no_key, problem.clone())
        });
        if problem.is_some() && problem == told {
            return problem;
        }
        let signal = match found {
            Ok((key, _)) if only_another && told.is_none() && self.gave(&key) => return None,
            Ok((key, warning)) => {
                if let Some(warning) = warning {
                    self.tell(Signal::Warning(warning)).await;
                }
                self.known(|known| known.given = Some(key.clone()));
                Signal::Key(Ok(key))
            }
            Err(reason) => Signal::Key(Err(reason)),
        };
        self.tell(signal).await;
        problem
    }

    /// Whether the driver was given this key last.
    fn gave(&self, key: &upstream::ApiKey) -> bool {
        self.known(|known| {
            let given = known.given.as_ref();
            given.is_some_and(|given| given.is_same_as(key))
        })
    }

    async fn keep(
        &self,
        agent: Agent,
        key: ApiKey,
        room: Option<Reserved>,
    ) -> Result<Kept, String> {
        let Ok(_turn) = self.turn.acquire().await else {
            return Err("the daemon is stopping".to_owned());
        };
        let new = upstream::ApiKey::new(key.expose()).map_err(|error| error.to_string())?;
        let sources = self.sources();
        let saving = move || credentials::save(&sources, agent, &key, room);
        let saved = tokio::task::spawn_blocking(saving).await;
        let kept = saved
            .map_err(|_| "the writing of the key failed".to_owned())?
            .map_err(|error| error.to_string())?;
        failpoint::reach("key-kept");
        tracing::info!(file = %kept.path.display(), "a new API key was kept");
        if let Some(warning) = &kept.warning {
            tracing::warn!("{warning}");
            self.tell(Signal::Warning(warning.clone())).await;
        }
        let files = fingerprint(&self.sources()).await;
        self.known(|known| {
            known.no_key = None;
            known.given = Some(new.clone());
            known.read = files;
        });
        let (used, in_use) = oneshot::channel();
        self.tell(Signal::Replaced { key: new, used }).await;
        // A driver that is stuck or gone takes nothing from the key that is on disk.
        let _ = timeout(DRIVER_USES_IT, in_use).await;
        Ok(kept)
    }

    async fn tell(&self, signal: Signal) {
        // The driver is gone only when the daemon stops.
        let _ = self.to_driver.send(signal).await;
    }

    fn sources(&self) -> Arc<Sources> {
        self.known(|known| Arc::clone(&known.sources))
    }

    fn known<T>(&self, with: impl FnOnce(&mut Known) -> T) -> T {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        with(&mut known)
    }
}

/// How the files look now; as if none was there, where that cannot be found out.
async fn fingerprint(sources: &Arc<Sources>) -> Fingerprint {
    let sources = Arc::clone(sources);
    let looking = move || {
        failpoint::reach("key-looked-for");
        Fingerprint::of(&sources)
    };
    tokio::task::spawn_blocking(looking)
        .await
        .unwrap_or_default()
}

impl Keys for Keyring {
    fn check(&self, agent: Agent) -> Later<'_, Result<Reserved, String>> {
        let sources = self.sources();
        Box::pin(async move {
            let looking = move || credentials::reserve(&sources, agent);
            match tokio::task::spawn_blocking(looking).await {
                Ok(checked) => checked.map_err(|error| error.to_string()),
                Err(_) => Err("the sources of keys could not be read".to_owned()),
            }
        })
    }

    fn adopt(
        &self,
        agent: Agent,
        key: ApiKey,
        room: Option<Reserved>,
    ) -> Later<'_, Result<Kept, String>> {
        Box::pin(self.keep(agent, key, room))
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").finish_non_exhaustive()
    }
}

/// How long the next change of the key waits for the driver.
const DRIVER_USES_IT: Duration = Duration::from_secs(5);
