//! Who is meant by the entries of `[access]`, as ids. Names are looked up once, at start and at
//! a reload; a name that nobody bears stops the start, for it might be given away later.

use super::accounts::Accounts;

/// A user or a group of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal {
    /// The user with this uid.
    Uid(u32),
    /// Every member of the group with this gid.
    Gid(u32),
}

impl Principal {
    /// Reads `uid:1000`, `gid:100`, `alice` or `@staff`.
    ///
    /// # Errors
    /// The form is another one, or the name does not exist on this machine.
    pub(super) fn parse(text: &str, accounts: &dyn Accounts) -> Result<Self, UnknownPrincipal> {
        let id = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            // The largest number means "no id" to the kernel.
            digits
                .parse()
                .ok()
                .filter(|id: &u32| plain && *id != u32::MAX)
        };
        if let Some(digits) = text.strip_prefix("uid:") {
            id(digits)
                .map(Self::Uid)
                .ok_or_else(|| UnknownPrincipal::form(text))
        } else if let Some(digits) = text.strip_prefix("gid:") {
            id(digits)
                .map(Self::Gid)
                .ok_or_else(|| UnknownPrincipal::form(text))
        } else if let Some(group) = text.strip_prefix('@') {
            let gid = accounts.gid_of(group).map(Self::Gid);
            gid.ok_or_else(|| UnknownPrincipal::Group(group.to_owned()))
        } else {
            let uid = accounts.uid_of(text).map(Self::Uid);
            uid.ok_or_else(|| UnknownPrincipal::User(text.to_owned()))
        }
    }

    /// True where a process with this uid, and the groups of its user, is meant.
    #[must_use]
    pub fn covers(self, uid: u32, groups: &[u32]) -> bool {
        match self {
            Self::Uid(wanted) => wanted == uid,
            Self::Gid(wanted) => groups.contains(&wanted),
        }
    }
}

/// The entries of `[access]`, resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessRules {
    /// Who may do everything.
    pub admin: Vec<Principal>,
    /// Who may act as the agent.
    pub send: Vec<Principal>,
    /// Who may look.
    pub read: Vec<Principal>,
}

/// An entry that names nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum UnknownPrincipal {
    #[error("there is no user called {0:?}; allowed: uid:N, gid:N, a user, @group")]
    User(String),
    #[error("there is no group called {0:?}; allowed: uid:N, gid:N, a user, @group")]
    Group(String),
    #[error("{0:?} has no valid number; allowed: uid:N, gid:N, a user, @group")]
    Form(String),
}

impl UnknownPrincipal {
    fn form(text: &str) -> Self {
        Self::Form(text.to_owned())
    }
}
