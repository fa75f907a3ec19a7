//! `GET /v1/messages/:conversation_id` with its filters (wire.md 1.6 and 4.4).

use super::answer::{Answer, Outcome};
use super::model::{AgentNo, ConversationKind, ConversationNo, MessageNo, Platform};
use super::render::Form;
use super::routes::Request;
use super::validate::js_number;
use crate::sandbox::faults::PageFault;

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: f64 = 200.0;

/// Which way a page runs.
#[derive(Clone, Copy)]
enum Window {
    /// Newest first, below a seq.
    Before(u64),
    /// Oldest first, above a seq.
    After(u64),
}

impl Platform {
    /// The route.
    pub(crate) fn history(
        &mut self,
        caller: AgentNo,
        conversation: &str,
        request: &Request<'_>,
    ) -> Outcome {
        self.try_history(caller, conversation, request)
            .unwrap_or_else(|answer| answer)
            .into()
    }

    fn try_history(
        &mut self,
        caller: AgentNo,
        conversation: &str,
        request: &Request<'_>,
    ) -> Result<Answer, Answer> {
        let limit = limit(request.query("limit"));
        let before = cursor("before_seq", request.query("before_seq"))?;
        let after = cursor("after_seq", request.query("after_seq"))?;
        let window = match (before, after) {
            (Some(_), Some(_)) => {
                return Err(Answer::bad(
                    "before_seq and after_seq are mutually exclusive",
                ));
            }
            (Some(seq), None) => Window::Before(seq),
            (None, Some(seq)) => Window::After(seq),
            (None, None) => Window::Before(u64::MAX),
        };
        let conversation = self.readable(caller, conversation)?;
        let mut page = self.history_page(caller, conversation, window, limit);
        if !page.is_empty() {
            match self.history_faults.pop_front() {
                Some(PageFault::Empty) => page.clear(),
                Some(PageFault::Short(most)) => page.truncate(most),
                Some(PageFault::Reversed) => page.reverse(),
                Some(PageFault::WrongShape) => {
                    return Ok(Answer::json(200, r#"{"messages":"moved"}"#.to_owned()));
                }
                Some(PageFault::PoisonAt(at)) => {
                    let mut rows = self.render_history(caller, &page);
                    if let Some(row) = rows.get_mut(at) {
                        r#"{"id":7,"sender":["unreadable"]}"#.clone_into(row);
                    }
                    return Ok(Answer::json(200, format!("[{}]", rows.join(","))));
                }
                Some(PageFault::Fine | PageFault::NullIds) | None => {}
            }
        }
        let rows = self.render_history(caller, &page);
        Ok(Answer::json(200, format!("[{}]", rows.join(","))))
    }

    /// Everything a caller may see of a conversation, in seq order, plus what still waits for it.
    pub(crate) fn visible(&self, caller: AgentNo, conversation: ConversationNo) -> Vec<MessageNo> {
        let row = &self.conversations[conversation.index()];
        row.messages
            .iter()
            .copied()
            .filter(|message| {
                let listed = self.in_view(caller, conversation, *message)
                    && !self.agents[caller.index()]
                        .hidden_messages
                        .contains(message);
                listed || self.waits_for(caller, *message)
            })
            .collect()
    }

    fn waits_for(&self, caller: AgentNo, message: MessageNo) -> bool {
        self.envelope_of(message, caller).is_some_and(|number| {
            let envelope = &self.envelopes[number.index()];
            envelope.owner == caller
                && self.agents[caller.index()]
                    .stored
                    .contains_key(&envelope.position)
                && !self.messages[message.index()].purged
        })
    }

    fn history_page(
        &self,
        caller: AgentNo,
        conversation: ConversationNo,
        window: Window,
        limit: usize,
    ) -> Vec<MessageNo> {
        let messages = &self.conversations[conversation.index()].messages;
        let place = |seq: u64| {
            usize::try_from(seq)
                .unwrap_or(usize::MAX)
                .min(messages.len())
        };
        let seen = |message: &MessageNo| self.in_view(caller, conversation, *message);
        let page: Vec<MessageNo> = match window {
            Window::After(seq) => messages[place(seq)..]
                .iter()
                .copied()
                .filter(seen)
                .take(limit)
                .collect(),
            Window::Before(seq) => messages[..place(seq.saturating_sub(1))]
                .iter()
                .rev()
                .copied()
                .filter(seen)
                .take(limit)
                .collect(),
        };
        // Messages hidden one by one go after the limit: a page may be short, or empty.
        let hidden = &self.agents[caller.index()].hidden_messages;
        page.into_iter()
            .filter(|message| !hidden.contains(message))
            .collect()
    }

    /// Whether a row passes the filters that come before the limit.
    fn in_view(&self, caller: AgentNo, conversation: ConversationNo, message: MessageNo) -> bool {
        let row = &self.messages[message.index()];
        let place = &self.conversations[conversation.index()];
        let joined = match &place.kind {
            ConversationKind::Direct { .. } => 1,
            ConversationKind::Group(group) => group
                .member(caller)
                .map_or(u64::MAX, |member| member.joined_seq),
        };
        let cutoff = place.hidden.get(&caller);
        !row.purged && row.seq >= joined && cutoff.is_none_or(|at| row.created_at > *at)
    }

    fn render_history(&self, caller: AgentNo, page: &[MessageNo]) -> Vec<String> {
        page.iter()
            .map(|message| {
                let envelope = self.envelope_of(*message, caller);
                self.render(*message, Form::Delivery(envelope))
            })
            .collect()
    }

    /// The conversation, if the caller takes part in it.
    fn readable(&self, caller: AgentNo, id: &str) -> Result<ConversationNo, Answer> {
        let refused = || {
            Answer::error(
                403,
                "FORBIDDEN",
                "You are not a participant in this conversation",
            )
        };
        let number = self
            .by_conversation_id
            .get(id)
            .copied()
            .ok_or_else(refused)?;
        match &self.conversations[number.index()].kind {
            ConversationKind::Direct { parties, .. } => parties
                .contains(&caller)
                .then_some(number)
                .ok_or_else(refused),
            ConversationKind::Group(group) => {
                if group.deleted.is_some() && group.was_member(caller) {
                    return Err(self.group_gone(number));
                }
                let inside = group.deleted.is_none() && group.member(caller).is_some();
                inside.then_some(number).ok_or_else(refused)
            }
        }
    }
}

fn limit(text: Option<&str>) -> usize {
    let Some(text) = text else {
        return DEFAULT_LIMIT;
    };
    match js_number(text).filter(|number| number.fract() == 0.0) {
        Some(number) => number.clamp(1.0, MAX_LIMIT) as usize,
        None => DEFAULT_LIMIT,
    }
}

/// A cursor of the query: absent, a seq, or the answer that refuses it.
fn cursor(name: &str, text: Option<&str>) -> Result<Option<u64>, Answer> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let number = js_number(text).filter(|number| number.fract() == 0.0 && *number >= 0.0);
    let Some(number) = number else {
        return Err(Answer::bad(&format!(
            "{name} must be a non-negative integer"
        )));
    };
    // The database's BIGINT.
    if number >= i64::MAX as f64 {
        return Err(Answer::empty_500());
    }
    Ok(Some(number as u64))
}
