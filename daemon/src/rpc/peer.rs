//! Who is at the other end of a connection, and what it may do.

use std::fmt;
use std::sync::Arc;

use agentchatd_client::Scope;
use tokio::net::UnixStream;

/// A process at the other end of a connection, as the system tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Its user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its process, where the system tells.
    pub pid: Option<i32>,
}

impl Peer {
    /// Asks the system about the connection's other end.
    ///
    /// # Errors
    /// The connection is gone already.
    pub fn of(stream: &UnixStream) -> std::io::Result<Self> {
        let cred = stream.peer_cred()?;
        Ok(Self {
            uid: cred.uid(),
            gid: cred.gid(),
            pid: cred.pid(),
        })
    }
}

/// A peer with the scope that it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The process.
    pub peer: Peer,
    /// What it may do; `None`: nothing.
    pub scope: Option<Scope>,
}

impl Caller {
    /// Whether it may call what needs this scope.
    pub fn may(&self, needed: Scope) -> bool {
        self.scope.is_some_and(|scope| scope.covers(needed))
    }
}

/// Maps peers to scopes.
#[derive(Clone)]
pub struct Access(Arc<Rule>);

type Rule = dyn Fn(&Peer) -> Option<Scope> + Send + Sync;

impl Access {
    /// A rule of the configuration's own.
    pub fn by(rule: impl Fn(&Peer) -> Option<Scope> + Send + Sync + 'static) -> Self {
        Self(Arc::new(rule))
    }

    /// Without configuration: the daemon's own user and root may do everything. Whoever else can
    /// open the socket is a member of its group and may act as the agent.
    pub fn standard(own_uid: u32) -> Self {
        Self::by(move |peer| {
            let own = peer.uid == own_uid || peer.uid == ROOT;
            Some(if own { Scope::Admin } else { Scope::Send })
        })
    }

    /// The caller that this peer is.
    pub fn caller(&self, peer: Peer) -> Caller {
        Caller {
            peer,
            scope: (self.0)(&peer),
        }
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Access").finish()
    }
}

const ROOT: u32 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(uid: u32) -> Caller {
        Access::standard(1000).caller(Peer {
            uid,
            gid: 7,
            pid: None,
        })
    }

    #[test]
    fn the_daemons_own_user_and_root_may_do_everything() {
        assert!(caller(1000).may(Scope::Admin));
        assert!(caller(ROOT).may(Scope::Admin));
    }

    #[test]
    fn others_that_can_open_the_socket_may_act_as_the_agent() {
        assert!(caller(1001).may(Scope::Send) && caller(1001).may(Scope::Read));
        assert!(!caller(1001).may(Scope::Admin));
    }

    #[test]
    fn a_peer_without_a_scope_may_do_nothing() {
        let nobody = Access::by(|_| None).caller(Peer {
            uid: 0,
            gid: 0,
            pid: None,
        });
        assert!(!nobody.may(Scope::Read));
    }
}
