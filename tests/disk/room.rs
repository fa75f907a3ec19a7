//! Real small disks: a tmpfs over the state directory, in a mount name space of the daemon's own.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::stage::{Stage, until};
use serde_json::json;

use crate::ended;
use crate::outage::{Peace, acknowledged_is_on_disk};

/// A stage whose daemons find an empty disk of this size at their state directory, as this script
/// leaves it. In the script `$0` is the directory and `$KEPT` one whose files may be copied to it.
fn on_a_disk(size: &str, script: &str, kept: &Path) -> Stage {
    let mut stage = Stage::new(env!("CARGO_BIN_EXE_agentchatd"));
    let state = stage.setup.dir.join("state");
    fs::create_dir_all(&state).expect("a folder can be made");
    let script = format!(
        "set -e; mount -t tmpfs -o size={size},mode=700 tmpfs \"$0\"; {script}\nexec \"$@\""
    );
    let mut wrapper: Vec<String> = vec!["unshare".into(), "--mount".into()];
    // Root may mount as it is, anybody else in a user name space.
    if !nix::unistd::geteuid().is_root() {
        wrapper.extend(["--user".into(), "--map-root-user".into()]);
    }
    let may = Command::new(&wrapper[0])
        .args(&wrapper[1..])
        .args(["mount", "-t", "tmpfs", "tmpfs"])
        .arg(&state)
        .output();
    assert!(
        may.as_ref().is_ok_and(|output| output.status.success()),
        "this test mounts a small tmpfs in a name space of its own: {may:?}. Run it as root, or \
         allow user name spaces (sysctl kernel.unprivileged_userns_clone=1, \
         kernel.apparmor_restrict_unprivileged_userns=0); util-linux has unshare and mount"
    );
    wrapper.extend(["sh".into(), "-c".into(), script, path(&state)]);
    stage.setup.wrapper = wrapper;
    stage.env("KEPT", &path(kept));
    stage
}

fn path(path: &Path) -> String {
    path.to_str().expect("a path of text").to_owned()
}

/// The state directory as the daemon sees it.
fn inside(stage: &Stage, daemon: &Daemon) -> PathBuf {
    let root = format!("/proc/{}/root{}", daemon.pid(), path(&stage.setup.dir));
    Path::new(&root).join("state")
}

/// Leaves no room.
fn fill(state: &Path) -> PathBuf {
    let filler = state.join("filler");
    let mut file = File::create(&filler).expect("a file can be made");
    for size in [65_536, 4_096, 1] {
        let block = vec![0; size];
        loop {
            match file.write_all(&block) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => panic!("the disk is filled: {error}"),
            }
        }
    }
    filler
}

#[test]
fn a_real_disk_that_is_full_takes_nothing_and_all_goes_on_once_there_is_room() {
    let stage = on_a_disk("4m", "", Path::new("/"));
    let mut peace = Peace::of(&stage);
    let state = inside(&stage, &peace.daemon);
    let database = state.join("state.db");
    let filler = fill(&state);
    peace.is_over(&stage, &database);
    peace.is_down(&["the disk is full"]);
    fs::remove_file(filler).expect("it can be removed");
    peace.returns(&stage, &database);
}

/// A daemon that has stored a message.
fn with_a_message() -> (Stage, Daemon) {
    let stage = Stage::new(env!("CARGO_BIN_EXE_agentchatd"));
    let daemon = stage.ready();
    stage.bob_says("kept");
    stage.log_is_whole(&daemon);
    (stage, daemon)
}

/// A state directory with a database in it, left by a daemon that ended in order.
fn kept() -> (Stage, PathBuf) {
    let (stage, mut daemon) = with_a_message();
    assert!(daemon.stop().expect("it stops").success());
    let state = stage.setup.dir.join("state");
    (stage, state)
}

/// The same with the files that SQLite keeps beside a database for as long as somebody has it open.
fn kept_with_its_files() -> (Stage, PathBuf) {
    let (stage, mut daemon) = with_a_message();
    let reader = rusqlite::Connection::open(stage.setup.database()).expect("it opens");
    let query = "SELECT last_offset FROM checkpoint";
    let last: i64 = reader
        .query_row(query, [], |row| row.get(0))
        .expect("one row");
    assert_eq!(last, 1);
    assert!(daemon.stop().expect("it stops").success());
    let state = stage.setup.dir.join("state");
    let copy = stage.setup.dir.join("copy");
    fs::create_dir(&copy).expect("it can be made");
    for entry in fs::read_dir(state).expect("it is there") {
        let file = entry.expect("it can be read").path();
        let name = file.file_name().expect("it has one");
        fs::copy(&file, copy.join(name)).expect("it can be copied");
    }
    assert!(copy.join("state.db-shm").exists() && copy.join("state.db-wal").exists());
    (stage, copy)
}

/// The start is refused with 74; what is said names these.
fn is_refused(stage: &Stage, words: &[&str]) {
    let (status, said) = ended(&stage.setup);
    assert_eq!(status.code(), Some(74), "{said}");
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

const FILL: &str = "dd if=/dev/zero of=\"$0/filler\" bs=4096 2>/dev/null || true";

#[test]
fn a_start_on_a_full_disk_ends_with_the_path_and_what_helps() {
    let fresh = on_a_disk("1m", FILL, Path::new("/"));
    let dir = path(&fresh.setup.dir.join("state"));
    is_refused(&fresh, &[&dir, "No space left", "make room", "--state-dir"]);

    let (_before, state) = kept();
    let copy = format!("cp \"$KEPT\"/state.db \"$0\"; {FILL}");
    let used = on_a_disk("1m", &copy, &state);
    let dir = path(&used.setup.dir.join("state"));
    is_refused(&used, &[&dir, "room", "--state-dir"]);
}

/// With all of its files there it needs no room to start, and serves what it can.
#[test]
fn a_start_on_a_disk_that_became_full_serves_and_is_down() {
    let (before, state) = kept_with_its_files();
    // What is a hole in the one file would need room in the other.
    let copy = format!("cp --sparse=never \"$KEPT\"/* \"$0\"; {FILL}");
    let mut stage = on_a_disk("1m", &copy, &state);
    // The platform that the kept log is of.
    stage.setup.base_url.clone_from(&before.setup.base_url);
    stage.setup.key.clone_from(&before.setup.key);
    let daemon = stage.start();
    before.bob_says("no room for it");
    let mut raw = stage.connect(&daemon);
    until("the verdict is down", || {
        let health = raw.ok("daemon.health", json!({}));
        if health["verdict"] == "down" {
            return Ok(());
        }
        Err(health.to_string())
    });
    let database = inside(&stage, &daemon).join("state.db");
    acknowledged_is_on_disk(&before, &database);
    fs::remove_file(inside(&stage, &daemon).join("filler")).expect("it can be removed");
    before.log_is_whole(&daemon);
    acknowledged_is_on_disk(&before, &database);
}

#[test]
fn a_start_on_a_read_only_disk_ends_with_the_path_and_what_helps() {
    const READ_ONLY: &str = "mount -o remount,ro \"$0\"";
    let (_before, state) = kept();
    for script in [
        READ_ONLY.to_owned(),
        format!("cp \"$KEPT\"/* \"$0\"; {READ_ONLY}"),
    ] {
        let stage = on_a_disk("1m", &script, &state);
        let dir = path(&stage.setup.dir.join("state"));
        let words = ["Read-only file system", "make it writable", "--state-dir"];
        is_refused(&stage, &[&[dir.as_str()], &words[..]].concat());
    }
}
