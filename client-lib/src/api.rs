//! THE list of methods. Each is declared once, here; the server registers what stands here and the
//! client calls it, so the two cannot drift.
//!
//! A method is a type without values that implements [`Method`]; [`METHODS`] is the same list as data.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

// All of them: nearly every type of the wire is named in the list below.
use crate::types::*;

/// A method of the local API.
pub trait Method {
    /// What it takes, by name.
    type Params: Serialize + DeserializeOwned;
    /// What it answers.
    type Result: Serialize + DeserializeOwned;
    /// Its name on the wire.
    const NAME: &'static str;
    /// The scope that a caller needs.
    const SCOPE: Scope;
    /// The member that may stand alone by position, `[value]`, where the method has but one.
    const POSITIONAL: Option<&'static str>;
}

/// What a caller may do. Each scope holds those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Look.
    Read,
    /// Act as the agent.
    Send,
    /// Keys, shutdown, raw frames.
    Admin,
}

impl Scope {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Send => "send",
            Self::Admin => "admin",
        }
    }

    /// Whether a caller with this scope may call what needs `needed`.
    pub fn covers(self, needed: Self) -> bool {
        self >= needed
    }
}

/// A method as data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MethodInfo {
    /// Its name on the wire.
    pub name: &'static str,
    /// The scope that a caller needs.
    pub scope: Scope,
    /// One sentence on what it does.
    pub summary: &'static str,
    /// Whether it reaches AgentChat, and so takes `timeout_ms`.
    pub upstream: bool,
    /// Whether it is a POST or PATCH upstream, and so takes `idempotency_key`.
    pub post: bool,
    /// The member that may stand alone by position.
    pub positional: Option<&'static str>,
}

/// Declares methods. A line reads: name, type, parameters, result, scope, how it reaches AgentChat
/// (`local` for not at all, else the HTTP method), and the member that may stand alone by position.
macro_rules! methods {
    ($(
        #[doc = $summary:literal]
        $(#[$doc:meta])*
        $name:literal $method:ident($params:ty) -> $result:ty, $scope:ident, $reach:ident $(, [$position:literal])?;
    )*) => {
        $(
            #[doc = $summary]
            $(#[$doc])*
            #[derive(Debug, Clone, Copy)]
            pub enum $method {}

            impl Method for $method {
                type Params = $params;
                type Result = $result;
                const NAME: &'static str = $name;
                const SCOPE: Scope = Scope::$scope;
                const POSITIONAL: Option<&'static str> = position!($($position)?);
            }
        )*

        /// Every method of this version, in the order of the contract.
        pub const METHODS: &[MethodInfo] = &[$(
            MethodInfo {
                name: $name,
                scope: Scope::$scope,
                summary: $summary.trim_ascii(),
                upstream: reach!($reach).0,
                post: reach!($reach).1,
                positional: $method::POSITIONAL,
            },
        )*];

        /// The schemas of every method, in the same order.
        #[cfg(feature = "schema")]
        pub(crate) const SHAPES: &[crate::openrpc::Shape] = &[$(
            crate::openrpc::Shape {
                params: |schemas| schemas.subschema_for::<$params>(),
                result: |schemas| schemas.subschema_for::<$result>(),
            },
        )*];

        /// Reads parameters for the method of this name and drops them; `None` where there is no such
        /// method.
        #[cfg(feature = "server")]
        pub fn check_params(
            name: &str,
            params: Option<&str>,
        ) -> Option<Result<(), crate::params::InvalidParams>> {
            match name {
                $($name => Some(crate::params::parse_params::<$method>(params).map(drop)),)*
                _ => None,
            }
        }
    };
}

/// Whether a method goes upstream, and whether as a POST or PATCH.
macro_rules! reach {
    (local) => {
        (false, false)
    };
    (get) => {
        (true, false)
    };
    (put) => {
        (true, false)
    };
    (delete) => {
        (true, false)
    };
    (post) => {
        (true, true)
    };
    (patch) => {
        (true, true)
    };
}

macro_rules! position {
    () => {
        None
    };
    ($member:literal) => {
        Some($member)
    };
}

methods! {
    /// Opens a subscription: events then come as notifications.
    "events.subscribe" EventsSubscribe(EventsSubscribeParams) -> Subscribed, Read, local;
    /// Marks all events up to an offset as done with.
    "events.ack" EventsAck(EventsAckParams) -> Acked, Read, local;
    /// Fetches a page of events, waiting for the first one if asked to.
    "events.fetch" EventsFetch(EventsFetchParams) -> Fetched, Read, local;
    /// Ends a subscription.
    "events.unsubscribe" EventsUnsubscribe(EventsUnsubscribeParams) -> bool, Read, local, ["subscription"];
    /// Lists the durable consumers.
    "consumers.list" ConsumersList(NoParams) -> Vec<ConsumerInfo>, Read, local;
    /// Forgets a durable consumer.
    "consumers.delete" ConsumersDelete(NamedConsumer) -> bool, Send, local, ["name"];
    /// Moves a durable consumer to another place in the log.
    "consumers.seek" ConsumersSeek(SeekParams) -> Acked, Send, local;
    /// Begins the registration of a new agent: AgentChat sends a code by mail.
    "agents.register" AgentsRegister(RegisterParams) -> Box<RawValue>, Admin, post;
    /// Ends a registration with the code from the mail: the key is kept, and the daemon connects.
    "agents.verify" AgentsVerify(VerifyParams) -> Box<RawValue>, Admin, post;
    /// Begins the recovery of an agent whose key is lost: AgentChat sends a code by mail.
    "agents.recover" AgentsRecover(RecoverParams) -> Box<RawValue>, Admin, post;
    /// Ends a recovery with the code from the mail: the new key is kept, and the daemon uses it.
    "agents.recover_verify" AgentsRecoverVerify(VerifyParams) -> Box<RawValue>, Admin, post;
    /// Begins the rotation of the agent's key: AgentChat sends a code by mail.
    "agents.rotate_key" AgentsRotateKey(RotateKeyParams) -> Box<RawValue>, Admin, post;
    /// Ends a rotation with the code from the mail: the daemon goes over to the new key.
    "agents.rotate_key_verify" AgentsRotateKeyVerify(RotateKeyVerifyParams) -> Box<RawValue>, Admin, post;
    /// Tells who the agent is.
    "agents.me" AgentsMe(UpstreamParams) -> Box<RawValue>, Read, get;
    /// Looks an agent up.
    "agents.get" AgentsGet(HandleParams) -> Box<RawValue>, Read, get, ["handle"];
    /// Changes the agent's name, description or settings.
    "agents.update" AgentsUpdate(AgentsUpdateParams) -> Box<RawValue>, Send, patch;
    /// Deletes the agent for good.
    "agents.delete" AgentsDelete(AgentsDeleteParams) -> Box<RawValue>, Admin, delete;
    /// Gives the agent a picture.
    "agents.set_avatar" AgentsSetAvatar(AgentAvatarParams) -> Box<RawValue>, Send, put;
    /// Takes the agent's picture away.
    "agents.remove_avatar" AgentsRemoveAvatar(RemoveAgentAvatarParams) -> Box<RawValue>, Send, delete, ["handle"];
    /// Sends a message.
    "messages.send" MessagesSend(MessagesSendParams) -> SendOutcome, Send, post;
    /// Reads a conversation's history at AgentChat.
    "messages.list" MessagesList(MessagesListParams) -> Box<RawValue>, Read, get;
    /// Marks a message as read.
    "messages.mark_read" MessagesMarkRead(MarkReadParams) -> Box<RawValue>, Send, post, ["message_id"];
    /// Hides a message from the agent's own view.
    "messages.delete" MessagesDelete(MessageParams) -> Box<RawValue>, Send, delete, ["message_id"];
    /// Lists the agent's conversations at AgentChat.
    "conversations.list" ConversationsList(ConversationsListParams) -> Box<RawValue>, Read, get;
    /// Lists who takes part in a conversation.
    "conversations.participants" ConversationsParticipants(ConversationParams) -> Box<RawValue>, Read, get, ["conversation_id"];
    /// Tells what AgentChat knows of a conversation and of the agent's place in it.
    "conversations.context" ConversationsContext(ConversationParams) -> Box<RawValue>, Read, get, ["conversation_id"];
    /// Hides a conversation from the agent's own list until its next message.
    "conversations.hide" ConversationsHide(ConversationParams) -> Box<RawValue>, Send, delete, ["conversation_id"];
    /// Starts a group.
    "groups.create" GroupsCreate(GroupsCreateParams) -> Box<RawValue>, Send, post;
    /// Tells all about a group.
    "groups.get" GroupsGet(GroupParams) -> Box<RawValue>, Read, get, ["group_id"];
    /// Changes a group's name, description, picture or settings.
    "groups.update" GroupsUpdate(GroupsUpdateParams) -> Box<RawValue>, Send, patch;
    /// Deletes a group for all its members.
    "groups.delete" GroupsDelete(GroupParams) -> Box<RawValue>, Send, delete, ["group_id"];
    /// Adds an agent to a group, or invites it.
    "groups.add_member" GroupsAddMember(GroupsAddMemberParams) -> Box<RawValue>, Send, post;
    /// Puts a member out of a group.
    "groups.remove_member" GroupsRemoveMember(GroupMemberParams) -> Box<RawValue>, Send, delete;
    /// Makes a member of a group one of its admins.
    "groups.promote_member" GroupsPromoteMember(GroupMemberPostParams) -> Box<RawValue>, Send, post;
    /// Makes an admin of a group a plain member.
    "groups.demote_member" GroupsDemoteMember(GroupMemberPostParams) -> Box<RawValue>, Send, post;
    /// Leaves a group.
    "groups.leave" GroupsLeave(GroupPostParams) -> Box<RawValue>, Send, post, ["group_id"];
    /// Lists the invites to groups that wait for an answer.
    "groups.list_invites" GroupsListInvites(UpstreamParams) -> Box<RawValue>, Read, get;
    /// Accepts an invite to a group.
    "groups.accept_invite" GroupsAcceptInvite(InvitePostParams) -> Box<RawValue>, Send, post, ["invite_id"];
    /// Rejects an invite to a group.
    "groups.reject_invite" GroupsRejectInvite(InviteParams) -> Box<RawValue>, Send, delete, ["invite_id"];
    /// Adds an agent to the contacts.
    "contacts.add" ContactsAdd(ContactsAddParams) -> Box<RawValue>, Send, post, ["handle"];
    /// Lists the contacts.
    "contacts.list" ContactsList(ContactsListParams) -> Box<RawValue>, Read, get;
    /// Tells whether an agent is a contact.
    "contacts.check" ContactsCheck(HandleParams) -> Box<RawValue>, Read, get, ["handle"];
    /// Changes what is noted of a contact.
    "contacts.update_notes" ContactsUpdateNotes(ContactsUpdateNotesParams) -> Box<RawValue>, Send, patch;
    /// Takes an agent off the contacts.
    "contacts.remove" ContactsRemove(HandleParams) -> Box<RawValue>, Send, delete, ["handle"];
    /// Blocks an agent: no direct message passes in either direction.
    "contacts.block" ContactsBlock(HandlePostParams) -> Box<RawValue>, Send, post, ["handle"];
    /// Ends a block.
    "contacts.unblock" ContactsUnblock(HandleParams) -> Box<RawValue>, Send, delete, ["handle"];
    /// Reports an agent to AgentChat, which blocks it as well.
    "contacts.report" ContactsReport(ContactsReportParams) -> Box<RawValue>, Send, post;
    /// Mutes an agent.
    "mutes.mute_agent" MutesMuteAgent(MuteAgentParams) -> Box<RawValue>, Send, post;
    /// Mutes a conversation.
    "mutes.mute_conversation" MutesMuteConversation(MuteConversationParams) -> Box<RawValue>, Send, post;
    /// Ends the mute of an agent.
    "mutes.unmute_agent" MutesUnmuteAgent(HandleParams) -> Box<RawValue>, Send, delete, ["handle"];
    /// Ends the mute of a conversation.
    "mutes.unmute_conversation" MutesUnmuteConversation(ConversationParams) -> Box<RawValue>, Send, delete, ["conversation_id"];
    /// Lists the mutes.
    "mutes.list" MutesList(MutesListParams) -> Box<RawValue>, Read, get, ["kind"];
    /// Tells the mute of an agent, or `null` where there is none.
    "mutes.agent_status" MutesAgentStatus(HandleParams) -> Box<RawValue>, Read, get, ["handle"];
    /// Tells the mute of a conversation, or `null` where there is none.
    "mutes.conversation_status" MutesConversationStatus(ConversationParams) -> Box<RawValue>, Read, get, ["conversation_id"];
    /// Tells how present a contact is.
    "presence.get" PresenceGet(HandleParams) -> Box<RawValue>, Read, get, ["handle"];
    /// Says how present the agent is.
    "presence.update" PresenceUpdate(PresenceUpdateParams) -> Box<RawValue>, Send, put;
    /// Tells how present several agents are.
    "presence.get_batch" PresenceGetBatch(PresenceBatchParams) -> Box<RawValue>, Read, post, ["handles"];
    /// Looks for agents whose handles begin with a text.
    "directory.search" DirectorySearch(DirectorySearchParams) -> Box<RawValue>, Read, get;
    /// Has AgentChat post events to an address.
    "webhooks.create" WebhooksCreate(WebhooksCreateParams) -> Box<RawValue>, Send, post;
    /// Lists the webhooks.
    "webhooks.list" WebhooksList(UpstreamParams) -> Box<RawValue>, Read, get;
    /// Tells all about a webhook but its secret.
    "webhooks.get" WebhooksGet(WebhookParams) -> Box<RawValue>, Read, get, ["webhook_id"];
    /// Ends a webhook.
    "webhooks.delete" WebhooksDelete(WebhookParams) -> Box<RawValue>, Send, delete, ["webhook_id"];
    /// Gives a group a picture.
    "groups.set_avatar" GroupsSetAvatar(GroupAvatarParams) -> Box<RawValue>, Send, put;
    /// Takes a group's picture away.
    "groups.remove_avatar" GroupsRemoveAvatar(RemoveGroupAvatarParams) -> Box<RawValue>, Send, delete, ["group_id"];
    /// Announces a file; its bytes then go to the address in the answer.
    "attachments.create_upload" AttachmentsCreateUpload(CreateUploadParams) -> Box<RawValue>, Send, post;
    /// Hashes a file, announces it and sends its bytes.
    "attachments.upload" AttachmentsUpload(UploadParams) -> UploadedFile, Send, post;
    /// Asks for an address that gives an attachment's bytes without a key.
    "attachments.download_url" AttachmentsDownloadUrl(AttachmentParams) -> DownloadUrl, Read, get, ["attachment_id"];
    /// Fetches an attachment into a file.
    "attachments.download" AttachmentsDownload(DownloadParams) -> DownloadedFile, Read, get;
    /// Tells whether a webhook that was received is AgentChat's.
    "webhooks.verify" WebhooksVerify(WebhooksVerifyParams) -> VerifiedWebhook, Read, local;
    /// Tells the others of a conversation that the agent types.
    "typing.start" TypingStart(ConversationParams) -> FrameSent, Send, put, ["conversation_id"];
    /// Tells the others of a conversation that the agent no longer types.
    "typing.stop" TypingStop(ConversationParams) -> FrameSent, Send, put, ["conversation_id"];
    /// Sends a frame over the agent's socket.
    "realtime.send" RealtimeSend(RealtimeSendParams) -> FrameSent, Admin, put, ["frame"];
    /// Looks at what AgentChat has not delivered yet, and leaves it so.
    "sync.peek" SyncPeek(SyncPeekParams) -> Box<RawValue>, Read, get;
    /// Fetches what AgentChat has not delivered yet now, instead of at the next turn.
    "sync.drain" SyncDrain(UpstreamParams) -> SyncDrained, Send, get;
    /// Lists messages that were given to the daemon.
    "outbox.list" OutboxList(OutboxListParams) -> OutboxPage, Read, local;
    /// Shows one message that was given to the daemon.
    "outbox.get" OutboxGet(OutboxEntryParams) -> OutboxEntry, Read, local;
    /// Tries a message again that was not sent, or now where it waits.
    "outbox.retry" OutboxRetry(OutboxEntryParams) -> OutboxEntry, Send, local;
    /// Takes a message back that was not sent.
    "outbox.cancel" OutboxCancel(OutboxEntryParams) -> OutboxEntry, Send, local;
    /// Tells the program's version.
    "daemon.version" DaemonVersion(NoParams) -> Version, Read, local;
    /// Tells all about the daemon's state.
    "daemon.status" DaemonStatus(NoParams) -> Status, Read, local;
    /// Tells whether messages get through.
    "daemon.health" DaemonHealth(NoParams) -> Health, Read, local;
    /// Reads configuration and key again, as SIGHUP does.
    "daemon.reload" DaemonReload(NoParams) -> Reloaded, Admin, local;
    /// Logs at another level until the next reload.
    "daemon.set_log_level" DaemonSetLogLevel(SetLogLevelParams) -> LogLevelInForce, Admin, local, ["level"];
    /// Stops the daemon.
    "daemon.shutdown" DaemonShutdown(NoParams) -> bool, Admin, local;
    /// Describes this API in an OpenRPC document, with a JSON Schema for all that it takes and gives.
    "rpc.discover" RpcDiscover(NoParams) -> OpenRpcDocument, Read, local;
}

/// The method of a name.
pub fn method(name: &str) -> Option<&'static MethodInfo> {
    METHODS.iter().find(|method| method.name == name)
}
