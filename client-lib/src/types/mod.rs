//! The parameters, results and notifications of the local API, exactly as they stand on the wire.
//!
//! Parameters refuse what the contract does not name: an unknown member, a value out of range, text that
//! could never go upstream. So a value of these types is a valid one. Where a member is optional,
//! `null` counts as "left out", but for the members of an update that it clears ([`Change`]). Results are lenient: members that this version does not know are
//! passed over. JSON that is AgentChat's own is kept as raw text, so it goes through unchanged.
//!
//! # Schemas
//!
//! With the feature `schema` every type here has a JSON Schema; a type that a method names and that has
//! none does not compile. A new type gets its own so:
//!
//! - `#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]` below its `derive`. The serde attributes
//!   and the doc comments are read; the comments become the descriptions that users of the document see.
//! - A type that goes through a flat form (`try_from`, `into`): the same line on both. Only the flat form
//!   is read, so its members need doc comments too.
//! - "Exactly one of" on a flat form:
//!   `#[cfg_attr(feature = "schema", schemars(transform = crate::schema::exactly_one_of("a b")))]`,
//!   and `at_most_one_of` beside it.
//! - `ranged!` and `checked_text!` derive theirs; a check of more than U+0000 adds `schema(…)`.
//! - A generic result: `#[cfg_attr(feature = "schema", schemars(rename = "Name"))]`.
//! - `null` for an optional member, and the bounds of whole numbers, are laid over all parameters at once;
//!   an optional member has to read `null` as "left out" (`null_default`).

mod agents;
mod attachments;
mod avatars;
mod call;
mod common;
mod contacts;
mod conversations;
mod daemon;
mod directory;
mod events;
mod files;
mod filter;
mod frames;
mod groups;
mod handle;
mod health;
mod json;
mod keys;
mod list;
mod media;
mod messages;
mod mutes;
mod operating;
mod outbox;
mod paging;
mod payloads;
mod presence;
mod reading;
mod text;
mod time;
mod verify;
mod webhooks;

pub use agents::{AgentsDeleteParams, AgentsUpdateParams, Confirmed};
pub use attachments::{
    AttachmentParams, AttachmentSize, CreateUploadParams, DownloadParams, DownloadUrl,
    DownloadedFile, UploadParams, UploadedFile,
};
pub use avatars::{
    AgentAvatarParams, GroupAvatarParams, RemoveAgentAvatarParams, RemoveGroupAvatarParams,
};
pub use call::{Change, ConversationParams, HandleParams, HandlePostParams, MessageParams};
pub use common::{NoParams, OutOfRange, Seq, TimeoutMs, UpstreamParams};
pub use contacts::{
    ContactsAddParams, ContactsListParams, ContactsReportParams, ContactsUpdateNotesParams,
};
pub use conversations::{ConversationsListParams, SyncDrained, SyncPeekLimit, SyncPeekParams};
pub use daemon::{
    AckCapability, AgentStatus, ConnectionState, ConnectionStatus, Durability, LastClose,
    LogStatus, OpenRpcDocument, OrderingStatus, OutboxStatus, PlatformStatus, SocketStatus, Status,
    StorageStatus, SyncStatus, Version,
};
pub use directory::DirectorySearchParams;
pub use events::{
    Event, EventNotice, GoingAway, Source, SubscriptionClosed, SubscriptionLagged, closed_reason,
    kind, notification,
};
pub use files::{FileName, FilePath, FileSource, Sha256};
pub use filter::{ConsumerName, Filter, Start};
pub use frames::{ClientFrame, FrameSent, RealtimeSendParams};
pub use groups::{
    GroupMemberParams, GroupMemberPostParams, GroupParams, GroupPostParams, GroupsAddMemberParams,
    GroupsCreateParams, GroupsUpdateParams, InviteParams, InvitePostParams,
};
pub use handle::{Handle, PathHandle};
pub use health::{ConsumerHealth, Health, HealthReason, ReceiveHealth, SendHealth, Verdict};
pub use json::JsonObject;
pub use keys::{
    RecoverParams, RegisterParams, RotateKeyParams, RotateKeyVerifyParams, VerifyParams,
};
pub use list::{BadLength, List};
pub use media::{AttachmentType, ImageType};
pub use messages::{
    Address, BacklogWarning, Content, Cursor, Delivery, ExpiresInMs, MarkReadParams,
    MessagesListParams, MessagesSendParams, QueuedMessage, SendOutcome, SentMessage,
};
pub use mutes::{MuteAgentParams, MuteConversationParams, MuteKind, MutesListParams};
pub use operating::{KeyFound, LogLevel, LogLevelInForce, Reloaded, SetLogLevelParams};
pub use outbox::{
    OutboxEntry, OutboxEntryParams, OutboxKey, OutboxListLimit, OutboxListParams, OutboxPage,
    OutboxState,
};
pub use paging::{MaxRows, PageLimit};
pub use payloads::{ConnectionChange, GapReason, LogTruncated, MessageFailed, SequenceGap};
pub use presence::{PresenceBatchParams, PresenceStatus, PresenceUpdateParams};
pub use reading::{
    Ack, AckMode, Acked, ConsumerInfo, EventsAckParams, EventsFetchParams, EventsSubscribeParams,
    EventsUnsubscribeParams, FetchLimit, Fetched, MaxInFlight, Mode, NamedConsumer, SeekParams,
    Subscribed, WaitMs,
};
pub use text::{ClientMsgId, Id, IdempotencyKey, InvalidText, Text};
pub use time::{InvalidTime, Timestamp};
pub use verify::{
    EmptySecret, Payload, ToleranceSeconds, VerifiedWebhook, WebhookSecret, WebhooksVerifyParams,
};
pub use webhooks::{WebhookParams, WebhooksCreateParams};
