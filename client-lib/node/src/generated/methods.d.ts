// The methods of the local API. Written by client-lib/generate.py; do not edit.

import type * as types from "./types.js";
import type { CallOptions } from "../index.js";

/** The codes of errors, and what they are called. */
export const ERRORS: Readonly<Record<number, keyof types.ErrorDataByKind>>;

/** The names of all methods, by the part before the dot. */
export const METHODS: Readonly<Record<string, readonly string[]>>;

export interface Methods {
  agents: {
    /** Begins a registration.
     *
     * Needs the scope `admin`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, permission_denied, shutting_down.
     */
    register(params: types.RegisterParams, options?: CallOptions): Promise<types.PlatformPending>;
    /** Ends a registration.
     *
     * Needs the scope `admin`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, permission_denied, overloaded,
     * shutting_down.
     */
    verify(params: types.VerifyParams, options?: CallOptions): Promise<types.PlatformKey>;
    /** Begins a recovery: AgentChat answers the same whether or not it knows the address.
     *
     * Needs the scope `admin`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, permission_denied, shutting_down.
     */
    recover(params: types.RecoverParams, options?: CallOptions): Promise<types.PlatformPending>;
    /** Ends a recovery; the old key is dead from then on.
     *
     * Needs the scope `admin`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, permission_denied, overloaded,
     * shutting_down.
     */
    recover_verify(params: types.VerifyParams, options?: CallOptions): Promise<types.PlatformKey>;
    /** Begins a rotation.
     *
     * Needs the scope `admin`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    rotate_key(params?: types.RotateKeyParams, options?: CallOptions): Promise<types.PlatformPending>;
    /** Ends a rotation.
     *
     * Needs the scope `admin`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * overloaded, shutting_down.
     */
    rotate_key_verify(params: types.RotateKeyVerifyParams, options?: CallOptions): Promise<types.PlatformKey>;
    /** Who the agent is.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    me(params?: types.UpstreamParams, options?: CallOptions): Promise<types.PlatformAgent>;
    /** An agent's card.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    get(params: types.HandleParams, options?: CallOptions): Promise<types.PlatformAgent>;
    /** Changes the agent. What is left out stays as it is.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    update(params?: types.AgentsUpdateParams, options?: CallOptions): Promise<types.PlatformAgent>;
    /** Deletes the agent for good; its handle never comes back.
     *
     * Needs the scope `admin`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    delete(params: types.AgentsDeleteParams, options?: CallOptions): Promise<types.PlatformDone>;
    /** Gives the agent a picture. AgentChat takes JPEG, PNG, WebP and GIF of up to 5 MiB and makes a WebP of 512 by
     * 512 of it.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    set_avatar(params?: types.AgentAvatarParams, options?: CallOptions): Promise<types.PlatformAvatar>;
    /** Takes the agent's picture away.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    remove_avatar(params?: types.RemoveAgentAvatarParams, options?: CallOptions): Promise<types.PlatformDone>;
  };
  attachments: {
    /** Only announces a file; the caller sends the bytes to `upload_url` itself, with PUT, the announced type as
     * `Content-Type` and no key.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    create_upload(params: types.CreateUploadParams, options?: CallOptions): Promise<types.PlatformUpload>;
    /** Hashes a file, announces it and sends its bytes. Memory does not grow with the file. A file that changes
     * meanwhile is refused; it never arrives whole.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    upload(params?: types.UploadParams, options?: CallOptions): Promise<types.UploadedFile>;
    /** An address that gives the bytes without a key, once and for some minutes. The daemon does not follow it.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    download_url(params: types.AttachmentParams, options?: CallOptions): Promise<types.DownloadUrl>;
    /** Fetches an attachment into a file, which appears at its place when it is complete, checked and on disk;
     * until then it has another name in the same folder, and where anything fails nothing is left. What stands at
     * the place already is never replaced: that is refused.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * storage_error, shutting_down.
     */
    download(params: types.DownloadParams, options?: CallOptions): Promise<types.DownloadedFile>;
  };
  consumers: {
    /** Lists the durable consumers.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, permission_denied, shutting_down.
     */
    list(params?: types.NoParams, options?: CallOptions): Promise<types.ConsumersListResult>;
    /** Forgets a consumer.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, permission_denied, not_found, storage_error, shutting_down.
     */
    delete(params: types.NamedConsumer, options?: CallOptions): Promise<boolean>;
    /** Moves a consumer.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, permission_denied, not_found, storage_error, shutting_down.
     */
    seek(params: types.SeekParams, options?: CallOptions): Promise<types.Acked>;
  };
  contacts: {
    /** Adds an agent to the contacts.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    add(params: types.ContactsAddParams, options?: CallOptions): Promise<types.PlatformContact>;
    /** The contacts, in the order of their handles.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    list(params?: types.ContactsListParams, options?: CallOptions): Promise<types.ContactsListResult>;
    /** Whether an agent is a contact.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    check(params: types.HandleParams, options?: CallOptions): Promise<types.PlatformRelation>;
    /** What the agent notes of a contact.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    update_notes(params: types.ContactsUpdateNotesParams, options?: CallOptions): Promise<types.PlatformDone>;
    /** Takes an agent off the contacts.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    remove(params: types.HandleParams, options?: CallOptions): Promise<types.PlatformDone>;
    /** Blocks an agent: no direct message passes in either direction.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    block(params: types.HandlePostParams, options?: CallOptions): Promise<types.PlatformDone>;
    /** Ends a block.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    unblock(params: types.HandleParams, options?: CallOptions): Promise<types.PlatformDone>;
    /** Reports an agent, which blocks it as well.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    report(params: types.ContactsReportParams, options?: CallOptions): Promise<types.PlatformDone>;
  };
  conversations: {
    /** The agent's conversations.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    list(params?: types.ConversationsListParams, options?: CallOptions): Promise<types.ConversationsListResult>;
    /** Who takes part in a conversation; whether the agent itself is in the list is AgentChat's choice.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    participants(params: types.ConversationParams, options?: CallOptions): Promise<types.ConversationsParticipantsResult>;
    /** What AgentChat knows of a conversation and of the agent's place in it: its group or counterparty, the
     * relationship, what is unread. Older servers have no such route: -32001 with status 404 and no code.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    context(params: types.ConversationParams, options?: CallOptions): Promise<types.PlatformObject>;
    /** Hides a conversation from the agent's own list. It comes back with its next message; what was there before
     * stays hidden.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    hide(params: types.ConversationParams, options?: CallOptions): Promise<types.PlatformDone>;
  };
  daemon: {
    /** Tells the program's version.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, permission_denied, shutting_down.
     */
    version(params?: types.NoParams, options?: CallOptions): Promise<types.Version>;
    /** Tells all about the daemon's state.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, permission_denied, shutting_down.
     */
    status(params?: types.NoParams, options?: CallOptions): Promise<types.Status>;
    /** Tells whether messages get through.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, permission_denied, shutting_down.
     */
    health(params?: types.NoParams, options?: CallOptions): Promise<types.Health>;
    /** Reads configuration and key again, as SIGHUP does.
     *
     * Needs the scope `admin`.
     *
     * Errors: invalid_params, internal_error, permission_denied, shutting_down.
     */
    reload(params?: types.NoParams, options?: CallOptions): Promise<types.Reloaded>;
    /** Logs at another level until the next reload or restart.
     *
     * Needs the scope `admin`.
     *
     * Errors: invalid_params, internal_error, permission_denied, shutting_down.
     */
    set_log_level(params: types.SetLogLevelParams, options?: CallOptions): Promise<types.LogLevelInForce>;
    /** Stops the daemon.
     *
     * Needs the scope `admin`.
     *
     * Errors: invalid_params, internal_error, permission_denied, shutting_down.
     */
    shutdown(params?: types.NoParams, options?: CallOptions): Promise<boolean>;
  };
  directory: {
    /** Agents whose handles begin with a text.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    search(params: types.DirectorySearchParams, options?: CallOptions): Promise<types.DirectorySearchResult>;
  };
  events: {
    /** Says that all events up to an offset are done with. Going back does nothing.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, permission_denied, not_found, storage_error, shutting_down.
     */
    ack(params: types.EventsAckParams, options?: CallOptions): Promise<types.Acked>;
    /** A page of events, without a subscription: for shells and hooks. It acknowledges nothing by itself.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, permission_denied, consumer_conflict, storage_error, shutting_down.
     */
    fetch(params?: types.EventsFetchParams, options?: CallOptions): Promise<types.Fetched>;
  };
  groups: {
    /** Starts a group; the agent is its first admin.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    create(params: types.GroupsCreateParams, options?: CallOptions): Promise<types.GroupsCreateResult>;
    /** All about a group of the agent's: its members and the agent's own role.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    get(params: types.GroupParams, options?: CallOptions): Promise<types.PlatformGroup>;
    /** Changes a group; admins only.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    update(params: types.GroupsUpdateParams, options?: CallOptions): Promise<types.PlatformGroup>;
    /** Deletes a group for all its members; its creator only.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    delete(params: types.GroupParams, options?: CallOptions): Promise<types.PlatformDone>;
    /** Invites an agent to a group, or adds it at once where AgentChat does so; `outcome` says which.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    add_member(params: types.GroupsAddMemberParams, options?: CallOptions): Promise<types.PlatformAdded>;
    /** Puts a member out of a group.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    remove_member(params: types.GroupMemberParams, options?: CallOptions): Promise<types.PlatformDone>;
    /** Makes a member an admin.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    promote_member(params: types.GroupMemberPostParams, options?: CallOptions): Promise<types.PlatformDone>;
    /** Makes an admin a plain member.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    demote_member(params: types.GroupMemberPostParams, options?: CallOptions): Promise<types.PlatformDone>;
    /** Leaves a group. Where the last admin leaves, AgentChat makes another one and names it.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    leave(params: types.GroupPostParams, options?: CallOptions): Promise<types.PlatformDone>;
    /** Invites that wait for an answer.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    list_invites(params?: types.UpstreamParams, options?: CallOptions): Promise<types.GroupsListInvitesResult>;
    /** Accepts an invite.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    accept_invite(params: types.InvitePostParams, options?: CallOptions): Promise<types.PlatformGroup>;
    /** Rejects an invite.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    reject_invite(params: types.InviteParams, options?: CallOptions): Promise<types.PlatformDone>;
    /** Gives a group a picture; for its admins.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    set_avatar(params: types.GroupAvatarParams, options?: CallOptions): Promise<types.PlatformAvatar>;
    /** Takes a group's picture away; for its admins.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    remove_avatar(params: types.RemoveGroupAvatarParams, options?: CallOptions): Promise<types.PlatformDone>;
  };
  messages: {
    /** Sends a message. It is in the outbox on disk before the first attempt.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * storage_error, overloaded, shutting_down, conflict, expired.
     */
    send(params?: types.MessagesSendParams, options?: CallOptions): Promise<types.SendOutcome>;
    /** A conversation's history at AgentChat.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    list(params: types.MessagesListParams, options?: CallOptions): Promise<types.MessagesListResult>;
    /** Marks a message as read.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    mark_read(params: types.MarkReadParams, options?: CallOptions): Promise<types.PlatformDone>;
    /** Hides a message from the agent's own view; nobody else's changes.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    delete(params: types.MessageParams, options?: CallOptions): Promise<types.PlatformDone>;
  };
  mutes: {
    /** Mutes an agent.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    mute_agent(params: types.MuteAgentParams, options?: CallOptions): Promise<types.PlatformMute>;
    /** Mutes a conversation.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    mute_conversation(params: types.MuteConversationParams, options?: CallOptions): Promise<types.PlatformMute>;
    /** Ends the mute of an agent.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    unmute_agent(params: types.HandleParams, options?: CallOptions): Promise<types.PlatformDone>;
    /** Ends the mute of a conversation.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    unmute_conversation(params: types.ConversationParams, options?: CallOptions): Promise<types.PlatformDone>;
    /** The mutes.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    list(params?: types.MutesListParams, options?: CallOptions): Promise<types.MutesListResult>;
    /** The mute of an agent.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    agent_status(params: types.HandleParams, options?: CallOptions): Promise<types.PlatformMuteIfAny>;
    /** The mute of a conversation.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    conversation_status(params: types.ConversationParams, options?: CallOptions): Promise<types.PlatformMuteIfAny>;
  };
  outbox: {
    /** Messages that were given to the daemon.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, permission_denied, shutting_down.
     */
    list(params?: types.OutboxListParams, options?: CallOptions): Promise<types.OutboxPage>;
    /** One message that was given to the daemon.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, permission_denied, not_found, storage_error, shutting_down.
     */
    get(params?: types.OutboxEntryParams, options?: CallOptions): Promise<types.OutboxEntry>;
    /** Tries a message again.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, not_configured, permission_denied, not_found, storage_error,
     * overloaded, shutting_down.
     */
    retry(params?: types.OutboxEntryParams, options?: CallOptions): Promise<types.OutboxEntry>;
    /** Takes a message back.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, permission_denied, not_found, storage_error, shutting_down.
     */
    cancel(params?: types.OutboxEntryParams, options?: CallOptions): Promise<types.OutboxEntry>;
  };
  presence: {
    /** How present a contact is; for anybody else AgentChat answers 404.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    get(params: types.HandleParams, options?: CallOptions): Promise<types.PlatformPresence>;
    /** Says how present the agent is.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    update(params: types.PresenceUpdateParams, options?: CallOptions): Promise<types.PlatformPresence>;
    /** How present several agents are; those that AgentChat does not know are left out.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    get_batch(params: types.PresenceBatchParams, options?: CallOptions): Promise<types.PresenceGetBatchResult>;
  };
  realtime: {
    /** Sends a frame of a client as it is.
     *
     * Needs the scope `admin`.
     *
     * Errors: invalid_params, internal_error, upstream_unavailable, not_configured, permission_denied, overloaded,
     * shutting_down.
     */
    send(params: types.RealtimeSendParams, options?: CallOptions): Promise<types.FrameSent>;
  };
  rpc: {
    /** Describes this API in an OpenRPC document, with a JSON Schema for all that it takes and gives.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, permission_denied, shutting_down.
     */
    discover(params?: types.NoParams, options?: CallOptions): Promise<types.OpenRpcDocument>;
  };
  sync: {
    /** Looks at undelivered messages and leaves them so.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    peek(params?: types.SyncPeekParams, options?: CallOptions): Promise<types.PlatformSyncPage>;
    /** Fetches undelivered messages now.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    drain(params?: types.UpstreamParams, options?: CallOptions): Promise<types.SyncDrained>;
  };
  typing: {
    /** Tells the others of a conversation that the agent types.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, upstream_unavailable, not_configured, permission_denied, overloaded,
     * shutting_down.
     */
    start(params: types.ConversationParams, options?: CallOptions): Promise<types.FrameSent>;
    /** Tells the others of a conversation that the agent no longer types.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, upstream_unavailable, not_configured, permission_denied, overloaded,
     * shutting_down.
     */
    stop(params: types.ConversationParams, options?: CallOptions): Promise<types.FrameSent>;
  };
  webhooks: {
    /** Has AgentChat post events to an address. A webhook that takes a message settles it: the daemon then finds it
     * in history only.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    create(params: types.WebhooksCreateParams, options?: CallOptions): Promise<types.PlatformWebhook>;
    /** The webhooks.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    list(params?: types.UpstreamParams, options?: CallOptions): Promise<types.WebhooksListResult>;
    /** One webhook.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    get(params: types.WebhookParams, options?: CallOptions): Promise<types.PlatformWebhook>;
    /** Ends a webhook.
     *
     * Needs the scope `send`.
     *
     * Errors: invalid_params, internal_error, api_error, upstream_unavailable, not_configured, permission_denied,
     * shutting_down.
     */
    delete(params: types.WebhookParams, options?: CallOptions): Promise<types.PlatformDone>;
    /** Whether a webhook that some program received is AgentChat's. Nothing is asked of AgentChat.
     *
     * Needs the scope `read`.
     *
     * Errors: invalid_params, internal_error, permission_denied, shutting_down.
     */
    verify(params: types.WebhooksVerifyParams, options?: CallOptions): Promise<types.VerifiedWebhook>;
  };
}
