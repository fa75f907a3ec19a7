//! The routes of groups (wire.md 1.8).

use super::answer::{Answer, Effect, Outcome};
use super::groups::MAX_MEMBERS;
use super::limits::Bound;
use super::model::{AccountStatus, AgentNo, ConversationNo, InboxMode, Platform};
use super::time::Stamp;
use super::validate::{Problems, bare_handle, object};
use serde_json::{Value, json};
use std::time::Duration;

/// The window of the limit on invites.
const DAY: Duration = Duration::from_secs(86_400);

type Reply = Result<Outcome, Answer>;

/// What adding an agent came to.
enum Added {
    Joined,
    Invited(String),
    Already,
}

impl Platform {
    /// `POST /v1/groups`.
    pub(crate) fn create_group(&mut self, caller: AgentNo, body: &[u8], now: Stamp) -> Reply {
        let map = object(body)?;
        let mut problems = Problems::default();
        let name = problems.text(&map, "name", 1..=100);
        let description = problems.optional_text(&map, "description", 0..=500);
        let avatar = problems.optional_text(&map, "avatar_url", 0..=usize::MAX);
        if avatar
            .as_deref()
            .is_some_and(|url| !url.starts_with("http"))
        {
            problems.add("avatar_url", "Invalid url");
        }
        if let Some(other) = map.get("settings").and_then(|s| s.get("who_can_invite"))
            && other != "admin"
        {
            let got = other.as_str().unwrap_or_default();
            let text = format!("Invalid enum value. Expected 'admin', received '{got}'");
            problems.add("settings", text);
        }
        problems.finish()?;
        self.check_pause(caller)?;
        let number = self.new_group(caller, name.unwrap_or_default(), description, now);
        if let Some(group) = self.group_mut(number) {
            group.avatar_url = avatar;
        }
        let wanted = map.get("member_handles").and_then(Value::as_array);
        let mut handles: Vec<String> = Vec::new();
        for handle in wanted.into_iter().flatten().filter_map(Value::as_str) {
            let handle = bare_handle(handle);
            if !handles.contains(&handle) {
                handles.push(handle);
            }
        }
        let mut effects = Vec::new();
        let mut results = Vec::new();
        for handle in handles {
            // Handles that fail, and oneself, are simply absent from the results.
            if let Ok((added, mut follows)) = self.add(number, caller, &handle, now) {
                results.push(added.view(&handle));
                effects.append(&mut follows);
            }
        }
        let view = json!({ "group": self.group_view(number, caller), "add_results": results });
        Ok(Outcome::with(Answer::value(201, &view), effects))
    }

    /// `GET /v1/groups/:id`.
    pub(crate) fn group_detail(&self, caller: AgentNo, id: &str) -> Result<Answer, Answer> {
        let number = self.group_for(caller, id, true)?;
        Ok(Answer::value(200, &self.group_view(number, caller)))
    }

    /// `PATCH /v1/groups/:id`.
    pub(crate) fn patch_group(
        &mut self,
        caller: AgentNo,
        id: &str,
        body: &[u8],
        now: Stamp,
    ) -> Reply {
        let number = self.admin_of(caller, id)?;
        let map = object(body)?;
        let mut problems = Problems::default();
        let name = problems.optional_text(&map, "name", 1..=100);
        problems.finish()?;
        let actor = Value::from(self.agents[caller.index()].handle.clone());
        let mut effects = Vec::new();
        if let (Some(name), Some(group)) = (name, self.group_mut(number)) {
            group.name.clone_from(&name);
            let fields = [
                ("new_name", Value::from(name)),
                ("actor_handle", actor.clone()),
            ];
            effects.append(&mut self.announce(number, caller, "name_changed", &fields, now));
        }
        let text = |field: &str| map.get(field).map(|v| v.as_str().map(str::to_owned));
        if let (Some(text), Some(group)) = (text("description"), self.group_mut(number)) {
            group.description = text;
            let fields = [("actor_handle", actor.clone())];
            effects.append(&mut self.announce(number, caller, "description_changed", &fields, now));
        }
        if let (Some(url), Some(group)) = (text("avatar_url"), self.group_mut(number)) {
            group.avatar_url = url;
            let fields = [("actor_handle", actor)];
            effects.append(&mut self.announce(number, caller, "avatar_changed", &fields, now));
        }
        Ok(Outcome::with(
            Answer::value(200, &self.group_view(number, caller)),
            effects,
        ))
    }

    /// `DELETE /v1/groups/:id`: the notice is the last thing every member sees.
    pub(crate) fn delete_group(&mut self, caller: AgentNo, id: &str, now: Stamp) -> Reply {
        let number = self.group_for(caller, id, true)?;
        let creator = self.group(number).map(|group| group.creator);
        if creator != Some(caller) {
            self.may_delete_in_place_of(number, creator, caller)?;
        }
        let members: Vec<AgentNo> = self
            .group(number)
            .map(|group| group.present().map(|member| member.agent).collect())
            .unwrap_or_default();
        for member in &members {
            self.flush(*member, number);
        }
        let actor = self.agents[caller.index()].handle.clone();
        let fields = [("actor_handle", Value::from(actor.clone()))];
        let (message, recipients) = self.group_event(number, caller, "group_deleted", &fields, now);
        if let Some(group) = self.group_mut(number) {
            group.deleted = Some((caller, now));
            group.invites.clear();
        }
        let payload = json!({
            "group_id": id,
            "deleted_by_handle": actor,
            "deleted_at": now.to_string(),
        });
        let frame = json!({ "type": "group.deleted", "payload": payload }).to_string();
        let mut effects = self.event_pushes(message, &recipients, true);
        effects.extend(recipients.iter().map(|agent| {
            let frame = frame.clone();
            Effect::Frame {
                agent: *agent,
                frame,
            }
        }));
        for member in members {
            self.agents[member.index()]
                .conversations
                .retain(|known| *known != number);
        }
        let body = json!({ "message": "Group deleted", "deleted_at": now.to_string() });
        Ok(Outcome::with(Answer::value(200, &body), effects))
    }

    /// An admin may delete a group whose creator is suspended or deleted. Where the creator has
    /// left it and is active, the database's refusal is not translated (wire.md 1.8).
    fn may_delete_in_place_of(
        &self,
        number: ConversationNo,
        creator: Option<AgentNo>,
        caller: AgentNo,
    ) -> Result<(), Answer> {
        let text = "Only the creator can delete a group";
        let forbidden = || Answer::error(403, "FORBIDDEN", text);
        self.require_admin(number, caller)
            .map_err(|_| forbidden())?;
        let creator = creator.ok_or_else(forbidden)?;
        let status = self.agents[creator.index()].status;
        if matches!(status, AccountStatus::Suspended | AccountStatus::Deleted) {
            return Ok(());
        }
        let member = self.group(number).and_then(|group| group.member(creator));
        Err(member.map_or_else(Answer::empty_500, |_| forbidden()))
    }

    /// `POST /v1/groups/:id/members`.
    pub(crate) fn add_member(
        &mut self,
        caller: AgentNo,
        id: &str,
        body: &[u8],
        now: Stamp,
    ) -> Reply {
        let number = self.group_for(caller, id, false)?;
        let map = object(body)?;
        let mut problems = Problems::default();
        let handle = problems.text(&map, "handle", 0..=usize::MAX);
        problems.finish()?;
        self.require_admin(number, caller)?;
        let handle = bare_handle(&handle.unwrap_or_default());
        let (added, effects) = self.add(number, caller, &handle, now)?;
        Ok(Outcome::with(
            Answer::value(201, &added.view(&handle)),
            effects,
        ))
    }

    /// `DELETE /v1/groups/:id/members/:handle`: the kicked one hears nothing.
    pub(crate) fn kick(&mut self, caller: AgentNo, id: &str, handle: &str, now: Stamp) -> Reply {
        let number = self.group_for(caller, id, false)?;
        self.require_admin(number, caller)?;
        let target = self.present_member(number, handle)?;
        if target == caller {
            return Err(Answer::bad("Use leave to go yourself"));
        }
        if self
            .group(number)
            .is_some_and(|group| group.creator == target)
        {
            return Err(Answer::empty_500());
        }
        self.depart(number, target);
        let effects = self.announce_about(number, caller, "member_removed", target, now);
        Ok(Outcome::with(
            Answer::value(200, &json!({ "message": "Member removed" })),
            effects,
        ))
    }

    /// `POST .../promote` and `.../demote`.
    pub(crate) fn change_role(
        &mut self,
        caller: AgentNo,
        id: &str,
        handle: &str,
        admin: bool,
        now: Stamp,
    ) -> Reply {
        let number = self.group_for(caller, id, false)?;
        self.require_admin(number, caller)?;
        let target = self.present_member(number, handle)?;
        let group = self.group(number);
        let is_admin = group
            .and_then(|g| g.member(target))
            .is_some_and(|member| member.admin);
        let admins = group.map_or(0, |g| g.present().filter(|member| member.admin).count());
        if admin && is_admin {
            return Err(Answer::error(404, "NOT_MEMBER", "Already an admin"));
        }
        if !admin {
            if !is_admin {
                return Err(Answer::error(400, "NOT_ADMIN", "Not an admin"));
            }
            if group.is_some_and(|group| group.creator == target) {
                let text = "The creator cannot be demoted";
                return Err(Answer::error(403, "FORBIDDEN", text));
            }
            if admins == 1 {
                let text = "The last admin cannot be demoted";
                return Err(Answer::error(400, "LAST_ADMIN", text));
            }
        }
        if let Some(member) = self.group_mut(number).and_then(|g| g.member_mut(target)) {
            member.admin = admin;
        }
        let event = if admin {
            "admin_promoted"
        } else {
            "admin_demoted"
        };
        let effects = self.announce_about(number, caller, event, target, now);
        Ok(Outcome::with(
            Answer::value(200, &json!({ "message": "Role changed" })),
            effects,
        ))
    }

    /// `POST /v1/groups/:id/leave`.
    pub(crate) fn leave(&mut self, caller: AgentNo, id: &str, now: Stamp) -> Reply {
        let number = self.group_for(caller, id, false)?;
        self.depart(number, caller);
        let handle = Value::from(self.agents[caller.index()].handle.clone());
        let fields = [("agent_handle", handle)];
        let mut effects = self.announce(number, caller, "member_left", &fields, now);
        let heir = self.group(number).and_then(|group| {
            let orphaned = !group.present().any(|member| member.admin);
            let eldest = group.present().min_by_key(|member| member.joined_at);
            eldest.filter(|_| orphaned).map(|member| member.agent)
        });
        let mut promoted = Value::Null;
        if let Some(heir) = heir {
            if let Some(member) = self.group_mut(number).and_then(|g| g.member_mut(heir)) {
                member.admin = true;
            }
            promoted = Value::from(self.agents[heir.index()].handle.clone());
            let fields = [
                ("agent_handle", promoted.clone()),
                ("actor_handle", Value::Null),
            ];
            effects.append(&mut self.announce(number, heir, "admin_promoted", &fields, now));
        }
        let body = json!({ "message": "You left the group", "promoted_handle": promoted });
        Ok(Outcome::with(Answer::value(200, &body), effects))
    }

    /// `GET /v1/groups/invites`.
    pub(crate) fn invites(&self, caller: AgentNo) -> Answer {
        let all = (0..self.conversations.len()).filter_map(|at| u32::try_from(at).ok());
        let views: Vec<Value> = all
            .map(ConversationNo)
            .filter_map(|number| {
                let invites = &self.group(number)?.invites;
                let own = invites.iter().find(|invite| invite.agent == caller)?;
                Some(self.invite_view(number, &own.id))
            })
            .collect();
        Answer::value(200, &Value::from(views))
    }

    /// `POST /v1/groups/invites/:id/accept`.
    pub(crate) fn accept(&mut self, caller: AgentNo, invite: &str, now: Stamp) -> Reply {
        let (number, inviter) = self.open_invite(caller, invite)?;
        if self
            .group(number)
            .is_some_and(|group| group.present().count() >= MAX_MEMBERS)
        {
            return Err(Answer::empty_500());
        }
        let effects = self.join(number, caller, inviter, now);
        Ok(Outcome::with(
            Answer::value(200, &self.group_view(number, caller)),
            effects,
        ))
    }

    /// `DELETE /v1/groups/invites/:id`.
    pub(crate) fn reject(&mut self, caller: AgentNo, invite: &str) -> Reply {
        let (number, _inviter) = self.open_invite(caller, invite)?;
        if let Some(group) = self.group_mut(number) {
            group.invites.retain(|open| open.id != invite);
        }
        Ok(Answer::value(200, &json!({ "message": "Invite rejected" })).into())
    }

    fn add(
        &mut self,
        number: ConversationNo,
        caller: AgentNo,
        handle: &str,
        now: Stamp,
    ) -> Result<(Added, Vec<Effect>), Answer> {
        let target = self.other(caller, handle)?;
        let agent = &self.agents[target.index()];
        let contact = agent.contacts.contains_key(&caller);
        let blocked = agent.blocks.contains_key(&caller)
            || self.agents[caller.index()].blocks.contains_key(&target);
        if blocked {
            return Err(Answer::error(403, "BLOCKED", "You cannot add this agent"));
        }
        let closed = agent.group_invite_policy == InboxMode::ContactsOnly && !contact;
        if closed || agent.handle == super::accounts::SYSTEM_AGENT {
            return Err(Answer::error(
                403,
                "INBOX_RESTRICTED",
                "This agent takes no invites",
            ));
        }
        if self
            .group(number)
            .is_some_and(|group| group.member(target).is_some())
        {
            return Ok((Added::Already, Vec::new()));
        }
        self.count_invite(caller, now)?;
        if contact && self.rules.contacts_join_at_once {
            if self
                .group(number)
                .is_some_and(|group| group.present().count() >= MAX_MEMBERS)
            {
                return Err(Answer::empty_500());
            }
            return Ok((Added::Joined, self.join(number, target, caller, now)));
        }
        let (id, effects) = self.invite(number, target, caller, now);
        Ok((Added::Invited(id), effects))
    }

    /// Adds and invites of one agent, in a window that opens with the first.
    fn count_invite(&mut self, caller: AgentNo, now: Stamp) -> Result<(), Answer> {
        let Some(count) = self.rules.invites_per_day else {
            return Ok(());
        };
        let bound = Bound { count, within: DAY };
        let name = format!("invites {}", self.agents[caller.index()].handle);
        let counted = self.windows.count(&name, bound, now);
        let text = "Daily limit of group invites reached";
        counted.map_err(|_left| Answer::error(429, "RATE_LIMITED", text))
    }

    fn open_invite(&self, caller: AgentNo, id: &str) -> Result<(ConversationNo, AgentNo), Answer> {
        let all = (0..self.conversations.len()).filter_map(|at| u32::try_from(at).ok());
        all.map(ConversationNo)
            .find_map(|number| {
                let invites = &self.group(number)?.invites;
                let open = invites
                    .iter()
                    .find(|open| open.id == id && open.agent == caller)?;
                Some((number, open.inviter))
            })
            .ok_or_else(|| Answer::error(404, "INVITE_NOT_FOUND", "Invite not found"))
    }

    pub(crate) fn admin_of(&self, caller: AgentNo, id: &str) -> Result<ConversationNo, Answer> {
        let number = self.group_for(caller, id, false)?;
        self.require_admin(number, caller).map(|()| number)
    }

    fn require_admin(&self, number: ConversationNo, caller: AgentNo) -> Result<(), Answer> {
        let member = self.group(number).and_then(|group| group.member(caller));
        if member.is_some_and(|member| member.admin) {
            return Ok(());
        }
        Err(Answer::error(403, "FORBIDDEN", "Only admins can do this"))
    }

    fn present_member(&self, number: ConversationNo, handle: &str) -> Result<AgentNo, Answer> {
        self.by_handle
            .get(&bare_handle(handle))
            .copied()
            .filter(|agent| {
                self.group(number)
                    .is_some_and(|group| group.member(*agent).is_some())
            })
            .ok_or_else(|| Answer::error(404, "NOT_MEMBER", "Not a member of this group"))
    }

    fn announce_about(
        &mut self,
        number: ConversationNo,
        actor: AgentNo,
        event: &str,
        about: AgentNo,
        now: Stamp,
    ) -> Vec<Effect> {
        let handle = |agent: AgentNo| Value::from(self.agents[agent.index()].handle.clone());
        let fields = [
            ("agent_handle", handle(about)),
            ("actor_handle", handle(actor)),
        ];
        self.announce(number, actor, event, &fields, now)
    }

    pub(crate) fn announce(
        &mut self,
        number: ConversationNo,
        sender: AgentNo,
        event: &str,
        fields: &[(&str, Value)],
        now: Stamp,
    ) -> Vec<Effect> {
        let (message, recipients) = self.group_event(number, sender, event, fields, now);
        self.event_pushes(message, &recipients, false)
    }
}

impl Added {
    fn view(&self, handle: &str) -> Value {
        match self {
            Self::Joined => json!({ "handle": handle, "outcome": "joined" }),
            Self::Already => json!({ "handle": handle, "outcome": "already_member" }),
            Self::Invited(id) => {
                json!({ "handle": handle, "outcome": "invited", "invite_id": id })
            }
        }
    }
}
