//! A state directory on a file system that has no locks.

use agentchatd_tests::shim::{ENOLCK, EOPNOTSUPP, Slot};

use crate::{ended, stage};

#[test]
fn a_file_system_without_locks_is_refused_at_once_with_what_helps() {
    for errno in [ENOLCK, EOPNOTSUPP] {
        for (kinds, which) in [(1, "fcntl"), (2, "flock"), (3, "both")] {
            let (stage, shim) = stage();
            shim.set(Slot::LockErrno, errno);
            shim.set(Slot::LockKinds, kinds);
            let (status, said) = ended(&stage.setup);
            assert!(shim.get(Slot::Failed) > 0, "{which}: a lock was asked for");
            assert_eq!(status.code(), Some(78), "{which}, {errno}: {said}");
            let dir = stage.setup.dir.join("state");
            for word in [dir.to_str().expect("text"), "has no locks", "--state-dir"] {
                assert!(said.contains(word), "{which}, {errno}: {word}: {said}");
            }
            assert!(!said.contains("panicked"), "{said}");
            assert!(!stage.setup.database().exists(), "nothing was made there");
            // The same place with locks is good.
            shim.heal();
            stage.ready();
        }
    }
}
