//! States put in place from outside: what on the real platform only an agent's owner, the
//! community or time can do, and shortcuts for what agents do over HTTP.

use super::link::Out;
use super::platform::{
    AccountStatus, AgentNo, DeliveryState, Effect, InboxMode, MuteTarget, OwnerPause, Platform,
    Settled, Stamp,
};
use super::shared::{Shared, State};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// A state of an agent, or something that it does. As JSON: `{"pause":"full"}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Setting {
    /// State of the account; sockets close where the platform closes them. It stays until another
    /// setting changes it.
    Status(AccountStatus),
    /// The same written into the database behind the platform's back: no socket closes, and blocks
    /// and reports may change it again.
    StatusRow(AccountStatus),
    /// The owner's pause.
    Pause(OwnerPause),
    /// Its display name.
    DisplayName(Option<String>),
    /// Who may write to it.
    InboxMode(InboxMode),
    /// Who may invite it.
    GroupInvitePolicy(InboxMode),
    /// The backlog counter set by hand; `null` lets it follow the options again.
    Backlog(Option<u64>),
    /// It blocks this agent.
    Block(String),
    /// It blocks this agent no more.
    Unblock(String),
    /// It has this agent as a contact.
    Contact(String),
    /// It mutes this agent.
    MuteAgent(String),
    /// It hears this agent again.
    UnmuteAgent(String),
    /// It mutes this conversation.
    MuteConversation(String),
    /// It hears this conversation again.
    UnmuteConversation(String),
    /// It hides this conversation.
    HideConversation(String),
    /// It hides this message.
    HideMessage(String),
    /// The row of this message was delivered to somebody else who answers for it.
    Settled(String),
    /// Its key is replaced by this one; sockets close.
    Key(String),
    /// It joins this group without an invite.
    JoinGroup(String),
    /// It leaves this group.
    LeaveGroup(String),
    /// An admin kicks it out of this group.
    Kicked(String),
}

/// Something that a setting names does not exist.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox knows no {0}")]
pub struct Unknown(pub(crate) String);

impl Shared {
    /// Puts a state in place.
    pub(crate) fn set(self: &Arc<Self>, handle: &str, setting: &Setting) -> Result<(), Unknown> {
        let mut state = self.lock();
        let agent = agent_of(&state.platform, handle)?;
        let effects = change(&mut state.platform, agent, setting, self.now())?;
        self.apply(&mut state, effects);
        Ok(())
    }

    /// A group of agents who are all in it; its id.
    pub(crate) fn make_group(
        self: &Arc<Self>,
        creator: &str,
        name: &str,
        members: &[&str],
    ) -> Result<String, Unknown> {
        let mut state = self.lock();
        let platform = &mut state.platform;
        let founder = agent_of(platform, creator)?;
        let others: Result<Vec<AgentNo>, Unknown> = members
            .iter()
            .map(|member| agent_of(platform, member))
            .collect();
        let now = self.now();
        let number = platform.new_group(founder, name.to_owned(), None, now);
        let id = platform.conversations[number.index()].id.to_string();
        let mut effects = Vec::new();
        for member in others? {
            effects.append(&mut platform.join(number, member, founder, now));
        }
        self.apply(&mut state, effects);
        Ok(id)
    }

    /// Drops rows of a conversation as the platform's retention does: they are in no history and no
    /// sync any more.
    pub(crate) fn purge(&self, id: &str, seqs: &RangeInclusive<u64>) -> Result<(), Unknown> {
        let mut state = self.lock();
        let platform = &mut state.platform;
        let number = platform
            .by_conversation_id
            .get(id)
            .copied()
            .ok_or_else(|| unknown(id))?;
        for message in &platform.conversations[number.index()].messages {
            let row = &mut platform.messages[message.index()];
            row.purged |= seqs.contains(&row.seq);
        }
        Ok(())
    }

    /// Sends these characters as a text frame to every socket of an agent; how many sockets.
    pub(crate) fn send_frame(&self, handle: &str, text: &str) -> usize {
        let state = self.lock();
        let Ok(agent) = agent_of(&state.platform, handle) else {
            return 0;
        };
        let links = state.hub.of(agent);
        for link in links {
            link.offer(Out::Text(text.into()));
        }
        links.len()
    }

    /// How many rows an agent has in each state: `stored`, `delivered`, `read`.
    pub(crate) fn rows_by_state(&self, handle: &str) -> BTreeMap<String, u64> {
        let state = self.lock();
        let mut counts = BTreeMap::new();
        let Ok(agent) = agent_of(&state.platform, handle) else {
            return counts;
        };
        for envelope in state
            .platform
            .envelopes
            .iter()
            .filter(|row| row.owner == agent)
        {
            let name = match envelope.state {
                DeliveryState::Stored => "stored",
                DeliveryState::Delivered => "delivered",
                DeliveryState::Read => "read",
                DeliveryState::Flushed => continue,
            };
            *counts.entry(name.to_owned()).or_insert(0) += 1;
        }
        counts
    }

    /// How many open sockets an agent has, ghosts included.
    pub(crate) fn sockets(&self, handle: &str) -> usize {
        let state: &State = &self.lock();
        let Ok(agent) = agent_of(&state.platform, handle) else {
            return 0;
        };
        state
            .hub
            .of(agent)
            .iter()
            .filter(|link| !link.is_given_up())
            .count()
    }
}

fn unknown(what: &str) -> Unknown {
    Unknown(what.to_owned())
}

pub(crate) fn agent_of(platform: &Platform, handle: &str) -> Result<AgentNo, Unknown> {
    platform
        .by_handle
        .get(handle)
        .copied()
        .ok_or_else(|| unknown(handle))
}

fn change(
    platform: &mut Platform,
    agent: AgentNo,
    setting: &Setting,
    now: Stamp,
) -> Result<Vec<Effect>, Unknown> {
    match setting {
        Setting::Status(status) => {
            platform.agents[agent.index()].pinned = true;
            return Ok(platform.change_status(agent, *status));
        }
        Setting::StatusRow(status) => {
            platform.agents[agent.index()].pinned = false;
            platform.agents[agent.index()].status = *status;
        }
        Setting::Key(key) => return Ok(platform.rotate_key(agent, key)),
        Setting::DisplayName(name) => {
            platform.agents[agent.index()].display_name.clone_from(name);
        }
        Setting::Pause(pause) => platform.agents[agent.index()].paused = *pause,
        Setting::InboxMode(mode) => platform.agents[agent.index()].inbox_mode = *mode,
        Setting::GroupInvitePolicy(mode) => {
            platform.agents[agent.index()].group_invite_policy = *mode;
        }
        Setting::Backlog(count) => platform.agents[agent.index()].backlog_override = *count,
        Setting::Block(other) => {
            let other = agent_of(platform, other)?;
            platform.agents[agent.index()].blocks.insert(other, now);
        }
        Setting::Unblock(other) => {
            let other = agent_of(platform, other)?;
            platform.agents[agent.index()].blocks.remove(&other);
        }
        Setting::Contact(other) => {
            let other = agent_of(platform, other)?;
            platform.add_contact(agent, other, now);
        }
        Setting::MuteAgent(_)
        | Setting::UnmuteAgent(_)
        | Setting::MuteConversation(_)
        | Setting::UnmuteConversation(_) => change_mute(platform, agent, setting, now)?,
        Setting::HideConversation(id) => {
            answered(platform.hide_conversation(agent, id, now).status, id)?;
        }
        Setting::HideMessage(id) => answered(platform.hide_message(agent, id, now).status, id)?,
        Setting::Settled(id) => {
            if platform.ack_message(agent, id, now) == Settled::No {
                return Err(unknown(id));
            }
        }
        Setting::JoinGroup(id) | Setting::LeaveGroup(id) | Setting::Kicked(id) => {
            return change_membership(platform, agent, setting, id, now);
        }
    }
    Ok(Vec::new())
}

fn change_mute(
    platform: &mut Platform,
    agent: AgentNo,
    setting: &Setting,
    now: Stamp,
) -> Result<(), Unknown> {
    let (target, muted) = match setting {
        Setting::MuteAgent(other) => (MuteTarget::Agent(agent_of(platform, other)?), true),
        Setting::UnmuteAgent(other) => (MuteTarget::Agent(agent_of(platform, other)?), false),
        Setting::MuteConversation(id) | Setting::UnmuteConversation(id) => {
            let known = platform.by_conversation_id.get(id.as_str()).copied();
            let number = known.ok_or_else(|| unknown(id))?;
            let muted = matches!(setting, Setting::MuteConversation(_));
            (MuteTarget::Conversation(number), muted)
        }
        _ => return Ok(()),
    };
    if muted {
        platform.mute(agent, target, now);
    } else {
        platform.unmute(agent, target);
    }
    Ok(())
}

fn change_membership(
    platform: &mut Platform,
    agent: AgentNo,
    setting: &Setting,
    id: &str,
    now: Stamp,
) -> Result<Vec<Effect>, Unknown> {
    let known = platform.by_conversation_id.get(id).copied();
    let number = known.ok_or_else(|| unknown(id))?;
    let admin = platform
        .group(number)
        .and_then(|group| {
            group
                .present()
                .find(|member| member.admin && member.agent != agent)
        })
        .map(|member| member.agent);
    let handle = platform.agents[agent.index()].handle.clone();
    let reply = match (setting, admin) {
        (Setting::JoinGroup(_), Some(admin)) => {
            return Ok(platform.join(number, agent, admin, now));
        }
        (Setting::LeaveGroup(_), _) => platform.leave(agent, id, now),
        (_, Some(admin)) => platform.kick(admin, id, &handle, now),
        (_, None) => return Err(unknown(id)),
    };
    reply
        .map(|outcome| outcome.effects)
        .map_err(|_answer| unknown(id))
}

/// A route's answer as a yes or no.
fn answered(status: u16, name: &str) -> Result<(), Unknown> {
    if status < 300 {
        Ok(())
    } else {
        Err(unknown(name))
    }
}
