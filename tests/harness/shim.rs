//! A disk that misbehaves and a clock that jumps, under the real daemon: a library that is loaded
//! into it by `LD_PRELOAD` (`shim/shim.c`, in C because the workspace has no unsafe Rust), steered
//! through a small file that both have open.
//!
//! It touches only what lies in the folder of the [`Setup`] that it was put under.

use crate::daemon::Setup;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A switch, or a figure that the library counts. The same numbers stand in `shim.c`.
///
/// Of a count so many calls fail; -1 means all of them, until it is set to 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// Count of writes, truncations and creations that fail.
    WriteFails = 0,
    /// What they fail with.
    WriteErrno,
    /// Count of fsyncs that fail.
    SyncFails,
    /// What they fail with.
    SyncErrno,
    /// Fsyncs of which files: 0 all, 1 the database's own, 2 its write-ahead log.
    SyncWhich,
    /// Count of reads that fail.
    ReadFails,
    /// What they fail with.
    ReadErrno,
    /// Bytes by which files may still grow; -1 for no limit.
    Room,
    /// Milliseconds that an fsync takes longer. Set to 0, one that is under way goes on.
    SyncMs,
    /// Seconds by which the wall clock is wrong.
    ClockSeconds,
    /// What locks fail with; 0 while they do not.
    LockErrno,
    /// Which locks: 1 `fcntl`, 2 `flock`, 3 both.
    LockKinds,
    /// 1: changes go to the log, and nothing is synced in earnest.
    Recording,
    /// Counted: calls that were made to fail.
    Failed,
    /// Counted: fsyncs that are complete.
    Syncs,
    /// Counted: fsyncs that have begun.
    Syncing,
}

/// The library under one daemon. It outlives restarts.
#[derive(Debug)]
pub struct Shim {
    control: File,
    log: PathBuf,
}

impl Shim {
    /// Puts the library under the daemons that this setup starts from now on, with every switch
    /// off.
    ///
    /// # Panics
    /// Where there is no C compiler, or the folder cannot be written.
    pub fn under(setup: &mut Setup) -> Self {
        fs::create_dir_all(&setup.dir).expect("the folder can be made");
        let real = setup.dir.canonicalize().expect("the folder is there");
        let (control_path, log) = (setup.dir.join("shim.control"), setup.dir.join("shim.log"));
        let control = File::options()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .open(&control_path)
            .expect("the folder can be written");
        let shim = Self { control, log };
        for slot in 0..SLOTS {
            shim.write(slot, 0);
        }
        shim.set(Slot::Room, -1);
        let mut env = |name: &str, value: String| setup.env.push((name.into(), value));
        let dirs = format!("{}:{}", setup.dir.display(), real.display());
        env("LD_PRELOAD", library().display().to_string());
        env("DISK_SHIM_DIRS", dirs);
        env("DISK_SHIM_CONTROL", control_path.display().to_string());
        env("DISK_SHIM_LOG", shim.log.display().to_string());
        shim
    }

    /// Turns a switch.
    ///
    /// # Panics
    /// Where the control file is gone.
    pub fn set(&self, slot: Slot, value: i64) {
        self.write(slot as u64, value);
    }

    /// What a slot says now.
    ///
    /// # Panics
    /// Where the control file is gone.
    pub fn get(&self, slot: Slot) -> i64 {
        let mut bytes = [0; 8];
        let read = self.control.read_exact_at(&mut bytes, slot as u64 * 8);
        read.expect("the control file is there");
        i64::from_ne_bytes(bytes)
    }

    /// The record of changes; see `struct record` of `shim.c`.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Every write fails with this number until [`Shim::heal`].
    pub fn fail_writes(&self, errno: i64) {
        self.set(Slot::WriteErrno, errno);
        self.set(Slot::WriteFails, -1);
    }

    /// Every fsync fails with EIO until [`Shim::heal`].
    pub fn fail_syncs(&self) {
        self.set(Slot::SyncErrno, EIO);
        self.set(Slot::SyncFails, -1);
    }

    /// Every read fails with this number until [`Shim::heal`].
    pub fn fail_reads(&self, errno: i64) {
        self.set(Slot::ReadErrno, errno);
        self.set(Slot::ReadFails, -1);
    }

    /// The disk is well again, with all the room there is.
    pub fn heal(&self) {
        for slot in [
            Slot::WriteFails,
            Slot::SyncFails,
            Slot::ReadFails,
            Slot::SyncMs,
            Slot::LockErrno,
        ] {
            self.set(slot, 0);
        }
        self.set(Slot::Room, -1);
    }

    fn write(&self, slot: u64, value: i64) {
        // The library has the same page of the same file mapped: it sees this at once.
        let written = self.control.write_all_at(&value.to_ne_bytes(), slot * 8);
        written.expect("the control file is there");
    }
}

/// The built library, made once in a process.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| match build() {
        Ok(library) => library,
        Err(error) => panic!(
            "the disk shim (tests/harness/shim/shim.c) was not built: {error}. It needs a C \
             compiler that is called `cc`, as SQLite does: install gcc or clang"
        ),
    })
}

fn build() -> io::Result<PathBuf> {
    // Beside the test's own program, in the target folder.
    let exe = std::env::current_exe()?;
    let dir = exe
        .parent()
        .ok_or_else(|| io::Error::other("this test lies nowhere"))?;
    // Tests that run side by side each build it; the last one's takes its place in one piece.
    let mine = dir.join(format!("disk-shim-{}.so", std::process::id()));
    let mut compiler = Command::new("cc")
        .args(["-std=gnu11", "-O1", "-shared", "-fPIC", "-pthread"])
        .args(["-x", "c", "-", "-o"])
        .arg(&mine)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut source) = compiler.stdin.take() {
        source.write_all(include_bytes!("shim/shim.c"))?;
    }
    let output = compiler.wait_with_output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(io::Error::other(said));
    }
    let library = dir.join("disk-shim.so");
    fs::rename(&mine, &library)?;
    Ok(library)
}

/// The disk failed.
pub const EIO: i64 = 5;
/// The server of a network file system has forgotten the file.
pub const ESTALE: i64 = 116;
/// The file system may not be written.
pub const EROFS: i64 = 30;
/// There are no locks.
pub const ENOLCK: i64 = 37;
/// There is no such operation.
pub const EOPNOTSUPP: i64 = 95;
/// Slots of the control file.
const SLOTS: u64 = 16;
