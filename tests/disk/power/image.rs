//! What a power cut leaves of the files: everything that was synced before it, and of the rest
//! whatever the disk had got to, in any order, torn at sectors.
//!
//! More may go wrong here than on most disks: names need a sync of their directory, each of them
//! for itself; sizes and contents come apart; and what an fsync that failed should have written is
//! never written by a later one, as in a kernel that drops such pages.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::dice::Dice;
use super::record::{FileNo, Op, Record};

/// The disk, followed through a record.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    files: BTreeMap<FileNo, Contents>,
    names: Vec<Name>,
    /// Records that are followed.
    pub(crate) followed: usize,
}

/// A file: what is surely on disk, and what has happened since.
#[derive(Debug, Default)]
struct Contents {
    durable: Vec<u8>,
    /// The first of them is not durable, or there is none.
    later: Vec<Change>,
}

#[derive(Debug)]
struct Change {
    record: usize,
    what: What,
    fate: Fate,
}

#[derive(Debug, Clone)]
enum What {
    Write { at: usize, data: Vec<u8> },
    Size(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It may be on disk.
    Open,
    /// A sync covers it.
    Durable,
    /// The sync that should have covered it failed: no other one will.
    Dropped,
}

/// A change of a directory.
#[derive(Debug)]
struct Name {
    record: usize,
    what: Naming,
    durable: bool,
}

#[derive(Debug)]
enum Naming {
    Dir(PathBuf),
    File(PathBuf, FileNo),
    Gone(PathBuf),
    Moved(FileNo, PathBuf),
}

impl Naming {
    fn path(&self) -> &Path {
        match self {
            Self::Dir(path) | Self::File(path, _) | Self::Gone(path) | Self::Moved(_, path) => path,
        }
    }
}

impl Disk {
    /// Follows the record up to here.
    pub(crate) fn follow(&mut self, records: &[Record], up_to: usize) {
        while self.followed < up_to {
            self.step(&records[self.followed].op);
            self.followed += 1;
        }
    }

    fn step(&mut self, op: &Op) {
        let record = self.followed;
        let mut name = |what| {
            self.names.push(Name {
                record,
                what,
                durable: false,
            });
        };
        match op {
            Op::DirMade { path } => name(Naming::Dir(path.clone())),
            Op::Made { file, path } => name(Naming::File(path.clone(), *file)),
            Op::Unlink { path } => name(Naming::Gone(path.clone())),
            Op::Rename { file, to } => name(Naming::Moved(*file, to.clone())),
            Op::DirSync { path, covers } => {
                for name in &mut self.names {
                    name.durable |=
                        name.record < *covers && name.what.path().parent() == Some(path);
                }
            }
            Op::Write { file, at, data } => {
                let (at, data) = (*at, data.clone());
                self.change(*file, What::Write { at, data });
            }
            Op::Size { file, size } => self.change(*file, What::Size(*size)),
            Op::Sync {
                file,
                covers,
                failed,
            } => self.files.entry(*file).or_default().sync(*covers, *failed),
        }
    }

    fn change(&mut self, file: FileNo, what: What) {
        self.files.entry(file).or_default().later.push(Change {
            record: self.followed,
            what,
            fate: Fate::Open,
        });
    }

    /// The files that a power cut now may leave, by path.
    pub(crate) fn cut(&self, dice: &mut Dice) -> BTreeMap<PathBuf, Vec<u8>> {
        // Some disks are nearly done with what they were given, some have hardly begun.
        let luck = [0, 100, 500, 900, 1000][dice.below(5)];
        let mut dirs = Vec::new();
        let mut files: BTreeMap<&Path, FileNo> = BTreeMap::new();
        for name in &self.names {
            if !name.durable && !dice.chance(luck) {
                continue;
            }
            match &name.what {
                Naming::Dir(path) => dirs.push(path.as_path()),
                Naming::File(path, file) => {
                    files.insert(path, *file);
                }
                Naming::Gone(path) => {
                    files.remove(path.as_path());
                }
                Naming::Moved(file, to) => {
                    files.retain(|_, other| other != file);
                    files.insert(to, *file);
                }
            }
        }
        // A file in a directory that is lost is lost with it.
        let made: Vec<&Path> = self
            .names
            .iter()
            .filter_map(|name| match &name.what {
                Naming::Dir(path) => Some(path.as_path()),
                _ => None,
            })
            .collect();
        let is_there = |path: &Path| {
            let mut above = path.ancestors().skip(1);
            above.all(|dir| !made.contains(&dir) || dirs.contains(&dir))
        };
        files
            .into_iter()
            .filter(|(path, _)| is_there(path))
            .map(|(path, file)| {
                let contents = self.files.get(&file);
                let bytes = contents.map(|it| it.cut(luck, dice)).unwrap_or_default();
                (path.to_owned(), bytes)
            })
            .collect()
    }
}

impl Contents {
    fn sync(&mut self, covers: usize, failed: bool) {
        for change in &mut self.later {
            if change.record < covers && change.fate == Fate::Open {
                change.fate = if failed { Fate::Dropped } else { Fate::Durable };
            }
        }
        let settled = self
            .later
            .iter()
            .take_while(|change| change.fate == Fate::Durable)
            .count();
        for change in self.later.drain(..settled) {
            change.what.whole(&mut self.durable);
        }
    }

    fn cut(&self, luck: usize, dice: &mut Dice) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for change in &self.later {
            if change.fate == Fate::Durable {
                change.what.whole(&mut bytes);
            } else {
                change.what.partly(&mut bytes, luck, dice);
            }
        }
        bytes
    }
}

impl What {
    /// All of it reaches the disk.
    fn whole(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Size(size) => bytes.resize(*size, 0),
            Self::Write { at, data } => put(bytes, *at, data),
        }
    }

    /// Some of it does.
    fn partly(&self, bytes: &mut Vec<u8>, luck: usize, dice: &mut Dice) {
        match self {
            Self::Size(size) => {
                if dice.chance(luck) {
                    bytes.resize(*size, 0);
                }
            }
            Self::Write { at, data } => {
                // The size may be on disk, and nothing of what is in it.
                if dice.chance(luck) && bytes.len() < at + data.len() {
                    bytes.resize(at + data.len(), 0);
                }
                let mut from = 0;
                while from < data.len() {
                    let to = data.len().min((at + from) / SECTOR * SECTOR + SECTOR - at);
                    if dice.chance(luck) {
                        put(bytes, at + from, &data[from..to]);
                    }
                    from = to;
                }
            }
        }
    }
}

fn put(bytes: &mut Vec<u8>, at: usize, data: &[u8]) {
    let end = at + data.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[at..end].copy_from_slice(data);
}

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn record(op: Op) -> Record {
        Record { at_ns: 0, op }
    }

    fn made() -> Vec<Record> {
        let dir = PathBuf::from("/d");
        vec![
            record(Op::Made {
                file: 1,
                path: dir.join("f"),
            }),
            record(Op::DirSync {
                path: dir,
                covers: 1,
            }),
        ]
    }

    fn write(byte: u8) -> Record {
        record(Op::Write {
            file: 1,
            at: 0,
            data: vec![byte; 1024],
        })
    }

    fn sync(covers: usize, failed: bool) -> Record {
        record(Op::Sync {
            file: 1,
            covers,
            failed,
        })
    }

    /// The different contents of the file over many cuts behind these records.
    fn outcomes(records: &[Record]) -> std::collections::BTreeSet<Option<Vec<u8>>> {
        let mut disk = Disk::default();
        disk.follow(records, records.len());
        (0..500)
            .map(|seed| disk.cut(&mut Dice::new(seed)).remove(Path::new("/d/f")))
            .collect()
    }

    #[test]
    fn what_was_synced_stays_and_what_was_not_may_be_torn_or_gone() {
        let mut records = made();
        records.extend([write(1), sync(3, false)]);
        assert_eq!(outcomes(&records).len(), 1, "synced");
        records.push(write(2));
        let torn = [vec![1; 512], vec![2; 512]].concat();
        let found = outcomes(&records);
        assert_eq!(found.len(), 4, "each sector by itself");
        assert!(found.contains(&Some(torn)));
        // A sync that began before the write covers nothing of it.
        records.push(sync(4, false));
        assert_eq!(outcomes(&records).len(), 4);
    }

    #[test]
    fn what_a_failed_sync_should_have_written_no_later_sync_writes() {
        let mut records = made();
        records.extend([write(1), sync(3, true), sync(4, false)]);
        assert!(outcomes(&records).contains(&Some(Vec::new())));
        records.extend([write(1), sync(6, false)]);
        assert_eq!(outcomes(&records), [Some(vec![1; 1024])].into());
    }

    #[test]
    fn a_name_needs_a_sync_of_its_directory() {
        let mut records = vec![made().remove(0), write(1), sync(2, false)];
        assert!(outcomes(&records).contains(&None));
        records.push(record(Op::DirSync {
            path: "/d".into(),
            covers: 1,
        }));
        assert_eq!(outcomes(&records).len(), 1);
        records.push(record(Op::Unlink {
            path: "/d/f".into(),
        }));
        assert_eq!(outcomes(&records).len(), 2, "there or gone");
    }
}
