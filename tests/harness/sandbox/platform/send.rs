//! `POST /v1/messages`: the order of checks of wire.md 1.6, and sends without HTTP.

use super::answer::{Answer, Effect, Outcome};
use super::deliver::NewMessage;
use super::draft::{Draft, To};
use super::model::{
    AccountStatus, AgentNo, ConversationKind, ConversationNo, MessageNo, OwnerPause, Platform,
};
use super::render::Form;
use super::time::Stamp;
use super::validate::{SendBody, Target, bare_handle, send_body};
use crate::sandbox::journal::Event;
use serde_json::json;

const CONTENT_LIMIT: usize = 32_768;
const BACKLOG_WARNING: u64 = 5_000;
const BACKLOG_FULL: u64 = 10_000;

impl Platform {
    /// The route.
    pub(crate) fn post_message(&mut self, sender: AgentNo, body: &[u8], now: Stamp) -> Outcome {
        self.try_send(sender, body, now)
            .unwrap_or_else(Outcome::from)
    }

    fn try_send(&mut self, sender: AgentNo, body: &[u8], now: Stamp) -> Result<Outcome, Answer> {
        let body = send_body(body)?;
        let size = body.content.len() + body.metadata.as_ref().map_or(0, String::len);
        if size > CONTENT_LIMIT {
            let text = "Message content is too large";
            return Err(Answer::error(413, "CONTENT_TOO_LARGE", text));
        }
        match &body.target {
            Target::Handle(handle) => {
                let recipient = self.reachable(handle)?;
                if recipient == sender {
                    return Err(Answer::bad("Cannot send a message to yourself"));
                }
                self.check_direct(sender, recipient, now)?;
                self.check_attachment(sender, &body, &self.agents[recipient.index()].handle)?;
                let conversation = self.direct_or_new(sender, recipient, now);
                self.store_direct(sender, recipient, conversation, body, now)
            }
            Target::Conversation(id) => {
                let conversation = self.writable_group(sender, id)?;
                self.check_pause(sender)?;
                self.count_send(sender, now)?;
                self.count_group_send(conversation, now)?;
                self.check_attachment(sender, &body, id)?;
                self.store_group(sender, conversation, body, now)
            }
        }
    }

    /// Steps 13 to 15 of a direct send.
    fn store_direct(
        &mut self,
        sender: AgentNo,
        recipient: AgentNo,
        conversation: ConversationNo,
        body: SendBody,
        now: Stamp,
    ) -> Result<Outcome, Answer> {
        let waiting = self.backlog(recipient);
        let warn = |answer: Answer, handle: &str| {
            if waiting < BACKLOG_WARNING {
                return answer;
            }
            answer.with_header("x-backlog-warning", format!("{handle}={waiting}"))
        };
        let handle = self.agents[recipient.index()].handle.clone();
        if body.poison {
            return Err(Answer::empty_500());
        }
        if let Some(outcome) = self.replay(sender, &body.client_msg_id) {
            return Ok(Outcome {
                answer: warn(outcome.answer, &handle),
                ..outcome
            });
        }
        if waiting >= BACKLOG_FULL {
            let text = "The recipient's inbox is full";
            return Err(if self.rules.april {
                Answer::error(429, "RECIPIENT_BACKLOGGED", text)
            } else {
                let details = json!({ "recipient_handle": handle, "undelivered_count": waiting });
                Answer::error_with(429, "RECIPIENT_BACKLOGGED", text, details)
            });
        }
        let message = {
            let new = new_message(body, self.stamp(now));
            self.commit(sender, conversation, new, &[recipient])
        };
        let answer = Answer::json(201, self.render(message, Form::Fresh));
        let effects = self.sent(message, &[recipient]);
        Ok(Outcome::with(warn(answer, &handle), effects))
    }

    fn store_group(
        &mut self,
        sender: AgentNo,
        conversation: ConversationNo,
        body: SendBody,
        now: Stamp,
    ) -> Result<Outcome, Answer> {
        if body.poison {
            return Err(Answer::empty_500());
        }
        if let Some(outcome) = self.replay(sender, &body.client_msg_id) {
            return Ok(outcome);
        }
        let (recipients, skipped) = self.group_recipients(conversation, sender);
        let message = {
            let new = new_message(body, self.stamp(now));
            self.commit(sender, conversation, new, &recipients)
        };
        let mut text = self.render(message, Form::Fresh);
        if !skipped.is_empty() {
            text.pop();
            text.push_str(&format!(r#","skipped_recipients":{}}}"#, json!(skipped)));
        }
        let effects = self.sent(message, &recipients);
        Ok(Outcome::with(Answer::json(201, text), effects))
    }

    /// A send without HTTP and without gates. `None` when an agent or conversation is unknown.
    pub(crate) fn inject(
        &mut self,
        from: &str,
        to: To<'_>,
        draft: &Draft,
        now: Stamp,
    ) -> Option<(MessageNo, Vec<Effect>)> {
        let (sender, conversation) = self.resolve(from, to, now)?;
        if let Some(id) = &draft.client_msg_id
            && let Some(known) = self.by_client_msg_id.get(&(sender, id.as_str().into()))
        {
            return Some((*known, Vec::new()));
        }
        let begun = self.stamp(now).before(draft.backdated);
        Some(self.commit_draft(sender, conversation, draft, begun))
    }

    /// Sender and conversation of a send without HTTP.
    pub(crate) fn resolve(
        &mut self,
        from: &str,
        to: To<'_>,
        now: Stamp,
    ) -> Option<(AgentNo, ConversationNo)> {
        let sender = *self.by_handle.get(from)?;
        let conversation = match to {
            To::Handle(handle) => {
                let recipient = *self.by_handle.get(handle)?;
                self.direct_or_new(sender, recipient, now)
            }
            To::Conversation(id) => *self.by_conversation_id.get(id)?,
        };
        Some((sender, conversation))
    }

    /// Stores a draft with the creation time given and says what follows.
    pub(crate) fn commit_draft(
        &mut self,
        sender: AgentNo,
        conversation: ConversationNo,
        draft: &Draft,
        begun: Stamp,
    ) -> (MessageNo, Vec<Effect>) {
        let recipients = self.recipients(conversation, sender);
        let mut new = NewMessage::from_draft(draft, begun);
        if new.client_msg_id.is_none() {
            new.client_msg_id = Some(self.ids.mint("sent"));
        }
        let message = self.commit(sender, conversation, new, &recipients);
        let mut effects = self.sent(message, &recipients);
        if !draft.push {
            effects.retain(|effect| !matches!(effect, Effect::Push { .. }));
        }
        (message, effects)
    }

    fn commit(
        &mut self,
        sender: AgentNo,
        conversation: ConversationNo,
        new: NewMessage,
        recipients: &[AgentNo],
    ) -> MessageNo {
        let at = new.created_at;
        let message = self.insert(conversation, sender, new, recipients);
        self.note_direct(conversation, sender, at);
        message
    }

    /// Journal entry and pushes of a stored message.
    pub(crate) fn sent(&self, message: MessageNo, recipients: &[AgentNo]) -> Vec<Effect> {
        let recipients = recipients
            .iter()
            .map(|agent| (*agent, self.envelope_of(message, *agent)))
            .collect();
        vec![
            Effect::Fact(self.sent_fact(message, false)),
            Effect::Push {
                message,
                recipients,
            },
        ]
    }

    fn sent_fact(&self, message: MessageNo, replay: bool) -> Event {
        let row = &self.messages[message.index()];
        Event::Sent {
            agent: self.agents[row.sender.index()].handle.clone(),
            client_msg_id: row.client_msg_id.to_string(),
            message_id: row.id.to_string(),
            conversation_id: self.conversations[row.conversation.index()].id.to_string(),
            seq: row.seq,
            replay,
        }
    }

    /// Step 13: the original message when this id was used before.
    fn replay(&self, sender: AgentNo, client_msg_id: &str) -> Option<Outcome> {
        let message = *self.by_client_msg_id.get(&(sender, client_msg_id.into()))?;
        let answer = Answer::json(200, self.render(message, Form::Fresh));
        Some(Outcome::with(
            answer,
            vec![Effect::Fact(self.sent_fact(message, true))],
        ))
    }

    /// Step 4: the agent that a `to` reaches.
    pub(crate) fn reachable(&self, handle: &str) -> Result<AgentNo, Answer> {
        self.by_handle
            .get(&bare_handle(handle))
            .copied()
            .filter(|agent| {
                let status = self.agents[agent.index()].status;
                !matches!(status, AccountStatus::Deleted | AccountStatus::Suspended)
            })
            .ok_or_else(|| Answer::error(404, "AGENT_NOT_FOUND", "Agent not found"))
    }

    /// Step 6.
    pub(crate) fn check_pause(&self, sender: AgentNo) -> Result<(), Answer> {
        if self.agents[sender.index()].paused == OwnerPause::None {
            return Ok(());
        }
        let text = "This agent is paused by its owner";
        Err(Answer::error(403, "AGENT_PAUSED_BY_OWNER", text))
    }

    /// Step 10: counts the send within this second.
    pub(crate) fn count_send(&mut self, sender: AgentNo, now: Stamp) -> Result<(), Answer> {
        let limit = self.rules.sends_per_second;
        let window = &mut self.agents[sender.index()].window;
        if within(window, limit, now) {
            return Ok(());
        }
        Err(self.too_many("Too many messages per second"))
    }

    /// 429 of a limit per second.
    pub(crate) fn too_many(&self, text: &str) -> Answer {
        let answer = Answer::error(429, "RATE_LIMITED", text);
        match self.rules.retry_after {
            Some(seconds) => answer.with_header("retry-after", seconds.to_string()),
            None => answer,
        }
    }

    /// How many rows wait for an agent, as the gates see it.
    pub(crate) fn backlog(&self, agent: AgentNo) -> u64 {
        let row = &self.agents[agent.index()];
        let counted = if self.rules.keep_backlog_counter {
            row.stored.len() as u64
        } else {
            0
        };
        row.backlog_override.unwrap_or(counted)
    }

    /// Whether the next row for an agent is refused or skipped.
    pub(crate) fn is_full(&self, agent: AgentNo) -> bool {
        self.backlog(agent) >= BACKLOG_FULL
    }

    /// Everybody who gets an envelope of a message in this conversation.
    fn recipients(&self, conversation: ConversationNo, sender: AgentNo) -> Vec<AgentNo> {
        match &self.conversations[conversation.index()].kind {
            ConversationKind::Direct { parties, .. } => parties
                .iter()
                .copied()
                .filter(|agent| *agent != sender)
                .collect(),
            ConversationKind::Group(_) => self.group_recipients(conversation, sender).0,
        }
    }
}

/// Counts one event in a fixed window of a second; false when the limit is reached.
pub(crate) fn within(window: &mut (i64, u32), limit: Option<u32>, now: Stamp) -> bool {
    let second = now.second();
    if window.0 != second {
        *window = (second, 0);
    }
    window.1 += 1;
    limit.is_none_or(|limit| window.1 <= limit)
}

fn new_message(body: SendBody, created_at: Stamp) -> NewMessage {
    NewMessage {
        kind: body.kind,
        client_msg_id: Some(body.client_msg_id),
        content: body.content,
        metadata: body.metadata.unwrap_or_else(|| "{}".to_owned()),
        created_at,
    }
}
