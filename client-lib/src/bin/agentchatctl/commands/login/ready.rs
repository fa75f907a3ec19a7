//! The end of every login: waiting until AgentChat took the key.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use super::page;
use super::standing::Standing;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::{Hub, Session};

/// A key that the daemon has now.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The file.
    pub(super) place: Option<String>,
    /// What the daemon has to say about it.
    pub(super) warning: Option<String>,
}

/// Waits, and says who it is.
pub(super) async fn finish(session: &Session, kept: Kept) -> Result<Exit, Failure> {
    let hub = session.connect().await?;
    let patience = session.global.timeout.map_or(PATIENCE, |time| time.0);
    match settled(&hub, None, patience).await? {
        Settled::Ready => {
            let me = hub.value("agents.me", &json!({})).await?;
            page::logged_in(session, &kept, &me)
        }
        Settled::Refused(why) => Err(Failure::failed(format!(
            "the daemon has the key, but AgentChat does not take it or the account ({why}); get a \
             new one with `agentchatctl login --recover`"
        ))),
        Settled::Unknown(why) => Err(Failure::failed(format!(
            "the daemon has the key, but is not connected yet ({why}); it goes on trying, look \
             with `agentchatctl health`"
        ))),
    }
}

/// Where the connection came to.
#[derive(Debug)]
pub(super) enum Settled {
    /// It stands.
    Ready,
    /// AgentChat said no.
    Refused(String),
    /// The time is over.
    Unknown(String),
}

/// Looks at the daemon until it knows what AgentChat makes of the key. A refusal from `before` says
/// nothing about a key that came after it.
pub(super) async fn settled(
    hub: &Hub,
    before: Option<&Standing>,
    patience: Duration,
) -> Result<Settled, Failure> {
    let deadline = Instant::now() + patience;
    loop {
        let standing = Standing::of(&hub.value("daemon.status", &json!({})).await?);
        match standing.state.as_str() {
            "ready" => return Ok(Settled::Ready),
            "parked" if before.is_none_or(|before| before.since != standing.since) => {
                return Ok(Settled::Refused(standing.words()));
            }
            _ if Instant::now() >= deadline => return Ok(Settled::Unknown(standing.words())),
            _ => sleep(BETWEEN_LOOKS).await,
        }
    }
}

/// How long AgentChat has to take the key, where --timeout says nothing.
const PATIENCE: Duration = Duration::from_secs(30);
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
