//! `groups.*`.

use super::call::{Change, call_params};
use super::handle::{Handle, PathHandle};
use super::json::JsonObject;
use super::text::{Id, Text};

call_params! {
    /// Parameters of a call about one group.
    GroupParams {
        /// Which group.
        group_id: Id,
    }
}

call_params! {
    /// Parameters of a call that does something in one group.
    post GroupPostParams {
        /// Which group.
        group_id: Id,
    }
}

call_params! {
    /// Parameters of `groups.create`.
    post GroupsCreateParams {
        /// Its name.
        name: Text,
        /// What it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<Text>,
        /// Who is invited, or added at once where AgentChat does so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        member_handles: Option<Vec<Handle>>,
        /// AgentChat's settings of the group.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        settings: Option<JsonObject>,
        /// The address of its picture.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        avatar_url: Option<Text>,
    }
}

call_params! {
    /// Parameters of `groups.update`. What is left out stays as it is.
    post GroupsUpdateParams {
        /// Which group.
        group_id: Id,
        /// Its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Text>,
        /// What it is about; `null` clears it.
        #[serde(default, skip_serializing_if = "Change::is_keep")]
        description: Change<Text>,
        /// The address of its picture; `null` clears it.
        #[serde(default, skip_serializing_if = "Change::is_keep")]
        avatar_url: Change<Text>,
        /// AgentChat's settings of the group.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        settings: Option<JsonObject>,
    }
}

call_params! {
    /// Parameters of `groups.add_member`.
    post GroupsAddMemberParams {
        /// Which group.
        group_id: Id,
        /// Whom.
        handle: Handle,
    }
}

call_params! {
    /// Parameters of `groups.remove_member`.
    GroupMemberParams {
        /// Which group.
        group_id: Id,
        /// Which member.
        handle: PathHandle,
    }
}

call_params! {
    /// Parameters of a call that changes a member's role.
    post GroupMemberPostParams {
        /// Which group.
        group_id: Id,
        /// Which member.
        handle: PathHandle,
    }
}

call_params! {
    /// Parameters of `groups.reject_invite`.
    InviteParams {
        /// Which invite.
        invite_id: Id,
    }
}

call_params! {
    /// Parameters of `groups.accept_invite`.
    post InvitePostParams {
        /// Which invite.
        invite_id: Id,
    }
}
