//! The record of changes that the library under the daemon writes (`struct record` of `shim.c`).

use std::path::{Path, PathBuf};

/// One change, and when it was complete, by the monotonic clock.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) at_ns: i64,
    pub(crate) op: Op,
}

/// Which file, whatever it is called by then.
pub(crate) type FileNo = u32;

/// A change of files or names. `covers`: how many records there were when a sync began; it makes
/// those durable and no later ones.
#[derive(Debug)]
pub(crate) enum Op {
    Made {
        file: FileNo,
        path: PathBuf,
    },
    Write {
        file: FileNo,
        at: usize,
        data: Vec<u8>,
    },
    Size {
        file: FileNo,
        size: usize,
    },
    Sync {
        file: FileNo,
        covers: usize,
        failed: bool,
    },
    DirSync {
        path: PathBuf,
        covers: usize,
    },
    Unlink {
        path: PathBuf,
    },
    Rename {
        file: FileNo,
        to: PathBuf,
    },
    DirMade {
        path: PathBuf,
    },
}

/// Reads the whole record.
pub(crate) fn read(log: &Path) -> Vec<Record> {
    let bytes = std::fs::read(log).expect("the record is there");
    let mut rest = bytes.as_slice();
    let mut records = Vec::new();
    while !rest.is_empty() {
        let (head, behind) = rest.split_at(HEAD);
        let word = |at: usize| i64::from_ne_bytes(head[at..at + 8].try_into().expect("eight"));
        let half = |at: usize| u32::from_ne_bytes(head[at..at + 4].try_into().expect("four"));
        let (kind, file) = (half(0), half(4));
        let (at, failed, at_ns) = (word(8), word(16), word(24));
        let (data, behind) = behind.split_at(usize::try_from(word(32)).expect("a length"));
        let number = usize::try_from(at).expect("not negative");
        let path = || PathBuf::from(std::str::from_utf8(data).expect("a path of text"));
        let op = match kind {
            1 => Op::Made { file, path: path() },
            2 => Op::Write {
                file,
                at: number,
                data: data.to_vec(),
            },
            3 => Op::Size { file, size: number },
            4 => Op::Sync {
                file,
                covers: number,
                failed: failed != 0,
            },
            5 => Op::DirSync {
                path: path(),
                covers: number,
            },
            6 => Op::Unlink { path: path() },
            7 => Op::Rename { file, to: path() },
            8 => Op::DirMade { path: path() },
            other => panic!("a record of kind {other}"),
        };
        records.push(Record { at_ns, op });
        rest = behind;
    }
    records
}

/// Bytes before a record's data.
const HEAD: usize = 40;
