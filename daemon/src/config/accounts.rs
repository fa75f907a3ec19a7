//! The machine's users and groups.
//!
//! Names are looked up through the C library (by the safe functions of `nix`), not by reading
//! `/etc/passwd`: on machines with LDAP or systemd-homed the people who share a socket are not in
//! that file. All lookups happen at start, at a reload, or once for a new connection.

use std::ffi::CString;

use nix::unistd::{Gid, Group, Uid, User, getgrouplist};

/// Looks users and groups up. The daemon uses [`SystemAccounts`]; tests bring their own.
pub trait Accounts {
    /// The uid of the user called `name`, if there is one.
    fn uid_of(&self, name: &str) -> Option<u32>;
    /// The gid of the group called `name`, if there is one.
    fn gid_of(&self, name: &str) -> Option<u32>;
    /// All groups of the user `uid`, the primary one included; empty where the user is unknown.
    fn groups_of(&self, uid: u32) -> Vec<u32>;
    /// The uid that this process acts as.
    fn own_uid(&self) -> u32;
}

/// The accounts of this machine, as the C library sees them.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemAccounts;

impl Accounts for SystemAccounts {
    fn uid_of(&self, name: &str) -> Option<u32> {
        User::from_name(name)
            .ok()
            .flatten()
            .map(|user| user.uid.as_raw())
    }

    fn gid_of(&self, name: &str) -> Option<u32> {
        Group::from_name(name)
            .ok()
            .flatten()
            .map(|group| group.gid.as_raw())
    }

    fn groups_of(&self, uid: u32) -> Vec<u32> {
        let Ok(Some(user)) = User::from_uid(Uid::from_raw(uid)) else {
            return Vec::new();
        };
        let Ok(name) = CString::new(user.name) else {
            return vec![user.gid.as_raw()];
        };
        getgrouplist(&name, user.gid).map_or_else(
            |_| vec![user.gid.as_raw()],
            |groups| groups.into_iter().map(Gid::as_raw).collect(),
        )
    }

    fn own_uid(&self) -> u32 {
        Uid::effective().as_raw()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_known_and_a_made_up_name_is_not() {
        assert_eq!(SystemAccounts.uid_of("root"), Some(0));
        assert_eq!(SystemAccounts.gid_of("root"), Some(0));
        assert_eq!(SystemAccounts.uid_of("no such user \u{1}"), None);
        assert_eq!(SystemAccounts.gid_of("with\0nul"), None);
    }

    #[test]
    fn the_groups_of_a_user_hold_the_primary_one() {
        assert!(SystemAccounts.groups_of(0).contains(&0));
        assert!(SystemAccounts.groups_of(u32::MAX - 7).is_empty());
    }
}
