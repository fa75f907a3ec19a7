//! Messages, as they stand in AgentChat's history.

use serde_json::Value;

use super::moment::moment;
use super::read::{handle, list, number, text};
use crate::output::{Line, Page, dim, name, plain, warn};

/// A conversation's messages, oldest first, whatever the order in which they came.
pub(crate) fn history(messages: &Value) -> Page {
    let mut messages: Vec<&Value> = list(messages, "").iter().collect();
    messages.sort_by_key(|message| number(message, "seq"));
    let mut page = Page::default();
    for message in &messages {
        let mut head = vec![
            dim(number(message, "seq").map_or_else(|| "-".to_owned(), |seq| seq.to_string())),
            plain("  "),
            dim(text(message, "created_at").map_or_else(String::new, moment)),
            plain("  "),
            dim(text(message, "id").unwrap_or("-")),
            plain("  "),
        ];
        head.extend(sender(message));
        page.add_text(head, &body(message));
    }
    if messages.is_empty() {
        page.add(vec![plain("no messages")]);
    }
    page
}

/// Who wrote it, and what it answers.
pub(super) fn sender(message: &Value) -> Line {
    let mut line = vec![name(handle(message, "sender")), plain("  ")];
    if let Some(id) = message
        .pointer("/metadata/reply_to")
        .and_then(Value::as_str)
    {
        line.push(warn(format!("↪ {id}")));
        line.push(plain("  "));
    }
    line
}

/// What it says: its text, and what is there beside it.
pub(crate) fn body(message: &Value) -> String {
    let Some(content) = message.get("content") else {
        return String::new();
    };
    if let Some(text) = content.as_str() {
        return text.to_owned();
    }
    let mut parts = Vec::new();
    if let Some(text) = text(content, "text") {
        parts.push(text.to_owned());
    }
    if let Some(id) = text(content, "attachment_id") {
        parts.push(format!("[file {id}]"));
    }
    if let Some(data) = content.get("data") {
        parts.push(system(message, data).unwrap_or_else(|| data.to_string()));
    }
    if parts.is_empty() {
        parts.push(content.to_string());
    }
    parts.join(" ")
}

/// What AgentChat says about a group: `member joined @dora`.
fn system(message: &Value, data: &Value) -> Option<String> {
    let event = text(data, "event").filter(|_| text(message, "type") == Some("system"))?;
    let whom = handle(data, "agent_handle");
    Some(format!("[{} {whom}]", event.replace('_', " ")).replace(" ]", "]"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn history_stands_in_the_order_of_seq_with_each_text_indented() {
        let newest_first = json!([
            {"id": "msg_2", "seq": 2, "sender": "bob", "created_at": "2026-11-23T12:00:01Z",
             "content": {"text": "two\nlines\u{1b}[2J"}, "metadata": {"reply_to": "msg_1"}},
            {"id": "msg_1", "seq": 1, "sender": "ann", "created_at": "2026-11-23T12:00:00Z",
             "content": {"text": "one"}},
        ]);
        assert_eq!(
            history(&newest_first).text(false),
            "1  2026-11-23 12:00:00Z  msg_1  @ann  one\n\
             2  2026-11-23 12:00:01Z  msg_2  @bob  ↪ msg_1  two\n    lines\n"
        );
        assert_eq!(history(&json!([])).text(false), "no messages\n");
    }

    #[test]
    fn everything_that_a_content_holds_is_shown() {
        let message =
            json!({"content": {"text": "see", "attachment_id": "att_1", "data": {"n": 1}}});
        assert_eq!(body(&message), r#"see [file att_1] {"n":1}"#);
        assert_eq!(body(&json!({"content": {"new": true}})), r#"{"new":true}"#);
        assert_eq!(body(&json!({})), "");
        let data = json!({"event": "member_joined", "agent_handle": "dora"});
        let system = json!({"type": "system", "content": {"data": data}});
        assert_eq!(body(&system), "[member joined @dora]");
    }
}
