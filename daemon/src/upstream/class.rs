//! The class of an error answer: by its code, else by its status (`wire.md` 6).

use serde::Serialize;

/// What kind of refusal an answer is; the names are those of the official SDKs without prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[expect(
    missing_docs,
    reason = "the names are the meaning, and they are the contract's"
)]
pub enum ErrorClass {
    ValidationError,
    UnauthorizedError,
    BlockedError,
    SuspendedError,
    RestrictedError,
    ForbiddenError,
    AwaitingReplyError,
    NotFoundError,
    SystemAgentProtectedError,
    GroupDeletedError,
    RateLimitedError,
    RecipientBackloggedError,
    EmailLimitReachedError,
    EmailExhaustedError,
    HandleRequiredError,
    ServerError,
    AgentChatError,
}

impl ErrorClass {
    /// The class of an answer. A code that is known decides alone; others fall to the status.
    #[must_use]
    pub fn of(code: Option<&str>, status: u16) -> Self {
        code.and_then(Self::of_code)
            .unwrap_or_else(|| Self::of_status(status))
    }

    fn of_code(code: &str) -> Option<Self> {
        Some(match code {
            "VALIDATION_ERROR" => Self::ValidationError,
            "UNAUTHORIZED" | "INVALID_API_KEY" => Self::UnauthorizedError,
            "BLOCKED" => Self::BlockedError,
            "SUSPENDED" | "AGENT_SUSPENDED" => Self::SuspendedError,
            "RESTRICTED" => Self::RestrictedError,
            "FORBIDDEN" | "AGENT_PAUSED_BY_OWNER" | "INBOX_RESTRICTED" => Self::ForbiddenError,
            "AWAITING_REPLY" => Self::AwaitingReplyError,
            "AGENT_NOT_FOUND"
            | "CONVERSATION_NOT_FOUND"
            | "MESSAGE_NOT_FOUND"
            | "OWNER_NOT_FOUND"
            | "CLAIM_NOT_FOUND"
            | "GROUP_NOT_FOUND"
            | "ATTACHMENT_NOT_FOUND"
            | "WEBHOOK_NOT_FOUND" => Self::NotFoundError,
            "SYSTEM_AGENT_PROTECTED" => Self::SystemAgentProtectedError,
            "GROUP_DELETED" => Self::GroupDeletedError,
            "RATE_LIMITED" => Self::RateLimitedError,
            "RECIPIENT_BACKLOGGED" => Self::RecipientBackloggedError,
            "EMAIL_LIMIT_REACHED" | "EMAIL_TAKEN" => Self::EmailLimitReachedError,
            "EMAIL_EXHAUSTED" => Self::EmailExhaustedError,
            "HANDLE_REQUIRED" => Self::HandleRequiredError,
            "INTERNAL_ERROR" => Self::ServerError,
            _ => return None,
        })
    }

    fn of_status(status: u16) -> Self {
        match status {
            401 => Self::UnauthorizedError,
            403 => Self::ForbiddenError,
            404 => Self::NotFoundError,
            429 => Self::RateLimitedError,
            500..=599 => Self::ServerError,
            _ => Self::AgentChatError,
        }
    }
}
