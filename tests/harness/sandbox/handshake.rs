//! How a socket says who it is, and how it is registered (wire.md 2.1).

use super::faults::{ConnectFault, HelloOk};
use super::journal::Event;
use super::link::{Link, Out};
use super::platform::AgentNo;
use super::shared::Shared;
use super::socket::{End, Socket};
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// A good hello.
#[derive(Debug)]
pub(crate) struct Hello {
    key: String,
    pub(crate) ack: bool,
    /// How often it was said before it was answered.
    pub(crate) times: u32,
}

#[derive(Deserialize)]
struct HelloFrame {
    r#type: String,
    api_key: String,
    #[serde(default)]
    capabilities: Value,
}

impl Socket {
    /// Waits for a good hello and looks its key up.
    pub(crate) async fn handshake(&mut self) -> Result<(AgentNo, Hello), End> {
        const WRONG: &str = "HELLO frame required first";
        let deadline = Instant::now() + self.shared.options.hello_deadline;
        let first = loop {
            match tokio::time::timeout_at(deadline, self.ws.next()).await {
                Err(_elapsed) => return Err(self.close(1008, "HELLO frame required").await),
                Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {}
                Ok(Some(Ok(Message::Close(frame)))) => return Err(End::by_client(frame)),
                Ok(Some(Ok(frame))) => break frame,
                Ok(Some(Err(_)) | None) => return Err(End::lost()),
            }
        };
        let Some(mut hello) = read_hello(&first) else {
            return Err(self.close(1008, WRONG).await);
        };
        if let Some(ConnectFault::CloseAtHello { code, reason }) = &self.fault {
            let (code, reason) = (*code, reason.clone());
            return Err(self.close(code, &reason).await);
        }
        // While the key is looked up, every frame is judged as if it were the first one.
        let found = Instant::now() + self.lookup_time();
        while let Ok(next) = tokio::time::timeout_at(found, self.ws.next()).await {
            let refused = match next {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(Message::Close(frame))) => Some(End::by_client(frame)),
                Some(Ok(frame)) if read_hello(&frame).is_some() => {
                    hello.times += 1;
                    continue;
                }
                Some(Ok(_)) => None,
                Some(Err(_)) | None => Some(End::lost()),
            };
            self.haunt(&hello.key, found);
            return Err(match refused {
                Some(end) => end,
                None => self.close(1008, WRONG).await,
            });
        }
        let owner = self.shared.lock().platform.owner_of_key(&hello.key);
        match owner {
            Some(agent) => Ok((agent, hello)),
            None => Err(self.close(1008, "Invalid token").await),
        }
    }

    fn lookup_time(&self) -> Duration {
        match self.fault {
            Some(ConnectFault::SlowLookup(time)) => time,
            _ => self.shared.options.key_lookup,
        }
    }

    /// The lookup of a refused handshake goes on, and registers the dead socket.
    fn haunt(&self, key: &str, found: Instant) {
        let options = &self.shared.options;
        if !options.ghost || options.ack_capability {
            return;
        }
        let Some(agent) = self.shared.lock().platform.owner_of_key(key) else {
            return;
        };
        let (shared, number) = (Arc::clone(&self.shared), self.number);
        self.shared.tasks.spawn(async move {
            tokio::time::sleep_until(found).await;
            let handle = shared.lock().platform.agents[agent.index()].handle.clone();
            let limit = shared.options.socket_buffer;
            let ghost = Arc::new(Link::new(number, agent, handle, false, limit));
            ghost.make_void();
            shared.enrol(&ghost, true);
            let until_ping = shared.options.heartbeat;
            Arc::clone(&shared).drain(Arc::clone(&ghost)).await;
            tokio::time::sleep(until_ping).await;
            shared.strike_off(&ghost);
        });
    }

    /// Registers the socket, sends `hello.ok` and starts the drain, as often as hello was said.
    pub(crate) fn register(
        &self,
        agent: AgentNo,
        ack: bool,
        header: bool,
        times: u32,
    ) -> Arc<Link> {
        let options = &self.shared.options;
        let ack = ack && options.ack_capability;
        let handle = self.shared.lock().platform.agents[agent.index()]
            .handle
            .clone();
        let link = Arc::new(Link::new(
            self.number,
            agent,
            handle,
            ack,
            options.socket_buffer,
        ));
        let wanted = !header || options.hello_ok_on_header;
        let when = self.shared.lock().faults.hello_ok;
        if wanted && when == HelloOk::First {
            for _ in 0..times {
                self.shared.say_hello_ok(&link);
            }
        }
        self.shared.enrol(&link, false);
        match when {
            HelloOk::Late(by) if wanted => {
                let (shared, link) = (Arc::clone(&self.shared), Arc::clone(&link));
                self.shared.tasks.spawn(async move {
                    tokio::time::sleep(by).await;
                    shared.say_hello_ok(&link);
                });
            }
            HelloOk::AfterMessages(count) if wanted => {
                link.hello_behind(count, self.shared.hello_ok(&link));
            }
            HelloOk::First | HelloOk::Missing | HelloOk::Late(_) | HelloOk::AfterMessages(_) => {}
        }
        for _ in 0..times {
            let drain = Arc::clone(&self.shared).drain(Arc::clone(&link));
            let (link, fault) = (Arc::clone(&link), self.fault.clone());
            self.shared.tasks.spawn(async move {
                drain.await;
                if let Some(ConnectFault::CloseAfterHelloOk { code, reason }) = fault {
                    link.offer(Out::Close(code, reason));
                }
            });
        }
        link
    }
}

impl Shared {
    /// Registers a link. The first one of an agent brings it online.
    pub(crate) fn enrol(self: &Arc<Self>, link: &Arc<Link>, ghost: bool) {
        let mut state = self.lock();
        self.journal.write(Event::Ready {
            socket: link.socket,
            agent: link.handle.clone(),
            ack: link.ack,
            ghost,
        });
        if state.hub.add(link) {
            let effects = state.platform.set_online(link.agent, true, self.now());
            self.apply(&mut state, effects);
        }
    }

    /// Takes a link out again.
    pub(crate) fn strike_off(self: &Arc<Self>, link: &Link) {
        let mut state = self.lock();
        link.give_up();
        if state.hub.remove(link) {
            let effects = state.platform.set_online(link.agent, false, self.now());
            self.apply(&mut state, effects);
        }
    }

    fn say_hello_ok(&self, link: &Link) {
        self.journal.write(Event::HelloOk {
            socket: link.socket,
        });
        link.offer(Out::Text(self.hello_ok(link)));
    }

    fn hello_ok(&self, link: &Link) -> Utf8Bytes {
        if !self.options.ack_capability {
            return Utf8Bytes::from_static(r#"{"type":"hello.ok"}"#);
        }
        let granted: &[&str] = if link.ack { &["ack"] } else { &[] };
        Utf8Bytes::from(json!({ "type": "hello.ok", "capabilities": granted }).to_string())
    }
}

fn read_hello(frame: &Message) -> Option<Hello> {
    let Message::Text(text) = frame else {
        return None;
    };
    let frame: HelloFrame = serde_json::from_str(text).ok()?;
    let ack = frame
        .capabilities
        .as_array()
        .is_some_and(|all| all.iter().any(|c| c == "ack"));
    (frame.r#type == "hello").then_some(Hello {
        key: frame.api_key,
        ack,
        times: 1,
    })
}
