//! The bytes of a request on disk, under no name: they are gone with the process, whatever happens.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use super::source::{Source, SourceError, hex};

/// A file that grows piece by piece and is hashed meanwhile.
#[derive(Debug)]
pub struct Spool {
    // Away only while a piece is being written.
    open: Option<(File, Sha256)>,
    size: u64,
    limit: u64,
}

impl Spool {
    /// An empty one in a folder.
    pub async fn begin(folder: &Path, limit: u64) -> io::Result<Self> {
        let folder = folder.to_owned();
        let file = spawn_blocking(move || tempfile::tempfile_in(folder)).await??;
        Ok(Self {
            open: Some((file, Sha256::new())),
            size: 0,
            limit,
        })
    }

    /// Adds a piece.
    pub async fn add(&mut self, piece: Bytes) -> Result<(), SourceError> {
        self.size += piece.len() as u64;
        if self.size > self.limit {
            let (size, limit) = (self.size, self.limit);
            return Err(SourceError::TooLarge { size, limit });
        }
        let (mut file, mut hash) = self.open.take().ok_or_else(broken)?;
        let written = spawn_blocking(move || {
            file.write_all(&piece)?;
            hash.update(&piece);
            io::Result::Ok((file, hash))
        });
        self.open = Some(written.await.map_err(io::Error::other)??);
        Ok(())
    }

    /// All that came, ready to be sent.
    pub fn end(self) -> Result<Source, SourceError> {
        let (file, hash) = self.open.ok_or_else(broken)?;
        if self.size == 0 {
            return Err(SourceError::Empty);
        }
        Ok(Source::of_file(file, self.size, hex(&hash.finalize())))
    }
}

fn broken() -> io::Error {
    io::Error::other("an earlier piece could not be written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_spooled_comes_out_and_leaves_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::begin(folder.path(), 10).await.unwrap();
        for piece in ["ab", "cde"] {
            spool.add(Bytes::from(piece)).await.unwrap();
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let source = spool.end().unwrap();
        assert_eq!(source.sha256(), hex(&Sha256::digest("abcde")));
        assert_eq!(source.whole().await.unwrap(), "abcde");
    }

    #[tokio::test]
    async fn a_spool_has_a_limit_and_is_not_empty() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::begin(folder.path(), 3).await.unwrap();
        spool.add(Bytes::from("abc")).await.unwrap();
        let refused = spool.add(Bytes::from("d")).await;
        assert!(matches!(
            refused,
            Err(SourceError::TooLarge { size: 4, .. })
        ));
        let empty = Spool::begin(folder.path(), 3).await.unwrap();
        assert!(matches!(empty.end(), Err(SourceError::Empty)));
    }
}
