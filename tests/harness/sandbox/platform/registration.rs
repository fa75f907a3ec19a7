//! New accounts (wire.md 1.4).

use super::answer::Answer;
use super::codes::{Purpose, sent};
use super::limits::Bound;
use super::model::{AccountStatus, AgentNo, InboxMode, Platform};
use super::time::Stamp;
use super::validate::{Problems, is_email, is_handle, object};
use serde_json::json;
use std::time::Duration;

/// Handles that nobody gets.
const RESERVED: [&str; 36] = [
    "admin",
    "system",
    "agentchat",
    "support",
    "help",
    "api",
    "www",
    "app",
    "dashboard",
    "root",
    "mod",
    "moderator",
    "bot",
    "mail",
    "status",
    "login",
    "register",
    "webhook",
    "webhooks",
    "agent",
    "agents",
    "message",
    "messages",
    "contact",
    "contacts",
    "group",
    "groups",
    "presence",
    "directory",
    "settings",
    "billing",
    "test",
    "debug",
    "null",
    "undefined",
    "chatfather",
];
const OPTIONAL: [&str; 2] = ["display_name", "description"];
const EMAIL_CHARS: usize = 320;
const NAME_CHARS: usize = 100;
const DESCRIPTION_CHARS: usize = 500;
/// All callers of the sandbox share one address.
const REGISTER: Bound = Bound {
    count: 5,
    within: Duration::from_secs(3_600),
};
const VERIFY: Bound = Bound {
    count: 10,
    within: Duration::from_secs(600),
};
/// Accounts that an address may have had in all: April's, and newer servers'.
const LIFETIME_APRIL: usize = 3;
const LIFETIME: usize = 30;
/// Accounts that an address may have at once on newer servers; on April's it is one.
const AT_ONCE: usize = 10;

impl Platform {
    /// `POST /v1/register`.
    pub(crate) fn register(&mut self, body: &[u8], now: Stamp) -> Result<Answer, Answer> {
        self.count_address("register", REGISTER, now)?;
        let mut map = object(body)?;
        if !self.rules.april {
            // The official Python clients send null for what was not given.
            map.retain(|name, value| !(value.is_null() && OPTIONAL.contains(&name.as_str())));
        }
        let mut problems = Problems::default();
        let email = problems.text(&map, "email", 0..=EMAIL_CHARS);
        let handle = problems.text(&map, "handle", 3..=30);
        let display_name = problems.optional_text(&map, "display_name", 0..=NAME_CHARS);
        let description = problems.optional_text(&map, "description", 0..=DESCRIPTION_CHARS);
        if email.as_deref().is_some_and(|email| !is_email(email)) {
            problems.add("email", "Invalid email");
        }
        if handle.as_deref().is_some_and(|handle| !is_handle(handle)) {
            problems.add("handle", "Invalid");
        }
        problems.finish()?;
        let email = email.unwrap_or_default().to_lowercase();
        let handle = handle.unwrap_or_default();
        if RESERVED.contains(&handle.as_str()) {
            let text = "This handle is reserved";
            return Err(Answer::error(400, "INVALID_HANDLE", text));
        }
        self.free_handle(&handle)?;
        self.free_email(&email)?;
        let purpose = Purpose::Register {
            email: email.clone(),
            handle,
            display_name,
            description,
        };
        let id = self.issue(&email, purpose, now)?;
        Ok(sent(&id))
    }

    /// `POST /v1/register/verify`.
    pub(crate) fn register_verify(&mut self, body: &[u8], now: Stamp) -> Result<Answer, Answer> {
        self.count_address("register verify", VERIFY, now)?;
        let confirmed = self.confirm(body, now, |purpose| {
            matches!(purpose, Purpose::Register { .. })
        })?;
        let Purpose::Register {
            email,
            handle,
            display_name,
            description,
        } = confirmed
        else {
            return Err(Answer::error(400, "EXPIRED", "Unknown or expired code"));
        };
        // Somebody else may have been faster.
        self.free_handle(&handle)?;
        self.free_email(&email)?;
        let key = self.ids.key();
        let number = self.add_agent(&handle, &key, &email, now);
        let agent = &mut self.agents[number.index()];
        agent.display_name = display_name;
        agent.description = description;
        let mut view = self.account_view(number);
        let agent = &self.agents[number.index()];
        view["email"] = json!(agent.email);
        view["avatar_key"] = json!(null);
        view["settings"] = json!({ "inbox_mode": InboxMode::Open });
        let body = json!({ "agent": view, "api_key": key });
        Ok(Answer::value(201, &body))
    }

    /// Counts a request against a bound of its caller's address. No `Retry-After` (wire.md 7).
    pub(crate) fn count_address(
        &mut self,
        name: &str,
        bound: Bound,
        now: Stamp,
    ) -> Result<(), Answer> {
        if !self.rules.address_caps {
            return Ok(());
        }
        let counted = self.windows.count(name, bound, now);
        counted.map_err(|_left| Answer::error(429, "RATE_LIMITED", "Too many requests"))
    }

    /// The second steps of registration, recovery and rotation are bounded alike.
    pub(crate) fn count_verify(&mut self, name: &str, now: Stamp) -> Result<(), Answer> {
        self.count_address(name, VERIFY, now)
    }

    /// The live accounts of an address.
    pub(crate) fn accounts_of(&self, email: &str) -> Vec<AgentNo> {
        self.holders(email)
            .filter(|number| self.agents[number.index()].status != AccountStatus::Deleted)
            .collect()
    }

    fn holders<'a>(&'a self, email: &'a str) -> impl Iterator<Item = AgentNo> + 'a {
        let all = 0..u32::try_from(self.agents.len()).unwrap_or(u32::MAX);
        all.map(AgentNo)
            .filter(move |number| self.agents[number.index()].email == email)
    }

    fn free_handle(&self, handle: &str) -> Result<(), Answer> {
        // Deleted accounts stay in the table: no handle is given out twice.
        if self.by_handle.contains_key(handle) {
            return Err(Answer::error(409, "HANDLE_TAKEN", "This handle is taken"));
        }
        Ok(())
    }

    fn free_email(&self, email: &str) -> Result<(), Answer> {
        if self.owner_emails.contains(email) {
            let text = "This address belongs to an owner";
            return Err(Answer::error(409, "EMAIL_IS_OWNER", text));
        }
        let (live, ever) = (self.accounts_of(email).len(), self.holders(email).count());
        if self.rules.april && live > 0 {
            return Err(Answer::error(409, "EMAIL_TAKEN", "This address is taken"));
        }
        if live >= AT_ONCE {
            let (text, details) = ("Too many agents", json!({ "limit": AT_ONCE }));
            return Err(Answer::error_with(
                409,
                "EMAIL_LIMIT_REACHED",
                text,
                details,
            ));
        }
        let lifetime = if self.rules.april {
            LIFETIME_APRIL
        } else {
            LIFETIME
        };
        if ever >= lifetime {
            let (text, details) = ("This address is used up", json!({ "limit": lifetime }));
            return Err(Answer::error_with(409, "EMAIL_EXHAUSTED", text, details));
        }
        Ok(())
    }
}
