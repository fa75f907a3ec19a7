//! The conversation list, participants and hiding (wire.md 1.7).

use super::answer::Answer;
use super::model::{
    AgentNo, ConversationKind, ConversationNo, DeliveryState, MuteTarget, Platform,
};
use super::time::Stamp;
use serde_json::{Value, json};

const PREVIEW_CHARS: usize = 140;

impl Platform {
    /// `GET /v1/conversations`.
    pub(crate) fn conversation_list(
        &self,
        caller: AgentNo,
        limit: usize,
        offset: usize,
        now: Stamp,
    ) -> Answer {
        let mut listed: Vec<ConversationNo> = self.agents[caller.index()]
            .conversations
            .iter()
            .copied()
            .filter(|number| self.is_listed(*number, caller))
            .collect();
        // By the newest message; a conversation without any stands last, however young it is.
        let activity = |number: &ConversationNo| {
            let newest = self.conversations[number.index()].messages.last();
            newest.map(|message| self.messages[message.index()].created_at)
        };
        listed.sort_by_key(|number| std::cmp::Reverse((activity(number), number.0)));
        let cap = self.rules.conversation_cap;
        let (limit, offset) = if self.rules.april {
            (cap, 0)
        } else {
            (limit.min(cap), offset)
        };
        let items: Vec<Value> = listed
            .into_iter()
            .skip(offset)
            .take(limit)
            .map(|number| self.conversation_item(number, caller, now))
            .collect();
        Answer::value(200, &Value::from(items))
    }

    /// `GET /v1/conversations/:id/participants`. April's server checks no membership and shows the
    /// caller as well.
    pub(crate) fn participants(&self, caller: AgentNo, id: &str) -> Answer {
        if !self.rules.april {
            return self.participants_for(caller, id);
        }
        let agents = match self.by_conversation_id.get(id) {
            None => Vec::new(),
            Some(number) => match &self.conversations[number.index()].kind {
                ConversationKind::Direct { parties, .. } => parties.to_vec(),
                ConversationKind::Group(group) if group.deleted.is_none() => {
                    group.present().map(|member| member.agent).collect()
                }
                ConversationKind::Group(_) => Vec::new(),
            },
        };
        let cards: Vec<Value> = agents.into_iter().map(|agent| self.card(agent)).collect();
        Answer::value(200, &Value::from(cards))
    }

    /// The same of newer servers: members only, and of a direct conversation the other side alone.
    fn participants_for(&self, caller: AgentNo, id: &str) -> Answer {
        let number = self.by_conversation_id.get(id).copied();
        let Some(number) = number.filter(|number| self.takes_part(*number, caller)) else {
            return Answer::error(404, "CONVERSATION_NOT_FOUND", "Conversation not found");
        };
        let agents = match &self.conversations[number.index()].kind {
            ConversationKind::Direct { .. } => self.peer(number, caller).into_iter().collect(),
            ConversationKind::Group(group) => group.present().map(|m| m.agent).collect::<Vec<_>>(),
        };
        let cards: Vec<Value> = agents.into_iter().map(|agent| self.card(agent)).collect();
        Answer::value(200, &Value::from(cards))
    }

    /// `DELETE /v1/conversations/:id`: older rows stay out of list and history for good; sync does
    /// not know of it.
    pub(crate) fn hide_conversation(&mut self, caller: AgentNo, id: &str, now: Stamp) -> Answer {
        let number = self.by_conversation_id.get(id).copied();
        let Some(number) = number.filter(|number| self.takes_part(*number, caller)) else {
            return Answer::error(404, "NOT_FOUND", "Conversation not found");
        };
        // Rows carry stamps that may run ahead of the clock by some microseconds.
        let cutoff = now.max(self.last_stamp);
        let row = &mut self.conversations[number.index()];
        row.hidden.insert(caller, cutoff);
        row.out_of_list.insert(caller);
        let body = if self.rules.april {
            json!({ "hidden": true })
        } else {
            json!({ "ok": true })
        };
        Answer::value(200, &body)
    }

    /// `GET /v1/conversations/:id/context` of newer servers.
    pub(crate) fn conversation_context(&self, caller: AgentNo, id: &str) -> Answer {
        let number = self.by_conversation_id.get(id).copied();
        let Some(number) = number.filter(|number| self.takes_part(*number, caller)) else {
            return Answer::error(404, "CONVERSATION_NOT_FOUND", "Conversation not found");
        };
        let (count, oldest, newest) = self.unread(number, caller);
        let (kind, group, counterparty, relationship) =
            match &self.conversations[number.index()].kind {
                ConversationKind::Direct { .. } => {
                    let peer = self.peer(number, caller);
                    let known = peer.and_then(|p| self.agents[caller.index()].contacts.get(&p));
                    let relationship = json!({
                        "is_contact": known.is_some(),
                        "added_at": known.map(|contact| contact.added_at.to_string()),
                        "note": known.and_then(|contact| contact.notes.clone()),
                    });
                    let card = peer.map_or(Value::Null, |peer| self.card(peer));
                    ("direct", Value::Null, card, relationship)
                }
                ConversationKind::Group(group) => {
                    let admin = group.member(caller).is_some_and(|member| member.admin);
                    let view = json!({
                        "name": group.name,
                        "description": group.description,
                        "member_count": group.present().count(),
                        "your_role": if admin { "admin" } else { "member" },
                    });
                    ("group", view, Value::Null, Value::Null)
                }
            };
        Answer::value(
            200,
            &json!({
                "conversation_id": id,
                "type": kind,
                "group": group,
                "counterparty": counterparty,
                "relationship": relationship,
                "unread": { "count": count, "oldest_seq": oldest, "newest_seq": newest },
            }),
        )
    }

    /// Whether an agent is in a conversation now.
    pub(crate) fn takes_part(&self, number: ConversationNo, agent: AgentNo) -> bool {
        match &self.conversations[number.index()].kind {
            ConversationKind::Direct { parties, .. } => parties.contains(&agent),
            ConversationKind::Group(group) => {
                group.deleted.is_none() && group.member(agent).is_some()
            }
        }
    }

    /// Everybody in a conversation but this agent, if it takes part at all.
    pub(crate) fn others_in(&self, id: &str, agent: AgentNo) -> Vec<AgentNo> {
        let number = self.by_conversation_id.get(id).copied();
        let Some(number) = number.filter(|number| self.takes_part(*number, agent)) else {
            return Vec::new();
        };
        let all: Vec<AgentNo> = match &self.conversations[number.index()].kind {
            ConversationKind::Direct { parties, .. } => parties.to_vec(),
            ConversationKind::Group(group) => group.present().map(|m| m.agent).collect(),
        };
        all.into_iter().filter(|other| *other != agent).collect()
    }

    fn is_listed(&self, number: ConversationNo, caller: AgentNo) -> bool {
        let hidden = self.conversations[number.index()]
            .out_of_list
            .contains(&caller);
        !hidden && self.takes_part(number, caller)
    }

    fn conversation_item(&self, number: ConversationNo, caller: AgentNo, now: Stamp) -> Value {
        let row = &self.conversations[number.index()];
        let last = row
            .messages
            .last()
            .map(|message| &self.messages[message.index()]);
        let group = self.group(number);
        let peer = self.peer(number, caller);
        let mut item = json!({
            "id": row.id,
            "type": if group.is_some() { "group" } else { "direct" },
            "participants": peer.map(|peer| self.card(peer)).into_iter().collect::<Vec<_>>(),
            "group_name": group.map(|group| group.name.clone()),
            "group_avatar_url": group.and_then(|group| group.avatar_url.clone()),
            "group_member_count": group.map(|group| group.present().count()),
            "last_message_at": last.map(|message| message.created_at.to_string()),
            "last_message_preview": last.map(|message| preview(message.kind, &message.content)),
            "last_message_is_own": last.is_some_and(|message| message.sender == caller),
            "last_message_type": last.map(|message| message.kind),
            "updated_at": row.updated_at.to_string(),
            "is_muted": self.mutes(caller, MuteTarget::Conversation(number), now)
                || peer.is_some_and(|peer| self.mutes(caller, MuteTarget::Agent(peer), now)),
        });
        if !self.rules.april {
            let (count, oldest, newest) = self.unread(number, caller);
            item["unread_count"] = Value::from(count);
            item["oldest_unread_seq"] = Value::from(oldest);
            item["newest_unread_seq"] = Value::from(newest);
        }
        item
    }

    /// How many of the caller's rows are not read, and the first and last of them.
    fn unread(&self, number: ConversationNo, caller: AgentNo) -> (u64, Option<u64>, Option<u64>) {
        let unread = self.conversations[number.index()]
            .messages
            .iter()
            .filter(|message| {
                self.envelope_of(**message, caller).is_some_and(|envelope| {
                    let envelope = &self.envelopes[envelope.index()];
                    let open = matches!(
                        envelope.state,
                        DeliveryState::Stored | DeliveryState::Delivered
                    );
                    envelope.owner == caller && open
                })
            });
        let mut seqs = unread.map(|message| self.messages[message.index()].seq);
        let Some(oldest) = seqs.next() else {
            return (0, None, None);
        };
        let (count, newest) = seqs.fold((1, oldest), |(count, _), seq| (count + 1, seq));
        (count, Some(oldest), Some(newest))
    }

    /// The other side of a direct conversation.
    fn peer(&self, number: ConversationNo, caller: AgentNo) -> Option<AgentNo> {
        match &self.conversations[number.index()].kind {
            ConversationKind::Direct { parties, .. } => {
                parties.iter().copied().find(|agent| *agent != caller)
            }
            ConversationKind::Group(_) => None,
        }
    }

    fn card(&self, agent: AgentNo) -> Value {
        let agent = &self.agents[agent.index()];
        json!({
            "handle": agent.handle,
            "display_name": agent.display_name,
            "avatar_url": self.avatars.url(&agent.handle),
        })
    }
}

/// The list's preview: blanks folded, at most 140 characters, or a fixed label.
fn preview(kind: &str, content: &str) -> String {
    if kind == "system" {
        return "System update".to_owned();
    }
    let content: Value = serde_json::from_str(content).unwrap_or_default();
    match content["text"].as_str() {
        Some(text) if !text.is_empty() => {
            let folded = text.split_whitespace().collect::<Vec<_>>().join(" ");
            folded.chars().take(PREVIEW_CHARS).collect()
        }
        _ if content.get("attachment_id").is_some() => "Attachment".to_owned(),
        _ => "Structured message".to_owned(),
    }
}
