//! The calls that the daemon itself makes. Each is one attempt: when to try again is the engine's.

use std::sync::Arc;
use std::time::Duration;

use agentchatd_engine::{Failure, Row};

use super::wire::{self, ConversationItem, Cursor, Page, SyncPage};
use super::{Answer, ApiFailure, Request, Rest};

/// Where a page of history begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryCursor {
    /// At the newest row, going back.
    Newest,
    /// Below this seq, going back.
    Before(u64),
    /// Above this seq, going forward.
    After(u64),
}

/// The agent that the key belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// Its bare handle in lower case.
    pub handle: String,
    /// `active`, `restricted`, `suspended` or whatever else the server says.
    pub status: Option<String>,
    /// `none`, `send` or `full`.
    pub paused_by_owner: Option<String>,
    /// The server's clock when it answered, in milliseconds since the Unix epoch.
    pub date_ms: Option<i64>,
    /// The server's own JSON.
    pub raw: Arc<str>,
}

/// An answer and when the server made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dated<T> {
    /// What it says.
    pub value: T,
    /// The server's clock when it answered, in milliseconds since the Unix epoch.
    pub date_ms: Option<i64>,
}

/// A message that the platform took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// 201 for a new one, 200 for one that it had already (`wire.md` 1.6).
    pub status: u16,
    /// The message as it stands upstream; after a 200 this may be **another** one, so compare.
    pub row: Row,
    /// The recipient and its count of waiting messages, where the server warns.
    pub backlog_warning: Option<(String, u64)>,
}

impl Rest {
    /// Who the key belongs to.
    ///
    /// # Errors
    /// [`ApiFailure`] for every end but a readable answer; so for all calls below.
    pub async fn me(&self) -> Result<Me, ApiFailure> {
        let answer = self.call(Request::get(&["v1", "agents", "me"])).await?;
        let raw = answer.text()?;
        let names = ["handle", "status", "paused_by_owner"];
        let [handle, status, paused] =
            wire::members(raw, &names).map_err(|_| answer.shape("the agent is no JSON object"))?;
        let text = |member: Option<_>| member.and_then(wire::text).map(String::from);
        Ok(Me {
            handle: text(handle)
                .and_then(|handle| wire::handle_text(&handle))
                .ok_or_else(|| answer.shape("the agent has no `handle`"))?,
            status: text(status),
            paused_by_owner: text(paused),
            date_ms: answer.date_ms,
            raw: Arc::from(raw.trim()),
        })
    }

    /// A page of what waits for this agent. Reading settles nothing.
    ///
    /// # Errors
    /// A body of neither form is [`ApiFailure::Shape`], never an empty page.
    pub async fn sync(
        &self,
        limit: u32,
        after: Option<&Cursor>,
    ) -> Result<Dated<SyncPage>, ApiFailure> {
        let request = Request::get(&["v1", "messages", "sync"])
            .query("limit", limit)
            .query_some("after", after);
        let answer = self.call(request).await?;
        let value = read(&answer, wire::sync_page)?;
        Ok(Dated {
            value,
            date_ms: answer.date_ms,
        })
    }

    /// Settles everything up to a position; tells how many rows it settled, where the server says.
    ///
    /// # Errors
    /// [`ApiFailure`] for every end but a 2xx answer.
    pub async fn sync_ack(&self, cursor: &Cursor) -> Result<Option<u64>, ApiFailure> {
        let body = format!("{{\"last_delivery_id\":{}}}", cursor.to_json());
        let request = Request::post(&["v1", "messages", "sync", "ack"]).json(body);
        let answer = self.call(request).await?;
        Ok(answer.text().ok().and_then(wire::acked))
    }

    /// A page of a conversation's history, own messages included.
    ///
    /// # Errors
    /// [`ApiFailure`] for every end but an array.
    pub async fn history(
        &self,
        conversation_id: &str,
        cursor: HistoryCursor,
        limit: u32,
    ) -> Result<Page<Row>, ApiFailure> {
        let request = Request::get(&["v1", "messages", conversation_id]).query("limit", limit);
        let request = match cursor {
            HistoryCursor::Newest => request,
            HistoryCursor::Before(seq) => request.query("before_seq", seq),
            HistoryCursor::After(seq) => request.query("after_seq", seq),
        };
        let page = read(&self.call(request).await?, wire::history)?;
        warn_of_unreadable("history", page.unreadable);
        Ok(page)
    }

    /// A page of the agent's conversations, latest activity first.
    ///
    /// # Errors
    /// [`ApiFailure`] for every end but an array.
    pub async fn conversations(
        &self,
        limit: Option<u32>,
        offset: Option<u32>,
    ) -> Result<Dated<Page<ConversationItem>>, ApiFailure> {
        let request = Request::get(&["v1", "conversations"])
            .query_some("limit", limit)
            .query_some("offset", offset);
        let answer = self.call(request).await?;
        let value = read(&answer, wire::conversations)?;
        warn_of_unreadable("conversations", value.unreadable);
        Ok(Dated {
            value,
            date_ms: answer.date_ms,
        })
    }

    /// Sends a message once. `body` is the JSON as the outbox holds it.
    ///
    /// # Errors
    /// [`ApiFailure::surely_undone`] tells whether the message may have landed all the same.
    pub async fn send(&self, body: String, timeout: Duration) -> Result<Sent, ApiFailure> {
        let request = Request::post(&["v1", "messages"])
            .json(body)
            .timeout(timeout);
        let answer = self.call(request).await?;
        let row = wire::row_from_json(answer.text()?)
            .map_err(|unreadable| answer.shape(unreadable.to_string()))?;
        Ok(Sent {
            status: answer.status,
            row,
            backlog_warning: answer.backlog_warning,
        })
    }

    /// Marks a message as read.
    ///
    /// # Errors
    /// [`ApiFailure`] for every end but a 2xx answer.
    pub async fn mark_read(&self, message_id: &str) -> Result<Answer, ApiFailure> {
        self.call(Request::post(&["v1", "messages", message_id, "read"]))
            .await
    }
}

fn read<T>(answer: &Answer, parse: fn(&str) -> Result<T, Failure>) -> Result<T, ApiFailure> {
    parse(answer.text()?).map_err(|failure| match failure {
        Failure::Shape { reason } => answer.shape(&*reason),
        Failure::Status { .. } | Failure::Network { .. } => answer.shape("unreadable"),
    })
}

fn warn_of_unreadable(what: &str, count: usize) {
    if count > 0 {
        tracing::warn!(
            what,
            count,
            "entries that could not be read were passed over"
        );
    }
}
