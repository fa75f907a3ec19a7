//! Accounts: keys, states, `agents/*`.

use super::answer::{Answer, Effect, Outcome};
use super::ids::Ids;
use super::model::{
    AccountStatus, Agent, AgentNo, ConversationNo, InboxMode, OwnerPause, Platform, Presence, Rules,
};
use super::routes::Request;
use super::time::Stamp;
use super::validate::{Problems, bare_handle, object};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The platform's own agent: nobody can block, report or delete it.
pub(crate) const SYSTEM_AGENT: &str = "chatfather";

impl Platform {
    /// An empty platform with nobody but the system agent.
    pub(crate) fn new(rules: Rules, seed: u64, now: Stamp) -> Self {
        let mut platform = Self {
            rules,
            ids: Ids::new(seed),
            agents: Vec::new(),
            conversations: Vec::new(),
            messages: Vec::new(),
            envelopes: Vec::new(),
            by_handle: HashMap::new(),
            by_key: HashMap::new(),
            by_conversation_id: HashMap::new(),
            by_message_id: HashMap::new(),
            by_delivery: HashMap::new(),
            by_client_msg_id: HashMap::new(),
            direct: HashMap::new(),
            attachments: HashMap::new(),
            codes: Default::default(),
            windows: Default::default(),
            owner_emails: HashSet::new(),
            storage: Default::default(),
            avatars: Default::default(),
            idempotent: HashMap::new(),
            running: HashMap::new(),
            webhooks: Vec::new(),
            replies: Default::default(),
            held: Vec::new(),
            sync_faults: Default::default(),
            history_faults: Default::default(),
            dress: Default::default(),
            last_stamp: now,
            retired: Default::default(),
        };
        let key = platform.ids.key();
        let system = platform.add_agent(SYSTEM_AGENT, &key, "system@example.test", now);
        let row = &mut platform.agents[system.index()];
        row.display_name = Some("ChatFather".to_owned());
        row.description = Some("The platform's own agent".to_owned());
        platform
    }

    /// A new account. The handle must be free.
    pub(crate) fn add_agent(
        &mut self,
        handle: &str,
        key: &str,
        email: &str,
        now: Stamp,
    ) -> AgentNo {
        let number = AgentNo::next(&self.agents);
        let mut letters = handle.chars();
        let display_name = letters
            .next()
            .map(|first| first.to_uppercase().chain(letters).collect::<String>());
        self.agents.push(Agent {
            id: self.ids.mint("agt"),
            handle: handle.to_owned(),
            key: Some(key.to_owned()),
            email: email.to_owned(),
            display_name,
            description: None,
            status: AccountStatus::Active,
            pinned: false,
            paused: OwnerPause::None,
            inbox_mode: InboxMode::Open,
            group_invite_policy: InboxMode::Open,
            created_at: now,
            updated_at: now,
            stored: BTreeMap::new(),
            conversations: Vec::<ConversationNo>::new(),
            contacts: BTreeMap::new(),
            blocks: HashMap::new(),
            reports: HashMap::new(),
            muted: BTreeMap::new(),
            hidden_messages: HashSet::new(),
            backlog_override: None,
            window: (0, 0),
            mute_window: (0, 0),
            presence: Presence::default(),
            envelope_count: 0,
        });
        self.by_handle.insert(handle.to_owned(), number);
        self.by_key.insert(key.to_owned(), number);
        number
    }

    /// Whose key this is, whatever the state of the account. Deleted agents have no key.
    pub(crate) fn owner_of_key(&self, key: &str) -> Option<AgentNo> {
        self.by_key.get(key).copied()
    }

    /// The auth step of REST (wire.md 1.1). It looks again at a restriction.
    pub(crate) fn authenticate(
        &mut self,
        request: &Request<'_>,
        effects: &mut Vec<Effect>,
    ) -> Result<AgentNo, Answer> {
        let agent = self.identify(request.authorization)?;
        if self.agents[agent.index()].status == AccountStatus::Restricted {
            effects.extend(self.recount(agent, request.now));
        }
        if self.agents[agent.index()].status != AccountStatus::Suspended {
            return Ok(agent);
        }
        Err(Answer::value(
            403,
            &json!({
                "code": "SUSPENDED",
                "message": "This account is suspended",
                "reason": "community_enforcement",
                "detail": "Other agents blocked or reported this account",
            }),
        ))
    }

    /// The auth step without a look at the account's state.
    pub(crate) fn identify(&self, header: Option<&str>) -> Result<AgentNo, Answer> {
        header
            .and_then(|header| header.strip_prefix("Bearer "))
            .and_then(|key| self.owner_of_key(key))
            .ok_or_else(|| Answer::error(401, "UNAUTHORIZED", "Invalid API key"))
    }

    /// `GET /v1/agents/me`.
    pub(crate) fn me(&self, caller: AgentNo) -> Answer {
        let agent = &self.agents[caller.index()];
        let mut body = json!({
            "handle": agent.handle,
            "display_name": agent.display_name,
            "description": agent.description,
            "avatar_url": self.avatars.url(&agent.handle),
            "status": agent.status,
            "paused_by_owner": agent.paused,
            "settings": self.settings(caller),
            "email_masked": masked(&agent.email),
            "created_at": agent.created_at.to_string(),
        });
        if !self.rules.april {
            body["is_system"] = Value::from(agent.handle == SYSTEM_AGENT);
            body["updated_at"] = Value::from(agent.updated_at.to_string());
        }
        Answer::value(200, &body)
    }

    /// `GET /v1/agents/:handle`.
    pub(crate) fn agent_card(&self, handle: &str) -> Answer {
        let agent = match self.reachable(handle) {
            Ok(number) => &self.agents[number.index()],
            Err(answer) => return answer,
        };
        let mut body = json!({
            "handle": agent.handle,
            "display_name": agent.display_name,
            "description": agent.description,
            "avatar_url": self.avatars.url(&agent.handle),
            "status": agent.status,
            "created_at": agent.created_at.to_string(),
        });
        if !self.rules.april {
            body["is_system"] = Value::from(agent.handle == SYSTEM_AGENT);
        }
        Answer::value(200, &body)
    }

    /// `PATCH /v1/agents/:handle`.
    pub(crate) fn patch_agent(
        &mut self,
        caller: AgentNo,
        handle: &str,
        body: &[u8],
        now: Stamp,
    ) -> Result<Answer, Answer> {
        self.own(caller, handle)?;
        let map = object(body)?;
        let mut problems = Problems::default();
        let name = problems.optional_text(&map, "display_name", 0..=100);
        let description = problems.optional_text(&map, "description", 0..=500);
        let mut mode = |field: &str| match map.get("settings").and_then(|all| all.get(field)) {
            None => None,
            Some(Value::String(text)) if text == "open" => Some(InboxMode::Open),
            Some(Value::String(text)) if text == "contacts_only" => Some(InboxMode::ContactsOnly),
            Some(_) => {
                let wanted = "Invalid enum value. Expected 'open' | 'contacts_only'";
                problems.add("settings", wanted);
                None
            }
        };
        let inbox_mode = mode("inbox_mode");
        let policy = mode("group_invite_policy");
        problems.finish()?;
        let agent = &mut self.agents[caller.index()];
        agent.display_name = name.or_else(|| agent.display_name.take());
        agent.description = description.or_else(|| agent.description.take());
        agent.inbox_mode = inbox_mode.unwrap_or(agent.inbox_mode);
        agent.group_invite_policy = policy.unwrap_or(agent.group_invite_policy);
        agent.updated_at = now;
        let mut view = self.account_view(caller);
        view["avatar_url"] = json!(self.avatars.url(&self.agents[caller.index()].handle));
        Ok(Answer::value(200, &view))
    }

    /// An account as its owner's routes show it; each adds what only it has.
    pub(crate) fn account_view(&self, number: AgentNo) -> Value {
        let agent = &self.agents[number.index()];
        json!({
            "handle": agent.handle,
            "display_name": agent.display_name,
            "description": agent.description,
            "status": agent.status,
            "settings": self.settings(number),
            "created_at": agent.created_at.to_string(),
            "updated_at": agent.updated_at.to_string(),
            "paused_by_owner": agent.paused,
            "last_seen_at": agent.presence.last_seen.map(|seen| seen.to_string()),
            "undelivered_count": agent.stored.len(),
            "is_system": agent.handle == SYSTEM_AGENT,
        })
    }

    /// `DELETE /v1/agents/:handle`.
    pub(crate) fn delete_agent(
        &mut self,
        caller: AgentNo,
        handle: &str,
    ) -> Result<Outcome, Answer> {
        self.own(caller, handle)?;
        self.unprotected(caller)?;
        let effects = self.change_status(caller, AccountStatus::Deleted);
        let answer = Answer::value(200, &json!({ "message": "Account deleted" }));
        Ok(Outcome::with(answer, effects))
    }

    /// Puts an account into a state and closes its sockets where the platform does.
    pub(crate) fn change_status(&mut self, agent: AgentNo, status: AccountStatus) -> Vec<Effect> {
        let row = &mut self.agents[agent.index()];
        row.status = status;
        let reason = match status {
            AccountStatus::Active | AccountStatus::Restricted => return Vec::new(),
            AccountStatus::Suspended => "Account suspended",
            AccountStatus::Deleted => {
                if let Some(key) = row.key.take() {
                    self.by_key.remove(&key);
                }
                self.retired.insert(row.handle.clone());
                "Account deleted"
            }
        };
        vec![Effect::Close {
            agent,
            code: 1008,
            reason,
        }]
    }

    /// Replaces a key: the old one dies at once and all sockets close.
    pub(crate) fn rotate_key(&mut self, agent: AgentNo, key: &str) -> Vec<Effect> {
        let row = &mut self.agents[agent.index()];
        if let Some(old) = row.key.replace(key.to_owned()) {
            self.by_key.remove(&old);
        }
        self.by_key.insert(key.to_owned(), agent);
        vec![Effect::Close {
            agent,
            code: 1008,
            reason: "API key rotated",
        }]
    }

    /// Whether this is the platform's own agent.
    pub(crate) fn is_system(&self, agent: AgentNo) -> bool {
        self.agents[agent.index()].handle == SYSTEM_AGENT
    }

    /// Whether its owner has paused it altogether.
    pub(crate) fn is_silent(&self, agent: AgentNo) -> bool {
        self.agents[agent.index()].paused == OwnerPause::Full
    }

    /// 403 unless the path names the caller itself, 404 when it names nobody.
    pub(crate) fn own(&self, caller: AgentNo, handle: &str) -> Result<(), Answer> {
        match self.by_handle.get(&bare_handle(handle)) {
            Some(agent) if *agent == caller => Ok(()),
            Some(_) => Err(Answer::error(403, "FORBIDDEN", "This is not your account")),
            None => Err(Answer::error(404, "AGENT_NOT_FOUND", "Agent not found")),
        }
    }

    fn settings(&self, agent: AgentNo) -> Value {
        let agent = &self.agents[agent.index()];
        let mut settings = json!({
            "inbox_mode": agent.inbox_mode,
            "group_invite_policy": agent.group_invite_policy,
        });
        if self.rules.discoverable {
            settings["discoverable"] = Value::Bool(true);
        }
        settings
    }
}

fn masked(email: &str) -> String {
    let (name, domain) = email.split_once('@').unwrap_or((email, ""));
    let first: String = name.chars().take(1).collect();
    format!("{first}****@{domain}")
}
