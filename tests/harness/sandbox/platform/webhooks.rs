//! Webhooks (wire.md 8): kept and shown, never called. No recording has them.

use super::answer::Answer;
use super::model::{AgentNo, Platform};
use super::time::Stamp;
use super::validate::{Problems, object};
use serde_json::{Value, json};

/// Webhooks of one agent at most.
const MOST: usize = 5;
const EVENTS: [&str; 7] = [
    "message.new",
    "message.read",
    "presence.update",
    "contact.blocked",
    "group.invite.received",
    "group.deleted",
    INTERNAL,
];
/// An event for the system agent only.
const INTERNAL: &str = "agent.created";

/// A registered webhook.
#[derive(Debug)]
pub(crate) struct Webhook {
    id: String,
    owner: AgentNo,
    url: String,
    events: Vec<&'static str>,
    created_at: Stamp,
}

impl Platform {
    /// `POST /v1/webhooks`: the one time that the secret is shown.
    pub(crate) fn post_webhook(
        &mut self,
        caller: AgentNo,
        body: &[u8],
        now: Stamp,
    ) -> Result<Answer, Answer> {
        let map = object(body)?;
        let mut problems = Problems::default();
        let url = problems.text(&map, "url", 0..=usize::MAX);
        if url.as_deref().is_some_and(|url| !is_url(url)) {
            problems.add("url", "Invalid url");
        }
        let events = match events(map.get("events")) {
            Ok(events) => events,
            Err(problem) => {
                problems.add("events", problem);
                Vec::new()
            }
        };
        problems.finish()?;
        if events.contains(&INTERNAL) && !self.is_system(caller) {
            let text = "This event is for the system agent";
            return Err(Answer::error(403, "FORBIDDEN", text));
        }
        if self.webhooks_of(caller).count() >= MOST {
            let text = "An agent can have 5 webhooks";
            return Err(Answer::error(400, "LIMIT_REACHED", text));
        }
        let secret = format!("{:032x}{:032x}", self.ids.delivery(), self.ids.delivery());
        let webhook = Webhook {
            id: self.ids.mint("whk"),
            owner: caller,
            url: url.unwrap_or_default(),
            events,
            created_at: now,
        };
        let mut view = webhook.view();
        view["secret"] = Value::from(secret);
        self.webhooks.push(webhook);
        Ok(Answer::value(201, &view))
    }

    /// `GET /v1/webhooks`.
    pub(crate) fn webhook_list(&self, caller: AgentNo) -> Answer {
        let views: Vec<Value> = self.webhooks_of(caller).map(Webhook::view).collect();
        Answer::value(200, &json!({ "webhooks": views }))
    }

    /// `GET /v1/webhooks/:id`.
    pub(crate) fn webhook(&self, caller: AgentNo, id: &str) -> Answer {
        let found = self.webhooks_of(caller).find(|webhook| webhook.id == id);
        match found {
            Some(webhook) => Answer::value(200, &webhook.view()),
            None => no_webhook(),
        }
    }

    /// `DELETE /v1/webhooks/:id`.
    pub(crate) fn delete_webhook(&mut self, caller: AgentNo, id: &str) -> Answer {
        let before = self.webhooks.len();
        self.webhooks
            .retain(|webhook| webhook.owner != caller || webhook.id != id);
        if self.webhooks.len() == before {
            return no_webhook();
        }
        Answer::value(200, &json!({ "ok": true }))
    }

    fn webhooks_of(&self, caller: AgentNo) -> impl Iterator<Item = &Webhook> {
        let all = self.webhooks.iter();
        all.filter(move |webhook| webhook.owner == caller)
    }
}

impl Webhook {
    fn view(&self) -> Value {
        json!({
            "id": self.id,
            "url": self.url,
            "events": self.events,
            "active": true,
            "created_at": self.created_at.to_string(),
        })
    }
}

fn no_webhook() -> Answer {
    Answer::error(404, "NOT_FOUND", "Webhook not found")
}

/// A scheme and something behind it.
fn is_url(text: &str) -> bool {
    let parts = text.split_once("://");
    parts.is_some_and(|(scheme, rest)| {
        let letters = scheme.bytes().all(|b| b.is_ascii_alphanumeric());
        letters && !scheme.is_empty() && !rest.is_empty() && !rest.contains(' ')
    })
}

/// Known events, at least one.
fn events(value: Option<&Value>) -> Result<Vec<&'static str>, String> {
    let value = value.ok_or("Required")?;
    let list = value.as_array().ok_or("Expected array")?;
    if list.is_empty() {
        return Err("Array must contain at least 1 element(s)".to_owned());
    }
    let known = |wanted: &Value| EVENTS.into_iter().find(|event| wanted == event);
    list.iter()
        .map(|wanted| known(wanted).ok_or_else(|| format!("Invalid enum value, received {wanted}")))
        .collect()
}
