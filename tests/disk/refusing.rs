//! A disk that refuses while the daemon runs: full, read-only, failing.

use agentchatd_tests::shim::{EIO, EROFS, Shim, Slot};

use crate::outage::Peace;
use crate::stage;

/// Breaks the disk, looks at what the daemon does, mends it, and looks again.
fn an_outage(breaks: impl Fn(&Shim), words: &[&str]) {
    let (stage, shim) = stage();
    let mut peace = Peace::of(&stage);
    let database = stage.setup.database();
    breaks(&shim);
    peace.is_over(&stage, &database);
    peace.is_down(words);
    assert!(shim.get(Slot::Failed) > 0, "the disk did refuse");
    shim.heal();
    peace.returns(&stage, &database);
}

#[test]
fn a_full_disk_accepts_and_acknowledges_nothing_and_all_goes_on_once_there_is_room() {
    an_outage(|shim| shim.set(Slot::Room, 0), &["the disk is full"]);
}

#[test]
fn a_disk_that_fills_up_in_the_middle_of_a_write_is_a_full_disk() {
    an_outage(|shim| shim.set(Slot::Room, 1500), &["the disk is full"]);
}

#[test]
fn a_disk_that_turns_read_only_accepts_and_acknowledges_nothing_until_it_is_writable() {
    an_outage(|shim| shim.fail_writes(EROFS), &["disk I/O error"]);
}

#[test]
fn writes_that_fail_accept_and_acknowledge_nothing_until_they_succeed() {
    an_outage(|shim| shim.fail_writes(EIO), &["disk I/O error"]);
}

#[test]
fn syncs_that_fail_accept_and_acknowledge_nothing_until_they_succeed() {
    an_outage(Shim::fail_syncs, &["disk I/O error"]);
}
