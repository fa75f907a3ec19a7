//! Control routes for users in other processes: everything under `/_sandbox/`, JSON in and out, no
//! key. They exist in the sandbox only, and the sandbox listens on loopback only.
//!
//! | Route | Body | Answer |
//! |---|---|---|
//! | POST `agents` | `{handle, key?}` | `{handle, key}` |
//! | POST `groups` | `{creator, name, members}` | `{id}` |
//! | POST `send` | see [`SendOrder`] | the message, or a list when `count` is given |
//! | POST `release` | - | commits rows sent with `late: "on_release"` |
//! | POST `state` | `{agent, set: Setting}` | `{ok}` |
//! | POST `faults` | members of `Faults` to replace | all switches |
//! | GET, DELETE `faults` | - | all switches; all off |
//! | POST `pass` | `{seconds}` | the platform's clock moves on |
//! | POST `owners` | `{email}` | no agent can register with this address |
//! | POST `cut` | `{agent, cut: Cut}` | `{sockets}` |
//! | POST `frame` | `{agent, text}` | `{sockets}` |
//! | GET `journal`, `journal/<index>` | - | entries, from an index on |
//! | GET `requests/<index>` | - | `{next, requests}`: whole requests among the entries from an index on |
//! | GET `messages/<handle>` | - | messages by conversation id |

use super::faults::Faults;
use super::journal::Event;
use super::link::Cut;
use super::platform::{Answer, Content, Draft, Late, Message, To};
use super::shared::Shared;
use super::steer::{Setting, agent_of};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Where the control routes begin.
pub(crate) const PREFIX: &str = "/_sandbox/";
/// Messages of one order at most.
const MAX_COUNT: u32 = 1_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgentOrder {
    handle: String,
    key: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupOrder {
    creator: String,
    name: String,
    #[serde(default)]
    members: Vec<String>,
}

/// A message to be sent without HTTP gates. Exactly one of `to` and `conversation_id`, and one of
/// `text`, `content` and `raw` (content as JSON text that leaves as it is).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendOrder {
    from: String,
    to: Option<String>,
    conversation_id: Option<String>,
    text: Option<String>,
    content: Option<Value>,
    raw: Option<String>,
    metadata: Option<Value>,
    client_msg_id: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Commit it later.
    late: Option<Late>,
    /// No push.
    #[serde(default)]
    quiet: bool,
    /// So many messages; `{n}` in the text becomes the number, from 1.
    count: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StateOrder {
    agent: String,
    set: Setting,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PassOrder {
    seconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnerOrder {
    email: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CutOrder {
    agent: String,
    cut: Cut,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrameOrder {
    agent: String,
    text: String,
}

/// An order that cannot be carried out.
struct Refused(String);

impl From<super::steer::Unknown> for Refused {
    fn from(unknown: super::steer::Unknown) -> Self {
        Self(unknown.to_string())
    }
}

/// Answers a control request.
pub(crate) fn answer(shared: &Arc<Shared>, method: &str, path: &str, body: &[u8]) -> Answer {
    let parts: Vec<&str> = path.trim_start_matches(PREFIX).split('/').collect();
    let reply = match (method, parts.as_slice()) {
        ("POST", ["agents"]) => read(body).map(|order| agent(shared, &order)),
        ("POST", ["groups"]) => read(body).and_then(|order| group(shared, &order)),
        ("POST", ["send"]) => read(body).and_then(|order| send(shared, &order)),
        ("POST", ["pass"]) => read(body).map(|order: PassOrder| {
            shared.pass(Duration::from_secs(order.seconds));
            json!({ "ok": true })
        }),
        ("POST", ["owners"]) => read(body).map(|order: OwnerOrder| {
            let email = order.email.to_lowercase();
            shared.lock().platform.owner_emails.insert(email);
            json!({ "ok": true })
        }),
        ("POST", ["release"]) => {
            shared.release_held();
            Ok(json!({ "ok": true }))
        }
        ("POST", ["state"]) => read(body).and_then(|order: StateOrder| {
            shared.set(&order.agent, &order.set)?;
            Ok(json!({ "ok": true }))
        }),
        ("POST", ["faults"]) => read(body).and_then(|order| merge_faults(shared, &order)),
        ("GET", ["faults"]) => Ok(shared.faults(|faults| json!(faults))),
        ("DELETE", ["faults"]) => {
            shared.faults(|faults| *faults = Faults::default());
            Ok(json!({ "ok": true }))
        }
        ("POST", ["cut"]) => read(body).and_then(|order: CutOrder| {
            let state = shared.lock();
            let agent = agent_of(&state.platform, &order.agent)?;
            Ok(json!({ "sockets": shared.cut(&state, agent, &order.cut) }))
        }),
        ("POST", ["frame"]) => read(body).map(
            |order: FrameOrder| json!({ "sockets": shared.send_frame(&order.agent, &order.text) }),
        ),
        ("GET", ["journal"]) => Ok(json!(shared.journal.entries())),
        ("GET", ["journal", from]) => {
            let from = from.parse().unwrap_or(0);
            Ok(json!(shared.journal.entries_from(from)))
        }
        ("GET", ["requests", from]) => Ok(requests(shared, from.parse().unwrap_or(0))),
        ("GET", ["messages", handle]) => Ok(json!(shared.messages_for(handle))),
        _ => return Answer::no_route(),
    };
    match reply {
        Ok(value) => Answer::value(200, &value),
        Err(Refused(text)) => Answer::error(400, "SANDBOX", &text),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| Refused(error.to_string()))
}

fn agent(shared: &Shared, order: &AgentOrder) -> Value {
    let usual = format!("ac_sandbox_{}", order.handle);
    let (handle, key) = shared.agent(&order.handle, order.key.as_deref().unwrap_or(&usual));
    json!({ "handle": handle, "key": key })
}

fn group(shared: &Arc<Shared>, order: &GroupOrder) -> Result<Value, Refused> {
    let members: Vec<&str> = order.members.iter().map(String::as_str).collect();
    let id = shared.make_group(&order.creator, &order.name, &members)?;
    Ok(json!({ "id": id }))
}

fn send(shared: &Arc<Shared>, order: &SendOrder) -> Result<Value, Refused> {
    let to = match (&order.to, &order.conversation_id) {
        (Some(handle), None) => To::Handle(handle),
        (None, Some(id)) => To::Conversation(id),
        _ => return Err(Refused("exactly one of to and conversation_id".to_owned())),
    };
    if let Some(when) = order.late {
        let draft = draft(order, 1)?;
        return match shared
            .lock()
            .platform
            .hold(&order.from, to, draft, when, shared.now())
        {
            true => Ok(json!({ "held": true })),
            false => Err(Refused("unknown sender or target".to_owned())),
        };
    }
    let one = |number| -> Result<Message, Refused> {
        let draft = draft(order, number)?;
        let sent = shared.send(&order.from, to, &draft);
        sent.ok_or_else(|| Refused("unknown sender or target".to_owned()))
    };
    match order.count {
        None => one(1).map(|message| json!(message)),
        Some(count) => {
            let all: Result<Vec<_>, _> = (1..=count.min(MAX_COUNT)).map(one).collect();
            all.map(|messages| json!(messages))
        }
    }
}

fn draft(order: &SendOrder, number: u32) -> Result<Draft, Refused> {
    let mut draft = match (&order.text, &order.content, &order.raw) {
        (Some(text), None, None) => Draft::text(&text.replace("{n}", &number.to_string())),
        (None, Some(content), None) => Draft::from(content.clone()),
        (None, None, Some(raw)) => Draft::raw(raw),
        _ => return Err(Refused("exactly one of text, content and raw".to_owned())),
    };
    if let Some(metadata) = &order.metadata {
        draft.metadata = Content::Value(metadata.clone());
    }
    if let Some(kind) = &order.kind {
        draft = draft.kind(kind);
    }
    draft.client_msg_id.clone_from(&order.client_msg_id);
    draft.push = !order.quiet;
    Ok(draft)
}

/// Requests with their headers and bodies, and the index after the last entry that was looked at.
fn requests(shared: &Shared, from: usize) -> Value {
    let entries = shared.journal.entries_from(from);
    let requests: Vec<_> = entries
        .iter()
        .filter_map(|entry| whole(&entry.event))
        .collect();
    json!({ "next": from + entries.len(), "requests": requests })
}

fn whole(event: &Event) -> Option<Value> {
    let Event::Http {
        agent,
        method,
        path,
        query,
        status,
        headers,
        body,
    } = event
    else {
        return None;
    };
    let target = match query.as_str() {
        "" => path.clone(),
        query => format!("{path}?{query}"),
    };
    Some(json!({
        "agent": agent, "method": method, "target": target, "status": status, "headers": headers, "body": body,
    }))
}

/// Replaces the switches that the order names and leaves the others alone.
fn merge_faults(shared: &Shared, order: &Value) -> Result<Value, Refused> {
    let Value::Object(order) = order else {
        return Err(Refused("an object".to_owned()));
    };
    shared.faults(|faults| {
        let mut all = serde_json::to_value(&*faults).map_err(|e| Refused(e.to_string()))?;
        for (name, value) in order {
            all[name.as_str()] = value.clone();
        }
        *faults = serde_json::from_value(all).map_err(|error| Refused(error.to_string()))?;
        Ok(json!(faults))
    })
}
