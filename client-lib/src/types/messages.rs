//! `messages.*`: sending, reading history, marking as read.
//!
//! A message has one address and one content. The wire spells each as one of several members, so the
//! parameters go through a flat form ([`Flat`]) in both directions.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::call::call_params;
use super::common::{Seq, TimeoutMs, null_default, ranged};
use super::handle::Handle;
use super::json::JsonObject;
use super::text::{ClientMsgId, Id, IdempotencyKey, Text};
use crate::error::{At, only_one};

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// To an agent, in the direct conversation with it.
    To(Handle),
    /// To a group conversation.
    Conversation(Id),
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Text.
    Text(Text),
    /// Structured data.
    Data(JsonObject),
    /// An attachment that was uploaded before.
    Attachment(Id),
    /// AgentChat's own content object, as it is.
    Object(JsonObject),
}

impl Content {
    /// AgentChat's content object for it.
    pub fn to_upstream(&self) -> Box<RawValue> {
        let object = match self {
            Self::Text(text) => to_raw_value(&serde_json::json!({ "text": text })),
            Self::Data(data) => RawValue::from_string(format!("{{\"data\":{}}}", data.as_str())),
            Self::Attachment(id) => to_raw_value(&serde_json::json!({ "attachment_id": id })),
            Self::Object(object) => return object.clone().into_raw(),
        };
        object.expect("an object of checked JSON and strings serializes")
    }

    /// The message type that fits where the caller named none; `None` leaves it to AgentChat.
    pub fn implied_type(&self) -> Option<&'static str> {
        match self {
            Self::Text(_) => Some("text"),
            Self::Data(_) => Some("structured"),
            Self::Attachment(_) => Some("file"),
            Self::Object(_) => None,
        }
    }
}

/// When `messages.send` answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// When AgentChat has answered, or the time ran out.
    #[default]
    Wait,
    /// As soon as the message is on disk.
    Queue,
}

/// Parameters of `messages.send`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "Flat", into = "Flat")]
pub struct MessagesSendParams {
    /// Where it goes.
    pub address: Address,
    /// What it says.
    pub content: Content,
    /// AgentChat's message type; see [`Content::implied_type`].
    pub kind: Option<Text>,
    /// The sender's own data beside the content.
    pub metadata: Option<JsonObject>,
    /// The same id again gives the recorded outcome; one is made where none is given.
    pub client_msg_id: Option<ClientMsgId>,
    /// When to answer.
    pub delivery: Delivery,
    /// How long to wait for the outcome.
    pub timeout_ms: TimeoutMs,
    /// After how long to give the message up; `[outbox] expires_in_ms` by default.
    pub expires_in_ms: Option<ExpiresInMs>,
    /// Taken, as for every call that is a POST upstream; `client_msg_id` is what dedupes a message.
    pub idempotency_key: Option<IdempotencyKey>,
}

impl MessagesSendParams {
    /// A message with every option at its default.
    pub fn new(address: Address, content: Content) -> Self {
        Self {
            address,
            content,
            kind: None,
            metadata: None,
            client_msg_id: None,
            delivery: Delivery::Wait,
            timeout_ms: TimeoutMs::default(),
            expires_in_ms: None,
            idempotency_key: None,
        }
    }
}

ranged! {
    /// How long a message may wait to be sent, in milliseconds; up to a year.
    ExpiresInMs(u64), 1, 31_536_000_000, default 86_400_000
}

/// The members of `messages.send` as they stand on the wire.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = crate::schema::exactly_one_of("to conversation_id")))]
#[cfg_attr(feature = "schema", schemars(transform = crate::schema::exactly_one_of("text data attachment_id content")))]
#[serde(deny_unknown_fields)]
struct Flat {
    /// The agent that it goes to, in the direct conversation with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<Handle>,
    /// The group conversation that it goes to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conversation_id: Option<Id>,
    /// Text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<Text>,
    /// Structured data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<JsonObject>,
    /// An attachment that was uploaded before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attachment_id: Option<Id>,
    /// Text, or AgentChat's own content object as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content: Option<TextOrObject>,
    /// AgentChat's message type; follows from the content where it is left out.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<Text>,
    /// The sender's own data beside the content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metadata: Option<JsonObject>,
    /// The same id again gives the recorded outcome; one is made where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_msg_id: Option<ClientMsgId>,
    /// When to answer.
    #[serde(default, deserialize_with = "null_default")]
    delivery: Delivery,
    /// How long to wait for the outcome; the message goes on after it.
    #[serde(default, deserialize_with = "null_default")]
    timeout_ms: TimeoutMs,
    /// After how long to give the message up; `[outbox] expires_in_ms` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_in_ms: Option<ExpiresInMs>,
    /// Taken, as for every call that is a POST upstream; `client_msg_id` is what dedupes a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<IdempotencyKey>,
}

impl TryFrom<Flat> for MessagesSendParams {
    type Error = At;

    fn try_from(flat: Flat) -> Result<Self, At> {
        let address = only_one([
            ("to", flat.to.map(Address::To)),
            (
                "conversation_id",
                flat.conversation_id.map(Address::Conversation),
            ),
        ])?;
        let content = only_one([
            ("text", flat.text.map(Content::Text)),
            ("data", flat.data.map(Content::Data)),
            ("attachment_id", flat.attachment_id.map(Content::Attachment)),
            ("content", flat.content.map(TextOrObject::into_content)),
        ])?;
        Ok(Self {
            address,
            content,
            kind: flat.kind,
            metadata: flat.metadata,
            client_msg_id: flat.client_msg_id,
            delivery: flat.delivery,
            timeout_ms: flat.timeout_ms,
            expires_in_ms: flat.expires_in_ms,
            idempotency_key: flat.idempotency_key,
        })
    }
}

impl From<MessagesSendParams> for Flat {
    fn from(params: MessagesSendParams) -> Self {
        let (to, conversation_id) = match params.address {
            Address::To(handle) => (Some(handle), None),
            Address::Conversation(id) => (None, Some(id)),
        };
        let (mut text, mut data, mut attachment_id, mut content) = (None, None, None, None);
        match params.content {
            Content::Text(value) => text = Some(value),
            Content::Data(value) => data = Some(value),
            Content::Attachment(value) => attachment_id = Some(value),
            Content::Object(value) => content = Some(TextOrObject::Object(value)),
        }
        Self {
            to,
            conversation_id,
            text,
            data,
            attachment_id,
            content,
            kind: params.kind,
            metadata: params.metadata,
            client_msg_id: params.client_msg_id,
            delivery: params.delivery,
            timeout_ms: params.timeout_ms,
            expires_in_ms: params.expires_in_ms,
            idempotency_key: params.idempotency_key,
        }
    }
}

/// The member `content`: a string means text.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
enum TextOrObject {
    Text(Text),
    Object(JsonObject),
}

impl TextOrObject {
    fn into_content(self) -> Content {
        match self {
            Self::Text(text) => Content::Text(text),
            Self::Object(object) => Content::Object(object),
        }
    }
}

impl<'de> Deserialize<'de> for TextOrObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let wrong =
            |error: serde_json::Error| D::Error::custom(crate::error::without_position(&error));
        match raw.get().as_bytes().first() {
            Some(b'"') => serde_json::from_str(raw.get())
                .map(Self::Text)
                .map_err(wrong),
            Some(b'{') => JsonObject::new(raw).map(Self::Object).map_err(wrong),
            _ => Err(D::Error::custom("expected text or a content object")),
        }
    }
}

/// Result of `messages.send`.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum SendOutcome {
    /// AgentChat took it (`delivery: "wait"`).
    Sent(SentMessage),
    /// It is on disk (`delivery: "queue"`).
    Queued(QueuedMessage),
}

/// A message that AgentChat took.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SentMessage {
    /// AgentChat's message object, unchanged.
    #[cfg_attr(feature = "schema", schemars(extend("$ref" = crate::schema::MESSAGE)))]
    pub message: Box<RawValue>,
    /// The id that dedupes it.
    pub client_msg_id: ClientMsgId,
    /// Whether AgentChat or the outbox had it already.
    pub replayed: bool,
    /// Where the recipient has much unread.
    pub backlog_warning: Option<BacklogWarning>,
    /// Its place in the log; `null` where it stands behind a hole and has none yet.
    pub offset: Option<u64>,
}

/// A message that is on disk and will be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct QueuedMessage {
    /// Always true.
    pub queued: bool,
    /// The id that dedupes it.
    pub client_msg_id: ClientMsgId,
    /// The daemon's name for it.
    pub outbox_id: String,
}

/// A recipient with a long queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BacklogWarning {
    /// Who.
    pub recipient_handle: String,
    /// How many messages wait there.
    pub undelivered_count: u64,
}

impl<'de> Deserialize<'de> for SendOutcome {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Probe {
            #[serde(default)]
            queued: bool,
        }
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let probe: Probe = serde_json::from_str(raw.get()).map_err(D::Error::custom)?;
        if probe.queued {
            serde_json::from_str(raw.get())
                .map(Self::Queued)
                .map_err(D::Error::custom)
        } else {
            serde_json::from_str(raw.get())
                .map(Self::Sent)
                .map_err(D::Error::custom)
        }
    }
}

/// Parameters of `messages.list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "FlatList", into = "FlatList")]
pub struct MessagesListParams {
    /// Which conversation.
    pub conversation_id: Id,
    /// How many at most; 50 by default.
    pub limit: Option<u32>,
    /// Where to read; without, the newest.
    pub cursor: Option<Cursor>,
    /// How long the call may take; 30 s by default.
    pub timeout_ms: TimeoutMs,
}

/// A place in a conversation's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cursor {
    /// Rows with a smaller seq, newest first.
    BeforeSeq(Seq),
    /// Rows with a larger seq, oldest first.
    AfterSeq(Seq),
    /// Rows around a message.
    AroundMessage(Id),
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = crate::schema::at_most_one_of("before_seq after_seq around_message_id")))]
#[serde(deny_unknown_fields)]
struct FlatList {
    /// Which conversation.
    conversation_id: Id,
    /// How many at most; AgentChat decides where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
    /// Rows with a smaller seq, newest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before_seq: Option<Seq>,
    /// Rows with a larger seq, oldest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after_seq: Option<Seq>,
    /// Rows around a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    around_message_id: Option<Id>,
    /// How long the call may take.
    #[serde(default, deserialize_with = "null_default")]
    timeout_ms: TimeoutMs,
}

impl TryFrom<FlatList> for MessagesListParams {
    type Error = At;

    fn try_from(flat: FlatList) -> Result<Self, At> {
        let cursors = [
            ("before_seq", flat.before_seq.map(Cursor::BeforeSeq)),
            ("after_seq", flat.after_seq.map(Cursor::AfterSeq)),
            (
                "around_message_id",
                flat.around_message_id.map(Cursor::AroundMessage),
            ),
        ];
        let cursor = crate::error::at_most_one(cursors)?;
        Ok(Self {
            conversation_id: flat.conversation_id,
            limit: flat.limit,
            cursor,
            timeout_ms: flat.timeout_ms,
        })
    }
}

impl From<MessagesListParams> for FlatList {
    fn from(params: MessagesListParams) -> Self {
        let (mut before_seq, mut after_seq, mut around_message_id) = (None, None, None);
        match params.cursor {
            None => {}
            Some(Cursor::BeforeSeq(seq)) => before_seq = Some(seq),
            Some(Cursor::AfterSeq(seq)) => after_seq = Some(seq),
            Some(Cursor::AroundMessage(id)) => around_message_id = Some(id),
        }
        Self {
            conversation_id: params.conversation_id,
            limit: params.limit,
            before_seq,
            after_seq,
            around_message_id,
            timeout_ms: params.timeout_ms,
        }
    }
}

call_params! {
    /// Parameters of `messages.mark_read`.
    post MarkReadParams {
        /// Which message.
        message_id: Id,
    }
}
