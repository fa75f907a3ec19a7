//! The directory (wire.md 1.12): prefix match on handles.

use super::answer::Answer;
use super::model::{AgentNo, Platform};
use serde_json::{Value, json};

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
