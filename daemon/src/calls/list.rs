//! The list of calls, for all that is done to each of them: serving it, and holding it against the
//! official SDK's requests.

/// Hands the methods that implement [`super::PlatformCall`] to another macro, in the order of the
/// contract.
macro_rules! for_each_call {
    ($then:ident) => {
        $then! {
            AgentsMe,
            AgentsGet,
            AgentsUpdate,
            AgentsDelete,
            AgentsRemoveAvatar,
            MessagesList,
            MessagesMarkRead,
            MessagesDelete,
            ConversationsList,
            ConversationsParticipants,
            ConversationsContext,
            ConversationsHide,
            GroupsCreate,
            GroupsGet,
            GroupsUpdate,
            GroupsDelete,
            GroupsAddMember,
            GroupsRemoveMember,
            GroupsPromoteMember,
            GroupsDemoteMember,
            GroupsLeave,
            GroupsListInvites,
            GroupsAcceptInvite,
            GroupsRejectInvite,
            ContactsAdd,
            ContactsList,
            ContactsCheck,
            ContactsUpdateNotes,
            ContactsRemove,
            ContactsBlock,
            ContactsUnblock,
            ContactsReport,
            MutesMuteAgent,
            MutesMuteConversation,
            MutesUnmuteAgent,
            MutesUnmuteConversation,
            MutesList,
            MutesAgentStatus,
            MutesConversationStatus,
            PresenceGet,
            PresenceUpdate,
            PresenceGetBatch,
            DirectorySearch,
            WebhooksCreate,
            WebhooksList,
            WebhooksGet,
            WebhooksDelete,
            GroupsRemoveAvatar,
            AttachmentsCreateUpload,
            AttachmentsDownloadUrl,
            SyncPeek,
        }
    };
}
pub(crate) use for_each_call;
