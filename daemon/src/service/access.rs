//! Scopes of local callers, from `[access]` (`local-api.md` 7).

use std::sync::Arc;

use agentchatd_client::api::Scope;
use tokio::sync::watch;

use crate::{
    config::{AccessRules, Accounts, Principal, Settings, SystemAccounts},
    rpc::{Access, Peer},
};

/// The rules in force; a reload sends new ones.
#[derive(Debug)]
pub(super) struct Rules(watch::Sender<Arc<Known>>);

#[derive(Debug)]
struct Known {
    own_uid: u32,
    socket_gid: Option<u32>,
    /// Whoever connects was let in by the file's mode. A socket that was handed over may be open to
    /// all, for that is what systemd makes where no mode is asked for.
    guarded: bool,
    access: AccessRules,
}

impl Rules {
    pub(super) fn new(settings: &Settings) -> Self {
        Self(watch::Sender::new(Arc::new(Known::of(settings))))
    }

    /// From now on these count, for connections made from now on.
    pub(super) fn replace(&self, settings: &Settings) {
        self.0.send_replace(Arc::new(Known::of(settings)));
    }

    /// The rules as the local API asks for them.
    pub(super) fn access(&self) -> Access {
        let known = self.0.subscribe();
        Access::by(move |peer| {
            let known = Arc::clone(&known.borrow());
            known.scope(peer, || groups(peer))
        })
    }
}

impl Known {
    fn of(settings: &Settings) -> Self {
        Self {
            own_uid: settings.own_uid,
            socket_gid: settings.socket.gid,
            guarded: !(settings.socket.handed_over && settings.socket.mode.lets_all_in()),
            access: settings.access.clone(),
        }
    }

    /// The daemon's own user and root may do everything; whom `[access]` names has the widest
    /// scope that names them. Everybody else can open the socket as a member of its group and may
    /// act as the agent, unless `[access]` names somebody and the socket has no such group, or
    /// the file's mode keeps nobody out.
    fn scope(&self, peer: &Peer, groups: impl FnOnce() -> Vec<u32>) -> Option<Scope> {
        if peer.uid == self.own_uid || peer.uid == ROOT {
            return Some(Scope::Admin);
        }
        let lists = [
            (&self.access.admin, Scope::Admin),
            (&self.access.send, Scope::Send),
            (&self.access.read, Scope::Read),
        ];
        if self.guarded && lists.iter().all(|(who, _)| who.is_empty()) {
            return Some(Scope::Send);
        }
        let groups = groups();
        let named = lists.into_iter().find(|(who, _)| {
            who.iter()
                .any(|who: &Principal| who.covers(peer.uid, &groups))
        });
        let member = self.socket_gid.is_some_and(|gid| groups.contains(&gid));
        named
            .map(|(_, scope)| scope)
            .or_else(|| member.then_some(Scope::Send))
    }
}

/// The group of the process and those of its user.
fn groups(peer: &Peer) -> Vec<u32> {
    let mut groups = SystemAccounts.groups_of(peer.uid);
    groups.push(peer.gid);
    groups
}

const ROOT: u32 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    fn known(access: AccessRules) -> Known {
        Known {
            own_uid: 1000,
            socket_gid: Some(50),
            guarded: true,
            access,
        }
    }

    fn scope(known: &Known, uid: u32, groups: &[u32]) -> Option<Scope> {
        let peer = Peer {
            uid,
            gid: groups[0],
            pid: None,
        };
        known.scope(&peer, || groups.to_vec())
    }

    #[test]
    fn the_own_user_and_root_may_do_everything_whatever_the_lists_say() {
        let read = vec![Principal::Uid(1000), Principal::Uid(0)];
        let known = known(AccessRules {
            read,
            ..AccessRules::default()
        });
        assert_eq!(scope(&known, 1000, &[7]), Some(Scope::Admin));
        assert_eq!(scope(&known, 0, &[0]), Some(Scope::Admin));
    }

    #[test]
    fn without_lists_whoever_can_open_the_socket_may_send() {
        assert_eq!(
            scope(&known(AccessRules::default()), 7, &[7]),
            Some(Scope::Send)
        );
    }

    #[test]
    fn where_the_file_lets_everybody_in_only_its_group_may_send() {
        let open = Known {
            guarded: false,
            ..known(AccessRules::default())
        };
        assert_eq!(scope(&open, 7, &[7, 50]), Some(Scope::Send));
        assert_eq!(scope(&open, 7, &[7]), None);
        assert_eq!(scope(&open, 1000, &[7]), Some(Scope::Admin));
    }

    #[test]
    fn lists_name_users_and_any_of_their_groups_and_the_widest_scope_counts() {
        let known = known(AccessRules {
            admin: vec![Principal::Gid(90)],
            send: vec![],
            read: vec![Principal::Uid(7), Principal::Uid(8)],
        });
        assert_eq!(scope(&known, 7, &[7]), Some(Scope::Read));
        assert_eq!(
            scope(&known, 8, &[8, 50]),
            Some(Scope::Read),
            "the list wins over the group"
        );
        assert_eq!(scope(&known, 7, &[7, 90]), Some(Scope::Admin));
        assert_eq!(
            scope(&known, 9, &[9, 50]),
            Some(Scope::Send),
            "of the socket's group"
        );
        assert_eq!(scope(&known, 9, &[9]), None);
    }
}
