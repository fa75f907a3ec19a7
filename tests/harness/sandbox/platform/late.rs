//! Rows that were begun at one moment and become visible at a later one.

use super::answer::Effect;
use super::draft::{Draft, Held, Late, To};
use super::model::{AgentNo, ConversationKind, Platform};
use super::time::Stamp;
use crate::sandbox::journal::Event;

impl Platform {
    /// Begins a row now and commits it later. False when an agent or conversation is unknown.
    pub(crate) fn hold(
        &mut self,
        from: &str,
        to: To<'_>,
        draft: Draft,
        when: Late,
        now: Stamp,
    ) -> bool {
        let Some((sender, conversation)) = self.resolve(from, to, now) else {
            return false;
        };
        let begun = self.stamp(now).before(draft.backdated);
        let recipient = match &self.conversations[conversation.index()].kind {
            ConversationKind::Direct { parties, .. } => {
                parties.iter().copied().find(|agent| *agent != sender)
            }
            ConversationKind::Group(_) => None,
        };
        self.held.push(Held {
            sender,
            conversation,
            recipient,
            draft,
            begun,
            when,
        });
        true
    }

    /// Commits what waits for this moment. Rows of groups wait for any member's moment.
    pub(crate) fn release(&mut self, when: Late, reader: Option<AgentNo>) -> Vec<Effect> {
        let due = |held: &Held| {
            held.when == when
                && (reader.is_none() || held.recipient.is_none() || held.recipient == reader)
                && reader != Some(held.sender)
        };
        let (ready, waiting): (Vec<Held>, Vec<Held>) =
            std::mem::take(&mut self.held).into_iter().partition(due);
        self.held = waiting;
        let mut effects = Vec::new();
        for held in ready {
            let (message, mut follows) =
                self.commit_draft(held.sender, held.conversation, &held.draft, held.begun);
            let message_id = self.messages[message.index()].id.to_string();
            effects.push(Effect::Fact(Event::LateCommit { message_id }));
            effects.append(&mut follows);
        }
        effects
    }
}
