//! A socket that the service manager has bound and hands over at the start (`sd_listen_fds(3)`).
//!
//! It listens before the daemon runs and goes on while the daemon is away, so a connection made in
//! a restart waits in its queue. Its file, mode and group are the service manager's; the daemon
//! serves it and removes nothing. What cannot be served is refused before anything else starts: a
//! daemon that made a socket of its own instead would leave clients waiting at the other one.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;

use listenfd::ListenFd;
use nix::sys::socket::{getsockopt, sockopt};

use crate::config::{Environment, FileMode, GivenSocket};

/// A listening socket and its file.
#[derive(Debug)]
pub struct HandedOver {
    /// The socket.
    pub listener: UnixListener,
    /// What its file says.
    pub file: GivenSocket,
}

/// Why what was handed over cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ActivationError {
    /// `LISTEN_FDS` is for this process and holds no number.
    #[error("socket activation: LISTEN_FDS is no number")]
    Unreadable,
    /// There is one local API, so there is one socket.
    #[error("socket activation: {count} sockets were handed over{names}; one is served")]
    Several {
        /// How many.
        count: u32,
        /// What the service manager calls them.
        names: String,
    },
    /// Another kind of file, or of socket.
    #[error(
        "socket activation: what was handed over{name} is no listening Unix stream socket \
         ({reason}); name a path in ListenStream=, without Accept=yes"
    )]
    WrongKind {
        /// What the service manager calls it.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An address in the abstract namespace has no owner, group or mode: anybody can connect.
    #[error(
        "socket activation: {address} is an abstract address, which every user can connect to; \
         name a path in ListenStream="
    )]
    Abstract {
        /// The name, after an `@`.
        address: String,
    },
}

/// The socket that was handed over to this process, if one was.
///
/// Call before the process has a second thread: the variables are removed from its environment, so
/// that no program started later takes them for its own.
///
/// # Errors
/// See [`ActivationError`].
pub fn take(env: &Environment) -> Result<Option<HandedOver>, ActivationError> {
    let Some(count) = count(env, std::process::id())? else {
        return Ok(None);
    };
    let names = env.text("LISTEN_FDNAMES").unwrap_or_default();
    if count > 1 {
        let names = said(&names.replace(':', ", "));
        return Err(ActivationError::Several { count, names });
    }
    let wrong = |reason: String| ActivationError::WrongKind {
        name: said(names),
        reason,
    };
    let taken = ListenFd::from_env().take_unix_listener(0);
    let listener = taken
        .map_err(|error| wrong(error.to_string()))?
        .ok_or_else(|| wrong("there is none".to_owned()))?;
    match getsockopt(&listener, sockopt::AcceptConn) {
        Ok(true) => {}
        Ok(false) => return Err(wrong("it does not listen".to_owned())),
        Err(error) => return Err(wrong(error.to_string())),
    }
    let address = listener
        .local_addr()
        .map_err(|error| wrong(error.to_string()))?;
    let file = file(&address)?;
    Ok(Some(HandedOver { listener, file }))
}

/// How many descriptors are for this process; `None` where none are.
fn count(env: &Environment, own_pid: u32) -> Result<Option<u32>, ActivationError> {
    // The variables are inherited; the pid tells whether they are meant for us.
    let for_us = env
        .text("LISTEN_PID")
        .is_some_and(|pid| pid.parse() == Ok(own_pid));
    let Some(count) = env.var("LISTEN_FDS").filter(|_| for_us) else {
        return Ok(None);
    };
    let count = count.to_str().and_then(|count| count.parse().ok());
    let count: u32 = count.ok_or(ActivationError::Unreadable)?;
    Ok((count > 0).then_some(count))
}

fn said(names: &str) -> String {
    if names.is_empty() {
        return String::new();
    }
    format!(" ({})", names.escape_debug())
}

fn file(address: &SocketAddr) -> Result<GivenSocket, ActivationError> {
    let Some(path) = address.as_pathname() else {
        use std::os::linux::net::SocketAddrExt as _;
        let name = address.as_abstract_name().unwrap_or_default();
        let address = format!("@{}", name.escape_ascii());
        return Err(ActivationError::Abstract { address });
    };
    Ok(look_at(path))
}

fn look_at(path: &Path) -> GivenSocket {
    // It may have been removed, or lie where this process cannot look.
    let seen = fs::symlink_metadata(path)
        .ok()
        .filter(|metadata| metadata.file_type().is_socket());
    GivenSocket {
        path: path.to_owned(),
        access: seen.map(|metadata| (FileMode::of_file(metadata.mode()), metadata.gid())),
    }
}

#[cfg(test)]
mod tests {
    use std::os::linux::net::SocketAddrExt as _;

    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Environment {
        Environment::of_pairs(Path::new("/"), pairs.iter().copied())
    }

    #[test]
    fn only_variables_with_the_own_pid_count() {
        let given = [("LISTEN_FDS", "2"), ("LISTEN_PID", "7")];
        assert_eq!(count(&env(&given), 7).unwrap(), Some(2));
        assert_eq!(count(&env(&given), 8).unwrap(), None);
        assert_eq!(count(&env(&given[..1]), 7).unwrap(), None);
        assert_eq!(count(&env(&[]), 7).unwrap(), None);
        let none = env(&[("LISTEN_FDS", "0"), ("LISTEN_PID", "7")]);
        assert_eq!(count(&none, 7).unwrap(), None);
        for nonsense in ["many", "-1", "1 "] {
            let env = env(&[("LISTEN_FDS", nonsense), ("LISTEN_PID", "7")]);
            assert!(matches!(count(&env, 7), Err(ActivationError::Unreadable)));
        }
    }

    #[test]
    fn an_abstract_address_is_refused_by_its_name() {
        let address = SocketAddr::from_abstract_name("hub\n").unwrap();
        let error = file(&address).unwrap_err().to_string();
        assert!(error.contains("@hub\\n is an abstract"), "{error}");
    }

    #[test]
    fn mode_and_group_are_those_of_the_file_and_unknown_without_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o660)).unwrap();
        let gid = fs::metadata(&path).unwrap().gid();
        let given = file(&listener.local_addr().unwrap()).unwrap();
        assert_eq!(
            (&given.path, given.access),
            (&path, Some((FileMode::GROUP, gid)))
        );
        fs::remove_file(&path).unwrap();
        assert_eq!(look_at(&path).access, None);
        fs::write(&path, "").unwrap();
        assert_eq!(look_at(&path).access, None);
    }
}
