//! Registration and keys, with the one-time code always [`CODE`].

use super::answer::{Answer, Outcome};
use super::model::{AgentNo, InboxMode, Platform};
use super::time::Stamp;
use super::validate::{Problems, is_handle, object};
use serde_json::{Value, json};

/// The code that every one-time mail would hold.
pub(crate) const CODE: &str = "123456";
const RESERVED: [&str; 12] = [
    "admin",
    "system",
    "agentchat",
    "support",
    "help",
    "api",
    "root",
    "agent",
    "message",
    "settings",
    "test",
    "undefined",
];

/// What a one-time code will finish.
#[derive(Clone, Debug)]
pub(crate) enum Pending {
    Register {
        email: String,
        handle: String,
        display_name: Option<String>,
    },
    NewKey {
        agent: AgentNo,
    },
}

impl Platform {
    /// `POST /v1/register`.
    pub(crate) fn register(&mut self, body: &[u8]) -> Result<Answer, Answer> {
        let map = object(body)?;
        let mut problems = Problems::default();
        let email = problems.text(&map, "email", 1..=320);
        let handle = problems.text(&map, "handle", 3..=30);
        let display_name = problems.optional_text(&map, "display_name", 0..=100);
        let _description = problems.optional_text(&map, "description", 0..=500);
        if email.as_deref().is_some_and(|email| !email.contains('@')) {
            problems.add("email", "Invalid email");
        }
        if handle.as_deref().is_some_and(|handle| !is_handle(handle)) {
            problems.add("handle", "Invalid");
        }
        problems.finish()?;
        let (email, handle) = (email.unwrap_or_default(), handle.unwrap_or_default());
        if RESERVED.contains(&handle.as_str()) {
            return Err(Answer::error(
                400,
                "INVALID_HANDLE",
                "This handle is reserved",
            ));
        }
        if self.by_handle.contains_key(&handle) {
            return Err(Answer::error(409, "HANDLE_TAKEN", "This handle is taken"));
        }
        Ok(self.pend(Pending::Register {
            email,
            handle,
            display_name,
        }))
    }

    /// `POST /v1/register/verify`.
    pub(crate) fn register_verify(&mut self, body: &[u8], now: Stamp) -> Result<Answer, Answer> {
        let Pending::Register {
            email,
            handle,
            display_name,
        } = self.confirm(body)?
        else {
            return Err(Answer::error(400, "EXPIRED", "Unknown or expired code"));
        };
        if self.by_handle.contains_key(&handle) {
            return Err(Answer::error(409, "HANDLE_TAKEN", "This handle is taken"));
        }
        let key = self.ids.key();
        let number = self.add_agent(&handle, &key, &email, now);
        let agent = &mut self.agents[number.index()];
        if display_name.is_some() {
            agent.display_name = display_name;
        }
        let view = json!({
            "handle": agent.handle,
            "email": agent.email,
            "display_name": agent.display_name,
            "description": agent.description,
            "status": agent.status,
            "settings": { "inbox_mode": InboxMode::Open },
            "created_at": agent.created_at.to_string(),
            "updated_at": agent.updated_at.to_string(),
            "paused_by_owner": agent.paused,
        });
        Ok(Answer::value(
            201,
            &json!({ "agent": view, "api_key": key }),
        ))
    }

    /// `POST /v1/agents/recover`: always 200.
    pub(crate) fn recover(&mut self, body: &[u8]) -> Result<Answer, Answer> {
        let map = object(body)?;
        let mut problems = Problems::default();
        let email = problems.text(&map, "email", 1..=320);
        problems.finish()?;
        let owner = self
            .agents
            .iter()
            .position(|agent| Some(&agent.email) == email.as_ref());
        match owner.and_then(|at| u32::try_from(at).ok()) {
            Some(number) => Ok(self.pend(Pending::NewKey {
                agent: AgentNo(number),
            })),
            None => Ok(Answer::value(
                200,
                &json!({ "message": "If it exists, mail was sent" }),
            )),
        }
    }

    /// `POST /v1/agents/:handle/rotate-key`.
    pub(crate) fn rotate(&mut self, caller: AgentNo, handle: &str) -> Result<Answer, Answer> {
        self.own(caller, handle)?;
        Ok(self.pend(Pending::NewKey { agent: caller }))
    }

    /// The second step of recovery and rotation: the old key dies at once.
    pub(crate) fn new_key(&mut self, body: &[u8]) -> Result<Outcome, Answer> {
        let Pending::NewKey { agent } = self.confirm(body)? else {
            return Err(Answer::error(400, "EXPIRED", "Unknown or expired code"));
        };
        let key = self.ids.key();
        let effects = self.rotate_key(agent, &key);
        let handle = self.agents[agent.index()].handle.clone();
        let answer = Answer::value(200, &json!({ "handle": handle, "api_key": key }));
        Ok(Outcome::with(answer, effects))
    }

    fn pend(&mut self, pending: Pending) -> Answer {
        let id = self.ids.mint("pnd");
        self.pending.insert(id.clone(), pending);
        Answer::value(
            200,
            &json!({ "pending_id": id, "message": "A code was sent" }),
        )
    }

    fn confirm(&mut self, body: &[u8]) -> Result<Pending, Answer> {
        let map = object(body)?;
        let mut problems = Problems::default();
        let id = problems.text(&map, "pending_id", 0..=usize::MAX);
        let code = problems.text(&map, "code", 6..=6);
        problems.finish()?;
        let id = id.unwrap_or_default();
        if !self.pending.contains_key(&id) {
            return Err(Answer::error(400, "EXPIRED", "Unknown or expired code"));
        }
        if code.as_deref() != Some(CODE) {
            return Err(Answer::error(400, "INVALID_CODE", "Wrong code"));
        }
        self.pending
            .remove(&id)
            .ok_or_else(|| Answer::error(400, "EXPIRED", "Unknown or expired code"))
    }
}

/// The directory (wire.md 1.12): prefix match on handles.
impl Platform {
    /// `GET /v1/directory`.
    pub(crate) fn directory(&self, caller: Option<AgentNo>, query: &str, limit: usize) -> Answer {
        const MAX_LIMIT: usize = 50;
        let lengths = 2..=50;
        if !lengths.contains(&query.chars().count()) {
            return Answer::bad("q must have 2 to 50 characters");
        }
        let wanted = query.to_lowercase();
        let mut found: Vec<(usize, &str)> = self
            .agents
            .iter()
            .enumerate()
            .filter(|(_, agent)| self.reachable(&agent.handle).is_ok())
            .filter(|(_, agent)| agent.handle.starts_with(&wanted))
            .map(|(number, agent)| (number, agent.handle.as_str()))
            .collect();
        found.sort_by_key(|(_, handle)| *handle);
        let total = found.len();
        let limit = limit.clamp(1, MAX_LIMIT);
        let rows: Vec<Value> = found
            .into_iter()
            .take(limit)
            .map(|(number, _)| {
                let agent = &self.agents[number];
                let mut row = json!({
                    "handle": agent.handle,
                    "display_name": agent.display_name,
                    "description": agent.description,
                    "created_at": agent.created_at.to_string(),
                });
                if let Some(caller) = caller {
                    let book = &self.agents[caller.index()].contacts;
                    let known = book.keys().any(|contact| contact.index() == number);
                    row["in_contacts"] = Value::Bool(known);
                }
                row
            })
            .collect();
        let body = json!({ "agents": rows, "total": total, "limit": limit, "offset": 0 });
        Answer::value(200, &body)
    }
}
