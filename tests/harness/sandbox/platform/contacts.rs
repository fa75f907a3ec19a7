//! Contact books, blocks and reports (wire.md 1.9).

use super::answer::{Answer, Outcome};
use super::model::{AgentNo, Contact, Platform};
use super::routes::Request;
use super::time::Stamp;
use super::validate::{bare_handle, js_number};
use serde_json::{Value, json};

const DEFAULT_LIMIT: f64 = 50.0;
const MAX_LIMIT: f64 = 100.0;
const NOTES_CHARS: usize = 1_000;

impl Platform {
    /// Puts one agent into another's book, if it is not there.
    pub(crate) fn add_contact(&mut self, owner: AgentNo, contact: AgentNo, now: Stamp) {
        let book = &mut self.agents[owner.index()].contacts;
        book.entry(contact).or_insert(Contact {
            added_at: now,
            notes: None,
        });
    }

    /// `POST /v1/contacts`.
    pub(crate) fn post_contact(
        &mut self,
        caller: AgentNo,
        body: &[u8],
        now: Stamp,
    ) -> Result<Answer, Answer> {
        let handle = handle_of(body)?;
        let contact = self.other(caller, &handle)?;
        self.add_contact(caller, contact, now);
        let agent = &self.agents[contact.index()];
        let view = json!({ "handle": agent.handle, "display_name": agent.display_name });
        Ok(Answer::value(201, &view))
    }

    /// `GET /v1/contacts`.
    pub(crate) fn contact_list(&self, caller: AgentNo, request: &Request<'_>) -> Answer {
        let number = |name: &str, fallback: f64| match request.query(name) {
            None => Some(fallback),
            Some(text) => js_number(text),
        };
        // A number that is none stays none: the whole book comes, and null for the limit.
        let limit = number("limit", DEFAULT_LIMIT).map(|n| n.clamp(1.0, MAX_LIMIT) as usize);
        let offset = number("offset", 0.0).unwrap_or_default().max(0.0) as usize;
        let mut rows: Vec<(&str, Value)> = self.agents[caller.index()]
            .contacts
            .iter()
            .map(|(agent, contact)| {
                let agent = &self.agents[agent.index()];
                let view = json!({
                    "handle": agent.handle,
                    "display_name": agent.display_name,
                    "description": agent.description,
                    "notes": contact.notes,
                    "added_at": contact.added_at.to_string(),
                    "avatar_key": null,
                });
                (agent.handle.as_str(), view)
            })
            .collect();
        rows.sort_by_key(|(handle, _)| *handle);
        let total = rows.len();
        let shown: Vec<Value> = rows
            .into_iter()
            .skip(offset)
            .take(limit.unwrap_or(usize::MAX))
            .map(|(_, view)| view)
            .collect();
        let body = json!({ "contacts": shown, "total": total, "limit": limit, "offset": offset });
        Answer::value(200, &body)
    }

    /// `GET /v1/contacts/:handle`: never an error.
    pub(crate) fn contact(&self, caller: AgentNo, handle: &str) -> Answer {
        let known = self.by_handle.get(&bare_handle(handle));
        let contact = known.and_then(|agent| self.agents[caller.index()].contacts.get(agent));
        let body = json!({
            "is_contact": contact.is_some(),
            "added_at": contact.map(|contact| contact.added_at.to_string()),
            "notes": contact.and_then(|contact| contact.notes.clone()),
        });
        Answer::value(200, &body)
    }

    /// `PATCH /v1/contacts/:handle`.
    pub(crate) fn patch_contact(
        &mut self,
        caller: AgentNo,
        handle: &str,
        body: &[u8],
    ) -> Result<Answer, Answer> {
        let body = super::json::parse(body).ok_or_else(Answer::bad_json)?;
        let known = self.by_handle.get(&bare_handle(handle)).copied();
        let book = &mut self.agents[caller.index()].contacts;
        let contact = known
            .and_then(|agent| book.get_mut(&agent))
            .ok_or_else(|| Answer::error(404, "NOT_FOUND", "Contact not found"))?;
        match body.get("notes") {
            None => {}
            Some(Value::Null) => contact.notes = None,
            Some(Value::String(notes)) if notes.chars().count() <= NOTES_CHARS => {
                contact.notes = Some(notes.clone());
            }
            Some(_) => {
                return Err(Answer::bad(
                    "notes must be a string of at most 1000 characters",
                ));
            }
        }
        Ok(Answer::value(200, &json!({ "ok": true })))
    }

    /// `DELETE /v1/contacts/:handle`.
    pub(crate) fn delete_contact(
        &mut self,
        caller: AgentNo,
        handle: &str,
    ) -> Result<Answer, Answer> {
        let known = self.by_handle.get(&bare_handle(handle)).copied();
        let gone = known.and_then(|agent| self.agents[caller.index()].contacts.remove(&agent));
        gone.ok_or_else(|| Answer::error(404, "NOT_FOUND", "Contact not found"))?;
        Ok(Answer::value(200, &json!({ "ok": true })))
    }

    /// `POST /v1/contacts/:handle/block`.
    pub(crate) fn block(
        &mut self,
        caller: AgentNo,
        handle: &str,
        now: Stamp,
    ) -> Result<Outcome, Answer> {
        let target = self.other(caller, handle)?;
        self.unprotected(target)?;
        let blocks = &mut self.agents[caller.index()].blocks;
        blocks.entry(target).or_insert(now);
        let effects = self.recount(target, now);
        let answer = Answer::value(200, &json!({ "ok": true }));
        Ok(Outcome::with(answer, effects))
    }

    /// `DELETE /v1/contacts/:handle/block`.
    pub(crate) fn unblock(&mut self, caller: AgentNo, handle: &str) -> Result<Answer, Answer> {
        let known = self.by_handle.get(&bare_handle(handle)).copied();
        let gone = known.and_then(|agent| self.agents[caller.index()].blocks.remove(&agent));
        gone.ok_or_else(|| Answer::error(404, "NOT_FOUND", "Block not found"))?;
        Ok(Answer::value(200, &json!({ "ok": true })))
    }

    /// `POST /v1/contacts/:handle/report`: blocks as well.
    pub(crate) fn report(
        &mut self,
        caller: AgentNo,
        handle: &str,
        now: Stamp,
    ) -> Result<Outcome, Answer> {
        let target = self.other(caller, handle)?;
        self.unprotected(target)?;
        let row = &mut self.agents[caller.index()];
        if row.reports.contains_key(&target) {
            return Err(Answer::error(409, "ALREADY_REPORTED", "Already reported"));
        }
        row.reports.insert(target, now);
        row.blocks.entry(target).or_insert(now);
        let effects = self.recount(target, now);
        let answer = Answer::value(200, &json!({ "ok": true }));
        Ok(Outcome::with(answer, effects))
    }

    /// Another agent by handle: 400 for oneself, 404 for nobody.
    pub(crate) fn other(&self, caller: AgentNo, handle: &str) -> Result<AgentNo, Answer> {
        let agent = self.reachable(handle)?;
        if agent == caller {
            return Err(Answer::bad("That is yourself"));
        }
        Ok(agent)
    }

    /// 409 for the platform's own agent.
    pub(crate) fn unprotected(&self, agent: AgentNo) -> Result<(), Answer> {
        if !self.is_system(agent) {
            return Ok(());
        }
        let text = "The system agent is protected";
        Err(Answer::error(409, "SYSTEM_AGENT_PROTECTED", text))
    }
}

/// The `handle` of a body that is checked by hand.
fn handle_of(body: &[u8]) -> Result<String, Answer> {
    let body = super::json::parse(body).ok_or_else(Answer::bad_json)?;
    let handle = body["handle"].as_str().filter(|handle| !handle.is_empty());
    handle
        .map(str::to_owned)
        .ok_or_else(|| Answer::bad("handle is required"))
}
