//! AgentChat as a model: conversations with dense seqs, one envelope per message for us, sync by
//! position, history with all its filters. It makes no chance decisions; it does what it is told.

use std::{collections::BTreeMap, sync::Arc};

use agentchatd_engine::{
    ConversationItem, ConversationList, Cursor, Failure, HISTORY_LIMIT, Identity, Question, Row,
    SyncPage,
};

/// The agent whose daemon is tested.
pub(crate) const ME: &str = "me";
/// The platform's clock when the world begins, microseconds.
pub(crate) const EPOCH_US: i64 = 1_700_000_000_000_000;
/// Rows of a sync page; smaller than the real one so that drains have several pages.
pub(crate) const SYNC_LIMIT: usize = 20;
/// Conversations in the list at most (`wire.md` 1.7).
const LIST_LIMIT: usize = 50;

/// What the platform lets through in a window of a second.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    /// Messages of ours.
    pub(crate) sends: Option<u64>,
    /// Messages of ours to one group; those of others are counted in.
    pub(crate) to_a_group: Option<u64>,
    /// A refusal tells no time to wait.
    pub(crate) tells_no_time: bool,
    /// Refusals so far.
    pub(crate) refused: u64,
    windows: BTreeMap<Arc<str>, (i64, u64)>,
}

impl Limits {
    /// Counts a message; what is answered where there are too many.
    pub(crate) fn count(&mut self, place: &str, now_us: i64) -> Option<Failure> {
        let group = self.to_a_group.filter(|_| place.starts_with("grp_"));
        let is_over = self.is_over("", self.sends, now_us) || self.is_over(place, group, now_us);
        if !is_over {
            return None;
        }
        self.refused += 1;
        Some(Failure::Status {
            status: 429,
            code: Some("RATE_LIMITED".into()),
            retry_after_ms: (!self.tells_no_time).then_some(1_000),
        })
    }

    fn is_over(&mut self, name: &str, limit: Option<u64>, now_us: i64) -> bool {
        let Some(limit) = limit else { return false };
        let second = now_us.div_euclid(1_000_000);
        let window = self.windows.entry(name.into()).or_insert((second, 0));
        if window.0 != second {
            *window = (second, 0);
        }
        window.1 += 1;
        window.1 > limit
    }
}

/// Where an envelope stands in sync: by its time, then by its number.
pub(crate) type Position = (i64, u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Stored,
    Delivered,
    /// Flushed, skipped, or never made: the message is in history only.
    None,
}

#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) row: Row,
    pub(crate) position: Position,
    pub(crate) status: Status,
    /// Taken out of history after its limit.
    pub(crate) hidden: bool,
    pub(crate) poisoned: bool,
    pub(crate) null_id: bool,
    /// True where an acknowledgement settled it although no page had shown it.
    pub(crate) shown: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Conversation {
    pub(crate) messages: Vec<Message>,
    /// The other side of a direct conversation.
    pub(crate) peer: Option<Arc<str>>,
    pub(crate) member: bool,
    pub(crate) joined_seq: u64,
    /// History up to this seq is cut off.
    pub(crate) hidden_to: u64,
    pub(crate) listed: bool,
    pub(crate) muted: bool,
}

#[derive(Debug)]
pub(crate) struct Platform {
    pub(crate) conversations: BTreeMap<Arc<str>, Conversation>,
    pub(crate) now_us: i64,
    /// Who the key belongs to.
    pub(crate) handle: Arc<str>,
    pub(crate) ack_mode: bool,
    pub(crate) limits: Limits,
    /// It knows no `client_msg_id` again.
    pub(crate) forgets_ids: bool,
    /// Rows of a sync page.
    pub(crate) sync_rows: usize,
    /// What history answers in place of rows.
    pub(crate) history_says: Option<Failure>,
    sent: BTreeMap<Arc<str>, (Arc<str>, usize)>,
    numbers: u64,
}

impl Platform {
    pub(crate) fn new(ack_mode: bool) -> Self {
        Self {
            conversations: BTreeMap::new(),
            now_us: EPOCH_US,
            handle: ME.into(),
            ack_mode,
            limits: Limits::default(),
            forgets_ids: false,
            sync_rows: SYNC_LIMIT,
            history_says: None,
            sent: BTreeMap::new(),
            numbers: 0,
        }
    }

    pub(crate) fn conversation(&mut self, id: &str) -> &mut Conversation {
        let conversation = self.conversations.entry(id.into()).or_default();
        if conversation.messages.is_empty() && conversation.joined_seq == 0 {
            let is_group = id.starts_with("grp_");
            conversation.peer = (!is_group).then(|| Arc::from(&id["conv_".len()..]));
            conversation.member = true;
            conversation.joined_seq = 1;
        }
        conversation
    }

    /// A message comes into being; `age_us` is how long ago its transaction began.
    pub(crate) fn make(&mut self, id: &str, sender: &str, age_us: i64) -> &mut Message {
        self.numbers += 1;
        let number = self.numbers;
        let created = self.now_us - age_us;
        let conversation = self.conversation(id);
        conversation.listed = true;
        let seq = conversation.messages.len() as u64 + 1;
        let own = sender == ME;
        let peer = conversation.peer.clone().filter(|_| !own);
        let row = Row {
            message_id: format!("msg_{id}_{seq}").into(),
            conversation_id: id.into(),
            seq: Some(seq),
            sender: Some(peer.unwrap_or_else(|| sender.into())),
            client_msg_id: None,
            created_at: Some(created),
            undelivered: false,
            joined: None,
            body: format!("{{\"seq\":{seq}}}").into(),
        };
        let has_envelope = !own && conversation.member;
        conversation.messages.push(Message {
            row,
            position: (created, number),
            status: if has_envelope {
                Status::Stored
            } else {
                Status::None
            },
            hidden: false,
            poisoned: false,
            null_id: false,
            shown: false,
        });
        conversation.messages.last_mut().expect("just pushed")
    }

    /// We join, or join again: a notice with an envelope, and nothing older is ours.
    pub(crate) fn join(&mut self, id: &str) {
        self.conversation(id).member = true;
        let message = self.make(id, "host", 0);
        message.row.joined = Some(ME.into());
        let seq = message.row.seq.expect("made with a seq");
        self.conversation(id).joined_seq = seq;
    }

    /// We are out: what waited is flushed, nothing more comes.
    pub(crate) fn kick(&mut self, id: &str) {
        let conversation = self.conversation(id);
        conversation.member = false;
        conversation.listed = false;
        for message in &mut conversation.messages {
            if message.status == Status::Stored {
                message.status = Status::None;
            }
        }
    }

    /// We hide the conversation: history up to now is cut off, what waits still comes by sync.
    pub(crate) fn hide(&mut self, id: &str) {
        let conversation = self.conversation(id);
        conversation.hidden_to = conversation.messages.len() as u64;
        conversation.listed = false;
    }

    pub(crate) fn stored(&self) -> Vec<&Message> {
        let all = self.conversations.values().flat_map(|conv| &conv.messages);
        let mut stored: Vec<_> = all
            .filter(|message| message.status == Status::Stored)
            .collect();
        stored.sort_by_key(|message| message.position);
        stored
    }

    pub(crate) fn message_mut(&mut self, message_id: &str) -> Option<&mut Message> {
        let mut all = self
            .conversations
            .values_mut()
            .flat_map(|conv| &mut conv.messages);
        all.find(|message| *message.row.message_id == *message_id)
    }

    pub(crate) fn identity(&self) -> Identity {
        Identity {
            handle: Arc::clone(&self.handle),
            server_us: self.now_us,
            status: "active".into(),
        }
    }

    /// GET /v1/messages/sync.
    pub(crate) fn sync(&mut self) -> SyncPage {
        let mut page = SyncPage::default();
        let mut ids = Vec::new();
        for message in self.stored().into_iter().take(self.sync_rows) {
            if message.poisoned {
                page.poisoned = true;
                break;
            }
            ids.push(Arc::clone(&message.row.message_id));
            page.rows.push(Row {
                undelivered: true,
                ..message.row.clone()
            });
            if !message.null_id {
                page.cursor = Some(cursor(message.position));
                page.covered = page.rows.len() as u64;
            }
        }
        for id in ids {
            self.message_mut(&id).expect("just read").shown = true;
        }
        page
    }

    /// POST /v1/messages/sync/ack; settles everything up to the position.
    pub(crate) fn sync_ack(&mut self, cursor: &Cursor) -> u64 {
        let upto = position(cursor);
        let mut settled = 0;
        for conversation in self.conversations.values_mut() {
            for message in &mut conversation.messages {
                if message.status == Status::Stored && message.position <= upto {
                    message.status = Status::Delivered;
                    settled += 1;
                }
            }
        }
        settled
    }

    /// GET /v1/messages/:conversation_id.
    pub(crate) fn history(&self, id: &str, question: Question) -> Result<Vec<Row>, Failure> {
        if let Some(failure) = &self.history_says {
            return Err(failure.clone());
        }
        let forbidden = status(403, "FORBIDDEN");
        let conversation = self
            .conversations
            .get(id)
            .ok_or_else(|| forbidden.clone())?;
        if !conversation.member {
            return Err(forbidden);
        }
        let first = conversation.joined_seq.max(conversation.hidden_to + 1);
        let visible = |message: &&Message| message.row.seq.is_some_and(|seq| seq >= first);
        let seq = |message: &Message| message.row.seq.unwrap_or(0);
        let limit = usize::try_from(HISTORY_LIMIT).unwrap_or(usize::MAX);
        let all = conversation.messages.iter().filter(visible);
        let page: Vec<&Message> = match question {
            Question::Newest => all.rev().take(limit).collect(),
            Question::Before(edge) => all.filter(|m| seq(m) < edge).rev().take(limit).collect(),
            Question::After(edge) => all.filter(|m| seq(m) > edge).take(limit).collect(),
        };
        let shown = page.into_iter().filter(|message| !message.hidden);
        let rows = shown.map(|message| {
            let own = message.row.sender.as_deref() == Some(ME);
            Row {
                undelivered: own || message.status == Status::Stored,
                ..message.row.clone()
            }
        });
        Ok(rows.collect())
    }

    /// GET /v1/conversations.
    pub(crate) fn list(&self) -> ConversationList {
        let listed = self.conversations.iter().filter(|(_, conv)| conv.listed);
        let mut items: Vec<ConversationItem> = listed
            .map(|(id, conv)| ConversationItem {
                id: Arc::clone(id),
                last_message_us: conv.messages.last().and_then(|last| last.row.created_at),
            })
            .collect();
        items.sort_by_key(|item| std::cmp::Reverse(item.last_message_us));
        items.truncate(LIST_LIMIT);
        ConversationList {
            truncated: items.len() == LIST_LIMIT,
            items,
            server_us: Some(self.now_us),
        }
    }

    /// POST /v1/messages: the row, and true where it was there before.
    pub(crate) fn post(&mut self, conversation: &str, client_msg_id: &Arc<str>) -> (Row, bool) {
        let known = self.sent.get(client_msg_id);
        if let Some((id, at)) = known.filter(|_| !self.forgets_ids) {
            return (self.conversations[id].messages[*at].row.clone(), true);
        }
        let message = self.make(conversation, ME, 0);
        message.row.client_msg_id = Some(Arc::clone(client_msg_id));
        let row = message.row.clone();
        let at = self.conversations[conversation].messages.len() - 1;
        self.sent
            .insert(Arc::clone(client_msg_id), (conversation.into(), at));
        (row, false)
    }

    /// The message with this `client_msg_id`, if there is one.
    pub(crate) fn sent(&self, client_msg_id: &str) -> Option<&Row> {
        let (id, at) = self.sent.get(client_msg_id)?;
        Some(&self.conversations[id].messages[*at].row)
    }

    /// An acknowledgement over the socket.
    pub(crate) fn ack(&mut self, message_id: &str) {
        if self.ack_mode {
            self.mark(message_id);
        }
    }

    /// The envelope counts as delivered.
    pub(crate) fn mark(&mut self, message_id: &str) {
        if let Some(message) = self.message_mut(message_id)
            && message.status == Status::Stored
        {
            message.status = Status::Delivered;
        }
    }
}

fn cursor((time, number): Position) -> Cursor {
    Cursor(format!("\"del_{time}_{number}\"").into())
}

/// The position that a cursor names.
pub(crate) fn position(cursor: &Cursor) -> Position {
    let text = cursor.0.trim_matches('"');
    let mut parts = text.split('_').skip(1);
    let mut number = || parts.next().and_then(|part| part.parse::<i64>().ok());
    let (time, number) = (number(), number());
    let number = number.and_then(|number| u64::try_from(number).ok());
    (
        time.expect("made by `cursor`"),
        number.expect("made by `cursor`"),
    )
}

/// An error answer.
pub(crate) fn status(status: u16, code: &str) -> Failure {
    Failure::Status {
        status,
        code: (!code.is_empty()).then(|| code.into()),
        retry_after_ms: None,
    }
}
