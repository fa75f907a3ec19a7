//! The way to the daemon: one connection, made anew where it broke, always to the same socket.

use std::path::PathBuf;
use std::time::Duration;

use agentchatd_client::{Client, ClientError};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::figures::{self, Figures};
use super::messages::Messages;
use crate::failure::Failure;
use crate::render::number;
use crate::sentences;

/// The daemon at one socket.
#[derive(Debug)]
pub(super) struct Link {
    socket: PathBuf,
    client: Option<Client>,
}

/// What it said at one time.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// `daemon.status`.
    pub(super) status: Value,
    /// `daemon.health`.
    pub(super) health: Value,
    /// `consumers.list`.
    pub(super) consumers: Value,
    /// Entries of the outbox that somebody may want to look at.
    pub(super) outbox: Vec<Value>,
    /// Its counters, where it gave them.
    pub(super) figures: Option<Figures>,
}

impl Link {
    /// To the daemon at this socket.
    pub(super) fn new(socket: PathBuf) -> Self {
        Self {
            socket,
            client: None,
        }
    }

    /// Asks for all that is shown; messages are added to those that are there.
    pub(super) async fn ask(&mut self, messages: &mut Messages) -> Result<Told, Failure> {
        let asked = timeout(PATIENCE, self.all(messages)).await;
        asked.unwrap_or_else(|_| {
            Err(Failure::failed(format!(
                "the daemon gives no answer within {} s; look at its log",
                PATIENCE.as_secs()
            )))
        })
    }

    async fn all(&mut self, messages: &mut Messages) -> Result<Told, Failure> {
        let status = self.call("daemon.status", json!({})).await?;
        let mut told = Told {
            health: self.call("daemon.health", json!({})).await?,
            consumers: self.call("consumers.list", json!({})).await?,
            figures: figures::ask(&self.socket).await.ok(),
            ..Told::default()
        };
        for state in STATES {
            let counts = told.figures.as_ref().map(|figures| &figures.outbox);
            if counts.is_some_and(|counts| counts.get(state) == Some(&0)) {
                continue;
            }
            let params = json!({"state": state, "limit": ENTRIES});
            let mut page = self.call("outbox.list", params).await?;
            if let Some(Value::Array(entries)) = page.get_mut("entries").map(Value::take) {
                told.outbox.extend(entries);
            }
        }
        messages.of(&status);
        let last = status.get("log").and_then(|log| number(log, "last_offset"));
        for _ in 0..PAGES {
            let Some(after) = messages.next(last.unwrap_or_default()) else {
                break;
            };
            let params = json!({"after": after, "limit": PAGE, "filter": {"types": KINDS}});
            if !messages.add(&self.call("events.fetch", params).await?) {
                break;
            }
        }
        told.status = status;
        Ok(told)
    }

    /// One call. Where the connection is gone it is made once more: these calls change nothing.
    async fn call(&mut self, method: &str, params: Value) -> Result<Value, Failure> {
        let mut answer = self.attempt(method, &params).await;
        if matches!(answer, Err(ClientError::Disconnected { .. })) {
            self.client = None;
            answer = self.attempt(method, &params).await;
        }
        answer.map_err(|error| sentences::of_call(method, &error))
    }

    async fn attempt(&mut self, method: &str, params: &Value) -> Result<Value, ClientError> {
        let json = |source| ClientError::Json {
            method: method.to_owned(),
            source,
        };
        let client = match &mut self.client {
            Some(client) => client,
            none => none.insert(Client::connect(&self.socket).await?),
        };
        let params = to_raw_value(params).map_err(json)?;
        let answer = client.call_by_name(method, params).await?;
        serde_json::from_str(answer.get()).map_err(json)
    }
}

/// How long the daemon may take for all of it.
const PATIENCE: Duration = Duration::from_secs(5);
/// Of the outbox, what is under way or needs somebody.
const STATES: [&str; 5] = ["sending", "queued", "failed", "unknown", "expired"];
/// Entries of each state.
const ENTRIES: u32 = 10;
/// Events that are shown as messages.
const KINDS: [&str; 3] = ["message.new", "message.sent", "message.failed"];
/// Events of one answer, which may hold long texts.
const PAGE: u32 = 50;
/// Answers at one time.
const PAGES: u32 = 8;
