//! The registered sockets of all agents, and everything that is handed to them.

use super::chaos::Dice;
use super::faults::PushFault;
use super::journal::Event;
use super::link::{Cut, Link, Offered, Out};
use super::platform::{AgentNo, Effect, EnvelopeNo, Form, MessageNo};
use super::shared::{Shared, State};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// A push on its way to one agent.
#[derive(Clone, Debug)]
pub(crate) struct Push {
    pub(crate) agent: AgentNo,
    pub(crate) message: MessageNo,
    pub(crate) envelope: Option<EnvelopeNo>,
    pub(crate) frame: Utf8Bytes,
}

/// Who is connected.
#[derive(Debug)]
pub(crate) struct Hub {
    links: HashMap<AgentNo, Vec<Arc<Link>>>,
    /// Pushes that leave behind the agent's next one.
    swapped: HashMap<AgentNo, Push>,
    pub(crate) dice: Dice,
    /// The seed that the dice were last thrown from.
    pub(crate) chaos_seed: Option<u64>,
}

impl Hub {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            links: HashMap::new(),
            swapped: HashMap::new(),
            dice: Dice::new(seed),
            chaos_seed: None,
        }
    }

    /// The sockets of an agent.
    pub(crate) fn of(&self, agent: AgentNo) -> &[Arc<Link>] {
        self.links
            .get(&agent)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// Adds a socket; true when it is the agent's first.
    pub(crate) fn add(&mut self, link: &Arc<Link>) -> bool {
        let links = self.links.entry(link.agent).or_default();
        links.push(Arc::clone(link));
        links.len() == 1
    }

    /// Removes a socket; true when it was the agent's last.
    pub(crate) fn remove(&mut self, link: &Link) -> bool {
        let Some(links) = self.links.get_mut(&link.agent) else {
            return false;
        };
        let before = links.len();
        links.retain(|known| known.socket != link.socket);
        let last = before > 0 && links.is_empty();
        if last {
            self.links.remove(&link.agent);
            self.swapped.remove(&link.agent);
        }
        last
    }
}

impl Shared {
    /// Applies the effects of a request, in order, under the lock that the request was answered
    /// under.
    /// The sockets that are closed by it are given back.
    pub(crate) fn apply(
        self: &Arc<Self>,
        state: &mut State,
        effects: Vec<Effect>,
    ) -> Vec<Arc<Link>> {
        let mut closing = Vec::new();
        for effect in effects {
            match effect {
                Effect::Fact(event) => self.journal.write(event),
                // To an agent that its owner has paused nothing is pushed at all.
                Effect::Frame { agent, .. } if state.platform.is_silent(agent) => {}
                Effect::Frame { agent, frame } => {
                    let frame = Utf8Bytes::from(frame);
                    for link in state.hub.of(agent) {
                        link.offer(Out::Text(frame.clone()));
                    }
                }
                Effect::Close {
                    agent,
                    code,
                    reason,
                } => {
                    for link in state.hub.of(agent) {
                        let offered = link.offer(Out::Close(code, reason.to_owned()));
                        if offered == Offered::Queued {
                            closing.push(Arc::clone(link));
                        }
                    }
                }
                Effect::Push {
                    message,
                    recipients,
                } => {
                    self.push(state, message, &recipients);
                }
            }
        }
        closing
    }

    /// Pushes a message to whoever of the recipients is connected and wants to hear it.
    fn push(
        self: &Arc<Self>,
        state: &mut State,
        message: MessageNo,
        recipients: &[(AgentNo, Option<EnvelopeNo>)],
    ) {
        let now = self.now();
        let mut rendered: Option<Utf8Bytes> = None;
        for (agent, envelope) in recipients {
            let absent = state.hub.of(*agent).is_empty();
            if absent || !state.platform.may_push(message, *agent, now) {
                continue;
            }
            let frame = rendered
                .get_or_insert_with(|| {
                    Utf8Bytes::from(state.platform.render_push(message, Form::Fresh))
                })
                .clone();
            let push = Push {
                agent: *agent,
                message,
                envelope: *envelope,
                frame,
            };
            let fault = self.push_fault(state, *agent);
            self.push_with(state, push, fault);
        }
    }

    fn push_fault(&self, state: &mut State, agent: AgentNo) -> Option<PushFault> {
        let State {
            platform,
            faults,
            hub,
        } = state;
        if faults.push.is_empty() && faults.chaos.is_none() {
            return None;
        }
        let handle = &platform.agents[agent.index()].handle;
        let ruled = faults.take_push(handle);
        ruled.or_else(|| faults.chaos.as_ref().and_then(|chaos| hub.dice.push(chaos)))
    }

    fn push_with(self: &Arc<Self>, state: &mut State, push: Push, fault: Option<PushFault>) {
        let agent = push.agent;
        match fault {
            None => self.hand_over(state, &push, 1, false),
            Some(PushFault::Repeat(more)) => self.hand_over(state, &push, more + 1, false),
            Some(PushFault::Suppress) => return,
            Some(PushFault::Drop) => return self.hand_over(state, &push, 0, false),
            Some(PushFault::CutInside) => self.hand_over(state, &push, 1, true),
            Some(PushFault::Delay(by)) => return self.push_later(push, by),
            Some(PushFault::Swap) => {
                // Two in a row: the one that waits goes first after all.
                if let Some(earlier) = state.hub.swapped.insert(agent, push) {
                    self.hand_over(state, &earlier, 1, false);
                }
                return;
            }
        }
        if let Some(swapped) = state.hub.swapped.remove(&agent) {
            self.hand_over(state, &swapped, 1, false);
        }
    }

    fn push_later(self: &Arc<Self>, push: Push, by: Duration) {
        let shared = Arc::clone(self);
        self.tasks.spawn(async move {
            tokio::time::sleep(by).await;
            let mut state = shared.lock();
            shared.hand_over(&mut state, &push, 1, false);
        });
    }

    /// Hands a push to every socket of its agent, so many times; zero times it only counts as sent.
    /// A server without ack capability marks the row.
    fn hand_over(&self, state: &mut State, push: &Push, times: u32, half: bool) {
        let links: Vec<Arc<Link>> = state.hub.of(push.agent).to_vec();
        for link in links {
            self.hand_to(state, &link, push, times, half, false);
        }
    }

    /// The same for one socket.
    pub(crate) fn hand_to(
        &self,
        state: &mut State,
        link: &Link,
        push: &Push,
        times: u32,
        half: bool,
        drain: bool,
    ) {
        let mut offered = if link.is_given_up() {
            Offered::Refused
        } else {
            Offered::Void
        };
        for _ in 0..times {
            let text = push.frame.clone();
            offered = link.offer(if half {
                Out::Half(text)
            } else {
                Out::Text(text)
            });
        }
        if offered == Offered::Refused {
            return;
        }
        let settled = !link.ack
            && push
                .envelope
                .is_some_and(|number| state.platform.settle(number, self.now()));
        if self.options.journal_pushes {
            self.journal.write(Event::Push {
                socket: link.socket,
                agent: link.handle.clone(),
                message_id: state.platform.messages[push.message.index()].id.to_string(),
                drain,
                settled,
                leaves: offered == Offered::Queued && !half,
            });
        }
    }

    /// Cuts every socket of an agent; the number of sockets.
    pub(crate) fn cut(&self, state: &State, agent: AgentNo, cut: &Cut) -> usize {
        let links = state
            .hub
            .of(agent)
            .iter()
            .filter(|link| !link.is_given_up());
        links.map(|link| link.cut(cut.clone())).count()
    }
}
