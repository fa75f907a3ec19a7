//! The files of the storage host: which addresses were signed, for what, and the bytes behind them
//! (wire.md 9). Plain rules; the host itself listens in `sandbox::storage`.
//!
//! The real storage checks no hash, and neither does this one: a client has to.

use super::ids::Ids;
use super::time::Stamp;
use bytes::Bytes;
use std::collections::HashMap;

/// Where presigned uploads begin, as the platform's own storage words it.
const UPLOADS: &str = "/storage/v1/object/upload/sign/attachments/";
/// Where presigned downloads begin.
const DOWNLOADS: &str = "/storage/v1/object/sign/attachments/";
/// Where pictures that anybody may see begin.
const PUBLIC: &str = "/storage/v1/object/public/";

/// All files and all signed addresses.
#[derive(Debug, Default)]
pub(crate) struct Storage {
    /// `http://127.0.0.1:PORT`, once the host listens.
    pub(crate) base: String,
    files: HashMap<String, File>,
    grants: HashMap<String, Grant>,
}

#[derive(Debug)]
struct File {
    content_type: String,
    size: u64,
    bytes: Option<Bytes>,
}

/// What one token allows.
#[derive(Debug)]
struct Grant {
    path: String,
    upload: bool,
    until: Stamp,
}

/// Why the storage refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No such address, or its time is over, or it was used.
    Forbidden,
    /// The bytes are not those that were announced.
    Unfit(&'static str),
    /// Nothing is there.
    Missing,
}

/// A file on its way out.
#[derive(Debug)]
pub(crate) struct Download {
    pub(crate) content_type: String,
    pub(crate) bytes: Bytes,
}

impl Storage {
    /// Announces a file and signs the address that takes its bytes.
    pub(crate) fn announce(
        &mut self,
        id: &str,
        content_type: &str,
        size: u64,
        until: Stamp,
        ids: &mut Ids,
    ) -> String {
        let path = format!("{UPLOADS}{id}");
        self.files.insert(
            id.to_owned(),
            File {
                content_type: content_type.to_owned(),
                size,
                bytes: None,
            },
        );
        self.sign(path, true, until, ids)
    }

    /// Signs an address that gives a file's bytes once; `None` while there are none.
    pub(crate) fn offer(&mut self, id: &str, until: Stamp, ids: &mut Ids) -> Option<String> {
        self.files.get(id)?.bytes.as_ref()?;
        Some(self.sign(format!("{DOWNLOADS}{id}"), false, until, ids))
    }

    /// Keeps a picture under a key; its address.
    pub(crate) fn publish(&mut self, key: &str, content_type: &str, bytes: Bytes) -> String {
        let file = File {
            content_type: content_type.to_owned(),
            size: bytes.len() as u64,
            bytes: Some(bytes),
        };
        self.files.insert(key.to_owned(), file);
        format!("{}{PUBLIC}{key}", self.base)
    }

    /// Forgets a picture.
    pub(crate) fn withdraw(&mut self, key: &str) {
        self.files.remove(key);
    }

    /// The bytes of a file, if they are there.
    pub(crate) fn bytes(&self, id: &str) -> Option<Bytes> {
        self.files.get(id)?.bytes.clone()
    }

    /// Puts other bytes in a file's place, whatever was announced.
    pub(crate) fn replace(&mut self, id: &str, bytes: Bytes) -> bool {
        let file = self.files.get_mut(id);
        file.map(|file| file.bytes = Some(bytes)).is_some()
    }

    /// The first look at an upload, before its bytes are read.
    pub(crate) fn admit(
        &self,
        target: (&str, &str),
        content_type: Option<&str>,
        length: Option<u64>,
        now: Stamp,
    ) -> Result<String, Refusal> {
        let grant = self.grant(target, true, now)?;
        let id = grant.path.strip_prefix(UPLOADS).unwrap_or_default();
        let file = self.files.get(id).ok_or(Refusal::Forbidden)?;
        if content_type != Some(file.content_type.as_str()) {
            return Err(Refusal::Unfit("content-type"));
        }
        if length != Some(file.size) {
            return Err(Refusal::Unfit("content-length"));
        }
        Ok(id.to_owned())
    }

    /// Takes the bytes of an upload that was admitted.
    pub(crate) fn put(&mut self, id: &str, bytes: Bytes) -> Result<(), Refusal> {
        let file = self.files.get_mut(id).ok_or(Refusal::Missing)?;
        if file.size != bytes.len() as u64 {
            return Err(Refusal::Unfit("size"));
        }
        file.bytes = Some(bytes);
        Ok(())
    }

    /// Gives a file out. A signed address is good for one time.
    pub(crate) fn get(&mut self, target: (&str, &str), now: Stamp) -> Result<Download, Refusal> {
        let id = match target.0.strip_prefix(PUBLIC) {
            Some(key) => key.to_owned(),
            None => {
                let grant = self.grant(target, false, now)?;
                let id = grant.path.strip_prefix(DOWNLOADS).unwrap_or_default();
                let id = id.to_owned();
                self.grants.remove(target.1);
                id
            }
        };
        let file = self.files.get(&id).ok_or(Refusal::Missing)?;
        Ok(Download {
            content_type: file.content_type.clone(),
            bytes: file.bytes.clone().ok_or(Refusal::Missing)?,
        })
    }

    fn sign(&mut self, path: String, upload: bool, until: Stamp, ids: &mut Ids) -> String {
        let token = ids.mint("tok");
        let url = format!("{}{path}?token={token}", self.base);
        self.grants.insert(
            token,
            Grant {
                path,
                upload,
                until,
            },
        );
        url
    }

    fn grant(&self, target: (&str, &str), upload: bool, now: Stamp) -> Result<&Grant, Refusal> {
        self.grants
            .get(target.1)
            .filter(|grant| grant.path == target.0 && grant.upload == upload)
            .filter(|grant| now <= grant.until)
            .ok_or(Refusal::Forbidden)
    }
}
