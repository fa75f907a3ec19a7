//! Which events a subscriber sees.

use agentchatd_client::types::{Filter, kind};
use serde::Deserialize;

use crate::event::LogEvent;

/// True where every condition that the filter names holds. `me` is the agent's own bare handle.
pub fn passes(filter: &Filter, event: &LogEvent, me: Option<&str>) -> bool {
    let Filter {
        types,
        conversations,
        senders,
        mentions_me,
        include_own,
    } = filter;
    types
        .as_ref()
        .is_none_or(|types| types.contains(&*event.kind))
        && conversations.as_ref().is_none_or(|wanted| {
            event
                .conversation_id
                .as_deref()
                .is_some_and(|one| wanted.contains(one))
        })
        && senders.as_ref().is_none_or(|senders| {
            // The handles of a filter are bare and in lower case already.
            event
                .sender
                .as_deref()
                .is_some_and(|one| senders.iter().any(|s| s.as_str() == one))
        })
        && (*include_own || &*event.kind != kind::MESSAGE_SENT)
        && (!*mentions_me || me.is_some_and(|me| mentions(&event.payload, me)))
}

/// True where the message's `context.mentions` names `me`.
fn mentions(payload: &str, me: &str) -> bool {
    #[derive(Deserialize)]
    struct Message {
        context: Context,
    }
    #[derive(Deserialize)]
    struct Context {
        mentions: Vec<String>,
    }
    // A payload of another shape mentions nobody.
    serde_json::from_str::<Message>(payload).is_ok_and(|message| {
        message.context.mentions.iter().any(|one| {
            one.strip_prefix('@')
                .unwrap_or(one)
                .eq_ignore_ascii_case(me)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: &str, sender: &str, payload: &str) -> LogEvent {
        LogEvent {
            offset: 1,
            kind: kind.into(),
            conversation_id: Some("conv_1".into()),
            sender: Some(sender.into()),
            payload: payload.into(),
            ..LogEvent::default()
        }
    }

    fn passes(filter: &str, event: &LogEvent) -> bool {
        super::passes(&serde_json::from_str(filter).unwrap(), event, Some("me"))
    }

    #[test]
    fn all_conditions_that_are_given_must_hold() {
        let event = message("message.new", "alice", "{}");
        assert!(passes("{}", &event));
        assert!(passes(
            r#"{"types":["message.new"],"senders":["@Alice"]}"#,
            &event
        ));
        assert!(!passes(
            r#"{"types":["message.new"],"senders":["bob"]}"#,
            &event
        ));
        assert!(!passes(r#"{"conversations":["conv_2"]}"#, &event));
        assert!(
            !passes(r#"{"types":[]}"#, &event),
            "an empty list holds nothing"
        );
    }

    #[test]
    fn an_event_without_the_thing_that_is_asked_for_does_not_pass() {
        let event = LogEvent {
            kind: "connection.state".into(),
            ..LogEvent::default()
        };
        assert!(!passes(r#"{"conversations":["conv_1"]}"#, &event));
        assert!(!passes(r#"{"senders":["alice"]}"#, &event));
    }

    #[test]
    fn own_messages_are_left_out_only_on_request() {
        let own = message("message.sent", "me", "{}");
        assert!(passes("{}", &own));
        assert!(!passes(r#"{"include_own":false}"#, &own));
    }

    #[test]
    fn a_mention_is_found_whatever_its_case() {
        let one = r#"{"context":{"mentions":["bob","Me"]}}"#;
        let filter = r#"{"mentions_me":true}"#;
        assert!(passes(filter, &message("message.new", "alice", one)));
        assert!(!passes(
            filter,
            &message("message.new", "alice", r#"{"context":{"mentions":[]}}"#)
        ));
        assert!(!passes(
            filter,
            &message("message.new", "alice", r#"{"context":null}"#)
        ));
    }
}
