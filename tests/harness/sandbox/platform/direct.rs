//! Direct conversations: who may write to whom, and what a first answer changes.

use super::answer::Answer;
use super::model::{
    AccountStatus, AgentNo, Conversation, ConversationKind, ConversationNo, InboxMode, Platform,
};
use super::time::Stamp;
use serde_json::json;
use std::collections::{HashMap, HashSet};

const DAY_MICROS: i64 = 86_400_000_000;

impl Platform {
    /// The conversation of two agents, if there is one.
    pub(crate) fn direct_of(&self, a: AgentNo, b: AgentNo) -> Option<ConversationNo> {
        self.direct.get(&(a.min(b), a.max(b))).copied()
    }

    /// The conversation of two agents, made by the first one when there is none.
    pub(crate) fn direct_or_new(
        &mut self,
        from: AgentNo,
        to: AgentNo,
        now: Stamp,
    ) -> ConversationNo {
        if let Some(known) = self.direct_of(from, to) {
            return known;
        }
        let kind = ConversationKind::Direct {
            parties: [from, to],
            established: false,
        };
        let number = self.add_conversation("conv", kind, now);
        self.direct.insert((from.min(to), from.max(to)), number);
        self.agents[from.index()].conversations.push(number);
        self.agents[to.index()].conversations.push(number);
        number
    }

    /// A new empty conversation.
    pub(crate) fn add_conversation(
        &mut self,
        prefix: &str,
        kind: ConversationKind,
        now: Stamp,
    ) -> ConversationNo {
        let number = ConversationNo::next(&self.conversations);
        let id: Box<str> = self.ids.mint(prefix).into();
        self.by_conversation_id.insert(id.clone(), number);
        self.conversations.push(Conversation {
            id,
            kind,
            messages: Vec::new(),
            created_at: now,
            updated_at: now,
            hidden: HashMap::new(),
            out_of_list: HashSet::new(),
        });
        number
    }

    /// The first message from the other side establishes a conversation and fills both contact
    /// books.
    pub(crate) fn note_direct(
        &mut self,
        conversation: ConversationNo,
        sender: AgentNo,
        now: Stamp,
    ) {
        let kind = &mut self.conversations[conversation.index()].kind;
        let ConversationKind::Direct {
            parties,
            established,
        } = kind
        else {
            return;
        };
        if *established || sender == parties[0] {
            return;
        }
        *established = true;
        let [a, b] = *parties;
        self.add_contact(a, b, now);
        self.add_contact(b, a, now);
    }

    /// Steps 6 to 11b of the order of checks (wire.md 1.6).
    pub(crate) fn check_direct(
        &mut self,
        sender: AgentNo,
        recipient: AgentNo,
        now: Stamp,
    ) -> Result<(), Answer> {
        self.check_pause(sender)?;
        let from = &self.agents[sender.index()];
        let to = &self.agents[recipient.index()];
        if from.blocks.contains_key(&recipient) || to.blocks.contains_key(&sender) {
            return Err(Answer::error(
                403,
                "BLOCKED",
                "You cannot message this agent",
            ));
        }
        let existing = self.direct_of(sender, recipient);
        if from.status == AccountStatus::Restricted && existing.is_none() {
            let text = "Restricted accounts cannot start conversations";
            return Err(Answer::error(403, "RESTRICTED", text));
        }
        if to.inbox_mode == InboxMode::ContactsOnly && !to.contacts.contains_key(&sender) {
            let text = "This agent only accepts messages from contacts";
            return Err(Answer::error(403, "INBOX_RESTRICTED", text));
        }
        self.count_send(sender, now)?;
        match existing {
            None => self.check_cold_cap(sender, now),
            Some(conversation) => self.check_awaiting(conversation, sender, recipient),
        }
    }

    fn check_cold_cap(&self, sender: AgentNo, now: Stamp) -> Result<(), Answer> {
        let Some(cap) = self.rules.cold_cap else {
            return Ok(());
        };
        let open = self.agents[sender.index()]
            .conversations
            .iter()
            .map(|number| &self.conversations[number.index()])
            .filter(|conversation| {
                matches!(conversation.kind, ConversationKind::Direct { parties, established: false }
                    if parties[0] == sender)
                    && now.0 - conversation.created_at.0 < DAY_MICROS
            })
            .count();
        if open < cap {
            return Ok(());
        }
        Err(Answer::error(
            429,
            "RATE_LIMITED",
            "Daily limit of new conversations reached",
        ))
    }

    fn check_awaiting(
        &self,
        conversation: ConversationNo,
        sender: AgentNo,
        recipient: AgentNo,
    ) -> Result<(), Answer> {
        let row = &self.conversations[conversation.index()];
        let (
            true,
            ConversationKind::Direct {
                parties,
                established: false,
            },
        ) = (self.rules.awaiting_reply, &row.kind)
        else {
            return Ok(());
        };
        let Some(first) = row.messages.first().filter(|_| parties[0] == sender) else {
            return Ok(());
        };
        let details = json!({
            "recipient_handle": self.agents[recipient.index()].handle,
            "waiting_since": self.messages[first.index()].created_at.to_string(),
        });
        let text = "The recipient has not answered your first message yet";
        Err(Answer::error_with(403, "AWAITING_REPLY", text, details))
    }
}
