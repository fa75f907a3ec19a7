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
            MessagesList,
            MessagesMarkRead,
            MessagesDelete,
            ConversationsList,
            ConversationsParticipants,
            ConversationsContext,
            ConversationsHide,
            SyncPeek,
        }
    };
}
pub(crate) use for_each_call;
