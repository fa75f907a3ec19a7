//! Groups: who is in, what is visible from where, and the notices that take seqs.

use super::answer::{Answer, Effect};
use super::deliver::NewMessage;
use super::model::{
    AgentNo, ConversationKind, ConversationNo, Group, Invite, Member, MessageNo, Platform,
};
use super::send::within;
use super::time::Stamp;
use serde_json::{Map, Value, json};

/// Members of a group at most.
pub(crate) const MAX_MEMBERS: usize = 256;

impl Group {
    /// Members who are in it now.
    pub(crate) fn present(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| !member.left)
    }

    /// A member who is in it now.
    pub(crate) fn member(&self, agent: AgentNo) -> Option<&Member> {
        self.present().find(|member| member.agent == agent)
    }

    /// The same, to change it.
    pub(crate) fn member_mut(&mut self, agent: AgentNo) -> Option<&mut Member> {
        self.members
            .iter_mut()
            .find(|member| member.agent == agent && !member.left)
    }

    /// Whether an agent is in it or ever was.
    pub(crate) fn was_member(&self, agent: AgentNo) -> bool {
        self.members.iter().any(|member| member.agent == agent)
    }
}

impl Platform {
    /// The group behind a conversation; `None` for a direct one.
    pub(crate) fn group(&self, conversation: ConversationNo) -> Option<&Group> {
        match &self.conversations[conversation.index()].kind {
            ConversationKind::Group(group) => Some(group),
            ConversationKind::Direct { .. } => None,
        }
    }

    /// The same, to change it.
    pub(crate) fn group_mut(&mut self, conversation: ConversationNo) -> Option<&mut Group> {
        match &mut self.conversations[conversation.index()].kind {
            ConversationKind::Group(group) => Some(group),
            ConversationKind::Direct { .. } => None,
        }
    }

    /// A new group with its creator as only member.
    pub(crate) fn new_group(
        &mut self,
        creator: AgentNo,
        name: String,
        description: Option<String>,
        now: Stamp,
    ) -> ConversationNo {
        let founder = Member {
            agent: creator,
            admin: true,
            joined_at: now,
            joined_seq: 1,
            left: false,
        };
        let group = Group {
            name,
            description,
            avatar_url: None,
            creator,
            members: vec![founder],
            invites: Vec::new(),
            deleted: None,
            window: (0, 0),
        };
        let kind = ConversationKind::Group(Box::new(group));
        let number = self.add_conversation("grp", kind, now);
        self.agents[creator.index()].conversations.push(number);
        number
    }

    /// The group that a send may go into: 400 for a direct id, 410 once deleted, else 404.
    pub(crate) fn writable_group(
        &self,
        caller: AgentNo,
        id: &str,
    ) -> Result<ConversationNo, Answer> {
        if id.starts_with("conv_") {
            return Err(Answer::bad(
                "conversation_id must be a group; use `to` for an agent",
            ));
        }
        self.group_for(caller, id, true)
    }

    /// A group that the caller is in. Only some routes tell former members of a deletion.
    pub(crate) fn group_for(
        &self,
        caller: AgentNo,
        id: &str,
        tells_deletion: bool,
    ) -> Result<ConversationNo, Answer> {
        let unknown = || Answer::error(404, "GROUP_NOT_FOUND", "Group not found");
        let number = self
            .by_conversation_id
            .get(id)
            .copied()
            .ok_or_else(unknown)?;
        let group = self.group(number).ok_or_else(unknown)?;
        if group.deleted.is_some() {
            let told = tells_deletion && group.was_member(caller);
            return Err(if told {
                self.group_gone(number)
            } else {
                unknown()
            });
        }
        group.member(caller).map(|_| number).ok_or_else(unknown)
    }

    /// 410 with who deleted the group and when.
    pub(crate) fn group_gone(&self, conversation: ConversationNo) -> Answer {
        let deleted = self.group(conversation).and_then(|group| group.deleted);
        let (by, at) = deleted.unwrap_or_else(|| (AgentNo(0), Stamp::default()));
        let details = json!({
            "group_id": self.conversations[conversation.index()].id,
            "deleted_by_handle": self.agents[by.index()].handle,
            "deleted_at": at.to_string(),
        });
        Answer::error_with(410, "GROUP_DELETED", "This group was deleted", details)
    }

    /// 20 messages a second of all senders together.
    pub(crate) fn count_group_send(
        &mut self,
        conversation: ConversationNo,
        now: Stamp,
    ) -> Result<(), Answer> {
        let limit = self.rules.group_sends_per_second;
        let fine = self
            .group_mut(conversation)
            .is_none_or(|group| within(&mut group.window, limit, now));
        if fine {
            return Ok(());
        }
        Err(self.too_many("This group is receiving too many messages"))
    }

    /// Who gets an envelope of a group message, and the handles of those whose inbox is full.
    pub(crate) fn group_recipients(
        &self,
        conversation: ConversationNo,
        sender: AgentNo,
    ) -> (Vec<AgentNo>, Vec<String>) {
        let Some(group) = self.group(conversation) else {
            return (Vec::new(), Vec::new());
        };
        let others = group
            .present()
            .map(|member| member.agent)
            .filter(|agent| *agent != sender);
        let (full, fine): (Vec<AgentNo>, Vec<AgentNo>) =
            others.partition(|agent| self.is_full(*agent));
        let skipped = full
            .iter()
            .map(|agent| self.agents[agent.index()].handle.clone())
            .collect();
        (fine, skipped)
    }

    /// Stores a system event. It takes a seq, and its sender gets no envelope of it.
    pub(crate) fn group_event(
        &mut self,
        conversation: ConversationNo,
        sender: AgentNo,
        event: &str,
        fields: &[(&str, Value)],
        now: Stamp,
    ) -> (MessageNo, Vec<AgentNo>) {
        let mut data = Map::new();
        data.insert("event".to_owned(), Value::from(event));
        data.insert("schema_version".to_owned(), Value::from(1));
        for (name, value) in fields {
            data.insert((*name).to_owned(), value.clone());
        }
        let new = NewMessage {
            kind: "system",
            client_msg_id: None,
            content: super::json::normalised(&json!({ "data": data })),
            metadata: "{}".to_owned(),
            created_at: self.stamp(now),
        };
        let (recipients, _skipped) = self.group_recipients(conversation, sender);
        let message = self.insert(conversation, sender, new, &recipients);
        (message, recipients)
    }

    /// The pushes of a system event: none, unless the options say so or it is the deletion.
    pub(crate) fn event_pushes(
        &self,
        message: MessageNo,
        recipients: &[AgentNo],
        always: bool,
    ) -> Vec<Effect> {
        if !(always || self.rules.push_group_events) {
            return Vec::new();
        }
        let recipients = recipients
            .iter()
            .map(|agent| (*agent, self.envelope_of(message, *agent)))
            .collect();
        vec![Effect::Push {
            message,
            recipients,
        }]
    }

    /// Makes an agent a member from the next seq on; its own join notice is the first it sees.
    pub(crate) fn join(
        &mut self,
        conversation: ConversationNo,
        agent: AgentNo,
        inviter: AgentNo,
        now: Stamp,
    ) -> Vec<Effect> {
        let joined_seq = self.conversations[conversation.index()].messages.len() as u64 + 1;
        if let Some(group) = self.group_mut(conversation) {
            group.members.retain(|member| member.agent != agent);
            let member = Member {
                agent,
                admin: false,
                joined_at: now,
                joined_seq,
                left: false,
            };
            group.members.push(member);
            group.invites.retain(|invite| invite.agent != agent);
        }
        let listed = &mut self.agents[agent.index()].conversations;
        if !listed.contains(&conversation) {
            listed.push(conversation);
        }
        let handle = Value::from(self.agents[agent.index()].handle.clone());
        let fields = [("agent_handle", handle)];
        let (message, recipients) =
            self.group_event(conversation, inviter, "member_joined", &fields, now);
        self.event_pushes(message, &recipients, false)
    }

    /// Takes a member out and throws away what waits for it.
    pub(crate) fn depart(&mut self, conversation: ConversationNo, agent: AgentNo) {
        if let Some(member) = self
            .group_mut(conversation)
            .and_then(|g| g.member_mut(agent))
        {
            member.left = true;
        }
        self.agents[agent.index()]
            .conversations
            .retain(|number| *number != conversation);
        self.flush(agent, conversation);
    }

    /// Opens an invite, or finds the open one.
    pub(crate) fn invite(
        &mut self,
        conversation: ConversationNo,
        agent: AgentNo,
        inviter: AgentNo,
        now: Stamp,
    ) -> (String, Vec<Effect>) {
        let id = self.ids.mint("gri");
        let Some(group) = self.group_mut(conversation) else {
            return (id, Vec::new());
        };
        if let Some(open) = group.invites.iter().find(|invite| invite.agent == agent) {
            return (open.id.clone(), Vec::new());
        }
        group.invites.push(Invite {
            id: id.clone(),
            agent,
            inviter,
            created_at: now,
        });
        let payload = self.invite_view(conversation, &id);
        let frame = json!({ "type": "group.invite.received", "payload": payload }).to_string();
        (id, vec![Effect::Frame { agent, frame }])
    }

    /// An invite as clients see it.
    pub(crate) fn invite_view(&self, conversation: ConversationNo, id: &str) -> Value {
        let found = self.group(conversation).and_then(|group| {
            group
                .invites
                .iter()
                .find(|i| i.id == id)
                .map(|i| (group, i))
        });
        let Some((group, invite)) = found else {
            return Value::Null;
        };
        json!({
            "id": invite.id,
            "group_id": self.conversations[conversation.index()].id,
            "group_name": group.name,
            "group_description": group.description,
            "group_avatar_url": group.avatar_url,
            "group_member_count": group.present().count(),
            "inviter_handle": self.agents[invite.inviter.index()].handle,
            "created_at": invite.created_at.to_string(),
        })
    }

    /// A group as its members see it.
    pub(crate) fn group_view(&self, conversation: ConversationNo, caller: AgentNo) -> Value {
        let Some(group) = self.group(conversation) else {
            return Value::Null;
        };
        let role = |admin: bool| if admin { "admin" } else { "member" };
        let row = &self.conversations[conversation.index()];
        let members: Vec<Value> = group
            .present()
            .map(|member| {
                let agent = &self.agents[member.agent.index()];
                json!({
                    "handle": agent.handle,
                    "display_name": agent.display_name,
                    "role": role(member.admin),
                    "joined_at": member.joined_at.to_string(),
                })
            })
            .collect();
        let last = row
            .messages
            .last()
            .map(|m| self.messages[m.index()].created_at.to_string());
        json!({
            "id": row.id,
            "name": group.name,
            "description": group.description,
            "avatar_url": group.avatar_url,
            "created_by": self.agents[group.creator.index()].handle,
            "settings": { "who_can_invite": "admin" },
            "member_count": members.len(),
            "created_at": row.created_at.to_string(),
            "last_message_at": last,
            "members": members,
            "your_role": role(group.member(caller).is_some_and(|member| member.admin)),
        })
    }
}
