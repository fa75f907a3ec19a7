//! Events and notifications: the schema of each type, and what comes over a connection unasked.

use serde_json::{Map, Value, json};

use super::examples;
use super::guide::Guide;
use super::schemas::{Components, Schemas, reference};
use crate::types::{
    BacklogWarning, ConnectionChange, Event, EventNotice, GoingAway, LogTruncated, MessageFailed,
    SequenceGap, SubscriptionClosed, SubscriptionLagged, kind, notification,
};

/// An event type with the schema of its payload.
struct Kind {
    name: &'static str,
    about: &'static str,
    logged: bool,
    payload: Value,
}

/// What the document says of events.
#[derive(Debug)]
pub(super) struct Events {
    /// A component for each type: the envelope, with the payload of the type.
    pub(super) components: Map<String, Value>,
    /// The types, for `x-events`.
    pub(super) list: Vec<Value>,
}

/// Collects the events; their schemas refer to components.
pub(super) fn events(schemas: &mut Schemas) -> Events {
    let envelope = schemas.of::<Event>();
    let mut events = Events {
        components: Map::new(),
        list: Vec::new(),
    };
    for kind in kinds(schemas) {
        let offset = if kind.logged { "integer" } else { "null" };
        let schema = json!({
            "description": kind.about,
            "allOf": [envelope, {
                "type": "object",
                "required": ["offset"],
                "properties": {
                    "type": { "const": kind.name },
                    "offset": { "type": offset },
                    "payload": kind.payload,
                },
            }],
        });
        let component = component_of(kind.name);
        events.list.push(json!({
            "name": kind.name,
            "summary": kind.about,
            "logged": kind.logged,
            "schema": reference(&component),
            "payload": kind.payload,
        }));
        events.components.insert(component, schema);
    }
    events
}

fn kinds(schemas: &mut Schemas) -> Vec<Kind> {
    let message = reference("PlatformMessage");
    let of = |name: &str| reference(name);
    let all = [
        (
            kind::MESSAGE_NEW,
            "A message for the agent.",
            message.clone(),
        ),
        (
            kind::MESSAGE_SENT,
            "A message of the agent itself.",
            message,
        ),
        (
            kind::MESSAGE_FAILED,
            "A message that will not be sent, or of which nobody can tell.",
            schemas.of::<MessageFailed>(),
        ),
        (
            kind::MESSAGE_READ,
            "Someone read a message of the agent.",
            of("PlatformReceipt"),
        ),
        (
            kind::GROUP_INVITE_RECEIVED,
            "The agent was asked into a group.",
            of("PlatformInvite"),
        ),
        (
            kind::GROUP_DELETED,
            "A group of the agent is gone.",
            of("PlatformGroupDeleted"),
        ),
        (
            kind::CONTACT_BLOCKED,
            "A contact was blocked.",
            of("PlatformObject"),
        ),
        (
            kind::RATE_LIMIT_WARNING,
            "AgentChat warns of a rate limit.",
            of("PlatformObject"),
        ),
        (
            kind::BACKLOG_WARNING,
            "A recipient has much unread.",
            schemas.of::<BacklogWarning>(),
        ),
        (
            kind::SEQUENCE_GAP,
            "Messages of a conversation are missing, or were for a while.",
            schemas.of::<SequenceGap>(),
        ),
        (
            kind::LOG_TRUNCATED,
            "Events were removed that a durable consumer had not acknowledged.",
            schemas.of::<LogTruncated>(),
        ),
    ];
    let live = [
        (kind::TYPING_START, "Someone types.", of("PlatformTyping")),
        (
            kind::TYPING_STOP,
            "Someone stopped to type.",
            of("PlatformTyping"),
        ),
        (
            kind::PRESENCE_UPDATE,
            "Someone came or went.",
            of("PlatformPresence"),
        ),
        (
            kind::CONNECTION_STATE,
            "The connection to AgentChat changed.",
            schemas.of::<ConnectionChange>(),
        ),
    ];
    let logged = all.into_iter().map(|entry| (true, entry));
    let live = live.into_iter().map(|entry| (false, entry));
    logged
        .chain(live)
        .map(|(logged, (name, about, payload))| Kind {
            name,
            about,
            logged,
            payload,
        })
        .collect()
}

/// What comes unasked: name, when, schema of its parameters.
pub(super) fn notifications(schemas: &mut Schemas) -> Vec<Value> {
    [
        (
            notification::EVENT,
            "An event of a subscription.",
            schemas.of::<EventNotice>(),
        ),
        (
            notification::LAGGED,
            "Events that are live only were dropped, because the reader was slow.",
            schemas.of::<SubscriptionLagged>(),
        ),
        (
            notification::CLOSED,
            "The daemon ended a subscription.",
            schemas.of::<SubscriptionClosed>(),
        ),
        (
            notification::GOING_AWAY,
            "The daemon stops; come back after the time that it names.",
            schemas.of::<GoingAway>(),
        ),
    ]
    .into_iter()
    .map(|(name, summary, schema)| json!({ "name": name, "summary": summary, "schema": schema }))
    .collect()
}

/// Puts the page's examples beside the notifications.
pub(super) fn show(notifications: &mut [Value], guide: &Guide, all: &Components) {
    for notification in notifications {
        let of_page = guide.notifications.iter();
        let shown: Vec<Value> = of_page
            .filter(|shown| shown["method"] == notification["name"])
            .map(|shown| examples::value(&shown["params"], &notification["schema"], all))
            .collect();
        if !shown.is_empty() {
            notification["examples"] = shown.into();
        }
    }
}

/// `message.new` is `MessageNewEvent`.
fn component_of(name: &str) -> String {
    let words = name.split(['.', '_']).map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_ascii_uppercase() + rest
    });
    words.collect::<String>() + "Event"
}
