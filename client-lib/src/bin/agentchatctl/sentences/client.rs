//! What can happen on the way to the daemon.

use std::io;
use std::path::PathBuf;

use agentchatd_client::{ClientError, SubscriptionError};

use super::rpc;
use crate::failure::Failure;

/// What a call ended with.
pub(crate) fn of_call(method: &str, error: &ClientError) -> Failure {
    match error {
        ClientError::Rpc(error) => Failure::failed(rpc::sentence(method, error)),
        ClientError::Connect { path, source } => {
            let copy = io::Error::new(source.kind(), source.to_string());
            Failure::no_daemon(no_daemon(&[(path.clone(), copy)]))
        }
        ClientError::Disconnected { .. } => Failure::failed(
            "the daemon went away in the middle of the call, so it is not known whether it was \
             done; look with `agentchatctl status`, and at the daemon's log",
        ),
        ClientError::Timeout { after, .. } => Failure::failed(format!(
            "the daemon gave no answer to {method} within {} s, so it is not known whether it was \
             done; try a longer --timeout, and look with `agentchatctl health`",
            after.as_secs_f32()
        )),
        ClientError::Json { source, .. } => Failure::failed(format!(
            "the daemon's answer to {method} cannot be read ({source}); compare `agentchatctl \
             --version` with `agentchatctl call daemon.version`"
        )),
        ClientError::Text(error) => Failure::usage(format!(
            "AgentChat takes no such text: {error}; leave it out"
        )),
        other => Failure::failed(format!("{other}; look with `agentchatctl health`")),
    }
}

/// What a subscription says, once or at its end.
pub(crate) fn of_subscription(error: &SubscriptionError) -> Failure {
    match error {
        SubscriptionError::Connect { path, source } => {
            let copy = io::Error::new(source.kind(), source.to_string());
            Failure::no_daemon(no_daemon(&[(path.clone(), copy)]))
        }
        SubscriptionError::Refused(error) => {
            Failure::failed(rpc::sentence("events.subscribe", error))
        }
        SubscriptionError::Closed { reason } => Failure::failed(match reason.as_str() {
            "takeover" => {
                "another program took the consumer over; use a name of your own".to_owned()
            }
            "deleted" => "someone deleted the consumer; start again to make it anew".to_owned(),
            other => format!("the daemon ended the subscription ({other}); start again"),
        }),
        SubscriptionError::GaveUp { after } => Failure::no_daemon(format!(
            "the daemon has been away for {} s; start it, or give a longer --timeout",
            after.as_secs()
        )),
        SubscriptionError::Hole { expected, got } => Failure::failed(format!(
            "events {expected} to {} are not in the log any more; go on with what is there",
            got.saturating_sub(1)
        )),
        SubscriptionError::NotRising { .. } => Failure::failed(
            "the daemon repeated events; they are asked for again from the last good place",
        ),
        SubscriptionError::Ack(error) => Failure::failed(rpc::sentence("events.ack", error)),
        other => Failure::failed(format!("{other}; start again")),
    }
}

/// Nobody can be reached at any of the places that were tried.
pub(crate) fn no_daemon(tried: &[(PathBuf, io::Error)]) -> String {
    // A socket that is there says more than the places where none is.
    let there = tried
        .iter()
        .find(|(_, error)| error.kind() != io::ErrorKind::NotFound)
        .or_else(|| tried.first());
    let Some((path, error)) = there else {
        return "it is not known where the daemon's socket is; give it with --socket".to_owned();
    };
    let path = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => format!(
            "no daemon is running: there is no socket at {path}; start it with `agentchatd` or \
             `systemctl --user start agentchatd`, or say where it is with --socket"
        ),
        io::ErrorKind::ConnectionRefused => format!(
            "no daemon is running: the socket at {path} is a leftover; start it with `agentchatd` \
             or `systemctl --user start agentchatd`"
        ),
        io::ErrorKind::PermissionDenied => format!(
            "you may not open the daemon's socket at {path}; join its group (`usermod -aG \
             agentchat USER`, then log in anew), or run this as the daemon's user"
        ),
        io::ErrorKind::TimedOut => {
            format!("the daemon at {path} accepts no connection; look at its log, and restart it")
        }
        _ => format!(
            "the daemon's socket at {path} cannot be opened ({error}); say where it is with \
             --socket"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(kinds: &[io::ErrorKind]) -> Vec<(PathBuf, io::Error)> {
        let places = kinds.iter().enumerate();
        places
            .map(|(place, kind)| (format!("/s{place}").into(), (*kind).into()))
            .collect()
    }

    #[test]
    fn a_socket_that_is_there_says_more_than_one_that_is_not() {
        use io::ErrorKind::{NotFound, PermissionDenied};
        let sentence = no_daemon(&tried(&[NotFound, PermissionDenied]));
        assert!(sentence.contains("/s1"), "{sentence}");
        assert!(sentence.contains("group"), "{sentence}");
        let sentence = no_daemon(&tried(&[NotFound, NotFound]));
        assert!(sentence.contains("/s0"), "{sentence}");
        assert!(sentence.contains("start it"), "{sentence}");
    }

    #[test]
    fn no_daemon_has_an_exit_status_of_its_own() {
        let error = ClientError::Connect {
            path: "/s".into(),
            source: io::ErrorKind::NotFound.into(),
        };
        let failure = of_call("daemon.status", &error);
        assert_eq!(failure.exit, crate::exit::Exit::NO_DAEMON);
    }
}
