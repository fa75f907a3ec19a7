//! What a test may see and change of a running sandbox: accounts, views, frames.

use super::platform::{AccountStatus, Message, OwnerPause};
use super::server::{Agent, Sandbox};
use super::shared::Shared;
use super::steer::{Setting, agent_of};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

impl Sandbox {
    /// Puts a state in place.
    ///
    /// # Panics
    ///
    /// When the agent, or something that the setting names, is unknown: a mistake of the test.
    pub fn set(&self, handle: &str, setting: &Setting) {
        let done = self.shared.set(handle, setting);
        done.expect("agents, conversations and messages are made before they are changed");
    }

    /// Puts an account into a state. Suspension and deletion close its sockets.
    pub fn set_status(&self, handle: &str, status: AccountStatus) {
        self.set(handle, &Setting::Status(status));
    }

    /// Pauses an agent as its owner can.
    pub fn set_pause(&self, handle: &str, pause: OwnerPause) {
        self.set(handle, &Setting::Pause(pause));
    }

    /// Sets the backlog counter by hand; `None` lets it follow the options again.
    pub fn set_backlog(&self, handle: &str, count: Option<u64>) {
        self.set(handle, &Setting::Backlog(count));
    }

    /// Replaces an agent's key: the old one is dead, its sockets close with 1008.
    pub fn rotate_key(&self, handle: &str, key: &str) -> Agent {
        self.set(handle, &Setting::Key(key.to_owned()));
        self.agent(handle)
    }

    /// Makes a group whose members are in it from the start (each join takes a seq); its id.
    ///
    /// # Panics
    ///
    /// When an agent is unknown: a mistake of the test.
    pub fn group(&self, creator: &str, name: &str, members: &[&str]) -> String {
        self.shared
            .make_group(creator, name, members)
            .expect("agents are made before their group")
    }

    /// Drops rows as the platform's retention does: they are in no history and no sync any more.
    ///
    /// # Panics
    ///
    /// When the conversation is unknown: a mistake of the test.
    pub fn purge(&self, conversation: &str, seqs: &RangeInclusive<u64>) {
        let done = self.shared.purge(conversation, seqs);
        done.expect("a conversation is made before its rows are dropped");
    }

    /// Sends these characters as a text frame to every socket of an agent: unknown types, broken
    /// JSON, whatever. The number of sockets.
    pub fn send_frame(&self, handle: &str, text: &str) -> usize {
        self.shared.send_frame(handle, text)
    }

    /// How many open sockets an agent has, ghosts included.
    pub fn sockets(&self, handle: &str) -> usize {
        self.shared.sockets(handle)
    }

    /// How many rows an agent has in each state: `stored`, `delivered`, `read`.
    pub fn rows_by_state(&self, handle: &str) -> BTreeMap<String, u64> {
        self.shared.rows_by_state(handle)
    }

    /// Every message that the platform has for an agent, by conversation, in seq order: what its
    /// history shows, its own messages included, and what waits for it beyond that.
    pub fn messages_for(&self, handle: &str) -> BTreeMap<String, Vec<Message>> {
        self.shared.messages_for(handle)
    }
}

impl Shared {
    pub(crate) fn messages_for(&self, handle: &str) -> BTreeMap<String, Vec<Message>> {
        let state = self.lock();
        let platform = &state.platform;
        let Ok(agent) = agent_of(platform, handle) else {
            return BTreeMap::new();
        };
        let mut all = BTreeMap::new();
        for conversation in &platform.agents[agent.index()].conversations {
            let rows = platform.visible(agent, *conversation);
            if !rows.is_empty() {
                let id = platform.conversations[conversation.index()].id.to_string();
                all.insert(id, rows.into_iter().map(|row| platform.view(row)).collect());
            }
        }
        all
    }
}
