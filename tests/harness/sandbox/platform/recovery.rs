//! New keys for old accounts: recovery by mail, rotation by the agent itself (wire.md 1.4).

use super::answer::{Answer, Outcome};
use super::codes::{Purpose, sent};
use super::limits::Bound;
use super::model::{AgentNo, Platform};
use super::time::Stamp;
use super::validate::{Problems, bare_handle, is_email, object};
use serde_json::json;
use std::time::Duration;

const EMAIL_CHARS: usize = 320;
const ASK: Bound = Bound {
    count: 3,
    within: Duration::from_secs(3_600),
};

impl Platform {
    /// `POST /v1/agents/recover`: always 200 when the form is right, so that nobody learns which
    /// addresses have an account. April leaves `pending_id` out where no mail was sent.
    pub(crate) fn recover(&mut self, body: &[u8], now: Stamp) -> Result<Answer, Answer> {
        self.count_address("recover", ASK, now)?;
        let map = object(body)?;
        let mut problems = Problems::default();
        let email = problems.text(&map, "email", 0..=EMAIL_CHARS);
        let handle = if self.rules.april {
            None
        } else {
            problems.optional_text(&map, "handle", 0..=usize::MAX)
        };
        if email.as_deref().is_some_and(|email| !is_email(email)) {
            problems.add("email", "Invalid email");
        }
        problems.finish()?;
        let email = email.unwrap_or_default().to_lowercase();
        let mut accounts = self.accounts_of(&email);
        if let Some(handle) = handle {
            let wanted = bare_handle(&handle);
            accounts.retain(|number| self.agents[number.index()].handle == wanted);
        }
        let known = !accounts.is_empty();
        if known && let Ok(id) = self.issue(&email, Purpose::Recover { accounts }, now) {
            return Ok(sent(&id));
        }
        if self.rules.april {
            let body = json!({ "message": "If the account exists, a code was sent" });
            return Ok(Answer::value(200, &body));
        }
        let waiting = known.then(|| self.recovery_of(&email, now)).flatten();
        let id = waiting.unwrap_or_else(|| {
            let accounts = Vec::new();
            self.pend(&email, Purpose::Recover { accounts }, now)
        });
        Ok(sent(&id))
    }

    /// `POST /v1/agents/recover/verify`.
    pub(crate) fn recover_verify(&mut self, body: &[u8], now: Stamp) -> Result<Outcome, Answer> {
        self.count_verify("recover verify", now)?;
        let confirmed = self.confirm(body, now, |purpose| {
            matches!(purpose, Purpose::Recover { .. })
        })?;
        let accounts = match confirmed {
            Purpose::Recover { accounts } => accounts,
            Purpose::Register { .. } | Purpose::Rotate { .. } => Vec::new(),
        };
        match accounts.as_slice() {
            [agent] => self.new_key(*agent),
            [] => Err(Answer::error(400, "EXPIRED", "Unknown or expired code")),
            several => {
                let mut handles: Vec<&str> = several
                    .iter()
                    .map(|number| self.agents[number.index()].handle.as_str())
                    .collect();
                handles.sort_unstable();
                let details = json!({ "handles": handles });
                let text = "This address has several agents; name one";
                Err(Answer::error_with(409, "HANDLE_REQUIRED", text, details))
            }
        }
    }

    /// `POST /v1/agents/:handle/rotate-key`.
    pub(crate) fn rotate(
        &mut self,
        caller: AgentNo,
        handle: &str,
        now: Stamp,
    ) -> Result<Answer, Answer> {
        let own_name = format!("rotate {}", self.agents[caller.index()].handle);
        self.count_address(&own_name, ASK, now)?;
        self.own(caller, handle)?;
        let email = self.agents[caller.index()].email.clone();
        let id = self.issue(&email, Purpose::Rotate { agent: caller }, now)?;
        Ok(sent(&id))
    }

    /// `POST /v1/agents/:handle/rotate-key/verify`.
    pub(crate) fn rotate_verify(
        &mut self,
        caller: AgentNo,
        handle: &str,
        body: &[u8],
        now: Stamp,
    ) -> Result<Outcome, Answer> {
        self.count_verify("rotate verify", now)?;
        self.own(caller, handle)?;
        self.confirm(
            body,
            now,
            |purpose| matches!(purpose, Purpose::Rotate { agent } if *agent == caller),
        )?;
        self.new_key(caller)
    }

    /// The old key dies at once and all sockets close.
    fn new_key(&mut self, agent: AgentNo) -> Result<Outcome, Answer> {
        self.unprotected(agent)?;
        let key = self.ids.key();
        let effects = self.rotate_key(agent, &key);
        let handle = &self.agents[agent.index()].handle;
        let answer = Answer::value(200, &json!({ "handle": handle, "api_key": key }));
        Ok(Outcome::with(answer, effects))
    }
}
