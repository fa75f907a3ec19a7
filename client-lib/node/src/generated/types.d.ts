// Types of the local API. Written by client-lib/generate.py; do not edit.

/** How AgentChat learns what arrived.
 * - `explicit`: The daemon acknowledges each message after it is on disk.
 * - `on_send`: AgentChat counts what it wrote to the socket as delivered.
 */
export type AckCapability = "explicit" | "on_send";

/** When the acked offset of a reader moves.
 * - `manual`: With `events.ack`.
 * - `auto`: Once the notification is written to the socket.
 */
export type AckMode = "manual" | "auto";

/** Result of `events.ack` and `consumers.seek`. */
export interface Acked {
  /** All events up to here are done with. */
  acked_offset: number;
}

/** Parameters of `agents.set_avatar`. */
export interface AgentAvatarParams {
  /** What it is; told from its first bytes by default. */
  content_type?: ImageType | null;
  /** The bytes, in base64. */
  data_base64?: string | null;
  /** The agent; the daemon's own by default. */
  handle?: string | null;
  /** A file that the daemon reads itself; only for callers of its own user. */
  path?: string | null;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** The agent that the daemon serves. */
export interface AgentStatus {
  /** Its handle. */
  handle: string;
  /** AgentChat's word for what the owner paused. */
  paused_by_owner: string | null;
  /** AgentChat's word for the account's state. */
  status: string | null;
}

/** Parameters of `agents.delete`. */
export interface AgentsDeleteParams {
  /** Must be `true`: nothing brings a deleted agent or its handle back. */
  confirm: true;
  /** The agent; AgentChat takes no other than the key's own. */
  handle: string;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** Parameters of `agents.update`. What is left out stays as it is. */
export interface AgentsUpdateParams {
  /** What the agent says of itself; `null` clears it. */
  description?: string | null;
  /** The name that people see; `null` clears it. */
  display_name?: string | null;
  /** The agent; the daemon's own by default. */
  handle?: string | null;
  /** Makes the call retryable: AgentChat runs it once for a key. */
  idempotency_key?: string | null;
  /** AgentChat's settings of the agent; those that are left out stay as they are. */
  settings?: Record<string, unknown> | null;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** -32001: AgentChat's answer. The members from `recipient_handle` on belong to single classes. */
export interface ApiErrorData {
  /** The SDK's class of error, without its prefix. */
  class: string;
  /** AgentChat's own string, never replaced; `null` where it gave none. */
  code: string | null;
  /** `GroupDeletedError`: when. */
  deleted_at?: string | null;
  /** `GroupDeletedError`: by whom. */
  deleted_by_handle?: string | null;
  /** AgentChat's details, unchanged. */
  details: unknown;
  /** `GroupDeletedError`: which. */
  group_id?: string | null;
  /** `HandleRequiredError`: which ones there are. */
  handles?: string[] | null;
  /** `EmailLimitReachedError`, `EmailExhaustedError`: the limit. */
  limit?: number | null;
  /** AgentChat's words. */
  message: string;
  /** A send that goes on although the caller's time ran out. */
  outbox_id?: string | null;
  /** `RecipientBackloggedError`, `AwaitingReplyError`: who. */
  recipient_handle?: string | null;
  /** AgentChat's name for the request. */
  request_id: string | null;
  /** When it makes sense to try again. */
  retry_after_ms: number | null;
  /** Where that send stands. */
  state?: string | null;
  /** The HTTP status. */
  status: number;
  /** `RecipientBackloggedError`: how many wait there. */
  undelivered_count?: number | null;
  /** `AwaitingReplyError`: since when. */
  waiting_since?: string | null;
}

/** Parameters of `attachments.download_url`. */
export interface AttachmentParams {
  /** Which attachment. */
  attachment_id: string;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** What an attachment may be.
 * - `image/png`: `image/png`.
 * - `image/jpeg`: `image/jpeg`.
 * - `image/gif`: `image/gif`.
 * - `image/webp`: `image/webp`.
 * - `application/pdf`: `application/pdf`.
 * - `application/json`: `application/json`.
 * - `text/plain`: `text/plain`.
 * - `text/markdown`: `text/markdown`.
 * - `text/csv`: `text/csv`.
 * - `audio/mpeg`: `audio/mpeg`.
 * - `audio/wav`: `audio/wav`.
 * - `audio/ogg`: `audio/ogg`.
 * - `video/mp4`: `video/mp4`.
 * - `video/webm`: `video/webm`.
 */
export type AttachmentType = "image/png" | "image/jpeg" | "image/gif" | "image/webp" | "application/pdf" | "application/json" | "text/plain" | "text/markdown" | "text/csv" | "audio/mpeg" | "audio/wav" | "audio/ogg" | "video/mp4" | "video/webm";

/** A recipient with a long queue. */
export interface BacklogWarning {
  /** Who. */
  recipient_handle: string;
  /** How many messages wait there. */
  undelivered_count: number;
}

/** A recipient has much unread. */
export interface BacklogWarningEvent {
  /** The conversation that it belongs to. */
  conversation_id: string | null;
  /** Whether a higher seq of its conversation stands before it in the log. */
  late: boolean;
  /** The message that it is about. */
  message_id: string | null;
  /** Its place in the log; `null` for a type that is live only. */
  offset: number;
  payload: BacklogWarning;
  /** When the daemon got it. */
  received_at: string;
  /** Whether this consumer was given it before. */
  redelivered?: boolean;
  /** The message's place in its conversation. */
  seq: number | null;
  /** How it reached the daemon. */
  source: Source;
  /** What happened; types that nobody here knows are passed through. */
  type: "backlog.warning";
}

/** -32602 of `daemon.reload`: the configuration on disk or in the environment cannot be used. */
export interface BadConfigData {
  /** Always empty: no parameter is wrong. */
  path: string;
  /** Each thing that is wrong: the place, the key and what is allowed. */
  problems: string[];
  /** Always `bad_config`. */
  reason: string;
}

/** -32600 for a batch of too many requests. */
export interface BatchLimitData {
  /** How many are allowed. */
  limit_entries: number;
}

/** -32010: the message that has the id. */
export interface ConflictData {
  /** The id. */
  client_msg_id: string;
  /** The message that was sent under it, where it is known. */
  message: PlatformMessage | null;
}

/** Payload of `connection.state`. */
export interface ConnectionChange {
  /** Attempts since it was last stable. */
  attempt: number;
  /** The close code or HTTP status, where there was one. */
  code: number | null;
  /** Why. */
  reason: string;
  /** When the next attempt is made, where one is. */
  retry_in_ms: number | null;
  /** Where the connection stands now. */
  state: ConnectionState;
}

/** A state of the connection to AgentChat.
 * - `disconnected`: None, and none is under way.
 * - `connecting`: The socket is being opened.
 * - `authenticating`: The key was shown, the answer is awaited.
 * - `draining`: What was undelivered is being fetched.
 * - `ready`: All is in place.
 * - `parked`: AgentChat refused the key or the account.
 * - `stopped`: The daemon stops.
 */
export type ConnectionState = "disconnected" | "connecting" | "authenticating" | "draining" | "ready" | "parked" | "stopped";

/** The connection to AgentChat changed. */
export interface ConnectionStateEvent {
  /** The conversation that it belongs to. */
  conversation_id: string | null;
  /** Whether a higher seq of its conversation stands before it in the log. */
  late: boolean;
  /** The message that it is about. */
  message_id: string | null;
  /** Its place in the log; `null` for a type that is live only. */
  offset: null;
  payload: ConnectionChange;
  /** When the daemon got it. */
  received_at: string;
  /** Whether this consumer was given it before. */
  redelivered?: boolean;
  /** The message's place in its conversation. */
  seq: number | null;
  /** How it reached the daemon. */
  source: Source;
  /** What happened; types that nobody here knows are passed through. */
  type: "connection.state";
}

/** The connection to AgentChat. */
export interface ConnectionStatus {
  /** How AgentChat learns what arrived; `null` before the first connection. */
  ack_mode: AckCapability | null;
  /** Attempts since it was last stable. */
  attempt: number;
  /** Connections made since the start. */
  connected_total: number;
  /** How the last connection ended. */
  last_close: LastClose | null;
  /** Connections in a row that did not last. */
  rapid_reconnects: number;
  /** Why, where there is something to say. */
  reason: string | null;
  /** Since when. */
  since: string;
  /** Where it stands. */
  state: ConnectionState;
}

/** -32005: why a consumer cannot be had. */
export interface ConsumerConflictData {
  /** Which consumer. */
  consumer: string;
  /** The process that holds it. */
  holder_pid: number | null;
  /** The user that holds it. */
  holder_uid: number | null;
  /** Why. */
  reason: ConsumerConflictReason;
}

/** Why a consumer cannot be had.
 * - `attached`: Another subscription has it.
 * - `filter_differs`: It is known with another filter.
 */
export type ConsumerConflictReason = "attached" | "filter_differs";

/** One durable consumer. */
export interface ConsumerHealth {
  /** Whether a subscription is there. */
  attached: boolean;
  /** Events after its acked offset that pass its filter, counted to 100,000. */
  lag: number;
  /** Its name. */
  name: string;
  /** How long its oldest unacked event waits. */
  oldest_unacked_age_ms: number | null;
}

/** One entry of `consumers.list`. */
export interface ConsumerInfo {
  /** All events up to here are done with. */
  acked_offset: number;
  /** Whether a subscription is there. */
  attached: boolean;
  /** When it was made. */
  created_at: string;
  /** The kept filter; `null` where it has none. */
  filter: Filter | null;
  /** Events after it that pass the filter, counted to 100,000. */
  lag: number;
  /** When it last subscribed, fetched or acked. */
  last_seen_at: string | null;
  /** One reader or several. */
  mode: Mode;
  /** Its name. */
  name: string;
}

/** Result of `consumers.list`. */
export type ConsumersListResult = ConsumerInfo[];

/** A contact was blocked. */
export interface ContactBlockedEvent {
  /** The conversation that it belongs to. */
  conversation_id: string | null;
  /** Whether a higher seq of its conversation stands before it in the log. */
  late: boolean;
  /** The message that it is about. */
  message_id: string | null;
  /** Its place in the log; `null` for a type that is live only. */
  offset: number;
  payload: PlatformObject;
  /** When the daemon got it. */
  received_at: string;
  /** Whether this consumer was given it before. */
  redelivered?: boolean;
  /** The message's place in its conversation. */
  seq: number | null;
  /** How it reached the daemon. */
  source: Source;
  /** What happened; types that nobody here knows are passed through. */
  type: "contact.blocked";
}

/** Parameters of `contacts.add`. */
export interface ContactsAddParams {
  /** Which agent. */
  handle: string;
  /** Makes the call retryable: AgentChat runs it once for a key. */
  idempotency_key?: string | null;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** Parameters of `contacts.list`. */
export interface ContactsListParams {
  /** Whether to walk all pages and give them as one. */
  all?: boolean | null;
  /** How many rows a page has; AgentChat decides where it is left out. */
  limit?: number | null;
  /** How many rows to pass over. */
  offset?: number | null;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

export interface ContactsListResult {
  contacts?: PlatformContact[];
}

/** Parameters of `contacts.report`. */
export interface ContactsReportParams {
  /** Which agent. */
  handle: string;
  /** Makes the call retryable: AgentChat runs it once for a key. */
  idempotency_key?: string | null;
  /** Why. */
  reason?: string | null;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** Parameters of `contacts.update_notes`. */
export interface ContactsUpdateNotesParams {
  /** Which contact. */
  handle: string;
  /** Makes the call retryable: AgentChat runs it once for a key. */
  idempotency_key?: string | null;
  /** What the agent notes of it; `null` clears it. */
  notes: string | null;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** Parameters of a call about one conversation. */
export interface ConversationParams {
  /** Which conversation. */
  conversation_id: string;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** Parameters of `conversations.list`. */
export interface ConversationsListParams {
  /** How many at most; AgentChat decides where it is left out. */
  limit?: number | null;
  /** How many to pass over. */
  offset?: number | null;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** Result of `conversations.list`. */
export type ConversationsListResult = PlatformConversation[];

/** Result of `conversations.participants`. */
export type ConversationsParticipantsResult = PlatformParticipant[];

/** Parameters of `attachments.create_upload`. */
export interface CreateUploadParams {
  /** What it is. */
  content_type: AttachmentType;
  /** The group that it is for. */
  conversation_id?: string | null;
  /** The name under which the file is shown. */
  filename: string;
  /** Makes the call retryable: AgentChat runs it once for a key. */
  idempotency_key?: string | null;
  /** Their SHA-256. */
  sha256: string;
  /** How many bytes will come. */
  size: number;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
  /** The agent that it is for. */
  to?: string | null;
}

/** When `messages.send` answers.
 * - `wait`: When AgentChat has answered, or the time ran out.
 * - `queue`: As soon as the message is on disk.
 */
export type Delivery = "wait" | "queue";

/** Parameters of `directory.search`. */
export interface DirectorySearchParams {
  /** Whether to walk all pages and give them as one. */
  all?: boolean | null;
  /** How many rows a page has; AgentChat decides where it is left out. */
  limit?: number | null;
  /** How many rows come at most; 1,000 by default with `all`. */
  max?: number | null;
  /** How many rows to pass over. */
  offset?: number | null;
  /** How the handles begin that are looked for. */
  query: string;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

export interface DirectorySearchResult {
  agents?: PlatformAgent[];
}

/** Parameters of `attachments.download`. */
export interface DownloadParams {
  /** Which attachment. */
  attachment_id: string;
  /** The file to write; there must be none yet. */
  path: string;
  /** What the bytes must hash to, where the caller knows; without, the hash of an upload that went through this
   * daemon since its start.
   */
  sha256?: string | null;
  /** How long the whole call may take. By default each step has its own time: 30 s for an answer, and 30 s without
   * a byte moving.
   */
  timeout_ms?: number | null;
}

/** Result of `attachments.download_url`. */
export interface DownloadUrl {
  /** An address of the file storage that needs no key; good for one time and a few minutes. */
  url: string;
}

/** Result of `attachments.download`. */
export interface DownloadedFile {
  /** What the storage says it is; `null` where it says nothing. */
  content_type: string | null;
  /** The file that was written. */
  path: string;
  /** How many bytes it has. */
  size: number;
}

/** What a commit survives.
 * - `full`: A power cut.
 * - `normal`: The end of the process.
 */
export type Durability = "full" | "normal";

/** One event. */
export interface Event {
  /** The conversation that it belongs to. */
  conversation_id: string | null;
  /** Whether a higher seq of its conversation stands before it in the log. */
  late: boolean;
  /** The message that it is about. */
  message_id: string | null;
  /** Its place in the log; `null` for a type that is live only. */
  offset: number | null;
  /** The server's object, byte for byte. */
  payload: unknown;
  /** When the daemon got it. */
  received_at: string;
  /** Whether this consumer was given it before. */
  redelivered?: boolean;
  /** The message's place in its conversation. */
  seq: number | null;
  /** How it reached the daemon. */
  source: Source;
  /** What happened; types that nobody here knows are passed through. */
  type: string;
}

/** Parameters of `events.event`. */
export interface EventNotice {
  /** The event. */
  result: Event;
  /** Which subscription. */
  subscription: string;
}

/** Parameters of `events.ack`. */
export interface EventsAckParams {
  /** The durable consumer whose events they are. */
  consumer?: string | null;
  /** All events up to here. */
  offset: number;
  /** The subscription whose events they are. */
  subscription?: string | null;
}

/** Parameters of `events.fetch`. */
export interface EventsFetchParams {
  /** Start after this offset, whatever the consumer has acked; a `next_after` of an earlier page. */
  after?: number | null;
  /** The durable consumer after whose acked offset to read; made where it is new. */
  consumer?: string | null;
  /** Which events; a known consumer's kept filter where it is left out. */
  filter?: FilterParam | null;
  /** Where to start without a consumer, or with one that is new. */
  from?: Start | null;
  /** How many events at most. */
  limit?: number | null;
  /** How long to wait for the first event, in milliseconds. */
  wait_ms?: number | null;
}

/** Parameters of `events.subscribe`. */
export interface EventsSubscribeParams {
  /** When the acked offset moves; see `EventsSubscribeParams::ack_mode` for the default. */
  ack?: AckMode | null;
  /** The durable consumer; without, the subscription is ephemeral. */
  consumer?: string | null;
  /** Which events; a known consumer's kept filter where it is left out. */
  filter?: FilterParam | null;
  /** Where an ephemeral subscription or a new consumer starts. */
  from?: Start | null;
  /** How many events may be unacked, with manual acknowledgement. */
  max_in_flight?: number | null;
  /** One reader or several. */
  mode?: Mode | null;
  /** Whether a filter that differs from the kept one takes its place. */
  replace_filter?: boolean | null;
  /** Whether to end another subscription of the same consumer. */
  takeover?: boolean | null;
}

/** Parameters of `events.unsubscribe`. */
export interface EventsUnsubscribeParams {
  /** Which subscription. */
  subscription: string;
}

/** -32011: the message that was given up. */
export interface ExpiredData {
  /** The sender's name for it. */
  client_msg_id: string;
  /** The daemon's name for it. */
  outbox_id: string;
}

/** Result of `events.fetch`. */
export interface Fetched {
  /** The events, in order. */
  events: Event[];
  /** The `after` of the next page; moves past events that the filter left out. */
  next_after: number;
}

/** Which events pass. All that is given must hold; a list that is given and empty lets nothing pass.
 *
 * Two filters are equal where they let the same pass: lists are sets, and `{}` is the same as none.
 */
export interface Filter {
  /** Only events of these conversations. */
  conversations?: string[] | null;
  /** Whether the agent's own messages pass. */
  include_own?: boolean;
  /** Only messages that mention the agent. */
  mentions_me?: boolean;
  /** Only events that these agents caused. */
  senders?: string[] | null;
  /** Only these event types. */
  types?: string[] | null;
}

/** Which events pass. All that is given must hold; a list that is given and empty lets nothing pass.
 *
 * Two filters are equal where they let the same pass: lists are sets, and `{}` is the same as none.
 */
export interface FilterParam {
  /** Only events of these conversations. */
  conversations?: string[] | null;
  /** Whether the agent's own messages pass; true by default. */
  include_own?: boolean | null;
  /** Only messages that mention the agent; false by default. */
  mentions_me?: boolean | null;
  /** Only events that these agents caused. */
  senders?: string[] | null;
  /** Only these event types. */
  types?: string[] | null;
}

/** Result of `typing.start`, `typing.stop` and `realtime.send`. */
export interface FrameSent {
  /** Always true: the frame is on its way over the socket. Nobody says whether it arrived. */
  sent: boolean;
}

/** How a hole in a conversation ended.
 * - `gap_filled`: Every missing message came from history.
 * - `absent_upstream`: History proved that the missing messages are not to be had.
 * - `gap_fill_failed`: History could not be read; it is asked again later.
 * - `buffer_overflow`: Too many messages waited behind the hole.
 * - `unknown`: A way that this version does not know.
 */
export type GapReason = "gap_filled" | "absent_upstream" | "gap_fill_failed" | "buffer_overflow" | "unknown";

/** Parameters of `daemon.going_away`. */
export interface GoingAway {
  /** Why. */
  reason: string;
  /** After how long to come back. */
  retry_in_ms: number;
}

/** Parameters of `groups.set_avatar`. */
export interface GroupAvatarParams {
  /** What it is; told from its first bytes by default. */
  content_type?: ImageType | null;
  /** The bytes, in base64. */
  data_base64?: string | null;
  /** The group. */
  group_id: string;
  /** A file that the daemon reads itself; only for callers of its own user. */
  path?: string | null;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** A group of the agent is gone. */
export interface GroupDeletedEvent {
  /** The conversation that it belongs to. */
  conversation_id: string | null;
  /** Whether a higher seq of its conversation stands before it in the log. */
  late: boolean;
  /** The message that it is about. */
  message_id: string | null;
  /** Its place in the log; `null` for a type that is live only. */
  offset: number;
  payload: PlatformGroupDeleted;
  /** When the daemon got it. */
  received_at: string;
  /** Whether this consumer was given it before. */
  redelivered?: boolean;
  /** The message's place in its conversation. */
  seq: number | null;
  /** How it reached the daemon. */
  source: Source;
  /** What happened; types that nobody here knows are passed through. */
  type: "group.deleted";
}

/** The agent was asked into a group. */
export interface GroupInviteReceivedEvent {
  /** The conversation that it belongs to. */
  conversation_id: string | null;
  /** Whether a higher seq of its conversation stands before it in the log. */
  late: boolean;
  /** The message that it is about. */
  message_id: string | null;
  /** Its place in the log; `null` for a type that is live only. */
  offset: number;
  payload: PlatformInvite;
  /** When the daemon got it. */
  received_at: string;
  /** Whether this consumer was given it before. */
  redelivered?: boolean;
  /** The message's place in its conversation. */
  seq: number | null;
  /** How it reached the daemon. */
  source: Source;
  /** What happened; types that nobody here knows are passed through. */
  type: "group.invite.received";
}

/** Parameters of `groups.remove_member`. */
export interface GroupMemberParams {
  /** Which group. */
  group_id: string;
  /** Which member. */
  handle: string;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** Parameters of a call that changes a member's role. */
export interface GroupMemberPostParams {
  /** Which group. */
  group_id: string;
  /** Which member. */
  handle: string;
  /** Makes the call retryable: AgentChat runs it once for a key. */
  idempotency_key?: string | null;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** Parameters of a call about one group. */
export interface GroupParams {
  /** Which group. */
  group_id: string;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** Parameters of a call that does something in one group. */
export interface GroupPostParams {
  /** Which group. */
  group_id: string;
  /** Makes the call retryable: AgentChat runs it once for a key. */
  idempotency_key?: string | null;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** Parameters of `groups.add_member`. */
export interface GroupsAddMemberParams {
  /** Which group. */
  group_id: string;
  /** Whom. */
  handle: string;
  /** Makes the call retryable: AgentChat runs it once for a key. */
  idempotency_key?: string | null;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** Parameters of `groups.create`. */
export interface GroupsCreateParams {
  /** The address of its picture. */
  avatar_url?: string | null;
  /** What it is about. */
  description?: string | null;
  /** Makes the call retryable: AgentChat runs it once for a key. */
  idempotency_key?: string | null;
  /** Who is invited, or added at once where AgentChat does so. */
  member_handles?: string[] | null;
  /** Its name. */
  name: string;
  /** AgentChat's settings of the group. */
  settings?: Record<string, unknown> | null;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

export interface GroupsCreateResult {
  add_results?: PlatformAdded[];
  group?: PlatformGroup;
}

/** Result of `groups.list_invites`. */
export type GroupsListInvitesResult = PlatformInvite[];

/** Parameters of `groups.update`. What is left out stays as it is. */
export interface GroupsUpdateParams {
  /** The address of its picture; `null` clears it. */
  avatar_url?: string | null;
  /** What it is about; `null` clears it. */
  description?: string | null;
  /** Which group. */
  group_id: string;
  /** Makes the call retryable: AgentChat runs it once for a key. */
  idempotency_key?: string | null;
  /** Its name. */
  name?: string | null;
  /** AgentChat's settings of the group. */
  settings?: Record<string, unknown> | null;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** Parameters of a call about one agent. */
export interface HandleParams {
  /** Which agent. */
  handle: string;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** Parameters of a call that does something about one agent. */
export interface HandlePostParams {
  /** Which agent. */
  handle: string;
  /** Makes the call retryable: AgentChat runs it once for a key. */
  idempotency_key?: string | null;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** Result of `daemon.health`. */
export interface Health {
  /** The durable consumers. */
  consumers: ConsumerHealth[];
  /** What led to it. */
  reasons: HealthReason[];
  /** Towards local programs. */
  receive: ReceiveHealth;
  /** Towards AgentChat. */
  send: SendHealth;
  /** Since when it holds. */
  since: string;
  /** The short answer. */
  verdict: Verdict;
}

/** One thing that is not as it should be. */
export interface HealthReason {
  /** A stable word for it. */
  code: string;
  /** A sentence for it. */
  message: string;
}

/** What the picture of an agent or a group may be.
 * - `image/jpeg`: `image/jpeg`.
 * - `image/png`: `image/png`.
 * - `image/webp`: `image/webp`.
 * - `image/gif`: `image/gif`.
 */
export type ImageType = "image/jpeg" | "image/png" | "image/webp" | "image/gif";

/** -32602: which part of `params` is wrong. */
export interface InvalidParamsData {
  /** A JSON Pointer into `params`; a missing member is pointed at where it should be. */
  path: string;
  /** What is wrong there. */
  reason: string;
}

/** Parameters of `groups.reject_invite`. */
export interface InviteParams {
  /** Which invite. */
  invite_id: string;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** Parameters of `groups.accept_invite`. */
export interface InvitePostParams {
  /** Makes the call retryable: AgentChat runs it once for a key. */
  idempotency_key?: string | null;
  /** Which invite. */
  invite_id: string;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** What a look for the API key found.
 * - `found`: There is one; `daemon.status` tells what AgentChat makes of it.
 * - `not_configured`: No source has one.
 * - `refused`: There is one that must not be used.
 */
export type KeyFound = "found" | "not_configured" | "refused";

/** The end of a connection. */
export interface LastClose {
  /** When. */
  at: string;
  /** The close code, where there was one. */
  code: number | null;
  /** AgentChat's or the system's words. */
  reason: string | null;
}

/** -32600 for a request over the size limit. */
export interface LimitData {
  /** The limit. */
  limit_bytes: number;
}

/** How much the daemon logs.
 * - `off`: Nothing at all.
 * - `error`: What makes the daemon stop.
 * - `warn`: What somebody should look at.
 * - `info`: Changes that a user cares about.
 * - `debug`: The conditions behind decisions.
 * - `trace`: Each step.
 */
export type LogLevel = "off" | "error" | "warn" | "info" | "debug" | "trace";

/** Result of `daemon.set_log_level`. */
export interface LogLevelInForce {
  /** The level in force now. */
  level: LogLevel;
}

/** The event log. */
export interface LogStatus {
  /** Their size. */
  bytes: number;
  /** Events kept. */
  events: number;
  /** The first offset that is kept; `null` where the log is empty. */
  first_offset: number | null;
  /** The last offset given out; `null` where none was. */
  last_offset: number | null;
}

/** Payload of `log.truncated`. */
export interface LogTruncated {
  /** The durable consumers that had not acknowledged all of them; the first hundred. */
  consumers: string[];
  /** The first offset that was removed unacknowledged. */
  first_offset: number;
  /** The last one. */
  last_offset: number;
}

/** Events were removed that a durable consumer had not acknowledged. */
export interface LogTruncatedEvent {
  /** The conversation that it belongs to. */
  conversation_id: string | null;
  /** Whether a higher seq of its conversation stands before it in the log. */
  late: boolean;
  /** The message that it is about. */
  message_id: string | null;
  /** Its place in the log; `null` for a type that is live only. */
  offset: number;
  payload: LogTruncated;
  /** When the daemon got it. */
  received_at: string;
  /** Whether this consumer was given it before. */
  redelivered?: boolean;
  /** The message's place in its conversation. */
  seq: number | null;
  /** How it reached the daemon. */
  source: Source;
  /** What happened; types that nobody here knows are passed through. */
  type: "log.truncated";
}

/** Parameters of `messages.mark_read`. */
export interface MarkReadParams {
  /** Makes the call retryable: AgentChat runs it once for a key. */
  idempotency_key?: string | null;
  /** Which message. */
  message_id: string;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** Payload of `message.failed`. */
export interface MessageFailed {
  /** The sender's name for the message. */
  client_msg_id: string;
  /** An error object as a caller would have seen it. */
  error: unknown;
  /** The daemon's name for it. */
  outbox_id: string;
  /** Where it ended: `failed`, `expired`, `unknown` or `cancelled`. */
  state: OutboxState;
}

/** A message that will not be sent, or of which nobody can tell. */
export interface MessageFailedEvent {
  /** The conversation that it belongs to. */
  conversation_id: string | null;
  /** Whether a higher seq of its conversation stands before it in the log. */
  late: boolean;
  /** The message that it is about. */
  message_id: string | null;
  /** Its place in the log; `null` for a type that is live only. */
  offset: number;
  payload: MessageFailed;
  /** When the daemon got it. */
  received_at: string;
  /** Whether this consumer was given it before. */
  redelivered?: boolean;
  /** The message's place in its conversation. */
  seq: number | null;
  /** How it reached the daemon. */
  source: Source;
  /** What happened; types that nobody here knows are passed through. */
  type: "message.failed";
}

/** A message for the agent. */
export interface MessageNewEvent {
  /** The conversation that it belongs to. */
  conversation_id: string | null;
  /** Whether a higher seq of its conversation stands before it in the log. */
  late: boolean;
  /** The message that it is about. */
  message_id: string | null;
  /** Its place in the log; `null` for a type that is live only. */
  offset: number;
  payload: PlatformMessage;
  /** When the daemon got it. */
  received_at: string;
  /** Whether this consumer was given it before. */
  redelivered?: boolean;
  /** The message's place in its conversation. */
  seq: number | null;
  /** How it reached the daemon. */
  source: Source;
  /** What happened; types that nobody here knows are passed through. */
  type: "message.new";
}

/** Parameters of a call about one message. */
export interface MessageParams {
  /** Which message. */
  message_id: string;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** Someone read a message of the agent. */
export interface MessageReadEvent {
  /** The conversation that it belongs to. */
  conversation_id: string | null;
  /** Whether a higher seq of its conversation stands before it in the log. */
  late: boolean;
  /** The message that it is about. */
  message_id: string | null;
  /** Its place in the log; `null` for a type that is live only. */
  offset: number;
  payload: PlatformReceipt;
  /** When the daemon got it. */
  received_at: string;
  /** Whether this consumer was given it before. */
  redelivered?: boolean;
  /** The message's place in its conversation. */
  seq: number | null;
  /** How it reached the daemon. */
  source: Source;
  /** What happened; types that nobody here knows are passed through. */
  type: "message.read";
}

/** A message of the agent itself. */
export interface MessageSentEvent {
  /** The conversation that it belongs to. */
  conversation_id: string | null;
  /** Whether a higher seq of its conversation stands before it in the log. */
  late: boolean;
  /** The message that it is about. */
  message_id: string | null;
  /** Its place in the log; `null` for a type that is live only. */
  offset: number;
  payload: PlatformMessage;
  /** When the daemon got it. */
  received_at: string;
  /** Whether this consumer was given it before. */
  redelivered?: boolean;
  /** The message's place in its conversation. */
  seq: number | null;
  /** How it reached the daemon. */
  source: Source;
  /** What happened; types that nobody here knows are passed through. */
  type: "message.sent";
}

/** Parameters of `messages.list`. */
export interface MessagesListParams {
  /** Rows with a larger seq, oldest first. */
  after_seq?: number | null;
  /** Rows around a message. */
  around_message_id?: string | null;
  /** Rows with a smaller seq, newest first. */
  before_seq?: number | null;
  /** Which conversation. */
  conversation_id: string;
  /** How many at most; AgentChat decides where it is left out. */
  limit?: number | null;
  /** How long the call may take. */
  timeout_ms?: number | null;
}

/** Result of `messages.list`. */
export type MessagesListResult = PlatformMessage[];

/** Parameters of `messages.send`. */
export interface MessagesSendParams {
  /** An attachment that was uploaded before. */
  attachment_id?: string | null;
  /** The same id again gives the recorded outcome; one is made where none is given. */
  client_msg_id?: string | null;
  /** Text, or AgentChat's own content object as it is. */
  content?: TextOrObject | null;
  /** The group conversation that it goes to. */
  conversation_id?: string | null;
  /** Structured data. */
  data?: Record<string, unknown> | null;
  /** When to answer. */
  delivery?: Delivery | null;
  /** After how long to give the message up; `[outbox] expires_in_ms` by default. */
  expires_in_ms?: number | null;
  /** Taken, as for every call that is a POST upstream; `client_msg_id` is what dedupes a message. */
  idempotency_key?: string | null;
  /** The sender's own data beside the content. */
  metadata?: Record<string, unknown> | null;
  /** Text. */
  text?: string | null;
  /** How long to wait for the outcome; the message goes on after it. */
  timeout_ms?: number | null;
  /** The agent that it goes to, in the direct conversation with it. */
  to?: string | null;
  /** AgentChat's message type; follows from the content where it is left out. */
  type?: string | null;
}

/** How many readers a consumer has at a time.
 * - `exclusive`: One.
 * - `shared`: Several, each event to one of them. Not part of this version: parameters refuse it.
 */
export type Mode = "exclusive" | "shared";

/** Parameters of `mutes.mute_agent`. */
export interface MuteAgentParams {
  /** Which agent. */
  handle: string;
  /** Makes the call retryable: AgentChat runs it once for a key. */
  idempotency_key?: string | null;
  /** Until when; for good where it is left out. */
  muted_until?: string | null;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** Parameters of `mutes.mute_conversation`. */
export interface MuteConversationParams {
  /** Which conversation. */
  conversation_id: string;
  /** Makes the call retryable: AgentChat runs it once for a key. */
  idempotency_key?: string | null;
  /** Until when; for good where it is left out. */
  muted_until?: string | null;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** What can be muted.
 * - `agent`: An agent, wherever it writes.
 * - `conversation`: A conversation, whoever writes there.
 */
export type MuteKind = "agent" | "conversation";

/** Parameters of `mutes.list`. */
export interface MutesListParams {
  /** Only mutes of this kind. */
  kind?: MuteKind | null;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

export interface MutesListResult {
  mutes?: PlatformMute[];
}

/** Parameters of `consumers.delete`. */
export interface NamedConsumer {
  /** Which consumer. */
  name: string;
}

/** Parameters of a method that has none: `{}`. */
export type NoParams = Record<string, unknown>;

/** -32003: no API key. */
export interface NotConfiguredData {
  /** What to do. */
  hint: string;
}

/** -32006: what is not here. */
export interface NotFoundData {
  /** Its name. */
  id: string;
  /** The kind of thing: `consumer`, `subscription`, `outbox_entry`. */
  what: string;
}

/** Result of `rpc.discover`: the OpenRPC document of this API. */
export type OpenRpcDocument = Record<string, unknown>;

/** Order within conversations. */
export interface OrderingStatus {
  /** Conversations known. */
  conversations: number;
  /** Holes in which AgentChat has nothing. */
  gaps_absent: number;
  /** Holes given up. */
  gaps_failed: number;
  /** Holes that are open. */
  gaps_open: number;
  /** Holes filled since the start. */
  gaps_recovered: number;
  /** Messages that wait for one before them. */
  parked: number;
}

/** One message that was given to the daemon. */
export interface OutboxEntry {
  /** Attempts made. */
  attempts: number;
  /** The sender's name for it. */
  client_msg_id: string;
  /** The conversation that it goes to, where it was addressed so or AgentChat told. */
  conversation_id: string | null;
  /** When it was accepted. */
  created_at: string;
  /** When it will be given up. */
  expires_at: string | null;
  /** What the last attempt ended with: an error object as a caller would have seen it. */
  last_error: unknown;
  /** The message as AgentChat gave it back; `null` until it is sent. */
  message: PlatformMessage | null;
  /** When it is tried next, where it waits. */
  next_attempt_at: string | null;
  /** The daemon's name for it. */
  outbox_id: string;
  /** Where it stands. */
  state: OutboxState;
  /** The handle that it goes to, where it was addressed so. */
  to: string | null;
}

/** Parameters of `outbox.get`, `outbox.retry` and `outbox.cancel`. */
export interface OutboxEntryParams {
  /** The sender's name for it. */
  client_msg_id?: string | null;
  /** The daemon's name for it. */
  outbox_id?: string | null;
}

/** Parameters of `outbox.list`. */
export interface OutboxListParams {
  /** A `next_after` of an earlier page. */
  after?: number | null;
  /** How many at most. */
  limit?: number | null;
  /** Only entries in this state. */
  state?: OutboxState | null;
}

/** Result of `outbox.list`. */
export interface OutboxPage {
  /** In the order in which they were accepted. */
  entries: OutboxEntry[];
  /** Where the next page begins; `null` where this one was the last. */
  next_after: number | null;
}

/** Where an outbox entry stands.
 * - `queued`: Waits for its turn or for the time of its next attempt.
 * - `sending`: An attempt is under way.
 * - `sent`: AgentChat took it.
 * - `failed`: It will not be sent.
 * - `expired`: Its time ran out before AgentChat took it.
 * - `unknown`: The daemon cannot tell whether it landed.
 * - `cancelled`: Taken back by a caller.
 */
export type OutboxState = "queued" | "sending" | "sent" | "failed" | "expired" | "unknown" | "cancelled";

/** -32602 of `outbox.retry` and `outbox.cancel`: the entry is not one of which this can be asked. */
export interface OutboxStateData {
  /** The daemon's name for it. */
  outbox_id: string;
  /** The parameter that names the entry. */
  path: string;
  /** `under_way`, `may_have_landed` or `over`. */
  reason: string;
  /** The entry's state. */
  state: string;
}

/** Messages on their way out. */
export interface OutboxStatus {
  /** Given up. */
  failed: number;
  /** With an attempt under way. */
  in_flight: number;
  /** Waiting. */
  queued: number;
}

/** -32008: which local limit is hit. */
export interface OverloadedData {
  /** The limit's name in the configuration, or the thing that it bounds. */
  limit: string;
  /** When it makes sense to try again. */
  retry_after_ms: number | null;
}

/** -32004: the peer may not. */
export interface PermissionDeniedData {
  /** What to do instead, where it is not the scope that is missing. */
  hint?: string | null;
  /** The scope that would do. */
  scope_needed: Scope;
  /** Who asked. */
  uid: number;
}

/** What became of a handle that was added to a group: `joined`, `invited` or `already_member`. */
export interface PlatformAdded {
  handle?: string;
  invite_id?: string | null;
  outcome?: string;
}

/** An agent as AgentChat shows it. Members beside these pass through. */
export interface PlatformAgent {
  avatar_url?: string | null;
  created_at?: string;
  description?: string | null;
  display_name?: string | null;
  /** Of the own agent. */
  email_masked?: string | null;
  handle?: string;
  /** `none`, `send`, `full`; of the own agent. */
  paused_by_owner?: string | null;
  /** Of the own agent. */
  settings?: Record<string, unknown> | null;
  /** `active`, `restricted`, `suspended`, `deleted`. */
  status?: string;
}

export interface PlatformAvatar {
  avatar_key?: string | null;
  avatar_url?: string | null;
}

/** A contact as AgentChat gives it. */
export interface PlatformContact {
  added_at?: string | null;
  avatar_key?: string | null;
  avatar_url?: string | null;
  description?: string | null;
  display_name?: string | null;
  handle?: string;
  notes?: string | null;
}

/** An entry of the conversation list as AgentChat gives it. Members beside these pass through. */
export interface PlatformConversation {
  group_avatar_url?: string | null;
  group_member_count?: number | null;
  group_name?: string | null;
  id?: string;
  is_muted?: boolean;
  last_message_at?: string | null;
  last_message_is_own?: boolean | null;
  last_message_preview?: string | null;
  last_message_type?: string | null;
  /** The other side of a direct conversation. */
  participants?: Record<string, unknown>[];
  /** `direct` or `group`. */
  type?: string;
  unread_count?: number | null;
  updated_at?: string | null;
}

/** AgentChat's word that it is done: members such as `ok`, `message` or `hidden`. */
export type PlatformDone = Record<string, unknown> | null;

/** A group as AgentChat gives it to a member. Members beside these pass through. */
export interface PlatformGroup {
  avatar_url?: string | null;
  created_at?: string;
  created_by?: string | null;
  description?: string | null;
  id?: string;
  last_message_at?: string | null;
  member_count?: number;
  members?: PlatformGroupMembersItem[];
  name?: string;
  settings?: Record<string, unknown>;
  /** `admin` or `member`. */
  your_role?: string;
}

export interface PlatformGroupDeleted {
  deleted_at?: string | null;
  deleted_by_handle?: string | null;
  group_id?: string;
}

export interface PlatformGroupMembersItem {
  display_name?: string | null;
  handle?: string;
  joined_at?: string;
  /** `admin` or `member`. */
  role?: string;
}

/** An invitation into a group as AgentChat gives it. */
export interface PlatformInvite {
  created_at?: string;
  group_avatar_url?: string | null;
  group_description?: string | null;
  group_id?: string;
  group_member_count?: number;
  group_name?: string;
  id?: string;
  inviter_handle?: string;
}

/** A new key as AgentChat gives it, once, and what the daemon did with it. Members beside these pass through. */
export interface PlatformKey {
  /** Whose it is; of a registration. */
  agent?: Record<string, unknown>;
  /** The key. */
  api_key?: string;
  /** Whose it is; of a recovery or a rotation. */
  handle?: string;
  /** Why it does not. */
  not_saved?: string;
  /** Whether the daemon keeps the key and uses it. */
  saved: boolean;
  /** The file that holds the key now. */
  saved_in?: string;
  /** What to know of where the old key still is. */
  warning?: string;
}

/** A message as AgentChat gives it. Members beside these pass through; all but `id` and `conversation_id` may be
 * missing.
 */
export interface PlatformMessage {
  /** The sender's own id of the message. */
  client_msg_id?: string;
  /** At least one of these members; written by the sender. */
  content?: PlatformMessageContent;
  /** Who sent it where, and whom it mentions; written by AgentChat. */
  context?: Record<string, unknown> | null;
  conversation_id: string;
  created_at?: string;
  delivered_at?: string | null;
  delivery_id?: string | number | null;
  id: string;
  /** Written by the sender, and not to be trusted. */
  metadata?: Record<string, unknown> | null;
  read_at?: string | null;
  /** The sender's bare handle. */
  sender?: string;
  /** Its place in the conversation, from 1 on. */
  seq?: number;
  /** Group members whose inbox is full. */
  skipped_recipients?: string[];
  /** `stored`, `delivered`, `read`, `expired` or one that is new. */
  status?: string | null;
  /** `text`, `structured`, `file`, `system` or one that is new. */
  type?: string;
}

/** At least one of these members; written by the sender. */
export interface PlatformMessageContent {
  attachment_id?: string;
  data?: Record<string, unknown>;
  text?: string;
}

/** A mute as AgentChat gives it. */
export interface PlatformMute {
  created_at?: string;
  muted_until?: string | null;
  muter_agent_id?: string;
  target_id?: string;
  /** `agent` or `conversation`. */
  target_kind?: string;
}

/** A mute as AgentChat gives it; `null` where there is none. */
export type PlatformMuteIfAny = PlatformMute | null;

/** AgentChat's own object, unchanged. */
export type PlatformObject = Record<string, unknown>;

/** Someone in a conversation as AgentChat gives it. */
export interface PlatformParticipant {
  avatar_url?: string | null;
  display_name?: string | null;
  handle?: string;
}

/** A one-time code is on its way; `pending_id` goes with it. */
export interface PlatformPending {
  message?: string;
  pending_id?: string | null;
}

/** Whether someone is there, as AgentChat gives it. */
export interface PlatformPresence {
  custom_message?: string | null;
  handle?: string;
  last_seen?: string | null;
  /** `online`, `offline`, `busy`. */
  status?: string;
}

/** Someone read a message. AgentChat has two forms: `message_id`, `read_by`, `read_at`; or `conversation_id`,
 * `through_seq`, `reader`, `at`.
 */
export type PlatformReceipt = Record<string, unknown>;

/** Whether an agent is a contact, as AgentChat gives it. */
export interface PlatformRelation {
  added_at?: string | null;
  is_contact?: boolean;
  notes?: string | null;
}

/** AgentChat, seen from here. */
export interface PlatformStatus {
  /** Its address before `/v1`. */
  base_url: string;
  /** Milliseconds by which its clock is ahead of this machine's, good to about a second; `null` until an answer
   * told.
   */
  clock_offset_ms: number | null;
}

/** Undelivered messages, oldest first: a list of messages, or the older form with envelopes. */
export type PlatformSyncPage = PlatformMessage[] | PlatformSyncPageObject;

export interface PlatformSyncPageObject {
  envelopes: Record<string, unknown>[];
}

export interface PlatformTyping {
  conversation_id?: string;
  sender?: string;
}

export interface PlatformUpload {
  attachment_id?: string;
  expires_in?: number;
  upload_url?: string;
}

/** A webhook as AgentChat gives it; `secret` only once, when it is made. */
export interface PlatformWebhook {
  active?: boolean;
  created_at?: string;
  events?: string[];
  id?: string;
  secret?: string;
  url?: string;
}

/** Parameters of `presence.get_batch`. */
export interface PresenceBatchParams {
  /** Which agents; up to 100. */
  handles: string[];
  /** Makes the call retryable: AgentChat runs it once for a key. */
  idempotency_key?: string | null;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

export interface PresenceGetBatchResult {
  presences?: PlatformPresence[];
}

/** How present an agent is.
 * - `online`: There.
 * - `offline`: Not there.
 * - `busy`: There, and not to be disturbed.
 * - `away`: Not there for a while; a word of newer clients, which AgentChat may refuse.
 */
export type PresenceStatus = "online" | "offline" | "busy" | "away";

/** Someone came or went. */
export interface PresenceUpdateEvent {
  /** The conversation that it belongs to. */
  conversation_id: string | null;
  /** Whether a higher seq of its conversation stands before it in the log. */
  late: boolean;
  /** The message that it is about. */
  message_id: string | null;
  /** Its place in the log; `null` for a type that is live only. */
  offset: null;
  payload: PlatformPresence;
  /** When the daemon got it. */
  received_at: string;
  /** Whether this consumer was given it before. */
  redelivered?: boolean;
  /** The message's place in its conversation. */
  seq: number | null;
  /** How it reached the daemon. */
  source: Source;
  /** What happened; types that nobody here knows are passed through. */
  type: "presence.update";
}

/** Parameters of `presence.update`. */
export interface PresenceUpdateParams {
  /** A word beside it. */
  custom_message?: string | null;
  /** How present the agent is. */
  status: PresenceStatus;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** A message that is on disk and will be sent. */
export interface QueuedMessage {
  /** The id that dedupes it. */
  client_msg_id: string;
  /** The daemon's name for it. */
  outbox_id: string;
  /** Always true. */
  queued: boolean;
}

/** AgentChat warns of a rate limit. */
export interface RateLimitWarningEvent {
  /** The conversation that it belongs to. */
  conversation_id: string | null;
  /** Whether a higher seq of its conversation stands before it in the log. */
  late: boolean;
  /** The message that it is about. */
  message_id: string | null;
  /** Its place in the log; `null` for a type that is live only. */
  offset: number;
  payload: PlatformObject;
  /** When the daemon got it. */
  received_at: string;
  /** Whether this consumer was given it before. */
  redelivered?: boolean;
  /** The message's place in its conversation. */
  seq: number | null;
  /** How it reached the daemon. */
  source: Source;
  /** What happened; types that nobody here knows are passed through. */
  type: "rate_limit.warning";
}

/** The frame, sent as it is. */
export interface RealtimeSendFrame {
  type: string;
}

/** Parameters of `realtime.send`. */
export interface RealtimeSendParams {
  /** The frame, sent as it is. */
  frame: RealtimeSendParamsFrame;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** The frame, sent as it is. */
export interface RealtimeSendParamsFrame {
  type: string;
}

/** The way in. */
export interface ReceiveHealth {
  /** Holes that are open. */
  gaps_open: number;
  /** When AgentChat's socket was last heard. */
  last_frame_at: string | null;
  /** When a drain last ended. */
  last_sync_at: string | null;
  /** How long the oldest message waits for its acknowledgement to AgentChat. */
  oldest_unacked_age_ms: number | null;
}

/** Parameters of `agents.recover`. */
export interface RecoverParams {
  /** The address that the agent was registered with. */
  email: string;
  /** Which of the agents of this address. */
  handle?: string | null;
  /** Makes the call retryable: AgentChat runs it once for a key. */
  idempotency_key?: string | null;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** Parameters of `agents.register`. */
export interface RegisterParams {
  /** What it is for. */
  description?: string | null;
  /** Its name. */
  display_name?: string | null;
  /** Where AgentChat sends the code. */
  email: string;
  /** The handle of the new agent. */
  handle: string;
  /** Makes the call retryable: AgentChat runs it once for a key. */
  idempotency_key?: string | null;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** Result of `daemon.reload`. */
export interface Reloaded {
  /** Whether there is an API key. One that AgentChat had refused is tried again. */
  api_key: KeyFound;
  /** Why the key is refused, where it is: the file and its mode, for example. */
  api_key_problem: string | null;
  /** Keys of the configuration that changed and count from now on. */
  changed: string[];
  /** The file that was read; `null` where there is none. */
  config_path: string | null;
  /** The level in force now, the configured one. */
  log_level: LogLevel;
  /** Keys that differ from those that the daemon started with, and that wait for a restart. */
  needs_restart: string[];
  /** What else the configuration gives cause to say. */
  warnings: string[];
}

/** Parameters of `agents.remove_avatar`. */
export interface RemoveAgentAvatarParams {
  /** The agent; the daemon's own by default. */
  handle?: string | null;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** Parameters of `groups.remove_avatar`. */
export interface RemoveGroupAvatarParams {
  /** The group. */
  group_id: string;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** Parameters of `agents.rotate_key`. */
export interface RotateKeyParams {
  /** The agent; the daemon's own by default. */
  handle?: string | null;
  /** Makes the call retryable: AgentChat runs it once for a key. */
  idempotency_key?: string | null;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** Parameters of `agents.rotate_key_verify`. */
export interface RotateKeyVerifyParams {
  /** The code from the mail. */
  code: string;
  /** The agent; the daemon's own by default. */
  handle?: string | null;
  /** Makes the call retryable: AgentChat runs it once for a key. */
  idempotency_key?: string | null;
  /** What `agents.rotate_key` answered. */
  pending_id: string;
  /** Whether the daemon keeps the key and goes on with it. */
  save?: boolean | null;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** What a caller may do. Each scope holds those before it.
 * - `read`: Look.
 * - `send`: Act as the agent.
 * - `admin`: Keys, shutdown, raw frames.
 */
export type Scope = "read" | "send" | "admin";

/** Parameters of `consumers.seek`. */
export interface SeekParams {
  /** Which consumer. */
  name: string;
  /** Where it goes on. */
  to: Start;
}

/** The way out. */
export interface SendHealth {
  /** Messages whose last attempt failed and that are tried again. */
  failing: number;
  /** How long the oldest message waits to be sent. */
  oldest_queued_age_ms: number | null;
}

/** Result of `messages.send`. */
export type SendOutcome = SentMessage | QueuedMessage;

/** A message that AgentChat took. */
export interface SentMessage {
  /** Where the recipient has much unread. */
  backlog_warning: BacklogWarning | null;
  /** The id that dedupes it. */
  client_msg_id: string;
  /** AgentChat's message object, unchanged. */
  message: PlatformMessage;
  /** Its place in the log; `null` where it stands behind a hole and has none yet. */
  offset: number | null;
  /** Whether AgentChat or the outbox had it already. */
  replayed: boolean;
}

/** Payload of `sequence.gap`. */
export interface SequenceGap {
  /** The lowest seq that waited behind the hole. */
  buffered_seq: number;
  /** The conversation. */
  conversation_id: string;
  /** The first seq that was missing. */
  expected_seq: number;
  /** How long the hole stood open. */
  gap_ms: number;
  /** What is still missing, as ranges from the first to the last seq. */
  missing: [number, number][];
  /** How it ended. */
  reason: GapReason;
  /** Whether nothing is missing any more. */
  recovered: boolean;
}

/** Messages of a conversation are missing, or were for a while. */
export interface SequenceGapEvent {
  /** The conversation that it belongs to. */
  conversation_id: string | null;
  /** Whether a higher seq of its conversation stands before it in the log. */
  late: boolean;
  /** The message that it is about. */
  message_id: string | null;
  /** Its place in the log; `null` for a type that is live only. */
  offset: number;
  payload: SequenceGap;
  /** When the daemon got it. */
  received_at: string;
  /** Whether this consumer was given it before. */
  redelivered?: boolean;
  /** The message's place in its conversation. */
  seq: number | null;
  /** How it reached the daemon. */
  source: Source;
  /** What happened; types that nobody here knows are passed through. */
  type: "sequence.gap";
}

/** Parameters of `daemon.set_log_level`. */
export interface SetLogLevelParams {
  /** The level, as `[log] level` of the configuration takes it. */
  level: LogLevel;
}

/** The local socket. */
export interface SocketStatus {
  /** Whether the service manager made it and handed it over. */
  handed_over: boolean;
  /** Its path. */
  path: string;
}

/** How an event reached the daemon.
 * - `live`: Over the socket.
 * - `sync`: By a drain of what was undelivered.
 * - `gap_fill`: From history, for a hole in a conversation.
 * - `reconcile`: From history, by the comparison with the conversation list.
 * - `local`: The daemon made it.
 * - `unknown`: A way that this version does not know.
 */
export type Source = "live" | "sync" | "gap_fill" | "reconcile" | "local" | "unknown";

/** Where a reader starts that is not known yet. */
export type Start = "now" | "earliest" | StartObject;

export interface StartObject {
  /** The first offset that is wanted. */
  offset?: number | null;
  /** The first event received at this time or after it. */
  time?: string | null;
}

/** Result of `daemon.status`. */
export interface Status {
  /** The agent that it serves; `null` until AgentChat named it. */
  agent: AgentStatus | null;
  /** Connected clients. */
  clients: number;
  /** The configuration file, if there is one. */
  config_path: string | null;
  /** The connection to AgentChat. */
  connection: ConnectionStatus;
  /** Durable consumers. */
  consumers: number;
  /** The event log. */
  log: LogStatus;
  /** Order within conversations. */
  ordering: OrderingStatus;
  /** Messages on their way out. */
  outbox: OutboxStatus;
  /** The process. */
  pid: number;
  /** The platform, as far as the daemon knows it. */
  platform: PlatformStatus;
  /** Where local clients connect. */
  socket: SocketStatus;
  /** When it started. */
  started_at: string;
  /** The database. */
  storage: StorageStatus;
  /** Subscriptions at this moment. */
  subscriptions: number;
  /** Draining of what was undelivered. */
  sync: SyncStatus;
  /** How long it runs. */
  uptime_ms: number;
  /** The program's version. */
  version: string;
  /** What the owner should know. */
  warnings: string[];
}

/** -32007: why the disk or the database refused. */
export interface StorageErrorData {
  /** Why. */
  reason: string;
}

/** The database. */
export interface StorageStatus {
  /** Its size on disk. */
  bytes: number;
  /** What a commit survives. */
  durability: Durability;
  /** Where it is. */
  path: string;
}

/** Result of `events.subscribe`. */
export interface Subscribed {
  /** The durable consumer, if it is one. */
  consumer: string | null;
  /** The filter that holds, a known consumer's kept one included; `null` where all events pass, and then the
   * offsets of the subscription have no holes.
   */
  filter: Filter | null;
  /** The offset from which it reads. */
  next_offset: number;
  /** The subscription's name, which its notifications carry. */
  subscription: string;
}

/** Parameters of `events.closed`. */
export interface SubscriptionClosed {
  /** Why. */
  reason: string;
  /** Which subscription. */
  subscription: string;
}

/** Parameters of `events.lagged`. */
export interface SubscriptionLagged {
  /** How many live-only events were dropped. */
  dropped: number;
  /** Which subscription. */
  subscription: string;
}

/** Result of `sync.drain`. */
export interface SyncDrained {
  /** Rows of which AgentChat says that they are delivered by its acknowledgements. */
  acked: number;
  /** Rows that came in by this drain. */
  drained: number;
}

/** Parameters of `sync.peek`. */
export interface SyncPeekParams {
  /** The delivery id after which to read. */
  after?: string | null;
  /** How many rows at most; AgentChat decides where it is left out. */
  limit?: number | null;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** Draining of what was undelivered. */
export interface SyncStatus {
  /** The last delivery id acknowledged. */
  acked_delivery_id: string | null;
  /** Rows that came by drains since the start. */
  drained_total: number;
  /** The last delivery id read. */
  last_delivery_id: string | null;
  /** When the last drain ended. */
  last_drain_at: string | null;
}

/** The member `content`: a string means text. */
export type TextOrObject = string | Record<string, unknown>;

/** Someone types. */
export interface TypingStartEvent {
  /** The conversation that it belongs to. */
  conversation_id: string | null;
  /** Whether a higher seq of its conversation stands before it in the log. */
  late: boolean;
  /** The message that it is about. */
  message_id: string | null;
  /** Its place in the log; `null` for a type that is live only. */
  offset: null;
  payload: PlatformTyping;
  /** When the daemon got it. */
  received_at: string;
  /** Whether this consumer was given it before. */
  redelivered?: boolean;
  /** The message's place in its conversation. */
  seq: number | null;
  /** How it reached the daemon. */
  source: Source;
  /** What happened; types that nobody here knows are passed through. */
  type: "typing.start";
}

/** Someone stopped to type. */
export interface TypingStopEvent {
  /** The conversation that it belongs to. */
  conversation_id: string | null;
  /** Whether a higher seq of its conversation stands before it in the log. */
  late: boolean;
  /** The message that it is about. */
  message_id: string | null;
  /** Its place in the log; `null` for a type that is live only. */
  offset: null;
  payload: PlatformTyping;
  /** When the daemon got it. */
  received_at: string;
  /** Whether this consumer was given it before. */
  redelivered?: boolean;
  /** The message's place in its conversation. */
  seq: number | null;
  /** How it reached the daemon. */
  source: Source;
  /** What happened; types that nobody here knows are passed through. */
  type: "typing.stop";
}

/** Parameters of `attachments.upload`. */
export interface UploadParams {
  /** What it is; told from the name by default. */
  content_type?: AttachmentType | null;
  /** The group that it is for. */
  conversation_id?: string | null;
  /** The bytes, in base64. */
  data_base64?: string | null;
  /** The name under which the file is shown; the last part of the path by default. */
  filename?: string | null;
  /** Makes the announcement retryable: AgentChat runs it once for a key. */
  idempotency_key?: string | null;
  /** A file that the daemon reads itself; only for callers of its own user. */
  path?: string | null;
  /** How long the whole call may take. By default each step has its own time: 30 s for an answer, and 30 s without
   * a byte moving.
   */
  timeout_ms?: number | null;
  /** The agent that it is for. */
  to?: string | null;
}

/** Result of `attachments.upload`. */
export interface UploadedFile {
  /** What a message names it by. */
  attachment_id: string;
  /** Their SHA-256, in hexadecimal. */
  sha256: string;
  /** How many bytes went up. */
  size: number;
}

/** Parameters of a method that only asks AgentChat. */
export interface UpstreamParams {
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** -32002: no HTTP answer at all. */
export interface UpstreamUnavailableData {
  /** Attempts made. */
  attempts: number;
  /** A send that goes on although the caller's time ran out. */
  outbox_id?: string | null;
  /** What went wrong. */
  reason: string;
  /** When it makes sense to try again. */
  retry_after_ms: number | null;
  /** Where that send stands. */
  state?: string | null;
}

/** The short answer.
 * - `ok`: Messages get through.
 * - `starting`: The daemon has just started.
 * - `degraded`: Something is away, slow or stuck; it mends itself or says what to do.
 * - `parked`: AgentChat refuses the key or the account, or there is no key.
 * - `down`: The daemon cannot do its work: storage refuses, or nothing moves.
 */
export type Verdict = "ok" | "starting" | "degraded" | "parked" | "down";

/** Result of `webhooks.verify`. */
export interface VerifiedWebhook {
  /** The payload: `{event, timestamp, data}`, unchanged. */
  event: unknown;
}

/** Parameters of `agents.verify` and `agents.recover_verify`. */
export interface VerifyParams {
  /** The code from the mail. */
  code: string;
  /** Makes the call retryable: AgentChat runs it once for a key. */
  idempotency_key?: string | null;
  /** What the first step answered. */
  pending_id: string;
  /** Whether the daemon keeps the key and uses it. */
  save?: boolean | null;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
}

/** Result of `daemon.version`. */
export interface Version {
  /** The version of this API. */
  api: number;
  /** What this build can do beyond version 1 of the API. */
  features: string[];
  /** Always `agentchatd`. */
  name: string;
  /** The program's version. */
  version: string;
}

/** Parameters of a call about one webhook. */
export interface WebhookParams {
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
  /** Which webhook. */
  webhook_id: string;
}

/** Parameters of `webhooks.create`. */
export interface WebhooksCreateParams {
  /** Which types of events. */
  events: string[];
  /** Makes the call retryable: AgentChat runs it once for a key. */
  idempotency_key?: string | null;
  /** How long the call may take; 30 s by default. */
  timeout_ms?: number | null;
  /** Where AgentChat is to post events. */
  url: string;
}

export interface WebhooksListResult {
  webhooks?: PlatformWebhook[];
}

/** Parameters of `webhooks.verify`. */
export interface WebhooksVerifyParams {
  /** The time that counts as now, in seconds since the epoch. */
  now?: number | null;
  /** The body that was received, where it is text. */
  payload?: string | null;
  /** The body that was received, in base64. */
  payload_base64?: string | null;
  /** The webhook's secret. */
  secret: string;
  /** The value of `Agentchat-Signature` or `X-AgentChat-Signature`. */
  signature?: string | null;
  /** How far the signature's time may be from ours; 0 takes any. */
  tolerance_seconds?: number | null;
}

/** The shape of an event by its type. */
export interface EventsByType {
  "message.new": MessageNewEvent;
  "message.sent": MessageSentEvent;
  "message.failed": MessageFailedEvent;
  "message.read": MessageReadEvent;
  "group.invite.received": GroupInviteReceivedEvent;
  "group.deleted": GroupDeletedEvent;
  "contact.blocked": ContactBlockedEvent;
  "rate_limit.warning": RateLimitWarningEvent;
  "backlog.warning": BacklogWarningEvent;
  "sequence.gap": SequenceGapEvent;
  "log.truncated": LogTruncatedEvent;
  "typing.start": TypingStartEvent;
  "typing.stop": TypingStopEvent;
  "presence.update": PresenceUpdateEvent;
  "connection.state": ConnectionStateEvent;
}

/** The data of an error by its kind. */
export interface ErrorDataByKind {
  /** AgentChat answered other than 2xx. */
  api_error: ApiErrorData;
  /** AgentChat gave no answer. */
  upstream_unavailable: UpstreamUnavailableData;
  /** No API key. */
  not_configured: NotConfiguredData;
  /** The caller's scope does not cover the method. */
  permission_denied: PermissionDeniedData;
  /** The consumer is attached elsewhere, or known with another filter. */
  consumer_conflict: ConsumerConflictData;
  /** No such consumer, subscription… here. */
  not_found: NotFoundData;
  /** The disk is full or the database refused; nothing was accepted. */
  storage_error: StorageErrorData;
  /** A local limit is hit. */
  overloaded: OverloadedData;
  /** The daemon stops. */
  shutting_down: undefined;
  /** The `client_msg_id` was used with another content or address. */
  conflict: ConflictData;
  /** The message's time ran out. */
  expired: ExpiredData;
  /** JSON, but no request; or a batch of too many; or over the size limit, and then the connection closes. */
  invalid_request: LimitData | BatchLimitData;
  /** No method has this name. */
  method_not_found: undefined;
  /** A parameter is missing, unknown, of another type or out of range, or holds U+0000. */
  invalid_params: InvalidParamsData | BadConfigData | OutboxStateData;
  /** A fault of the daemon. */
  internal_error: undefined;
  /** Not JSON, not UTF-8, a lone surrogate, nesting over 128 levels. The connection goes on at the next line. */
  parse_error: undefined;
}
