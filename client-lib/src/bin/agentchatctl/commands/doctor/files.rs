//! Sockets, directories and files: who may open them, and how much room there is.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use nix::sys::statvfs::statvfs;

use super::finding::Finding;

type Findings = Vec<Finding>;

/// Who may open the socket, and who could put another one in its place.
pub(super) fn socket(path: &Path, findings: &mut Findings) {
    let Ok(meta) = fs::symlink_metadata(path) else {
        return;
    };
    let own = fs::metadata("/proc/self").map(|meta| meta.uid());
    let mode = meta.mode() & ALL;
    let told = format!("mode {mode:04o}, of user {}", meta.uid());
    findings.push(if mode & WRITE_OF_OTHERS != 0 {
        Finding::warn(
            "permissions",
            format!("everyone on this machine may use the daemon ({told})"),
            "set `mode` of [socket] to \"0660\" or \"0600\" in the daemon's configuration",
        )
    } else if own.is_ok_and(|own| own != meta.uid()) {
        Finding::ok("permissions", format!("{told}; you may open it"))
    } else {
        Finding::ok("permissions", told)
    });
    if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty())
        && let Ok(meta) = fs::metadata(dir)
    {
        findings.extend(place(dir, &meta));
    }
}

fn place(dir: &Path, meta: &Metadata) -> Option<Finding> {
    let mode = meta.mode() & ALL;
    if mode & WRITE_OF_GROUP_AND_OTHERS == 0 {
        return None;
    }
    let mend = "let --socket name a directory of its own, with mode 0700";
    let dir = dir.display();
    Some(if mode & STICKY != 0 {
        let message =
            format!("{dir} is open to everyone: while no daemon runs, others could serve here");
        Finding::warn("permissions", message, mend)
    } else {
        let message = format!("others may write to {dir} (mode {mode:04o}) and replace the socket");
        Finding::fail("permissions", message, mend)
    })
}

/// The state directory, the key in it, and the room.
pub(super) fn state_dir(dir: &Path, findings: &mut Findings) {
    let told = dir.display();
    let meta = match fs::metadata(dir) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            findings.push(Finding::warn(
                "state",
                format!("there is no {told} yet"),
                "the daemon makes it at its first start",
            ));
            return;
        }
        Err(error) => {
            findings.push(Finding::warn(
                "state",
                format!("{told} cannot be looked at ({error})"),
                "run this as the daemon's user",
            ));
            return;
        }
    };
    findings.push(closed("state", dir, &meta, "700"));
    let key = dir.join("credentials.toml");
    if let Ok(meta) = fs::metadata(&key) {
        findings.push(closed("key file", &key, &meta, "600"));
    }
    match statvfs(dir) {
        Ok(disk) => findings.push(room(
            disk.blocks_available().saturating_mul(disk.fragment_size()),
        )),
        Err(error) => findings.push(Finding::warn(
            "disk",
            format!("its room is not known ({error})"),
            format!("look with `df {told}`"),
        )),
    }
}

/// Messages and keys are for the daemon's user alone.
fn closed(check: &'static str, path: &Path, meta: &Metadata, mode_meant: &str) -> Finding {
    let mode = meta.mode() & ALL;
    let path = path.display();
    if mode & ANY_OF_GROUP_AND_OTHERS == 0 {
        return Finding::ok(check, format!("{path}, mode {mode:04o}"));
    }
    let message = format!("{path} is open to others, mode {mode:04o}");
    Finding::fail(check, message, format!("chmod {mode_meant} {path}"))
}

fn room(bytes: u64) -> Finding {
    let message = format!("{} MiB free", bytes >> 20);
    let mend = "make room there, or move the state directory; without room nothing is received";
    match bytes {
        0..DISK_FAIL_BYTES => Finding::fail("disk", message, mend),
        DISK_FAIL_BYTES..DISK_WARN_BYTES => Finding::warn("disk", message, mend),
        _ => Finding::ok("disk", message),
    }
}

const ALL: u32 = 0o7777;
const STICKY: u32 = 0o1000;
const WRITE_OF_OTHERS: u32 = 0o002;
const WRITE_OF_GROUP_AND_OTHERS: u32 = 0o022;
const ANY_OF_GROUP_AND_OTHERS: u32 = 0o077;
const DISK_FAIL_BYTES: u64 = 64 << 20;
const DISK_WARN_BYTES: u64 = 512 << 20;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::finding::Level;
    use super::*;

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn files_that_others_may_read_fail_with_the_command_that_closes_them() {
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("credentials.toml");
        fs::write(&key, "x").unwrap();
        set(&key, 0o640);
        set(dir.path(), 0o755);
        let mut findings = Vec::new();
        state_dir(dir.path(), &mut findings);
        assert_eq!(
            (findings[0].check, findings[0].level),
            ("state", Level::Fail)
        );
        assert_eq!(
            (findings[1].check, findings[1].level),
            ("key file", Level::Fail)
        );
        assert!(findings[1].mend.as_ref().unwrap().starts_with("chmod 600 "));
        set(&key, 0o600);
        set(dir.path(), 0o700);
        findings.clear();
        state_dir(dir.path(), &mut findings);
        assert!(findings[..2].iter().all(|found| found.level == Level::Ok));
        assert_eq!(findings[2].check, "disk");
    }

    #[test]
    fn a_directory_in_which_others_may_write_is_no_place_for_a_socket() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
        for (mode, expected) in [
            (0o700, None),
            (0o777, Some(Level::Fail)),
            (0o1777, Some(Level::Warn)),
        ] {
            set(dir.path(), mode);
            let meta = fs::metadata(dir.path()).unwrap();
            let found = place(dir.path(), &meta).map(|found| found.level);
            assert_eq!(found, expected, "{mode:o}");
        }
        set(&path, 0o666);
        let mut findings = Vec::new();
        socket(&path, &mut findings);
        assert_eq!(findings[0].level, Level::Warn);
    }

    #[test]
    fn room_is_judged_before_it_is_gone() {
        assert_eq!(room(0).level, Level::Fail);
        assert_eq!(room(100 << 20).level, Level::Warn);
        assert_eq!(room(10 << 30).level, Level::Ok);
    }
}
