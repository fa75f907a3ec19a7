//! The engine's questions to the platform, each as a task whose answer is an input.

use std::sync::Arc;

use agentchatd_engine::{
    ConversationItem, ConversationList, Cursor, Failure, HISTORY_LIMIT, Identity, Input, Lane,
    Question, Row, SyncPage,
};
use serde::Deserialize;
use tokio::sync::mpsc;

use super::clock::wall_us;
use crate::upstream::{ApiFailure, HistoryCursor, Me, Rest, wire};

/// Makes requests with one key and reports the answers.
#[derive(Debug, Clone)]
pub(super) struct Requests {
    pub(super) rest: Rest,
    pub(super) inputs: mpsc::Sender<Answer>,
}

/// An input, and what came with it that only the driver wants.
#[derive(Debug)]
pub(super) enum Answer {
    Input(Input),
    Identified(Result<Me, ApiFailure>),
}

impl Requests {
    pub(super) async fn identify(self) {
        let answer = self.rest.me().await;
        self.report(Answer::Identified(answer)).await;
    }

    pub(super) async fn sync(self) {
        let page = self.rest.sync(SYNC_LIMIT, None).await;
        let page = page
            .map(|page| sync_page(page.value))
            .map_err(|failure| failure.engine());
        self.input(Input::SyncPage(page)).await;
    }

    pub(super) async fn sync_ack(self, cursor: Cursor) {
        let answer = match wire::Cursor::from_json(&cursor.0) {
            Some(cursor) => self
                .rest
                .sync_ack(&cursor)
                .await
                .map_err(|failure| failure.engine()),
            None => Err(Failure::Shape {
                reason: "the stored cursor is no cursor".into(),
            }),
        };
        self.input(Input::SyncAcked(answer)).await;
    }

    pub(super) async fn conversations(self) {
        let list = self.rest.conversations(None, None).await;
        let list = list
            .map_err(|failure| failure.engine())
            .map(|list| ConversationList {
                truncated: list.value.items.len() + list.value.unreadable >= LIST_CAP,
                server_us: list.date_ms.map(|ms| ms.saturating_mul(1_000)),
                items: list
                    .value
                    .items
                    .into_iter()
                    .map(|item| ConversationItem {
                        id: item.id,
                        last_message_us: item.last_message_at_us,
                    })
                    .collect(),
            });
        self.input(Input::Conversations(list)).await;
    }

    pub(super) async fn history(self, conversation_id: Arc<str>, question: Question) {
        let answer = self
            .page(&conversation_id, question)
            .await
            .map_err(|failure| failure.engine());
        self.input(Input::History {
            conversation_id,
            question,
            answer,
        })
        .await;
    }

    async fn page(&self, conversation: &str, question: Question) -> Result<Vec<Row>, ApiFailure> {
        let cursor = match question {
            Question::Newest => HistoryCursor::Newest,
            Question::Before(seq) => HistoryCursor::Before(seq),
            Question::After(seq) => HistoryCursor::After(seq),
        };
        let limit = u32::try_from(HISTORY_LIMIT).unwrap_or(u32::MAX);
        Ok(self.rest.history(conversation, cursor, limit).await?.items)
    }

    /// Looks in history for our message with this `client_msg_id`.
    pub(super) async fn find_sent(self, id: u64, lane: Lane, client_msg_id: Arc<str>) {
        let answer = self.search(lane, &client_msg_id).await;
        self.input(Input::Found { id, answer }).await;
    }

    async fn search(&self, lane: Lane, client_msg_id: &str) -> Result<Option<Row>, Failure> {
        let conversation = match lane {
            Lane::Conversation(id) => id,
            Lane::To(handle) => match self.conversation_with(&handle).await? {
                Some(id) => id,
                None => return Ok(None),
            },
        };
        let mut question = Question::Newest;
        for _ in 0..SEARCH_PAGES {
            let rows = self
                .page(&conversation, question)
                .await
                .map_err(|failure| failure.engine())?;
            let Some(lowest) = rows.iter().filter_map(|row| row.seq).min() else {
                break;
            };
            if let Some(row) = rows
                .into_iter()
                .find(|row| row.client_msg_id.as_deref() == Some(client_msg_id))
            {
                return Ok(Some(row));
            }
            question = Question::Before(lowest);
        }
        Ok(None)
    }

    /// The direct conversation with an agent; an error where the list may have left it out.
    pub(super) async fn conversation_with(
        &self,
        handle: &str,
    ) -> Result<Option<Arc<str>>, Failure> {
        let list = self
            .rest
            .conversations(None, None)
            .await
            .map_err(|failure| failure.engine())?
            .value;
        let found = list
            .items
            .iter()
            .find(|item| has_participant(&item.raw, handle));
        if found.is_none() && list.items.len() + list.unreadable >= LIST_CAP {
            return Err(Failure::Shape {
                reason: "the conversation list is cut".into(),
            });
        }
        Ok(found.map(|item| Arc::clone(&item.id)))
    }

    pub(super) async fn input(&self, input: Input) {
        self.report(Answer::Input(input)).await;
    }

    async fn report(&self, answer: Answer) {
        // The driver is gone only when the daemon stops.
        let _ = self.inputs.send(answer).await;
    }
}

pub(super) fn identity(me: &Me) -> Identity {
    Identity {
        handle: me.handle.as_str().into(),
        // Without a Date header our own clock has to do.
        server_us: me
            .date_ms
            .map_or_else(wall_us, |ms| ms.saturating_mul(1_000)),
        status: me.status.as_deref().unwrap_or_default().into(),
    }
}

fn sync_page(page: wire::SyncPage) -> SyncPage {
    SyncPage {
        cursor: page.cursor().map(|cursor| Cursor(cursor.to_json().into())),
        covered: page.covered() as u64,
        poisoned: page.poisoned.is_some(),
        rows: page.rows,
    }
}

fn has_participant(raw: &str, handle: &str) -> bool {
    let Ok(item) = serde_json::from_str::<Item>(raw) else {
        return false;
    };
    item.kind.as_deref() != Some("group")
        && item
            .participants
            .iter()
            .any(|peer| peer.handle.eq_ignore_ascii_case(handle))
}

#[derive(Deserialize)]
struct Item {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    participants: Vec<Participant>,
}

#[derive(Deserialize)]
struct Participant {
    #[serde(default)]
    handle: String,
}

/// Rows of a sync page; the platform's upper bound (`wire.md` 3.1).
const SYNC_LIMIT: u32 = 500;
/// Rows after which the conversation list is cut (`wire.md` 1.7).
const LIST_CAP: usize = 50;
/// Pages of history that are searched for a message of ours.
const SEARCH_PAGES: usize = 5;
