//! What can be wrong with the disk or the database.

use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why the store refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No room on the disk.
    #[error("the disk is full")]
    Full,
    /// The database is damaged, or no database at all.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// The database was written by a newer program.
    #[error(
        "{} has schema version {found}, and this program knows {known}: use a newer agentchatd",
        path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// The file system may not be written, or failed.
    #[error("the database cannot be read or written: {0}")]
    Io(String),
    /// Anything else that SQLite said.
    #[error("the database refused: {0}")]
    Refused(String),
    /// The store's thread is gone.
    #[error("the store is closed")]
    Closed,
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let text = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(text),
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied,
            ) => Self::Io(text),
            _ => Self::Refused(text),
        }
    }
}
