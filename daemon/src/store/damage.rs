//! A database that turns out to be damaged while it is in use.
//!
//! SQLite notices damage where it meets it, in one page, and would go on with all the others. What
//! is acknowledged to the platform must not go into such a file: once damage was met, by whatever
//! thread, nothing is written until a look at the whole file finds none. It may find none where
//! the disk had only failed to read: SQLite calls that damage too.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::mpsc;

use super::{error::StoreError, writer::Committed};

/// What is known of it; shared by the threads of one store.
#[derive(Debug, Clone)]
pub(super) struct Damage {
    path: Arc<PathBuf>,
    found: Arc<Mutex<Option<StoreError>>>,
    // Weak: the channel ends with the thread that writes.
    tell: mpsc::WeakUnboundedSender<Committed>,
}

impl Damage {
    /// None is known yet; what is found is told as a commit that failed.
    pub(super) fn none_of(path: &Path, tell: &mpsc::UnboundedSender<Committed>) -> Self {
        Self {
            path: Arc::new(path.to_owned()),
            found: Arc::default(),
            tell: tell.downgrade(),
        }
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Looks at what SQLite said: damage is remembered and told with the file and what can be done;
    /// anything else is as it was.
    pub(super) fn note(&self, error: StoreError) -> StoreError {
        let StoreError::Corrupt(text) = error else {
            return error;
        };
        let mut found = self.lock();
        if let Some(known) = &*found {
            return known.clone();
        }
        let path = self.path.display();
        let told = StoreError::Corrupt(format!(
            "{path}: {text}; it is left as it is: stop the daemon and salvage what can be read"
        ));
        *found = Some(told.clone());
        if let Some(tell) = self.tell.upgrade() {
            // Whoever listened is gone only at the end.
            let _ = tell.send(Committed::Failed(told.clone()));
        }
        told
    }

    /// Whether the database may be used.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.lock().clone().map_or(Ok(()), Err)
    }

    /// Looks through the whole file, if damage was met, and forgets of it if there is none. Takes
    /// seconds for a large file.
    pub(super) fn look_again(&self) -> Result<(), StoreError> {
        if self.check().is_ok() {
            return Ok(());
        }
        // With pages of its own: another connection may hold good copies of bad ones.
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let looked: rusqlite::Result<String> = Connection::open_with_flags(&*self.path, flags)
            .and_then(|fresh| fresh.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)));
        if looked.as_deref() == Ok("ok") {
            *self.lock() = None;
        } else {
            tracing::debug!(?looked, "the database was looked through");
        }
        self.check()
    }

    fn lock(&self) -> MutexGuard<'_, Option<StoreError>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
