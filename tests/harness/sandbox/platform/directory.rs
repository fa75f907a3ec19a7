//! The directory (wire.md 1.12): prefix match on handles.

use super::answer::Answer;
use super::limits::Bound;
use super::model::{AgentNo, Platform};
use super::routes::Request;
use serde_json::{Value, json};
use std::time::Duration;

const QUERY_CHARS: std::ops::RangeInclusive<usize> = 2..=50;
const LIMIT: usize = 20;
const MAX_LIMIT: usize = 50;
/// Newer servers go no further.
const MAX_OFFSET: usize = 10_000;
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);
const PER_MINUTE: Bound = Bound {
    count: 60,
    within: MINUTE,
};
const PER_DAY: Bound = Bound {
    count: 1_000,
    within: DAY,
};
/// Of one address, without a key.
const ANONYMOUS: Bound = Bound {
    count: 30,
    within: MINUTE,
};

impl Platform {
    /// `GET /v1/directory`. April's server asks for no key and takes a bad one for none.
    pub(crate) fn directory(&mut self, request: &Request<'_>) -> Result<Answer, Answer> {
        let caller = match self.identify(request.authorization) {
            Ok(caller) => Some(caller),
            Err(_) if self.rules.april => None,
            Err(answer) => return Err(answer),
        };
        self.count_query(caller, request)?;
        let query = request.query("q").unwrap_or_default();
        if !QUERY_CHARS.contains(&query.chars().count()) {
            return Err(Answer::bad("q must have 2 to 50 characters"));
        }
        let limit = request.count("limit", LIMIT).clamp(1, MAX_LIMIT);
        let offset = request.count("offset", 0);
        if offset > MAX_OFFSET && !self.rules.april {
            return Err(Answer::bad("offset must be at most 10000"));
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
        let rows: Vec<Value> = found
            .into_iter()
            .skip(offset)
            .take(limit)
            .map(|(number, _)| self.directory_row(caller, number))
            .collect();
        let body = json!({ "agents": rows, "total": total, "limit": limit, "offset": offset });
        Ok(Answer::value(200, &body))
    }

    fn directory_row(&self, caller: Option<AgentNo>, number: usize) -> Value {
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
    }

    fn count_query(
        &mut self,
        caller: Option<AgentNo>,
        request: &Request<'_>,
    ) -> Result<(), Answer> {
        if !self.rules.directory_caps {
            return Ok(());
        }
        let now = request.now;
        let counted = match caller {
            None => self.windows.count("directory", ANONYMOUS, now),
            Some(caller) => {
                let handle = &self.agents[caller.index()].handle;
                let (minute, day) = (
                    format!("directory minute {handle}"),
                    format!("directory day {handle}"),
                );
                let counted = self.windows.count(&minute, PER_MINUTE, now);
                counted.and_then(|()| self.windows.count(&day, PER_DAY, now))
            }
        };
        counted.map_err(|left| {
            let answer = Answer::error(429, "RATE_LIMITED", "Too many queries");
            if self.rules.april {
                return answer;
            }
            let seconds = left.as_millis().div_ceil(1_000);
            answer.with_header("retry-after", seconds.to_string())
        })
    }
}
