//! The engine's questions to the platform, each as a task whose answer is an input.

use std::{collections::BTreeSet, sync::Arc};

use agentchatd_engine::{
    ConversationItem, ConversationList, Cursor, Failure, HISTORY_LIMIT, Identity, Input, Lane,
    Question, Row, SYNC_LIMIT, SyncPage,
};
use serde::Deserialize;
use tokio::sync::{mpsc, oneshot};

use super::compare::means_the_same;
use crate::{
    command::{Accepted, Draft, Outcome, Refusal},
    event::now_us,
    failpoint, store,
    upstream::{ApiFailure, HistoryCursor, Me, Rest, wire},
};

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
    /// A send whose id is in the outbox, looked up because the outbox is full.
    SentBefore(Box<SendAgain>),
}

/// What a caller of `messages.send` asks for, and where it waits.
type SendAgain = (
    Draft,
    oneshot::Sender<Result<Accepted, Refusal>>,
    oneshot::Sender<Outcome>,
);

impl Requests {
    pub(super) async fn identify(self) {
        let answer = self.rest.me().await;
        self.report(Answer::Identified(answer)).await;
    }

    pub(super) async fn sync(self) {
        let limit = u32::try_from(SYNC_LIMIT).unwrap_or(u32::MAX);
        let page = self.rest.sync(limit, None).await;
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
        failpoint::reach("cursor-acked");
        self.input(Input::SyncAcked(answer)).await;
    }

    pub(super) async fn conversations(self) {
        let list = self.list().await.map_err(|failure| failure.engine());
        let list = list.map(|list| ConversationList {
            truncated: list.truncated,
            server_us: list.server_us,
            items: list
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

    /// The conversation list, page by page. A server of old has one page whatever is asked
    /// (`wire.md` 1.7): a page that brings nothing new is the end.
    async fn list(&self) -> Result<List, ApiFailure> {
        let mut list = List::default();
        let mut known = BTreeSet::new();
        for page in 0..LIST_PAGES {
            let offset = page * LIST_PAGE;
            let read = self
                .rest
                .conversations(Some(LIST_PAGE), Some(offset))
                .await?;
            if page == 0 {
                list.server_us = read.date_ms.map(|ms| ms.saturating_mul(1_000));
            }
            let rows = read.value.items.len() + read.value.unreadable;
            let before = known.len();
            for item in read.value.items {
                if known.insert(Arc::clone(&item.id)) {
                    list.items.push(item);
                }
            }
            if rows < LIST_PAGE as usize {
                return Ok(list);
            }
            if known.len() == before {
                break;
            }
        }
        list.truncated = true;
        Ok(list)
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

    /// Looks in history for the message that an entry stands for.
    pub(super) async fn find_sent(self, id: u64, lane: Lane, me: Arc<str>, entry: store::Attempt) {
        let answer = self.search(lane, &me, &entry).await;
        self.input(Input::Found { id, answer }).await;
    }

    /// `None` only where history proves that the message is not there: the rows go back to before
    /// it was accepted. What cannot be proven is an error.
    async fn search(
        &self,
        lane: Lane,
        me: &str,
        entry: &store::Attempt,
    ) -> Result<Option<Row>, Failure> {
        let conversation = match lane {
            Lane::Conversation(id) => id,
            Lane::To(handle) => match self.conversation_with(&handle).await? {
                Some(id) => id,
                // Had it landed, the conversation would be in the list again.
                None => return Ok(None),
            },
        };
        let long_before = entry.created_at_us.saturating_sub(CLOCKS_APART_US);
        // The id is unique for a sender, not for a conversation (`wire.md` 5.1).
        let is_it = |row: &Row| {
            row.client_msg_id.as_deref() == Some(&*entry.client_msg_id)
                && row.sender.as_deref() == Some(me)
                && means_the_same(&entry.body, &row.body)
        };
        let mut question = Question::Newest;
        for _ in 0..SEARCH_PAGES {
            let rows = self
                .page(&conversation, question)
                .await
                .map_err(|failure| failure.engine())?;
            if let Some(row) = rows.iter().find(|row| is_it(row)) {
                return Ok(Some(row.clone()));
            }
            if rows
                .iter()
                .any(|row| row.created_at.is_some_and(|at| at < long_before))
            {
                return Ok(None);
            }
            let lowest = rows.iter().filter_map(|row| row.seq).min();
            question = match (lowest, question) {
                (None, Question::Newest) | (Some(0 | 1), _) => return Ok(None),
                (Some(seq), _) => Question::Before(seq),
                // All rows of the window are hidden (`wire.md` 11.53).
                (None, Question::Before(seq)) if seq > HISTORY_LIMIT => {
                    Question::Before(seq - HISTORY_LIMIT)
                }
                (None, _) => return Ok(None),
            };
        }
        Err(Failure::Shape {
            reason: "history does not go back far enough in reasonable time".into(),
        })
    }

    /// The direct conversation with an agent; an error where the list may have left it out.
    pub(super) async fn conversation_with(
        &self,
        handle: &str,
    ) -> Result<Option<Arc<str>>, Failure> {
        let list = self.list().await.map_err(|failure| failure.engine())?;
        let found = list
            .items
            .iter()
            .find(|item| has_participant(&item.raw, handle));
        if found.is_none() && list.truncated {
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

/// The conversation list as far as it could be read.
#[derive(Debug, Default)]
struct List {
    items: Vec<wire::ConversationItem>,
    /// True where the server may have left some out.
    truncated: bool,
    server_us: Option<i64>,
}

pub(super) fn identity(me: &Me) -> Identity {
    Identity {
        handle: me.handle.as_str().into(),
        // Without a Date header our own clock has to do.
        server_us: me
            .date_ms
            .map_or_else(now_us, |ms| ms.saturating_mul(1_000)),
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

/// Rows of a page of the conversation list, and the most that a server of old gives
/// (`wire.md` 1.7).
const LIST_PAGE: u32 = 50;
/// Pages of the conversation list that are read at most.
const LIST_PAGES: u32 = 40;
/// Pages of history that are searched for a message of ours.
const SEARCH_PAGES: usize = 50;
/// How far the platform's clock and ours may be apart, and a row's stamp behind its commit.
const CLOCKS_APART_US: i64 = 3_600 * 1_000_000;
