//! Events of the log, a line each and more only where a text has more.

use serde_json::Value;

use super::message::{body, sender};
use super::moment::moment;
use super::read::{flag, handle, list, number, text};
use crate::output::{Line, Page, bad, dim, good, name, plain, warn};

/// One event.
pub(crate) fn event(event: &Value) -> Page {
    let payload = event.get("payload").unwrap_or(&Value::Null);
    let kind = text(event, "type").unwrap_or("event");
    let mut head = head(event);
    let mut page = Page::default();
    match kind {
        "message.new" | "message.sent" => {
            head.push(dim(text(event, "conversation_id").unwrap_or("-")));
            head.push(plain("  "));
            head.extend(sender(payload));
            page.add_text(head, &body(payload));
        }
        _ => {
            head.extend(told(kind, event, payload));
            page.add(head);
        }
    }
    page
}

/// Offset, time, and what is out of the ordinary.
fn head(event: &Value) -> Line {
    let offset =
        number(event, "offset").map_or_else(|| "-".to_owned(), |offset| offset.to_string());
    let mut line = vec![
        dim(offset),
        plain("  "),
        dim(text(event, "received_at").map_or_else(String::new, moment)),
        plain("  "),
    ];
    for (member, mark) in [("late", "late"), ("redelivered", "again")] {
        if flag(event, member) {
            line.push(warn(mark));
            line.push(plain("  "));
        }
    }
    line
}

/// What an event that is no message says.
fn told(kind: &str, event: &Value, payload: &Value) -> Line {
    let conversation = text(event, "conversation_id")
        .or_else(|| text(payload, "conversation_id"))
        .unwrap_or("-");
    match kind {
        "message.failed" => {
            let error = payload.get("error");
            let why = error
                .and_then(|error| text(error, "message"))
                .unwrap_or("-");
            vec![
                bad("not sent"),
                plain(format!("  {}  ", text(payload, "outbox_id").unwrap_or("-"))),
                plain(format!(
                    "{}: {why}",
                    text(payload, "state").unwrap_or("failed")
                )),
            ]
        }
        "message.read" => {
            let by = [handle(payload, "read_by"), handle(payload, "reader")].concat();
            let what = match (text(payload, "message_id"), number(payload, "through_seq")) {
                (Some(id), _) => id.to_owned(),
                (None, Some(seq)) => format!("{conversation} up to {seq}"),
                (None, None) => conversation.to_owned(),
            };
            vec![name(by), plain(format!(" read {what}"))]
        }
        "group.invite.received" => vec![
            name(handle(payload, "inviter_handle")),
            plain(" invites you to "),
            good(text(payload, "group_name").unwrap_or("a group")),
            dim(format!(
                "  agentchatctl groups accept {}",
                text(payload, "id").unwrap_or("-")
            )),
        ],
        "group.deleted" => vec![
            name(handle(payload, "deleted_by_handle")),
            plain(format!(
                " deleted the group {}",
                text(payload, "group_id").unwrap_or("-")
            )),
        ],
        "backlog.warning" => vec![
            name(handle(payload, "recipient_handle")),
            warn(format!(
                " has {} messages unread",
                number(payload, "undelivered_count").unwrap_or_default()
            )),
        ],
        "sequence.gap" => gap(payload),
        "log.truncated" => vec![warn(truncated(payload))],
        "typing.start" => vec![
            name(handle(payload, "sender")),
            dim(format!(" types in {conversation}")),
        ],
        "typing.stop" => vec![
            name(handle(payload, "sender")),
            dim(format!(" stopped to type in {conversation}")),
        ],
        "presence.update" => {
            let own = text(payload, "custom_message").map(|own| format!(": {own}"));
            vec![
                name(handle(payload, "handle")),
                plain(format!(" is {}", text(payload, "status").unwrap_or("-"))),
                plain(own.unwrap_or_default()),
            ]
        }
        "connection.state" => {
            let reason = text(payload, "reason").map(|reason| format!(" ({reason})"));
            vec![
                dim("connection to AgentChat: "),
                plain(text(payload, "state").unwrap_or("-")),
                plain(reason.unwrap_or_default()),
            ]
        }
        other => vec![warn(other), plain("  "), plain(payload.to_string())],
    }
}

fn truncated(payload: &Value) -> String {
    let consumers: Vec<_> = list(payload, "consumers")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    format!(
        "events {}-{} were removed unread by {}",
        number(payload, "first_offset").unwrap_or_default(),
        number(payload, "last_offset").unwrap_or_default(),
        consumers.join(", ")
    )
}

fn gap(payload: &Value) -> Line {
    let spans = list(payload, "missing").iter().map(|span| {
        let end = |place: usize| span.get(place).and_then(Value::as_u64).unwrap_or_default();
        match (end(0), end(1)) {
            (from, to) if from == to => from.to_string(),
            (from, to) => format!("{from}-{to}"),
        }
    });
    let missing: Vec<_> = spans.collect();
    let conversation = text(payload, "conversation_id").unwrap_or("-");
    let reason = text(payload, "reason").unwrap_or("-");
    let mark = if flag(payload, "recovered") {
        good("hole filled")
    } else {
        warn("hole")
    };
    vec![
        mark,
        plain(format!(
            "  {conversation}  {}  {reason}",
            missing.join(", ")
        )),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line(kind: &str, payload: &Value) -> String {
        let value = json!({
            "offset": 7, "type": kind, "received_at": "2026-11-23T12:00:00.5Z",
            "conversation_id": "conv_1", "late": false, "payload": payload,
        });
        let text = event(&value).text(false);
        text.trim_end()
            .trim_start_matches("7  2026-11-23 12:00:00Z  ")
            .to_owned()
    }

    #[test]
    fn a_message_has_its_place_its_sender_and_its_text() {
        let payload = json!({"sender": "bob", "content": {"text": "hi"}});
        assert_eq!(line("message.new", &payload), "conv_1  @bob  hi");
    }

    #[test]
    fn what_is_out_of_the_ordinary_is_marked() {
        let value = json!({
            "offset": null, "type": "message.new", "received_at": "2026-11-23T12:00:00Z",
            "late": true, "redelivered": true,
            "payload": {"sender": "bob", "content": {"text": "hi"}},
        });
        assert_eq!(
            event(&value).text(false),
            "-  2026-11-23 12:00:00Z  late  again  -  @bob  hi\n"
        );
    }

    #[test]
    fn every_known_type_has_words_of_its_own() {
        for (kind, payload, expected) in [
            (
                "message.failed",
                json!({"outbox_id": "obx_1", "state": "expired", "error": {"message": "too late"}}),
                "not sent  obx_1  expired: too late",
            ),
            (
                "message.read",
                json!({"message_id": "msg_1", "read_by": "bob"}),
                "@bob read msg_1",
            ),
            (
                "message.read",
                json!({"through_seq": 9, "reader": "bob"}),
                "@bob read conv_1 up to 9",
            ),
            (
                "group.invite.received",
                json!({"id": "gri_1", "inviter_handle": "bob", "group_name": "Crew"}),
                "@bob invites you to Crew  agentchatctl groups accept gri_1",
            ),
            (
                "group.deleted",
                json!({"group_id": "grp_1", "deleted_by_handle": "bob"}),
                "@bob deleted the group grp_1",
            ),
            (
                "backlog.warning",
                json!({"recipient_handle": "bob", "undelivered_count": 5000}),
                "@bob has 5000 messages unread",
            ),
            (
                "sequence.gap",
                json!({"conversation_id": "conv_1", "missing": [[3, 3], [5, 6]],
                       "recovered": false, "reason": "absent_upstream"}),
                "hole  conv_1  3, 5-6  absent_upstream",
            ),
            (
                "log.truncated",
                json!({"first_offset": 1, "last_offset": 9, "consumers": ["a", "b"]}),
                "events 1-9 were removed unread by a, b",
            ),
            (
                "typing.start",
                json!({"sender": "bob"}),
                "@bob types in conv_1",
            ),
            (
                "presence.update",
                json!({"handle": "bob", "status": "busy", "custom_message": "tea"}),
                "@bob is busy: tea",
            ),
            (
                "connection.state",
                json!({"state": "parked", "reason": "key"}),
                "connection to AgentChat: parked (key)",
            ),
            ("new.kind", json!({"a": 1}), r#"new.kind  {"a":1}"#),
        ] {
            assert_eq!(line(kind, &payload), expected);
        }
    }

    #[test]
    fn nothing_is_needed_to_be_there() {
        for kind in [
            "message.new",
            "message.read",
            "sequence.gap",
            "presence.update",
            "x",
        ] {
            assert!(!line(kind, &Value::Null).is_empty(), "{kind}");
        }
        assert_eq!(event(&Value::Null).text(false), "-    event  null\n");
    }
}
