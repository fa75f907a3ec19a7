//! The last messages of the log, as the page shows them.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::tidy::cut;
use crate::output::text::Lines;
use crate::render::{body, flag, handle, number, text};

/// The newest messages, and how far the log was read for them.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// Whose log it is: the agent and the database.
    of: (Value, Value),
    after: u64,
    shown: VecDeque<Value>,
}

impl Messages {
    /// Begins anew where the daemon behind the socket is another agent's, or has another database.
    pub(super) fn of(&mut self, status: &Value) {
        let at = |place| status.pointer(place).cloned().unwrap_or_default();
        let of = (at("/agent/handle"), at("/storage/path"));
        if self.of != of {
            *self = Self {
                of,
                ..Self::default()
            };
        }
    }

    /// Where to read on, in a log that ends there; none where all is read.
    pub(super) fn next(&mut self, last_offset: u64) -> Option<u64> {
        if last_offset < self.after {
            // Another log in the same place: the state directory was emptied.
            self.after = 0;
            self.shown.clear();
        }
        self.after = self.after.max(last_offset.saturating_sub(FAR));
        (self.after < last_offset).then_some(self.after)
    }

    /// Takes a page of `events.fetch`; whether it moved on.
    pub(super) fn add(&mut self, page: &Value) -> bool {
        let events = page.get("events").and_then(Value::as_array);
        for event in events.into_iter().flatten() {
            self.shown.push_back(row(event));
            if self.shown.len() > SHOWN {
                self.shown.pop_front();
            }
        }
        let next = number(page, "next_after").unwrap_or_default();
        let moved = next > self.after;
        self.after = self.after.max(next);
        moved
    }

    /// For the page, the newest first.
    pub(super) fn view(&self) -> Value {
        self.shown.iter().rev().cloned().collect()
    }
}

/// One message. Who wrote it and in which group are AgentChat's words, the text is the sender's.
fn row(event: &Value) -> Value {
    let null = Value::Null;
    let payload = event.get("payload").unwrap_or(&null);
    let kind = text(event, "type").unwrap_or_default();
    let said = if kind == "message.failed" {
        let error = payload.pointer("/error/message").and_then(Value::as_str);
        error.unwrap_or("no reason is told").to_owned()
    } else {
        body(payload)
    };
    let (said, cut_off) = cut(&said, TEXT_CHARS, Lines::Keep);
    let label = |text: &str| cut(text, NAME_CHARS, Lines::Fold).0;
    let conversation = payload.pointer("/context/conversation").unwrap_or(&null);
    json!({
        "offset": number(event, "offset"),
        "kind": label(kind),
        "at": text(event, "received_at"),
        "conversation": text(event, "conversation_id").map(label),
        "group": text(conversation, "group_name").map(label),
        "sender": label(&handle(payload, "sender")),
        "to": text(payload, "to").map(label),
        "state": text(payload, "state").map(label),
        "text": said,
        "cut": cut_off,
        "late": flag(event, "late"),
    })
}

/// How many are shown.
const SHOWN: usize = 30;
/// How far from the end of the log messages are looked for among other events.
const FAR: u64 = 300;
/// How much of a message is shown.
const TEXT_CHARS: usize = 600;
const NAME_CHARS: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    fn page(first: u64, count: u64) -> Value {
        let events: Vec<_> = (first..first + count)
            .map(|offset| {
                json!({"offset": offset, "type": "message.new", "payload":
                       {"sender": "bob", "content": {"text": format!("no {offset}")}}})
            })
            .collect();
        json!({"events": events, "next_after": first + count - 1})
    }

    #[test]
    fn it_reads_on_where_it_was_and_keeps_the_newest() {
        let mut messages = Messages::default();
        assert_eq!(messages.next(0), None);
        assert_eq!(messages.next(10_000), Some(9_700));
        assert!(messages.add(&page(9_701, 300)));
        assert!(!messages.add(&page(9_701, 300)));
        assert_eq!(messages.next(10_000), None);
        assert_eq!(messages.next(10_001), Some(10_000));
        let view = messages.view();
        assert_eq!(view.as_array().unwrap().len(), SHOWN);
        assert_eq!(view[0]["text"], "no 10000");
        // A log that is shorter is another one.
        assert_eq!(messages.next(5), Some(0));
        assert_eq!(messages.view(), json!([]));
    }

    #[test]
    fn of_another_agent_or_database_it_begins_anew_however_long_the_log_is() {
        let status = |handle: Value, path: &str| json!({"agent": {"handle": handle}, "storage": {"path": path}});
        let mut messages = Messages::default();
        for status in [
            status(json!("erin"), "/one"),
            status(json!("finn"), "/one"),
            status(json!("finn"), "/two"),
            status(Value::Null, "/two"),
        ] {
            messages.of(&status);
            assert_eq!(messages.view(), json!([]), "{status}");
            assert_eq!(messages.next(2), Some(0), "{status}");
            messages.add(&page(1, 2));
            messages.of(&status);
            assert_eq!(messages.view().as_array().map(Vec::len), Some(2));
            assert_eq!(messages.next(2), None);
        }
    }

    #[test]
    fn text_of_others_is_cut_and_turns_nothing_round() {
        let text = format!(
            "\u{202e}<img src=x onerror=alert(1)>{}",
            "x".repeat(1 << 20)
        );
        let event = json!({"offset": 1, "type": "message.new", "payload":
                           {"sender": "bob\u{202e}", "content": {"text": text}}});
        let row = row(&event);
        let shown = row["text"].as_str().unwrap();
        assert!(
            shown.starts_with("<img src=x onerror=alert(1)>xxx"),
            "{shown}"
        );
        assert_eq!(shown.chars().count(), TEXT_CHARS);
        assert_eq!(row["cut"], true);
        assert_eq!(row["sender"], "@bob");
    }

    #[test]
    fn a_failure_says_why() {
        let event = json!({"type": "message.failed", "payload": {"state": "failed",
                           "error": {"message": "Agent not found"}}});
        let row = row(&event);
        assert_eq!(
            (&row["text"], &row["state"]),
            (&json!("Agent not found"), &json!("failed"))
        );
    }
}
