//! Messages that a test puts into the platform without HTTP.

use super::model::{AgentNo, ConversationNo};
use super::time::Stamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// Where a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To<'a> {
    /// To an agent; the direct conversation is made when there is none.
    Handle(&'a str),
    /// Into a conversation by its id, direct or group.
    Conversation(&'a str),
}

/// Content of a message.
#[derive(Clone, Debug)]
pub enum Content {
    /// Goes through the platform's JSON handling like any send.
    Value(Value),
    /// Leaves the sandbox as these very characters: integers beyond 2^53, members in any order.
    Raw(String),
}

/// When a row that was begun now becomes visible. Its position in sync is the one of its beginning
/// (wire.md 3.1, pitfall 49); its seq is handed out when it is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Late {
    /// Right after the recipient has read its next sync page that is not empty: an acknowledgement
    /// of that page settles the row unseen.
    AfterPage,
    /// Right after the recipient's next acknowledgement by cursor.
    AfterAck,
    /// When the test calls `release_held`.
    OnRelease,
}

/// A message to be.
#[derive(Clone, Debug)]
pub struct Draft {
    pub(crate) kind: &'static str,
    pub(crate) content: Content,
    pub(crate) metadata: Content,
    pub(crate) client_msg_id: Option<String>,
    pub(crate) backdated: Duration,
    pub(crate) push: bool,
}

/// A row begun and not yet committed.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) sender: AgentNo,
    pub(crate) conversation: ConversationNo,
    pub(crate) recipient: Option<AgentNo>,
    pub(crate) draft: Draft,
    pub(crate) begun: Stamp,
    pub(crate) when: Late,
}

impl Draft {
    /// A text message.
    pub fn text(text: &str) -> Self {
        Self::from(json!({ "text": text }))
    }

    /// A message whose content leaves the sandbox as these very characters.
    pub fn raw(content: &str) -> Self {
        Self {
            content: Content::Raw(content.to_owned()),
            ..Self::text("")
        }
    }

    /// With this metadata.
    #[must_use]
    pub fn metadata(mut self, metadata: Value) -> Self {
        self.metadata = Content::Value(metadata);
        self
    }

    /// With this id of the sender's.
    #[must_use]
    pub fn client_msg_id(mut self, id: &str) -> Self {
        self.client_msg_id = Some(id.to_owned());
        self
    }

    /// As one of the platform's types: `text`, `structured`, `file` or `system`; anything else is
    /// sent as `text`.
    #[must_use]
    pub fn kind(mut self, kind: &str) -> Self {
        self.kind = message_kind(kind).unwrap_or("text");
        self
    }

    /// With a creation time in the past: sync sorts the row before younger ones whatever its seq.
    #[must_use]
    pub fn backdated(mut self, by: Duration) -> Self {
        self.backdated = by;
        self
    }

    /// Without a push: the row waits in sync, as for a muted sender.
    #[must_use]
    pub fn quiet(mut self) -> Self {
        self.push = false;
        self
    }
}

impl From<Value> for Draft {
    fn from(content: Value) -> Self {
        Self {
            kind: "text",
            content: Content::Value(content),
            metadata: Content::Value(json!({})),
            client_msg_id: None,
            backdated: Duration::ZERO,
            push: true,
        }
    }
}

impl From<&str> for Draft {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

/// The platform's name of a message type, if it has it.
pub(crate) fn message_kind(name: &str) -> Option<&'static str> {
    ["text", "structured", "file", "system"]
        .into_iter()
        .find(|kind| *kind == name)
}
