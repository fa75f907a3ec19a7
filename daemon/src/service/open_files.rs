//! How many files the process may have open, and how many of them are for local clients.
//!
//! Each connection is a file. The soft limit is 1,024 on many machines, for the sake of programs
//! that use `select`; this one does not, and takes what the hard limit gives. Where that is less
//! than all connections need, fewer are served at a time: those who wait must not take the last
//! file from the database and from the connection to AgentChat.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Raises the limit of this process to the hard one; gives what holds now.
pub(super) fn raise() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return u64::MAX;
    };
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(_) => soft,
    }
}

/// How many connections there may be at a time where so many files may be open, and what to tell
/// where that is less than what was asked for.
pub(super) fn places(max_connections: usize, limit: u64) -> (usize, Option<String>) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let for_clients = limit
        .saturating_sub(OWN_FILES)
        .max(limit / LEAST_SHARE)
        .max(1);
    if for_clients >= max_connections {
        return (max_connections, None);
    }
    let wanted = max_connections.saturating_add(OWN_FILES);
    let warning = format!(
        "only {for_clients} local connections are served at a time, not the {max_connections} of \
         max_connections, for this process may open {limit} files: raise the limit to {wanted} \
         (LimitNOFILE= of the service, or ulimit -Hn)"
    );
    (for_clients, Some(warning))
}

/// Files for everything else: database, log, signals, AgentChat, attachments on their way.
const OWN_FILES: usize = 64;

/// Where there are hardly more than those, clients get one of so many.
const LEAST_SHARE: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_connections_have_a_place_where_there_are_files_enough() {
        assert_eq!(places(1024, 1088), (1024, None));
        assert_eq!(places(65_535, u64::MAX), (65_535, None));
    }

    #[test]
    fn with_fewer_files_the_daemon_keeps_its_own_and_says_what_to_raise() {
        let (places, warning) = places(1024, 1024);
        assert_eq!(places, 960);
        let warning = warning.unwrap();
        for part in ["960", "1024", "1088", "LimitNOFILE", "ulimit"] {
            assert!(warning.contains(part), "{warning}");
        }
    }

    #[test]
    fn there_is_a_place_however_few_files_there_are() {
        assert_eq!(places(1024, 64).0, 16);
        assert_eq!(places(1024, 1).0, 1);
        assert_eq!(places(1024, 0).0, 1);
    }
}
