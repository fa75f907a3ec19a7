//! A file that is being fetched: under another name beside its place until it is complete, checked
//! and on disk. Where anything fails, nothing is left.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use tokio::task::spawn_blocking;

use super::source::hex;

/// A file on its way in.
#[derive(Debug)]
pub struct Target {
    // Away only while a piece is being written.
    open: Option<(NamedTempFile, Sha256)>,
    path: PathBuf,
    size: u64,
}

/// Why it cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Something has the name already. It is left as it is.
    #[error("there is something of this name already")]
    Exists,
    /// The folder is missing, is none, or may not be written to.
    #[error("nothing can be written there: {0}")]
    NoPlace(io::Error),
    /// The disk refuses.
    #[error("the file cannot be written: {0}")]
    Write(#[from] io::Error),
    /// The bytes are others than they must be.
    #[error("the bytes have another SHA-256 than was expected: {0}")]
    Differs(String),
}

impl Target {
    /// Begins a file at a path where there is none.
    pub async fn begin(path: &str) -> Result<Self, TargetError> {
        let path = PathBuf::from(path);
        let place = path.clone();
        let temporary = spawn_blocking(move || {
            if place.symlink_metadata().is_ok() {
                return Err(TargetError::Exists);
            }
            let (Some(folder), Some(_)) = (place.parent(), place.file_name()) else {
                return Err(TargetError::Exists);
            };
            tempfile::Builder::new()
                .prefix(PREFIX)
                .suffix(SUFFIX)
                .tempfile_in(folder)
                .map_err(TargetError::NoPlace)
        });
        let temporary = temporary.await.map_err(io::Error::other)??;
        Ok(Self {
            open: Some((temporary, Sha256::new())),
            path,
            size: 0,
        })
    }

    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a piece.
    pub async fn add(&mut self, piece: Bytes) -> Result<(), TargetError> {
        self.size += piece.len() as u64;
        let (mut file, mut hash) = self.open.take().ok_or_else(broken)?;
        let written = spawn_blocking(move || {
            file.write_all(&piece)?;
            hash.update(&piece);
            io::Result::Ok((file, hash))
        });
        self.open = Some(written.await.map_err(io::Error::other)??);
        Ok(())
    }

    /// Gives the file its name, once its bytes are the expected ones and on disk.
    pub async fn end(self, sha256: Option<String>) -> Result<(), TargetError> {
        let (temporary, hash) = self.open.ok_or_else(broken)?;
        let path = self.path;
        let ended = spawn_blocking(move || {
            let came = hex(&hash.finalize());
            if sha256.is_some_and(|expected| expected != came) {
                return Err(TargetError::Differs(came));
            }
            named(temporary, &path, |folder| File::open(folder)?.sync_all())
        });
        ended.await.map_err(io::Error::other)?
    }
}

/// Gives a complete file its name.
fn named(
    temporary: NamedTempFile,
    path: &Path,
    sync_folder: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<(), TargetError> {
    temporary.as_file().sync_all()?;
    temporary
        .persist_noclobber(path)
        .map_err(|refused| match refused.error.kind() {
            io::ErrorKind::AlreadyExists => TargetError::Exists,
            _ => TargetError::Write(refused.error),
        })?;
    // The name, too, has to outlive a power cut. The file is there already, so a folder that may not
    // be read, or cannot be synced, is no failure.
    let folder = path.parent().unwrap_or_else(|| Path::new("/"));
    if let Err(error) = sync_folder(folder) {
        tracing::warn!(%error, "the folder of a fetched file cannot be synced");
    }
    Ok(())
}

fn broken() -> io::Error {
    io::Error::other("an earlier piece could not be written")
}

/// How the name of an unfinished file begins: hidden, and by whom.
const PREFIX: &str = ".agentchatd-";

/// How it ends.
const SUFFIX: &str = ".part";

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    async fn written(path: &Path, sha256: Option<&str>) -> Result<(), TargetError> {
        let mut target = Target::begin(path.to_str().unwrap()).await?;
        assert!(!path.exists(), "no half file is visible");
        target.add(Bytes::from("abc")).await?;
        assert_eq!(target.size(), 3);
        target.end(sha256.map(str::to_owned)).await
    }

    #[tokio::test]
    async fn a_file_appears_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        let hash = hex(&Sha256::digest("abc"));
        written(&path, Some(&hash)).await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"abc");
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    fn a_file_that_has_its_name_is_fetched_whatever_its_folder_says() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        let temporary = NamedTempFile::new_in(folder.path()).unwrap();
        let refused = |of: &Path| {
            assert_eq!(of, folder.path());
            Err(io::ErrorKind::PermissionDenied.into())
        };
        named(temporary, &path, refused).unwrap();
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[tokio::test]
    async fn what_fails_leaves_nothing_and_harms_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        let differs = written(&path, Some("00")).await;
        assert!(matches!(differs, Err(TargetError::Differs(_))));
        let mut cut = Target::begin(path.to_str().unwrap()).await.unwrap();
        cut.add(Bytes::from("x")).await.unwrap();
        drop(cut);
        assert!(names(folder.path()).is_empty());
        std::fs::write(&path, "mine").unwrap();
        assert!(matches!(
            written(&path, None).await,
            Err(TargetError::Exists)
        ));
        assert_eq!(std::fs::read(&path).unwrap(), b"mine");
        let nowhere = written(&folder.path().join("no/a.txt"), None).await;
        assert!(matches!(nowhere, Err(TargetError::NoPlace(_))));
    }

    #[tokio::test]
    async fn a_name_that_is_taken_meanwhile_is_not_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        let target = Target::begin(path.to_str().unwrap()).await.unwrap();
        std::fs::write(&path, "first").unwrap();
        assert!(matches!(target.end(None).await, Err(TargetError::Exists)));
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        assert_eq!(names(folder.path()), ["a.txt"]);
    }
}
