//! The bytes of a file on their way out.
//!
//! Two passes: the first hashes, since AgentChat wants the hash before the first byte; the second
//! sends. A file can change between them, so the second pass hashes again and holds the last piece
//! back until the hashes agree: a file that changed never arrives whole.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use super::PIECE_BYTES;

/// A file, or bytes, with their hash.
#[derive(Debug, Clone)]
pub struct Source {
    bytes: Origin,
    size: u64,
    sha256: String,
}

#[derive(Debug, Clone)]
enum Origin {
    File {
        file: Arc<File>,
        modified: Option<SystemTime>,
    },
    Memory(Bytes),
}

/// Why a file cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It cannot be opened or read.
    #[error("the file cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It is a folder, a device, a pipe.
    #[error("that is no regular file")]
    NotRegular,
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// It is larger than allowed.
    #[error("the file has {size} bytes; the limit is {limit}")]
    TooLarge {
        /// Its size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// It is another one than it was.
    #[error("{CHANGED}")]
    Changed,
}

impl Source {
    /// Opens and hashes a file. Its size is looked at first.
    pub async fn open(path: &str, limit: u64) -> Result<Self, SourceError> {
        let path = path.to_owned();
        blocking(move || {
            // A pipe without a writer would hold the call up for ever.
            let file = File::options()
                .read(true)
                .custom_flags(nix::libc::O_NONBLOCK)
                .open(path)?;
            Self::hashed(file, limit)
        })
        .await
    }

    /// The same for a file that is open already.
    pub(super) fn of_file(file: File, size: u64, sha256: String) -> Self {
        Self {
            bytes: Origin::File {
                file: Arc::new(file),
                modified: None,
            },
            size,
            sha256,
        }
    }

    /// Takes bytes that are in memory already.
    pub async fn of_bytes(bytes: Bytes, limit: u64) -> Result<Self, SourceError> {
        let size = bytes.len() as u64;
        allowed(size, limit)?;
        blocking(move || {
            Ok(Self {
                sha256: hex(&Sha256::digest(&bytes)),
                bytes: Origin::Memory(bytes),
                size,
            })
        })
        .await
    }

    fn hashed(file: File, limit: u64) -> Result<Self, SourceError> {
        let before = regular(&file)?;
        allowed(before.len(), limit)?;
        let mut hash = Sha256::new();
        let mut size = 0;
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let read = file.read_at(&mut piece, size)?;
            if read == 0 {
                break;
            }
            size += read as u64;
            // A file that grows is not followed to its end.
            if size > before.len() {
                return Err(SourceError::Changed);
            }
            hash.update(&piece[..read]);
        }
        let source = Self {
            bytes: Origin::File {
                file: Arc::new(file),
                modified: before.modified().ok(),
            },
            size,
            sha256: hex(&hash.finalize()),
        };
        if size != before.len() {
            return Err(SourceError::Changed);
        }
        source.unchanged()?;
        Ok(source)
    }

    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Their SHA-256, in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Whether size and time of the file are still those of the first pass.
    pub fn unchanged(&self) -> Result<(), SourceError> {
        let Origin::File {
            file,
            modified: Some(modified),
        } = &self.bytes
        else {
            return Ok(());
        };
        let now = file.metadata()?;
        if now.len() == self.size && now.modified().ok().as_ref() == Some(modified) {
            Ok(())
        } else {
            Err(SourceError::Changed)
        }
    }

    /// All bytes at once, for what is small.
    pub async fn whole(&self) -> Result<Bytes, SourceError> {
        let mut pieces = self.pieces();
        let mut all = Vec::new();
        while let Some(piece) = pieces.next().await {
            all.extend_from_slice(&piece?);
        }
        Ok(all.into())
    }

    /// The bytes from the beginning, in pieces.
    pub fn pieces(&self) -> BoxStream<'static, io::Result<Bytes>> {
        match &self.bytes {
            Origin::Memory(bytes) => {
                let bytes = bytes.clone();
                let starts = (0..bytes.len()).step_by(PIECE_BYTES);
                let pieces = starts.map(move |start| {
                    let end = (start + PIECE_BYTES).min(bytes.len());
                    Ok(bytes.slice(start..end))
                });
                stream::iter(pieces).boxed()
            }
            Origin::File { file, .. } => {
                let pass = Pass {
                    file: Arc::clone(file),
                    hash: Sha256::new(),
                    at: 0,
                    size: self.size,
                    sha256: self.sha256.clone(),
                };
                stream::try_unfold(pass, |pass| async move {
                    if pass.at == pass.size {
                        return Ok(None);
                    }
                    let read = spawn_blocking(move || pass.next()).await;
                    read.map_err(io::Error::other)?.map(Some)
                })
                .boxed()
            }
        }
    }
}

/// One reading of a file.
struct Pass {
    file: Arc<File>,
    hash: Sha256,
    at: u64,
    size: u64,
    sha256: String,
}

impl Pass {
    fn next(mut self) -> io::Result<(Bytes, Self)> {
        let left = usize::try_from(self.size - self.at).unwrap_or(usize::MAX);
        let mut piece = vec![0; left.min(PIECE_BYTES)];
        self.file
            .read_exact_at(&mut piece, self.at)
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => io::Error::other(CHANGED),
                _ => error,
            })?;
        self.at += piece.len() as u64;
        self.hash.update(&piece);
        if self.at == self.size && hex(&self.hash.finalize_reset()) != self.sha256 {
            return Err(io::Error::other(CHANGED));
        }
        Ok((piece.into(), self))
    }
}

fn regular(file: &File) -> Result<Metadata, SourceError> {
    let metadata = file.metadata()?;
    if metadata.is_file() {
        Ok(metadata)
    } else {
        Err(SourceError::NotRegular)
    }
}

fn allowed(size: u64, limit: u64) -> Result<(), SourceError> {
    match size {
        0 => Err(SourceError::Empty),
        size if size > limit => Err(SourceError::TooLarge { size, limit }),
        _ => Ok(()),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    spawn_blocking(work).await.map_err(io::Error::other)?
}

/// A hash as it is written.
pub(crate) fn hex(hash: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    hash.iter()
        .flat_map(|byte| [byte >> 4, byte & 0xf])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

const CHANGED: &str = "the file changed while it was being sent";

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u64 = 1 << 20;

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        file
    }

    async fn open(file: &tempfile::NamedTempFile) -> Result<Source, SourceError> {
        Source::open(file.path().to_str().unwrap(), LIMIT).await
    }

    #[tokio::test]
    async fn a_file_is_hashed_and_streamed_as_often_as_it_takes() {
        let bytes: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
        let file = file(&bytes);
        let source = open(&file).await.unwrap();
        assert_eq!(source.size(), 200_000);
        assert_eq!(source.sha256(), hex(&Sha256::digest(&bytes)));
        for _ in 0..2 {
            assert_eq!(source.whole().await.unwrap(), bytes);
        }
        let same = Source::of_bytes(bytes.clone().into(), LIMIT).await.unwrap();
        assert_eq!(same.sha256(), source.sha256());
        assert_eq!(same.whole().await.unwrap(), bytes);
    }

    #[tokio::test]
    async fn a_file_that_changes_after_its_hash_never_comes_whole() {
        let bytes = vec![7; 100_000];
        let file = file(&bytes);
        let source = open(&file).await.unwrap();
        let mut other = bytes.clone();
        other[99_999] = 8;
        std::fs::write(file.path(), &other).unwrap();
        let mut pieces = source.pieces();
        let mut came = 0;
        let error = loop {
            match pieces.next().await.unwrap() {
                Ok(piece) => came += piece.len(),
                Err(error) => break error,
            }
        };
        assert!(came < bytes.len());
        assert_eq!(error.to_string(), CHANGED);
        std::fs::write(file.path(), b"short").unwrap();
        assert!(source.whole().await.is_err());
        assert!(matches!(source.unchanged(), Err(SourceError::Changed)));
    }

    #[tokio::test]
    async fn what_is_no_file_of_an_allowed_size_is_refused() {
        assert!(matches!(open(&file(b"")).await, Err(SourceError::Empty)));
        let large = open(&file(&vec![0; LIMIT as usize + 1])).await;
        assert!(matches!(
            large,
            Err(SourceError::TooLarge { size, .. }) if size == LIMIT + 1
        ));
        let folder = Source::open("/", LIMIT).await;
        assert!(matches!(folder, Err(SourceError::NotRegular)));
        let device = Source::open("/dev/zero", LIMIT).await;
        assert!(matches!(device, Err(SourceError::NotRegular)));
        let missing = Source::open("/nowhere/at/all", LIMIT).await;
        assert!(matches!(missing, Err(SourceError::Unreadable(_))));
    }
}
