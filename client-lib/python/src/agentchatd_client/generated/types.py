"""Types of the local API. Written by client-lib/generate.py; do not edit."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

__all__ = [
    "AckCapability",
    "AckMode",
    "Acked",
    "AgentAvatarParams",
    "AgentStatus",
    "AgentsDeleteParams",
    "AgentsUpdateParams",
    "ApiErrorData",
    "AttachmentParams",
    "AttachmentType",
    "BacklogWarning",
    "BacklogWarningEvent",
    "BadConfigData",
    "BatchLimitData",
    "ConflictData",
    "ConnectionChange",
    "ConnectionState",
    "ConnectionStateEvent",
    "ConnectionStatus",
    "ConsumerConflictData",
    "ConsumerConflictReason",
    "ConsumerHealth",
    "ConsumerInfo",
    "ConsumersListResult",
    "ContactBlockedEvent",
    "ContactsAddParams",
    "ContactsListParams",
    "ContactsListResult",
    "ContactsReportParams",
    "ContactsUpdateNotesParams",
    "ConversationParams",
    "ConversationsListParams",
    "ConversationsListResult",
    "ConversationsParticipantsResult",
    "CreateUploadParams",
    "Delivery",
    "DirectorySearchParams",
    "DirectorySearchResult",
    "DownloadParams",
    "DownloadUrl",
    "DownloadedFile",
    "Durability",
    "Event",
    "EventNotice",
    "EventsAckParams",
    "EventsFetchParams",
    "EventsSubscribeParams",
    "EventsUnsubscribeParams",
    "ExpiredData",
    "Fetched",
    "Filter",
    "FilterParam",
    "FrameSent",
    "GapReason",
    "GoingAway",
    "GroupAvatarParams",
    "GroupDeletedEvent",
    "GroupInviteReceivedEvent",
    "GroupMemberParams",
    "GroupMemberPostParams",
    "GroupParams",
    "GroupPostParams",
    "GroupsAddMemberParams",
    "GroupsCreateParams",
    "GroupsCreateResult",
    "GroupsListInvitesResult",
    "GroupsUpdateParams",
    "HandleParams",
    "HandlePostParams",
    "Health",
    "HealthReason",
    "ImageType",
    "InvalidParamsData",
    "InviteParams",
    "InvitePostParams",
    "KeyFound",
    "LastClose",
    "LimitData",
    "LogLevel",
    "LogLevelInForce",
    "LogStatus",
    "LogTruncated",
    "LogTruncatedEvent",
    "MarkReadParams",
    "MessageFailed",
    "MessageFailedEvent",
    "MessageNewEvent",
    "MessageParams",
    "MessageReadEvent",
    "MessageSentEvent",
    "MessagesListParams",
    "MessagesListResult",
    "MessagesSendParams",
    "Mode",
    "MuteAgentParams",
    "MuteConversationParams",
    "MuteKind",
    "MutesListParams",
    "MutesListResult",
    "NamedConsumer",
    "NoParams",
    "NotConfiguredData",
    "NotFoundData",
    "OpenRpcDocument",
    "OrderingStatus",
    "OutboxEntry",
    "OutboxEntryParams",
    "OutboxListParams",
    "OutboxPage",
    "OutboxState",
    "OutboxStateData",
    "OutboxStatus",
    "OverloadedData",
    "PermissionDeniedData",
    "PlatformAdded",
    "PlatformAgent",
    "PlatformAvatar",
    "PlatformContact",
    "PlatformConversation",
    "PlatformDone",
    "PlatformGroup",
    "PlatformGroupDeleted",
    "PlatformGroupMembersItem",
    "PlatformInvite",
    "PlatformKey",
    "PlatformMessage",
    "PlatformMessageContent",
    "PlatformMute",
    "PlatformMuteIfAny",
    "PlatformObject",
    "PlatformParticipant",
    "PlatformPending",
    "PlatformPresence",
    "PlatformReceipt",
    "PlatformRelation",
    "PlatformStatus",
    "PlatformSyncPage",
    "PlatformSyncPageObject",
    "PlatformTyping",
    "PlatformUpload",
    "PlatformWebhook",
    "PresenceBatchParams",
    "PresenceGetBatchResult",
    "PresenceStatus",
    "PresenceUpdateEvent",
    "PresenceUpdateParams",
    "QueuedMessage",
    "RateLimitWarningEvent",
    "RealtimeSendFrame",
    "RealtimeSendParams",
    "RealtimeSendParamsFrame",
    "ReceiveHealth",
    "RecoverParams",
    "RegisterParams",
    "Reloaded",
    "RemoveAgentAvatarParams",
    "RemoveGroupAvatarParams",
    "RotateKeyParams",
    "RotateKeyVerifyParams",
    "Scope",
    "SeekParams",
    "SendHealth",
    "SendOutcome",
    "SentMessage",
    "SequenceGap",
    "SequenceGapEvent",
    "SetLogLevelParams",
    "SocketStatus",
    "Source",
    "Start",
    "StartObject",
    "Status",
    "StorageErrorData",
    "StorageStatus",
    "Subscribed",
    "SubscriptionClosed",
    "SubscriptionLagged",
    "SyncDrained",
    "SyncPeekParams",
    "SyncStatus",
    "TextOrObject",
    "TypingStartEvent",
    "TypingStopEvent",
    "UploadParams",
    "UploadedFile",
    "UpstreamParams",
    "UpstreamUnavailableData",
    "Verdict",
    "VerifiedWebhook",
    "VerifyParams",
    "Version",
    "WebhookParams",
    "WebhooksCreateParams",
    "WebhooksListResult",
    "WebhooksVerifyParams",
]

AckCapability: TypeAlias = Literal["explicit", "on_send"]
"""How AgentChat learns what arrived.
- `explicit`: The daemon acknowledges each message after it is on disk.
- `on_send`: AgentChat counts what it wrote to the socket as delivered.
"""

AckMode: TypeAlias = Literal["manual", "auto"]
"""When the acked offset of a reader moves.
- `manual`: With `events.ack`.
- `auto`: Once the notification is written to the socket.
"""


class Acked(TypedDict):
    """Result of `events.ack` and `consumers.seek`."""

    acked_offset: int
    """All events up to here are done with."""


class AgentAvatarParams(TypedDict):
    """Parameters of `agents.set_avatar`."""

    content_type: NotRequired[ImageType | None]
    """What it is; told from its first bytes by default."""
    data_base64: NotRequired[str | None]
    """The bytes, in base64."""
    handle: NotRequired[str | None]
    """The agent; the daemon's own by default."""
    path: NotRequired[str | None]
    """A file that the daemon reads itself; only for callers of its own user."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class AgentStatus(TypedDict):
    """The agent that the daemon serves."""

    handle: str
    """Its handle."""
    paused_by_owner: str | None
    """AgentChat's word for what the owner paused."""
    status: str | None
    """AgentChat's word for the account's state."""


class AgentsDeleteParams(TypedDict):
    """Parameters of `agents.delete`."""

    confirm: Literal[True]
    """Must be `true`: nothing brings a deleted agent or its handle back."""
    handle: str
    """The agent; AgentChat takes no other than the key's own."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class AgentsUpdateParams(TypedDict):
    """Parameters of `agents.update`. What is left out stays as it is."""

    description: NotRequired[str | None]
    """What the agent says of itself; `null` clears it."""
    display_name: NotRequired[str | None]
    """The name that people see; `null` clears it."""
    handle: NotRequired[str | None]
    """The agent; the daemon's own by default."""
    idempotency_key: NotRequired[str | None]
    """Makes the call retryable: AgentChat runs it once for a key."""
    settings: NotRequired[dict[str, Any] | None]
    """AgentChat's settings of the agent; those that are left out stay as they are."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


ApiErrorData = TypedDict(
    "ApiErrorData",
    {
        # The SDK's class of error, without its prefix.
        "class": "str",
        # AgentChat's own string, never replaced; `null` where it gave none.
        "code": "str | None",
        # `GroupDeletedError`: when.
        "deleted_at": "NotRequired[str | None]",
        # `GroupDeletedError`: by whom.
        "deleted_by_handle": "NotRequired[str | None]",
        # AgentChat's details, unchanged.
        "details": "Any",
        # `GroupDeletedError`: which.
        "group_id": "NotRequired[str | None]",
        # `HandleRequiredError`: which ones there are.
        "handles": "NotRequired[list[str] | None]",
        # `EmailLimitReachedError`, `EmailExhaustedError`: the limit.
        "limit": "NotRequired[int | None]",
        # AgentChat's words.
        "message": "str",
        # A send that goes on although the caller's time ran out.
        "outbox_id": "NotRequired[str | None]",
        # `RecipientBackloggedError`, `AwaitingReplyError`: who.
        "recipient_handle": "NotRequired[str | None]",
        # AgentChat's name for the request.
        "request_id": "str | None",
        # When it makes sense to try again.
        "retry_after_ms": "int | None",
        # Where that send stands.
        "state": "NotRequired[str | None]",
        # The HTTP status.
        "status": "int",
        # `RecipientBackloggedError`: how many wait there.
        "undelivered_count": "NotRequired[int | None]",
        # `AwaitingReplyError`: since when.
        "waiting_since": "NotRequired[str | None]",
    },
)
"""-32001: AgentChat's answer. The members from `recipient_handle` on belong to single classes."""


class AttachmentParams(TypedDict):
    """Parameters of `attachments.download_url`."""

    attachment_id: str
    """Which attachment."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""

AttachmentType: TypeAlias = Literal["image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "application/json", "text/plain", "text/markdown", "text/csv", "audio/mpeg", "audio/wav", "audio/ogg", "video/mp4", "video/webm"]
"""What an attachment may be.
- `image/png`: `image/png`.
- `image/jpeg`: `image/jpeg`.
- `image/gif`: `image/gif`.
- `image/webp`: `image/webp`.
- `application/pdf`: `application/pdf`.
- `application/json`: `application/json`.
- `text/plain`: `text/plain`.
- `text/markdown`: `text/markdown`.
- `text/csv`: `text/csv`.
- `audio/mpeg`: `audio/mpeg`.
- `audio/wav`: `audio/wav`.
- `audio/ogg`: `audio/ogg`.
- `video/mp4`: `video/mp4`.
- `video/webm`: `video/webm`.
"""


class BacklogWarning(TypedDict):
    """A recipient with a long queue."""

    recipient_handle: str
    """Who."""
    undelivered_count: int
    """How many messages wait there."""


class BacklogWarningEvent(TypedDict):
    """A recipient has much unread."""

    conversation_id: str | None
    """The conversation that it belongs to."""
    late: bool
    """Whether a higher seq of its conversation stands before it in the log."""
    message_id: str | None
    """The message that it is about."""
    offset: int
    """Its place in the log; `null` for a type that is live only."""
    payload: BacklogWarning
    received_at: str
    """When the daemon got it."""
    redelivered: NotRequired[bool]
    """Whether this consumer was given it before."""
    seq: int | None
    """The message's place in its conversation."""
    source: Source
    """How it reached the daemon."""
    type: Literal["backlog.warning"]
    """What happened; types that nobody here knows are passed through."""


class BadConfigData(TypedDict):
    """-32602 of `daemon.reload`: the configuration on disk or in the environment cannot be used."""

    path: str
    """Always empty: no parameter is wrong."""
    problems: list[str]
    """Each thing that is wrong: the place, the key and what is allowed."""
    reason: str
    """Always `bad_config`."""


class BatchLimitData(TypedDict):
    """-32600 for a batch of too many requests."""

    limit_entries: int
    """How many are allowed."""


class ConflictData(TypedDict):
    """-32010: the message that has the id."""

    client_msg_id: str
    """The id."""
    message: PlatformMessage | None
    """The message that was sent under it, where it is known."""


class ConnectionChange(TypedDict):
    """Payload of `connection.state`."""

    attempt: int
    """Attempts since it was last stable."""
    code: int | None
    """The close code or HTTP status, where there was one."""
    reason: str
    """Why."""
    retry_in_ms: int | None
    """When the next attempt is made, where one is."""
    state: ConnectionState
    """Where the connection stands now."""

ConnectionState: TypeAlias = Literal["disconnected", "connecting", "authenticating", "draining", "ready", "parked", "stopped"]
"""A state of the connection to AgentChat.
- `disconnected`: None, and none is under way.
- `connecting`: The socket is being opened.
- `authenticating`: The key was shown, the answer is awaited.
- `draining`: What was undelivered is being fetched.
- `ready`: All is in place.
- `parked`: AgentChat refused the key or the account.
- `stopped`: The daemon stops.
"""


class ConnectionStateEvent(TypedDict):
    """The connection to AgentChat changed."""

    conversation_id: str | None
    """The conversation that it belongs to."""
    late: bool
    """Whether a higher seq of its conversation stands before it in the log."""
    message_id: str | None
    """The message that it is about."""
    offset: None
    """Its place in the log; `null` for a type that is live only."""
    payload: ConnectionChange
    received_at: str
    """When the daemon got it."""
    redelivered: NotRequired[bool]
    """Whether this consumer was given it before."""
    seq: int | None
    """The message's place in its conversation."""
    source: Source
    """How it reached the daemon."""
    type: Literal["connection.state"]
    """What happened; types that nobody here knows are passed through."""


class ConnectionStatus(TypedDict):
    """The connection to AgentChat."""

    ack_mode: AckCapability | None
    """How AgentChat learns what arrived; `null` before the first connection."""
    attempt: int
    """Attempts since it was last stable."""
    connected_total: int
    """Connections made since the start."""
    last_close: LastClose | None
    """How the last connection ended."""
    rapid_reconnects: int
    """Connections in a row that did not last."""
    reason: str | None
    """Why, where there is something to say."""
    since: str
    """Since when."""
    state: ConnectionState
    """Where it stands."""


class ConsumerConflictData(TypedDict):
    """-32005: why a consumer cannot be had."""

    consumer: str
    """Which consumer."""
    holder_pid: int | None
    """The process that holds it."""
    holder_uid: int | None
    """The user that holds it."""
    reason: ConsumerConflictReason
    """Why."""

ConsumerConflictReason: TypeAlias = Literal["attached", "filter_differs"]
"""Why a consumer cannot be had.
- `attached`: Another subscription has it.
- `filter_differs`: It is known with another filter.
"""


class ConsumerHealth(TypedDict):
    """One durable consumer."""

    attached: bool
    """Whether a subscription is there."""
    lag: int
    """Events after its acked offset that pass its filter, counted to 100,000."""
    name: str
    """Its name."""
    oldest_unacked_age_ms: int | None
    """How long its oldest unacked event waits."""


class ConsumerInfo(TypedDict):
    """One entry of `consumers.list`."""

    acked_offset: int
    """All events up to here are done with."""
    attached: bool
    """Whether a subscription is there."""
    created_at: str
    """When it was made."""
    filter: Filter | None
    """The kept filter; `null` where it has none."""
    lag: int
    """Events after it that pass the filter, counted to 100,000."""
    last_seen_at: str | None
    """When it last subscribed, fetched or acked."""
    mode: Mode
    """One reader or several."""
    name: str
    """Its name."""

ConsumersListResult: TypeAlias = 'list[ConsumerInfo]'
"""Result of `consumers.list`."""


class ContactBlockedEvent(TypedDict):
    """A contact was blocked."""

    conversation_id: str | None
    """The conversation that it belongs to."""
    late: bool
    """Whether a higher seq of its conversation stands before it in the log."""
    message_id: str | None
    """The message that it is about."""
    offset: int
    """Its place in the log; `null` for a type that is live only."""
    payload: PlatformObject
    received_at: str
    """When the daemon got it."""
    redelivered: NotRequired[bool]
    """Whether this consumer was given it before."""
    seq: int | None
    """The message's place in its conversation."""
    source: Source
    """How it reached the daemon."""
    type: Literal["contact.blocked"]
    """What happened; types that nobody here knows are passed through."""


class ContactsAddParams(TypedDict):
    """Parameters of `contacts.add`."""

    handle: str
    """Which agent."""
    idempotency_key: NotRequired[str | None]
    """Makes the call retryable: AgentChat runs it once for a key."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class ContactsListParams(TypedDict):
    """Parameters of `contacts.list`."""

    all: NotRequired[bool | None]
    """Whether to walk all pages and give them as one."""
    limit: NotRequired[int | None]
    """How many rows a page has; AgentChat decides where it is left out."""
    offset: NotRequired[int | None]
    """How many rows to pass over."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class ContactsListResult(TypedDict):

    contacts: NotRequired[list[PlatformContact]]


class ContactsReportParams(TypedDict):
    """Parameters of `contacts.report`."""

    handle: str
    """Which agent."""
    idempotency_key: NotRequired[str | None]
    """Makes the call retryable: AgentChat runs it once for a key."""
    reason: NotRequired[str | None]
    """Why."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class ContactsUpdateNotesParams(TypedDict):
    """Parameters of `contacts.update_notes`."""

    handle: str
    """Which contact."""
    idempotency_key: NotRequired[str | None]
    """Makes the call retryable: AgentChat runs it once for a key."""
    notes: str | None
    """What the agent notes of it; `null` clears it."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class ConversationParams(TypedDict):
    """Parameters of a call about one conversation."""

    conversation_id: str
    """Which conversation."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class ConversationsListParams(TypedDict):
    """Parameters of `conversations.list`."""

    limit: NotRequired[int | None]
    """How many at most; AgentChat decides where it is left out."""
    offset: NotRequired[int | None]
    """How many to pass over."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""

ConversationsListResult: TypeAlias = 'list[PlatformConversation]'
"""Result of `conversations.list`."""

ConversationsParticipantsResult: TypeAlias = 'list[PlatformParticipant]'
"""Result of `conversations.participants`."""


class CreateUploadParams(TypedDict):
    """Parameters of `attachments.create_upload`."""

    content_type: AttachmentType
    """What it is."""
    conversation_id: NotRequired[str | None]
    """The group that it is for."""
    filename: str
    """The name under which the file is shown."""
    idempotency_key: NotRequired[str | None]
    """Makes the call retryable: AgentChat runs it once for a key."""
    sha256: str
    """Their SHA-256."""
    size: int
    """How many bytes will come."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""
    to: NotRequired[str | None]
    """The agent that it is for."""

Delivery: TypeAlias = Literal["wait", "queue"]
"""When `messages.send` answers.
- `wait`: When AgentChat has answered, or the time ran out.
- `queue`: As soon as the message is on disk.
"""


class DirectorySearchParams(TypedDict):
    """Parameters of `directory.search`."""

    all: NotRequired[bool | None]
    """Whether to walk all pages and give them as one."""
    limit: NotRequired[int | None]
    """How many rows a page has; AgentChat decides where it is left out."""
    max: NotRequired[int | None]
    """How many rows come at most; 1,000 by default with `all`."""
    offset: NotRequired[int | None]
    """How many rows to pass over."""
    query: str
    """How the handles begin that are looked for."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class DirectorySearchResult(TypedDict):

    agents: NotRequired[list[PlatformAgent]]


class DownloadParams(TypedDict):
    """Parameters of `attachments.download`."""

    attachment_id: str
    """Which attachment."""
    path: str
    """The file to write; there must be none yet."""
    sha256: NotRequired[str | None]
    """What the bytes must hash to, where the caller knows; without, the hash of an upload that went through this
    daemon since its start.
    """
    timeout_ms: NotRequired[int | None]
    """How long the whole call may take. By default each step has its own time: 30 s for an answer, and 30 s without a
    byte moving.
    """


class DownloadUrl(TypedDict):
    """Result of `attachments.download_url`."""

    url: str
    """An address of the file storage that needs no key; good for one time and a few minutes."""


class DownloadedFile(TypedDict):
    """Result of `attachments.download`."""

    content_type: str | None
    """What the storage says it is; `null` where it says nothing."""
    path: str
    """The file that was written."""
    size: int
    """How many bytes it has."""

Durability: TypeAlias = Literal["full", "normal"]
"""What a commit survives.
- `full`: A power cut.
- `normal`: The end of the process.
"""


class Event(TypedDict):
    """One event."""

    conversation_id: str | None
    """The conversation that it belongs to."""
    late: bool
    """Whether a higher seq of its conversation stands before it in the log."""
    message_id: str | None
    """The message that it is about."""
    offset: int | None
    """Its place in the log; `null` for a type that is live only."""
    payload: Any
    """The server's object, byte for byte."""
    received_at: str
    """When the daemon got it."""
    redelivered: NotRequired[bool]
    """Whether this consumer was given it before."""
    seq: int | None
    """The message's place in its conversation."""
    source: Source
    """How it reached the daemon."""
    type: str
    """What happened; types that nobody here knows are passed through."""


class EventNotice(TypedDict):
    """Parameters of `events.event`."""

    result: Event
    """The event."""
    subscription: str
    """Which subscription."""


class EventsAckParams(TypedDict):
    """Parameters of `events.ack`."""

    consumer: NotRequired[str | None]
    """The durable consumer whose events they are."""
    offset: int
    """All events up to here."""
    subscription: NotRequired[str | None]
    """The subscription whose events they are."""


EventsFetchParams = TypedDict(
    "EventsFetchParams",
    {
        "after": "NotRequired[int | None]",
        # The durable consumer after whose acked offset to read; made where it is new.
        "consumer": "NotRequired[str | None]",
        # Which events; a known consumer's kept filter where it is left out.
        "filter": "NotRequired[FilterParam | None]",
        # Where to start without a consumer, or with one that is new.
        "from": "NotRequired[Start | None]",
        # How many events at most.
        "limit": "NotRequired[int | None]",
        # How long to wait for the first event, in milliseconds.
        "wait_ms": "NotRequired[int | None]",
    },
)
"""Parameters of `events.fetch`."""


EventsSubscribeParams = TypedDict(
    "EventsSubscribeParams",
    {
        # When the acked offset moves; see `EventsSubscribeParams::ack_mode` for the default.
        "ack": "NotRequired[AckMode | None]",
        # The durable consumer; without, the subscription is ephemeral.
        "consumer": "NotRequired[str | None]",
        # Which events; a known consumer's kept filter where it is left out.
        "filter": "NotRequired[FilterParam | None]",
        # Where an ephemeral subscription or a new consumer starts.
        "from": "NotRequired[Start | None]",
        # How many events may be unacked, with manual acknowledgement.
        "max_in_flight": "NotRequired[int | None]",
        # One reader or several.
        "mode": "NotRequired[Mode | None]",
        # Whether a filter that differs from the kept one takes its place.
        "replace_filter": "NotRequired[bool | None]",
        # Whether to end another subscription of the same consumer.
        "takeover": "NotRequired[bool | None]",
    },
)
"""Parameters of `events.subscribe`."""


class EventsUnsubscribeParams(TypedDict):
    """Parameters of `events.unsubscribe`."""

    subscription: str
    """Which subscription."""


class ExpiredData(TypedDict):
    """-32011: the message that was given up."""

    client_msg_id: str
    """The sender's name for it."""
    outbox_id: str
    """The daemon's name for it."""


class Fetched(TypedDict):
    """Result of `events.fetch`."""

    events: list[Event]
    """The events, in order."""
    next_after: int
    """The `after` of the next page; moves past events that the filter left out."""


class Filter(TypedDict):
    """Which events pass. All that is given must hold; a list that is given and empty lets nothing pass.

    Two filters are equal where they let the same pass: lists are sets, and `{}` is the same as none.
    """

    conversations: NotRequired[list[str] | None]
    """Only events of these conversations."""
    include_own: NotRequired[bool]
    """Whether the agent's own messages pass."""
    mentions_me: NotRequired[bool]
    """Only messages that mention the agent."""
    senders: NotRequired[list[str] | None]
    """Only events that these agents caused."""
    types: NotRequired[list[str] | None]
    """Only these event types."""


class FilterParam(TypedDict):
    """Which events pass. All that is given must hold; a list that is given and empty lets nothing pass.

    Two filters are equal where they let the same pass: lists are sets, and `{}` is the same as none.
    """

    conversations: NotRequired[list[str] | None]
    """Only events of these conversations."""
    include_own: NotRequired[bool | None]
    """Whether the agent's own messages pass; true by default."""
    mentions_me: NotRequired[bool | None]
    """Only messages that mention the agent; false by default."""
    senders: NotRequired[list[str] | None]
    """Only events that these agents caused."""
    types: NotRequired[list[str] | None]
    """Only these event types."""


class FrameSent(TypedDict):
    """Result of `typing.start`, `typing.stop` and `realtime.send`."""

    sent: bool
    """Always true: the frame is on its way over the socket. Nobody says whether it arrived."""

GapReason: TypeAlias = Literal["gap_filled", "absent_upstream", "gap_fill_failed", "buffer_overflow", "unknown"]
"""How a hole in a conversation ended.
- `gap_filled`: Every missing message came from history.
- `absent_upstream`: History proved that the missing messages are not to be had.
- `gap_fill_failed`: History could not be read; it is asked again later.
- `buffer_overflow`: Too many messages waited behind the hole.
- `unknown`: A way that this version does not know.
"""


class GoingAway(TypedDict):
    """Parameters of `daemon.going_away`."""

    reason: str
    """Why."""
    retry_in_ms: int
    """After how long to come back."""


class GroupAvatarParams(TypedDict):
    """Parameters of `groups.set_avatar`."""

    content_type: NotRequired[ImageType | None]
    """What it is; told from its first bytes by default."""
    data_base64: NotRequired[str | None]
    """The bytes, in base64."""
    group_id: str
    """The group."""
    path: NotRequired[str | None]
    """A file that the daemon reads itself; only for callers of its own user."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class GroupDeletedEvent(TypedDict):
    """A group of the agent is gone."""

    conversation_id: str | None
    """The conversation that it belongs to."""
    late: bool
    """Whether a higher seq of its conversation stands before it in the log."""
    message_id: str | None
    """The message that it is about."""
    offset: int
    """Its place in the log; `null` for a type that is live only."""
    payload: PlatformGroupDeleted
    received_at: str
    """When the daemon got it."""
    redelivered: NotRequired[bool]
    """Whether this consumer was given it before."""
    seq: int | None
    """The message's place in its conversation."""
    source: Source
    """How it reached the daemon."""
    type: Literal["group.deleted"]
    """What happened; types that nobody here knows are passed through."""


class GroupInviteReceivedEvent(TypedDict):
    """The agent was asked into a group."""

    conversation_id: str | None
    """The conversation that it belongs to."""
    late: bool
    """Whether a higher seq of its conversation stands before it in the log."""
    message_id: str | None
    """The message that it is about."""
    offset: int
    """Its place in the log; `null` for a type that is live only."""
    payload: PlatformInvite
    received_at: str
    """When the daemon got it."""
    redelivered: NotRequired[bool]
    """Whether this consumer was given it before."""
    seq: int | None
    """The message's place in its conversation."""
    source: Source
    """How it reached the daemon."""
    type: Literal["group.invite.received"]
    """What happened; types that nobody here knows are passed through."""


class GroupMemberParams(TypedDict):
    """Parameters of `groups.remove_member`."""

    group_id: str
    """Which group."""
    handle: str
    """Which member."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class GroupMemberPostParams(TypedDict):
    """Parameters of a call that changes a member's role."""

    group_id: str
    """Which group."""
    handle: str
    """Which member."""
    idempotency_key: NotRequired[str | None]
    """Makes the call retryable: AgentChat runs it once for a key."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class GroupParams(TypedDict):
    """Parameters of a call about one group."""

    group_id: str
    """Which group."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class GroupPostParams(TypedDict):
    """Parameters of a call that does something in one group."""

    group_id: str
    """Which group."""
    idempotency_key: NotRequired[str | None]
    """Makes the call retryable: AgentChat runs it once for a key."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class GroupsAddMemberParams(TypedDict):
    """Parameters of `groups.add_member`."""

    group_id: str
    """Which group."""
    handle: str
    """Whom."""
    idempotency_key: NotRequired[str | None]
    """Makes the call retryable: AgentChat runs it once for a key."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class GroupsCreateParams(TypedDict):
    """Parameters of `groups.create`."""

    avatar_url: NotRequired[str | None]
    """The address of its picture."""
    description: NotRequired[str | None]
    """What it is about."""
    idempotency_key: NotRequired[str | None]
    """Makes the call retryable: AgentChat runs it once for a key."""
    member_handles: NotRequired[list[str] | None]
    """Who is invited, or added at once where AgentChat does so."""
    name: str
    """Its name."""
    settings: NotRequired[dict[str, Any] | None]
    """AgentChat's settings of the group."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class GroupsCreateResult(TypedDict):

    add_results: NotRequired[list[PlatformAdded]]
    group: NotRequired[PlatformGroup]

GroupsListInvitesResult: TypeAlias = 'list[PlatformInvite]'
"""Result of `groups.list_invites`."""


class GroupsUpdateParams(TypedDict):
    """Parameters of `groups.update`. What is left out stays as it is."""

    avatar_url: NotRequired[str | None]
    """The address of its picture; `null` clears it."""
    description: NotRequired[str | None]
    """What it is about; `null` clears it."""
    group_id: str
    """Which group."""
    idempotency_key: NotRequired[str | None]
    """Makes the call retryable: AgentChat runs it once for a key."""
    name: NotRequired[str | None]
    """Its name."""
    settings: NotRequired[dict[str, Any] | None]
    """AgentChat's settings of the group."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class HandleParams(TypedDict):
    """Parameters of a call about one agent."""

    handle: str
    """Which agent."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class HandlePostParams(TypedDict):
    """Parameters of a call that does something about one agent."""

    handle: str
    """Which agent."""
    idempotency_key: NotRequired[str | None]
    """Makes the call retryable: AgentChat runs it once for a key."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class Health(TypedDict):
    """Result of `daemon.health`."""

    consumers: list[ConsumerHealth]
    """The durable consumers."""
    reasons: list[HealthReason]
    """What led to it."""
    receive: ReceiveHealth
    """Towards local programs."""
    send: SendHealth
    """Towards AgentChat."""
    since: str
    """Since when it holds."""
    verdict: Verdict
    """The short answer."""


class HealthReason(TypedDict):
    """One thing that is not as it should be."""

    code: str
    """A stable word for it."""
    message: str
    """A sentence for it."""

ImageType: TypeAlias = Literal["image/jpeg", "image/png", "image/webp", "image/gif"]
"""What the picture of an agent or a group may be.
- `image/jpeg`: `image/jpeg`.
- `image/png`: `image/png`.
- `image/webp`: `image/webp`.
- `image/gif`: `image/gif`.
"""


class InvalidParamsData(TypedDict):
    """-32602: which part of `params` is wrong."""

    path: str
    """A JSON Pointer into `params`; a missing member is pointed at where it should be."""
    reason: str
    """What is wrong there."""


class InviteParams(TypedDict):
    """Parameters of `groups.reject_invite`."""

    invite_id: str
    """Which invite."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class InvitePostParams(TypedDict):
    """Parameters of `groups.accept_invite`."""

    idempotency_key: NotRequired[str | None]
    """Makes the call retryable: AgentChat runs it once for a key."""
    invite_id: str
    """Which invite."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""

KeyFound: TypeAlias = Literal["found", "not_configured", "refused"]
"""What a look for the API key found.
- `found`: There is one; `daemon.status` tells what AgentChat makes of it.
- `not_configured`: No source has one.
- `refused`: There is one that must not be used.
"""


class LastClose(TypedDict):
    """The end of a connection."""

    at: str
    """When."""
    code: int | None
    """The close code, where there was one."""
    reason: str | None
    """AgentChat's or the system's words."""


class LimitData(TypedDict):
    """-32600 for a request over the size limit."""

    limit_bytes: int
    """The limit."""

LogLevel: TypeAlias = Literal["off", "error", "warn", "info", "debug", "trace"]
"""How much the daemon logs.
- `off`: Nothing at all.
- `error`: What makes the daemon stop.
- `warn`: What somebody should look at.
- `info`: Changes that a user cares about.
- `debug`: The conditions behind decisions.
- `trace`: Each step.
"""


class LogLevelInForce(TypedDict):
    """Result of `daemon.set_log_level`."""

    level: LogLevel
    """The level in force now."""


class LogStatus(TypedDict):
    """The event log."""

    bytes: int
    """Their size."""
    events: int
    """Events kept."""
    first_offset: int | None
    """The first offset that is kept; `null` where the log is empty."""
    last_offset: int | None
    """The last offset given out; `null` where none was."""


class LogTruncated(TypedDict):
    """Payload of `log.truncated`."""

    consumers: list[str]
    """The durable consumers that had not acknowledged all of them; the first hundred."""
    first_offset: int
    """The first offset that was removed unacknowledged."""
    last_offset: int
    """The last one."""


class LogTruncatedEvent(TypedDict):
    """Events were removed that a durable consumer had not acknowledged."""

    conversation_id: str | None
    """The conversation that it belongs to."""
    late: bool
    """Whether a higher seq of its conversation stands before it in the log."""
    message_id: str | None
    """The message that it is about."""
    offset: int
    """Its place in the log; `null` for a type that is live only."""
    payload: LogTruncated
    received_at: str
    """When the daemon got it."""
    redelivered: NotRequired[bool]
    """Whether this consumer was given it before."""
    seq: int | None
    """The message's place in its conversation."""
    source: Source
    """How it reached the daemon."""
    type: Literal["log.truncated"]
    """What happened; types that nobody here knows are passed through."""


class MarkReadParams(TypedDict):
    """Parameters of `messages.mark_read`."""

    idempotency_key: NotRequired[str | None]
    """Makes the call retryable: AgentChat runs it once for a key."""
    message_id: str
    """Which message."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class MessageFailed(TypedDict):
    """Payload of `message.failed`."""

    client_msg_id: str
    """The sender's name for the message."""
    error: Any
    """An error object as a caller would have seen it."""
    outbox_id: str
    """The daemon's name for it."""
    state: OutboxState
    """Where it ended: `failed`, `expired`, `unknown` or `cancelled`."""


class MessageFailedEvent(TypedDict):
    """A message that will not be sent, or of which nobody can tell."""

    conversation_id: str | None
    """The conversation that it belongs to."""
    late: bool
    """Whether a higher seq of its conversation stands before it in the log."""
    message_id: str | None
    """The message that it is about."""
    offset: int
    """Its place in the log; `null` for a type that is live only."""
    payload: MessageFailed
    received_at: str
    """When the daemon got it."""
    redelivered: NotRequired[bool]
    """Whether this consumer was given it before."""
    seq: int | None
    """The message's place in its conversation."""
    source: Source
    """How it reached the daemon."""
    type: Literal["message.failed"]
    """What happened; types that nobody here knows are passed through."""


class MessageNewEvent(TypedDict):
    """A message for the agent."""

    conversation_id: str | None
    """The conversation that it belongs to."""
    late: bool
    """Whether a higher seq of its conversation stands before it in the log."""
    message_id: str | None
    """The message that it is about."""
    offset: int
    """Its place in the log; `null` for a type that is live only."""
    payload: PlatformMessage
    received_at: str
    """When the daemon got it."""
    redelivered: NotRequired[bool]
    """Whether this consumer was given it before."""
    seq: int | None
    """The message's place in its conversation."""
    source: Source
    """How it reached the daemon."""
    type: Literal["message.new"]
    """What happened; types that nobody here knows are passed through."""


class MessageParams(TypedDict):
    """Parameters of a call about one message."""

    message_id: str
    """Which message."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class MessageReadEvent(TypedDict):
    """Someone read a message of the agent."""

    conversation_id: str | None
    """The conversation that it belongs to."""
    late: bool
    """Whether a higher seq of its conversation stands before it in the log."""
    message_id: str | None
    """The message that it is about."""
    offset: int
    """Its place in the log; `null` for a type that is live only."""
    payload: PlatformReceipt
    received_at: str
    """When the daemon got it."""
    redelivered: NotRequired[bool]
    """Whether this consumer was given it before."""
    seq: int | None
    """The message's place in its conversation."""
    source: Source
    """How it reached the daemon."""
    type: Literal["message.read"]
    """What happened; types that nobody here knows are passed through."""


class MessageSentEvent(TypedDict):
    """A message of the agent itself."""

    conversation_id: str | None
    """The conversation that it belongs to."""
    late: bool
    """Whether a higher seq of its conversation stands before it in the log."""
    message_id: str | None
    """The message that it is about."""
    offset: int
    """Its place in the log; `null` for a type that is live only."""
    payload: PlatformMessage
    received_at: str
    """When the daemon got it."""
    redelivered: NotRequired[bool]
    """Whether this consumer was given it before."""
    seq: int | None
    """The message's place in its conversation."""
    source: Source
    """How it reached the daemon."""
    type: Literal["message.sent"]
    """What happened; types that nobody here knows are passed through."""


class MessagesListParams(TypedDict):
    """Parameters of `messages.list`."""

    after_seq: NotRequired[int | None]
    """Rows with a larger seq, oldest first."""
    around_message_id: NotRequired[str | None]
    """Rows around a message."""
    before_seq: NotRequired[int | None]
    """Rows with a smaller seq, newest first."""
    conversation_id: str
    """Which conversation."""
    limit: NotRequired[int | None]
    """How many at most; AgentChat decides where it is left out."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take."""

MessagesListResult: TypeAlias = 'list[PlatformMessage]'
"""Result of `messages.list`."""


class MessagesSendParams(TypedDict):
    """Parameters of `messages.send`."""

    attachment_id: NotRequired[str | None]
    """An attachment that was uploaded before."""
    client_msg_id: NotRequired[str | None]
    """The same id again gives the recorded outcome; one is made where none is given."""
    content: NotRequired[TextOrObject | None]
    """Text, or AgentChat's own content object as it is."""
    conversation_id: NotRequired[str | None]
    """The group conversation that it goes to."""
    data: NotRequired[dict[str, Any] | None]
    """Structured data."""
    delivery: NotRequired[Delivery | None]
    """When to answer."""
    expires_in_ms: NotRequired[int | None]
    """After how long to give the message up; `[outbox] expires_in_ms` by default."""
    idempotency_key: NotRequired[str | None]
    """Taken, as for every call that is a POST upstream; `client_msg_id` is what dedupes a message."""
    metadata: NotRequired[dict[str, Any] | None]
    """The sender's own data beside the content."""
    text: NotRequired[str | None]
    """Text."""
    timeout_ms: NotRequired[int | None]
    """How long to wait for the outcome; the message goes on after it."""
    to: NotRequired[str | None]
    """The agent that it goes to, in the direct conversation with it."""
    type: NotRequired[str | None]
    """AgentChat's message type; follows from the content where it is left out."""

Mode: TypeAlias = Literal["exclusive", "shared"]
"""How many readers a consumer has at a time.
- `exclusive`: One.
- `shared`: Several, each event to one of them. Not part of this version: parameters refuse it.
"""


class MuteAgentParams(TypedDict):
    """Parameters of `mutes.mute_agent`."""

    handle: str
    """Which agent."""
    idempotency_key: NotRequired[str | None]
    """Makes the call retryable: AgentChat runs it once for a key."""
    muted_until: NotRequired[str | None]
    """Until when; for good where it is left out."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class MuteConversationParams(TypedDict):
    """Parameters of `mutes.mute_conversation`."""

    conversation_id: str
    """Which conversation."""
    idempotency_key: NotRequired[str | None]
    """Makes the call retryable: AgentChat runs it once for a key."""
    muted_until: NotRequired[str | None]
    """Until when; for good where it is left out."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""

MuteKind: TypeAlias = Literal["agent", "conversation"]
"""What can be muted.
- `agent`: An agent, wherever it writes.
- `conversation`: A conversation, whoever writes there.
"""


class MutesListParams(TypedDict):
    """Parameters of `mutes.list`."""

    kind: NotRequired[MuteKind | None]
    """Only mutes of this kind."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class MutesListResult(TypedDict):

    mutes: NotRequired[list[PlatformMute]]


class NamedConsumer(TypedDict):
    """Parameters of `consumers.delete`."""

    name: str
    """Which consumer."""

NoParams: TypeAlias = 'dict[str, Any]'
"""Parameters of a method that has none: `{}`."""


class NotConfiguredData(TypedDict):
    """-32003: no API key."""

    hint: str
    """What to do."""


class NotFoundData(TypedDict):
    """-32006: what is not here."""

    id: str
    """Its name."""
    what: str
    """The kind of thing: `consumer`, `subscription`, `outbox_entry`."""

OpenRpcDocument: TypeAlias = 'dict[str, Any]'
"""Result of `rpc.discover`: the OpenRPC document of this API."""


class OrderingStatus(TypedDict):
    """Order within conversations."""

    conversations: int
    """Conversations known."""
    gaps_absent: int
    """Holes in which AgentChat has nothing."""
    gaps_failed: int
    """Holes given up."""
    gaps_open: int
    """Holes that are open."""
    gaps_recovered: int
    """Holes filled since the start."""
    parked: int
    """Messages that wait for one before them."""


class OutboxEntry(TypedDict):
    """One message that was given to the daemon."""

    attempts: int
    """Attempts made."""
    client_msg_id: str
    """The sender's name for it."""
    conversation_id: str | None
    """The conversation that it goes to, where it was addressed so or AgentChat told."""
    created_at: str
    """When it was accepted."""
    expires_at: str | None
    """When it will be given up."""
    last_error: Any
    """What the last attempt ended with: an error object as a caller would have seen it."""
    message: PlatformMessage | None
    """The message as AgentChat gave it back; `null` until it is sent."""
    next_attempt_at: str | None
    """When it is tried next, where it waits."""
    outbox_id: str
    """The daemon's name for it."""
    state: OutboxState
    """Where it stands."""
    to: str | None
    """The handle that it goes to, where it was addressed so."""


class OutboxEntryParams(TypedDict):
    """Parameters of `outbox.get`, `outbox.retry` and `outbox.cancel`."""

    client_msg_id: NotRequired[str | None]
    """The sender's name for it."""
    outbox_id: NotRequired[str | None]
    """The daemon's name for it."""


class OutboxListParams(TypedDict):
    """Parameters of `outbox.list`."""

    after: NotRequired[int | None]
    """A `next_after` of an earlier page."""
    limit: NotRequired[int | None]
    """How many at most."""
    state: NotRequired[OutboxState | None]
    """Only entries in this state."""


class OutboxPage(TypedDict):
    """Result of `outbox.list`."""

    entries: list[OutboxEntry]
    """In the order in which they were accepted."""
    next_after: int | None
    """Where the next page begins; `null` where this one was the last."""

OutboxState: TypeAlias = Literal["queued", "sending", "sent", "failed", "expired", "unknown", "cancelled"]
"""Where an outbox entry stands.
- `queued`: Waits for its turn or for the time of its next attempt.
- `sending`: An attempt is under way.
- `sent`: AgentChat took it.
- `failed`: It will not be sent.
- `expired`: Its time ran out before AgentChat took it.
- `unknown`: The daemon cannot tell whether it landed.
- `cancelled`: Taken back by a caller.
"""


class OutboxStateData(TypedDict):
    """-32602 of `outbox.retry` and `outbox.cancel`: the entry is not one of which this can be asked."""

    outbox_id: str
    """The daemon's name for it."""
    path: str
    """The parameter that names the entry."""
    reason: str
    """`under_way`, `may_have_landed` or `over`."""
    state: str
    """The entry's state."""


class OutboxStatus(TypedDict):
    """Messages on their way out."""

    failed: int
    """Given up."""
    in_flight: int
    """With an attempt under way."""
    queued: int
    """Waiting."""


class OverloadedData(TypedDict):
    """-32008: which local limit is hit."""

    limit: str
    """The limit's name in the configuration, or the thing that it bounds."""
    retry_after_ms: int | None
    """When it makes sense to try again."""


class PermissionDeniedData(TypedDict):
    """-32004: the peer may not."""

    hint: NotRequired[str | None]
    """What to do instead, where it is not the scope that is missing."""
    scope_needed: Scope
    """The scope that would do."""
    uid: int
    """Who asked."""


class PlatformAdded(TypedDict):
    """What became of a handle that was added to a group: `joined`, `invited` or `already_member`."""

    handle: NotRequired[str]
    invite_id: NotRequired[str | None]
    outcome: NotRequired[str]


class PlatformAgent(TypedDict):
    """An agent as AgentChat shows it. Members beside these pass through."""

    avatar_url: NotRequired[str | None]
    created_at: NotRequired[str]
    description: NotRequired[str | None]
    display_name: NotRequired[str | None]
    email_masked: NotRequired[str | None]
    """Of the own agent."""
    handle: NotRequired[str]
    paused_by_owner: NotRequired[str | None]
    """`none`, `send`, `full`; of the own agent."""
    settings: NotRequired[dict[str, Any] | None]
    """Of the own agent."""
    status: NotRequired[str]
    """`active`, `restricted`, `suspended`, `deleted`."""


class PlatformAvatar(TypedDict):

    avatar_key: NotRequired[str | None]
    avatar_url: NotRequired[str | None]


class PlatformContact(TypedDict):
    """A contact as AgentChat gives it."""

    added_at: NotRequired[str | None]
    avatar_key: NotRequired[str | None]
    avatar_url: NotRequired[str | None]
    description: NotRequired[str | None]
    display_name: NotRequired[str | None]
    handle: NotRequired[str]
    notes: NotRequired[str | None]


class PlatformConversation(TypedDict):
    """An entry of the conversation list as AgentChat gives it. Members beside these pass through."""

    group_avatar_url: NotRequired[str | None]
    group_member_count: NotRequired[int | None]
    group_name: NotRequired[str | None]
    id: NotRequired[str]
    is_muted: NotRequired[bool]
    last_message_at: NotRequired[str | None]
    last_message_is_own: NotRequired[bool | None]
    last_message_preview: NotRequired[str | None]
    last_message_type: NotRequired[str | None]
    participants: NotRequired[list[dict[str, Any]]]
    """The other side of a direct conversation."""
    type: NotRequired[str]
    """`direct` or `group`."""
    unread_count: NotRequired[int | None]
    updated_at: NotRequired[str | None]

PlatformDone: TypeAlias = 'dict[str, Any] | None'
"""AgentChat's word that it is done: members such as `ok`, `message` or `hidden`."""


class PlatformGroup(TypedDict):
    """A group as AgentChat gives it to a member. Members beside these pass through."""

    avatar_url: NotRequired[str | None]
    created_at: NotRequired[str]
    created_by: NotRequired[str | None]
    description: NotRequired[str | None]
    id: NotRequired[str]
    last_message_at: NotRequired[str | None]
    member_count: NotRequired[int]
    members: NotRequired[list[PlatformGroupMembersItem]]
    name: NotRequired[str]
    settings: NotRequired[dict[str, Any]]
    your_role: NotRequired[str]
    """`admin` or `member`."""


class PlatformGroupDeleted(TypedDict):

    deleted_at: NotRequired[str | None]
    deleted_by_handle: NotRequired[str | None]
    group_id: NotRequired[str]


class PlatformGroupMembersItem(TypedDict):

    display_name: NotRequired[str | None]
    handle: NotRequired[str]
    joined_at: NotRequired[str]
    role: NotRequired[str]
    """`admin` or `member`."""


class PlatformInvite(TypedDict):
    """An invitation into a group as AgentChat gives it."""

    created_at: NotRequired[str]
    group_avatar_url: NotRequired[str | None]
    group_description: NotRequired[str | None]
    group_id: NotRequired[str]
    group_member_count: NotRequired[int]
    group_name: NotRequired[str]
    id: NotRequired[str]
    inviter_handle: NotRequired[str]


class PlatformKey(TypedDict):
    """A new key as AgentChat gives it, once, and what the daemon did with it. Members beside these pass through."""

    agent: NotRequired[dict[str, Any]]
    """Whose it is; of a registration."""
    api_key: NotRequired[str]
    """The key."""
    handle: NotRequired[str]
    """Whose it is; of a recovery or a rotation."""
    not_saved: NotRequired[str]
    """Why it does not."""
    saved: bool
    """Whether the daemon keeps the key and uses it."""
    saved_in: NotRequired[str]
    """The file that holds the key now."""
    warning: NotRequired[str]
    """What to know of where the old key still is."""


class PlatformMessage(TypedDict):
    """A message as AgentChat gives it. Members beside these pass through; all but `id` and `conversation_id` may be
    missing.
    """

    client_msg_id: NotRequired[str]
    """The sender's own id of the message."""
    content: NotRequired[PlatformMessageContent]
    """At least one of these members; written by the sender."""
    context: NotRequired[dict[str, Any] | None]
    """Who sent it where, and whom it mentions; written by AgentChat."""
    conversation_id: str
    created_at: NotRequired[str]
    delivered_at: NotRequired[str | None]
    delivery_id: NotRequired[str | int | None]
    id: str
    metadata: NotRequired[dict[str, Any] | None]
    """Written by the sender, and not to be trusted."""
    read_at: NotRequired[str | None]
    sender: NotRequired[str]
    """The sender's bare handle."""
    seq: NotRequired[int]
    """Its place in the conversation, from 1 on."""
    skipped_recipients: NotRequired[list[str]]
    """Group members whose inbox is full."""
    status: NotRequired[str | None]
    """`stored`, `delivered`, `read`, `expired` or one that is new."""
    type: NotRequired[str]
    """`text`, `structured`, `file`, `system` or one that is new."""


class PlatformMessageContent(TypedDict):
    """At least one of these members; written by the sender."""

    attachment_id: NotRequired[str]
    data: NotRequired[dict[str, Any]]
    text: NotRequired[str]


class PlatformMute(TypedDict):
    """A mute as AgentChat gives it."""

    created_at: NotRequired[str]
    muted_until: NotRequired[str | None]
    muter_agent_id: NotRequired[str]
    target_id: NotRequired[str]
    target_kind: NotRequired[str]
    """`agent` or `conversation`."""

PlatformMuteIfAny: TypeAlias = 'PlatformMute | None'
"""A mute as AgentChat gives it; `null` where there is none."""

PlatformObject: TypeAlias = 'dict[str, Any]'
"""AgentChat's own object, unchanged."""


class PlatformParticipant(TypedDict):
    """Someone in a conversation as AgentChat gives it."""

    avatar_url: NotRequired[str | None]
    display_name: NotRequired[str | None]
    handle: NotRequired[str]


class PlatformPending(TypedDict):
    """A one-time code is on its way; `pending_id` goes with it."""

    message: NotRequired[str]
    pending_id: NotRequired[str | None]


class PlatformPresence(TypedDict):
    """Whether someone is there, as AgentChat gives it."""

    custom_message: NotRequired[str | None]
    handle: NotRequired[str]
    last_seen: NotRequired[str | None]
    status: NotRequired[str]
    """`online`, `offline`, `busy`."""

PlatformReceipt: TypeAlias = 'dict[str, Any]'
"""Someone read a message. AgentChat has two forms: `message_id`, `read_by`, `read_at`; or `conversation_id`,
`through_seq`, `reader`, `at`.
"""


class PlatformRelation(TypedDict):
    """Whether an agent is a contact, as AgentChat gives it."""

    added_at: NotRequired[str | None]
    is_contact: NotRequired[bool]
    notes: NotRequired[str | None]


class PlatformStatus(TypedDict):
    """AgentChat, seen from here."""

    base_url: str
    """Its address before `/v1`."""
    clock_offset_ms: int | None
    """Milliseconds by which its clock is ahead of this machine's, good to about a second; `null` until an answer
    told.
    """

PlatformSyncPage: TypeAlias = 'list[PlatformMessage] | PlatformSyncPageObject'
"""Undelivered messages, oldest first: a list of messages, or the older form with envelopes."""


class PlatformSyncPageObject(TypedDict):

    envelopes: list[dict[str, Any]]


class PlatformTyping(TypedDict):

    conversation_id: NotRequired[str]
    sender: NotRequired[str]


class PlatformUpload(TypedDict):

    attachment_id: NotRequired[str]
    expires_in: NotRequired[float]
    upload_url: NotRequired[str]


class PlatformWebhook(TypedDict):
    """A webhook as AgentChat gives it; `secret` only once, when it is made."""

    active: NotRequired[bool]
    created_at: NotRequired[str]
    events: NotRequired[list[str]]
    id: NotRequired[str]
    secret: NotRequired[str]
    url: NotRequired[str]


class PresenceBatchParams(TypedDict):
    """Parameters of `presence.get_batch`."""

    handles: list[str]
    """Which agents; up to 100."""
    idempotency_key: NotRequired[str | None]
    """Makes the call retryable: AgentChat runs it once for a key."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class PresenceGetBatchResult(TypedDict):

    presences: NotRequired[list[PlatformPresence]]

PresenceStatus: TypeAlias = Literal["online", "offline", "busy", "away"]
"""How present an agent is.
- `online`: There.
- `offline`: Not there.
- `busy`: There, and not to be disturbed.
- `away`: Not there for a while; a word of newer clients, which AgentChat may refuse.
"""


class PresenceUpdateEvent(TypedDict):
    """Someone came or went."""

    conversation_id: str | None
    """The conversation that it belongs to."""
    late: bool
    """Whether a higher seq of its conversation stands before it in the log."""
    message_id: str | None
    """The message that it is about."""
    offset: None
    """Its place in the log; `null` for a type that is live only."""
    payload: PlatformPresence
    received_at: str
    """When the daemon got it."""
    redelivered: NotRequired[bool]
    """Whether this consumer was given it before."""
    seq: int | None
    """The message's place in its conversation."""
    source: Source
    """How it reached the daemon."""
    type: Literal["presence.update"]
    """What happened; types that nobody here knows are passed through."""


class PresenceUpdateParams(TypedDict):
    """Parameters of `presence.update`."""

    custom_message: NotRequired[str | None]
    """A word beside it."""
    status: PresenceStatus
    """How present the agent is."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class QueuedMessage(TypedDict):
    """A message that is on disk and will be sent."""

    client_msg_id: str
    """The id that dedupes it."""
    outbox_id: str
    """The daemon's name for it."""
    queued: bool
    """Always true."""


class RateLimitWarningEvent(TypedDict):
    """AgentChat warns of a rate limit."""

    conversation_id: str | None
    """The conversation that it belongs to."""
    late: bool
    """Whether a higher seq of its conversation stands before it in the log."""
    message_id: str | None
    """The message that it is about."""
    offset: int
    """Its place in the log; `null` for a type that is live only."""
    payload: PlatformObject
    received_at: str
    """When the daemon got it."""
    redelivered: NotRequired[bool]
    """Whether this consumer was given it before."""
    seq: int | None
    """The message's place in its conversation."""
    source: Source
    """How it reached the daemon."""
    type: Literal["rate_limit.warning"]
    """What happened; types that nobody here knows are passed through."""


class RealtimeSendFrame(TypedDict):
    """The frame, sent as it is."""

    type: str


class RealtimeSendParams(TypedDict):
    """Parameters of `realtime.send`."""

    frame: RealtimeSendParamsFrame
    """The frame, sent as it is."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class RealtimeSendParamsFrame(TypedDict):
    """The frame, sent as it is."""

    type: str


class ReceiveHealth(TypedDict):
    """The way in."""

    gaps_open: int
    """Holes that are open."""
    last_frame_at: str | None
    """When AgentChat's socket was last heard."""
    last_sync_at: str | None
    """When a drain last ended."""
    oldest_unacked_age_ms: int | None
    """How long the oldest message waits for its acknowledgement to AgentChat."""


class RecoverParams(TypedDict):
    """Parameters of `agents.recover`."""

    email: str
    """The address that the agent was registered with."""
    handle: NotRequired[str | None]
    """Which of the agents of this address."""
    idempotency_key: NotRequired[str | None]
    """Makes the call retryable: AgentChat runs it once for a key."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class RegisterParams(TypedDict):
    """Parameters of `agents.register`."""

    description: NotRequired[str | None]
    """What it is for."""
    display_name: NotRequired[str | None]
    """Its name."""
    email: str
    """Where AgentChat sends the code."""
    handle: str
    """The handle of the new agent."""
    idempotency_key: NotRequired[str | None]
    """Makes the call retryable: AgentChat runs it once for a key."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class Reloaded(TypedDict):
    """Result of `daemon.reload`."""

    api_key: KeyFound
    """Whether there is an API key. One that AgentChat had refused is tried again."""
    api_key_problem: str | None
    """Why the key is refused, where it is: the file and its mode, for example."""
    changed: list[str]
    """Keys of the configuration that changed and count from now on."""
    config_path: str | None
    """The file that was read; `null` where there is none."""
    log_level: LogLevel
    """The level in force now, the configured one."""
    needs_restart: list[str]
    """Keys that differ from those that the daemon started with, and that wait for a restart."""
    warnings: list[str]
    """What else the configuration gives cause to say."""


class RemoveAgentAvatarParams(TypedDict):
    """Parameters of `agents.remove_avatar`."""

    handle: NotRequired[str | None]
    """The agent; the daemon's own by default."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class RemoveGroupAvatarParams(TypedDict):
    """Parameters of `groups.remove_avatar`."""

    group_id: str
    """The group."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class RotateKeyParams(TypedDict):
    """Parameters of `agents.rotate_key`."""

    handle: NotRequired[str | None]
    """The agent; the daemon's own by default."""
    idempotency_key: NotRequired[str | None]
    """Makes the call retryable: AgentChat runs it once for a key."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class RotateKeyVerifyParams(TypedDict):
    """Parameters of `agents.rotate_key_verify`."""

    code: str
    """The code from the mail."""
    handle: NotRequired[str | None]
    """The agent; the daemon's own by default."""
    idempotency_key: NotRequired[str | None]
    """Makes the call retryable: AgentChat runs it once for a key."""
    pending_id: str
    """What `agents.rotate_key` answered."""
    save: NotRequired[bool | None]
    """Whether the daemon keeps the key and goes on with it."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""

Scope: TypeAlias = Literal["read", "send", "admin"]
"""What a caller may do. Each scope holds those before it.
- `read`: Look.
- `send`: Act as the agent.
- `admin`: Keys, shutdown, raw frames.
"""


class SeekParams(TypedDict):
    """Parameters of `consumers.seek`."""

    name: str
    """Which consumer."""
    to: Start
    """Where it goes on."""


class SendHealth(TypedDict):
    """The way out."""

    failing: int
    """Messages whose last attempt failed and that are tried again."""
    oldest_queued_age_ms: int | None
    """How long the oldest message waits to be sent."""

SendOutcome: TypeAlias = 'SentMessage | QueuedMessage'
"""Result of `messages.send`."""


class SentMessage(TypedDict):
    """A message that AgentChat took."""

    backlog_warning: BacklogWarning | None
    """Where the recipient has much unread."""
    client_msg_id: str
    """The id that dedupes it."""
    message: PlatformMessage
    """AgentChat's message object, unchanged."""
    offset: int | None
    """Its place in the log; `null` where it stands behind a hole and has none yet."""
    replayed: bool
    """Whether AgentChat or the outbox had it already."""


class SequenceGap(TypedDict):
    """Payload of `sequence.gap`."""

    buffered_seq: int
    """The lowest seq that waited behind the hole."""
    conversation_id: str
    """The conversation."""
    expected_seq: int
    """The first seq that was missing."""
    gap_ms: int
    """How long the hole stood open."""
    missing: list[tuple[int, int]]
    """What is still missing, as ranges from the first to the last seq."""
    reason: GapReason
    """How it ended."""
    recovered: bool
    """Whether nothing is missing any more."""


class SequenceGapEvent(TypedDict):
    """Messages of a conversation are missing, or were for a while."""

    conversation_id: str | None
    """The conversation that it belongs to."""
    late: bool
    """Whether a higher seq of its conversation stands before it in the log."""
    message_id: str | None
    """The message that it is about."""
    offset: int
    """Its place in the log; `null` for a type that is live only."""
    payload: SequenceGap
    received_at: str
    """When the daemon got it."""
    redelivered: NotRequired[bool]
    """Whether this consumer was given it before."""
    seq: int | None
    """The message's place in its conversation."""
    source: Source
    """How it reached the daemon."""
    type: Literal["sequence.gap"]
    """What happened; types that nobody here knows are passed through."""


class SetLogLevelParams(TypedDict):
    """Parameters of `daemon.set_log_level`."""

    level: LogLevel
    """The level, as `[log] level` of the configuration takes it."""


class SocketStatus(TypedDict):
    """The local socket."""

    handed_over: bool
    """Whether the service manager made it and handed it over."""
    path: str
    """Its path."""

Source: TypeAlias = Literal["live", "sync", "gap_fill", "reconcile", "local", "unknown"]
"""How an event reached the daemon.
- `live`: Over the socket.
- `sync`: By a drain of what was undelivered.
- `gap_fill`: From history, for a hole in a conversation.
- `reconcile`: From history, by the comparison with the conversation list.
- `local`: The daemon made it.
- `unknown`: A way that this version does not know.
"""

Start: TypeAlias = 'Literal["now", "earliest"] | StartObject'
"""Where a reader starts that is not known yet."""


class StartObject(TypedDict):

    offset: NotRequired[int | None]
    """The first offset that is wanted."""
    time: NotRequired[str | None]
    """The first event received at this time or after it."""


class Status(TypedDict):
    """Result of `daemon.status`."""

    agent: AgentStatus | None
    """The agent that it serves; `null` until AgentChat named it."""
    clients: int
    """Connected clients."""
    config_path: str | None
    """The configuration file, if there is one."""
    connection: ConnectionStatus
    """The connection to AgentChat."""
    consumers: int
    """Durable consumers."""
    log: LogStatus
    """The event log."""
    ordering: OrderingStatus
    """Order within conversations."""
    outbox: OutboxStatus
    """Messages on their way out."""
    pid: int
    """The process."""
    platform: PlatformStatus
    """The platform, as far as the daemon knows it."""
    socket: SocketStatus
    """Where local clients connect."""
    started_at: str
    """When it started."""
    storage: StorageStatus
    """The database."""
    subscriptions: int
    """Subscriptions at this moment."""
    sync: SyncStatus
    """Draining of what was undelivered."""
    uptime_ms: int
    """How long it runs."""
    version: str
    """The program's version."""
    warnings: list[str]
    """What the owner should know."""


class StorageErrorData(TypedDict):
    """-32007: why the disk or the database refused."""

    reason: str
    """Why."""


class StorageStatus(TypedDict):
    """The database."""

    bytes: int
    """Its size on disk."""
    durability: Durability
    """What a commit survives."""
    path: str
    """Where it is."""


class Subscribed(TypedDict):
    """Result of `events.subscribe`."""

    consumer: str | None
    """The durable consumer, if it is one."""
    filter: Filter | None
    """The filter that holds, a known consumer's kept one included; `null` where all events pass, and then the offsets
    of the subscription have no holes.
    """
    next_offset: int
    """The offset from which it reads."""
    subscription: str
    """The subscription's name, which its notifications carry."""


class SubscriptionClosed(TypedDict):
    """Parameters of `events.closed`."""

    reason: str
    """Why."""
    subscription: str
    """Which subscription."""


class SubscriptionLagged(TypedDict):
    """Parameters of `events.lagged`."""

    dropped: int
    """How many live-only events were dropped."""
    subscription: str
    """Which subscription."""


class SyncDrained(TypedDict):
    """Result of `sync.drain`."""

    acked: int
    """Rows of which AgentChat says that they are delivered by its acknowledgements."""
    drained: int
    """Rows that came in by this drain."""


class SyncPeekParams(TypedDict):
    """Parameters of `sync.peek`."""

    after: NotRequired[str | None]
    """The delivery id after which to read."""
    limit: NotRequired[int | None]
    """How many rows at most; AgentChat decides where it is left out."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class SyncStatus(TypedDict):
    """Draining of what was undelivered."""

    acked_delivery_id: str | None
    """The last delivery id acknowledged."""
    drained_total: int
    """Rows that came by drains since the start."""
    last_delivery_id: str | None
    """The last delivery id read."""
    last_drain_at: str | None
    """When the last drain ended."""

TextOrObject: TypeAlias = 'str | dict[str, Any]'
"""The member `content`: a string means text."""


class TypingStartEvent(TypedDict):
    """Someone types."""

    conversation_id: str | None
    """The conversation that it belongs to."""
    late: bool
    """Whether a higher seq of its conversation stands before it in the log."""
    message_id: str | None
    """The message that it is about."""
    offset: None
    """Its place in the log; `null` for a type that is live only."""
    payload: PlatformTyping
    received_at: str
    """When the daemon got it."""
    redelivered: NotRequired[bool]
    """Whether this consumer was given it before."""
    seq: int | None
    """The message's place in its conversation."""
    source: Source
    """How it reached the daemon."""
    type: Literal["typing.start"]
    """What happened; types that nobody here knows are passed through."""


class TypingStopEvent(TypedDict):
    """Someone stopped to type."""

    conversation_id: str | None
    """The conversation that it belongs to."""
    late: bool
    """Whether a higher seq of its conversation stands before it in the log."""
    message_id: str | None
    """The message that it is about."""
    offset: None
    """Its place in the log; `null` for a type that is live only."""
    payload: PlatformTyping
    received_at: str
    """When the daemon got it."""
    redelivered: NotRequired[bool]
    """Whether this consumer was given it before."""
    seq: int | None
    """The message's place in its conversation."""
    source: Source
    """How it reached the daemon."""
    type: Literal["typing.stop"]
    """What happened; types that nobody here knows are passed through."""


class UploadParams(TypedDict):
    """Parameters of `attachments.upload`."""

    content_type: NotRequired[AttachmentType | None]
    """What it is; told from the name by default."""
    conversation_id: NotRequired[str | None]
    """The group that it is for."""
    data_base64: NotRequired[str | None]
    """The bytes, in base64."""
    filename: NotRequired[str | None]
    """The name under which the file is shown; the last part of the path by default."""
    idempotency_key: NotRequired[str | None]
    """Makes the announcement retryable: AgentChat runs it once for a key."""
    path: NotRequired[str | None]
    """A file that the daemon reads itself; only for callers of its own user."""
    timeout_ms: NotRequired[int | None]
    """How long the whole call may take. By default each step has its own time: 30 s for an answer, and 30 s without a
    byte moving.
    """
    to: NotRequired[str | None]
    """The agent that it is for."""


class UploadedFile(TypedDict):
    """Result of `attachments.upload`."""

    attachment_id: str
    """What a message names it by."""
    sha256: str
    """Their SHA-256, in hexadecimal."""
    size: int
    """How many bytes went up."""


class UpstreamParams(TypedDict):
    """Parameters of a method that only asks AgentChat."""

    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class UpstreamUnavailableData(TypedDict):
    """-32002: no HTTP answer at all."""

    attempts: int
    """Attempts made."""
    outbox_id: NotRequired[str | None]
    """A send that goes on although the caller's time ran out."""
    reason: str
    """What went wrong."""
    retry_after_ms: int | None
    """When it makes sense to try again."""
    state: NotRequired[str | None]
    """Where that send stands."""

Verdict: TypeAlias = Literal["ok", "starting", "degraded", "parked", "down"]
"""The short answer.
- `ok`: Messages get through.
- `starting`: The daemon has just started.
- `degraded`: Something is away, slow or stuck; it mends itself or says what to do.
- `parked`: AgentChat refuses the key or the account, or there is no key.
- `down`: The daemon cannot do its work: storage refuses, or nothing moves.
"""


class VerifiedWebhook(TypedDict):
    """Result of `webhooks.verify`."""

    event: Any
    """The payload: `{event, timestamp, data}`, unchanged."""


class VerifyParams(TypedDict):
    """Parameters of `agents.verify` and `agents.recover_verify`."""

    code: str
    """The code from the mail."""
    idempotency_key: NotRequired[str | None]
    """Makes the call retryable: AgentChat runs it once for a key."""
    pending_id: str
    """What the first step answered."""
    save: NotRequired[bool | None]
    """Whether the daemon keeps the key and uses it."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""


class Version(TypedDict):
    """Result of `daemon.version`."""

    api: int
    """The version of this API."""
    features: list[str]
    """What this build can do beyond version 1 of the API."""
    name: str
    """Always `agentchatd`."""
    version: str
    """The program's version."""


class WebhookParams(TypedDict):
    """Parameters of a call about one webhook."""

    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""
    webhook_id: str
    """Which webhook."""


class WebhooksCreateParams(TypedDict):
    """Parameters of `webhooks.create`."""

    events: list[str]
    """Which types of events."""
    idempotency_key: NotRequired[str | None]
    """Makes the call retryable: AgentChat runs it once for a key."""
    timeout_ms: NotRequired[int | None]
    """How long the call may take; 30 s by default."""
    url: str
    """Where AgentChat is to post events."""


class WebhooksListResult(TypedDict):

    webhooks: NotRequired[list[PlatformWebhook]]


class WebhooksVerifyParams(TypedDict):
    """Parameters of `webhooks.verify`."""

    now: NotRequired[float | None]
    """The time that counts as now, in seconds since the epoch."""
    payload: NotRequired[str | None]
    """The body that was received, where it is text."""
    payload_base64: NotRequired[str | None]
    """The body that was received, in base64."""
    secret: str
    """The webhook's secret."""
    signature: NotRequired[str | None]
    """The value of `Agentchat-Signature` or `X-AgentChat-Signature`."""
    tolerance_seconds: NotRequired[int | None]
    """How far the signature's time may be from ours; 0 takes any."""
