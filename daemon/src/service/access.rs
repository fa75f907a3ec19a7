//! Scopes of local callers, from `[access]` (`local-api.md` 7).

use agentchatd_client::api::Scope;

use crate::{
    config::{AccessRules, Principal},
    rpc::{Access, Peer},
};

/// The rules of the configuration over the defaults: the daemon's own user and root may do
/// everything, whoever else can open the socket is of its group and may act as the agent. Where
/// `[access]` names anybody, those it does not name may nothing.
pub(super) fn access(own_uid: u32, rules: AccessRules) -> Access {
    let is_open = rules.admin.is_empty() && rules.send.is_empty() && rules.read.is_empty();
    if is_open {
        return Access::standard(own_uid);
    }
    Access::by(move |peer| {
        if peer.uid == own_uid || peer.uid == ROOT {
            return Some(Scope::Admin);
        }
        [
            (&rules.admin, Scope::Admin),
            (&rules.send, Scope::Send),
            (&rules.read, Scope::Read),
        ]
        .into_iter()
        .find(|(who, _)| names(who, peer))
        .map(|(_, scope)| scope)
    })
}

fn names(who: &[Principal], peer: &Peer) -> bool {
    who.iter()
        .any(|principal| principal.covers(peer.uid, &[peer.gid]))
}

const ROOT: u32 = 0;
