//! `groups.*` but for the pictures (wire.md 1.8).

use agentchatd_client::api::{
    GroupsAcceptInvite, GroupsAddMember, GroupsCreate, GroupsDelete, GroupsDemoteMember, GroupsGet,
    GroupsLeave, GroupsListInvites, GroupsPromoteMember, GroupsRejectInvite, GroupsRemoveMember,
    GroupsUpdate,
};
use agentchatd_client::types::{GroupMemberPostParams, GroupsCreateParams, GroupsUpdateParams};

use super::call::calls;
use super::{Body, Request};

calls! {
    GroupsGet(params) => Request::get(&["v1", "groups", params.group_id.as_str()]);
    GroupsDelete(params) => Request::delete(&["v1", "groups", params.group_id.as_str()]);
    GroupsRemoveMember(params) => Request::delete(
        &["v1", "groups", params.group_id.as_str(), "members", params.handle.as_str()],
    );
    GroupsListInvites(_params) => Request::get(&["v1", "groups", "invites"]);
    GroupsRejectInvite(params) => Request::delete(
        &["v1", "groups", "invites", params.invite_id.as_str()],
    );
}

calls! {
    keyed
    GroupsCreate(params) => Request::post(&["v1", "groups"]).json(create(params).text());
    GroupsUpdate(params) => Request::patch(&["v1", "groups", params.group_id.as_str()])
        .json(update(params).text());
    GroupsAddMember(params) => Request::post(
        &["v1", "groups", params.group_id.as_str(), "members"],
    ).json(Body::new().with("handle", &params.handle).text());
    GroupsPromoteMember(params) => role(params, "promote");
    GroupsDemoteMember(params) => role(params, "demote");
    GroupsLeave(params) => Request::post(&["v1", "groups", params.group_id.as_str(), "leave"]);
    GroupsAcceptInvite(params) => Request::post(
        &["v1", "groups", "invites", params.invite_id.as_str(), "accept"],
    );
}

fn create(params: &GroupsCreateParams) -> Body {
    Body::new()
        .with("name", &params.name)
        .some("description", params.description.as_ref())
        .some("member_handles", params.member_handles.as_ref())
        .some("settings", params.settings.as_ref())
        .some("avatar_url", params.avatar_url.as_ref())
}

fn update(params: &GroupsUpdateParams) -> Body {
    Body::new()
        .some("name", params.name.as_ref())
        .change("description", &params.description)
        .change("avatar_url", &params.avatar_url)
        .some("settings", params.settings.as_ref())
}

fn role(params: &GroupMemberPostParams, verb: &str) -> Request {
    let (group, member) = (params.group_id.as_str(), params.handle.as_str());
    Request::post(&["v1", "groups", group, "members", member, verb])
}
