//! AgentChat's refusals, by the server's code where that says more, else by class.

use agentchatd_client::error::ApiErrorData;

use super::rpc::later;

/// The sentence for an answer other than 2xx to this method.
pub(super) fn sentence(method: &str, data: &ApiErrorData, message: &str) -> String {
    let told = if data.message.is_empty() {
        message
    } else {
        &data.message
    };
    let known = by_method(method, data).or_else(|| by_code(data, told));
    let explained = known.is_some() || !is_fault(data);
    let mut sentence = known.unwrap_or_else(|| by_class(data, told));
    if let Some(id) = &data.outbox_id {
        sentence.push_str(&format!(
            " (the message is on disk and goes on by itself: `agentchatctl outbox get {id}`)"
        ));
    }
    if let Some(id) = data.request_id.as_deref().filter(|_| !explained) {
        sentence.push_str(&format!(" (AgentChat's request {id})"));
    }
    sentence
}

/// What "not found" means depends on what was looked for.
fn by_method(method: &str, data: &ApiErrorData) -> Option<String> {
    let sentence = match (data.code.as_deref()?, method) {
        ("NOT_FOUND", "presence.get") => {
            "you see the presence of your contacts only; add the agent with `agentchatctl contacts \
             add`, or use `agentchatctl presence batch`"
        }
        ("NOT_FOUND", "contacts.remove" | "contacts.update_notes") => {
            "that agent is no contact of yours; `agentchatctl contacts list` shows them"
        }
        ("NOT_FOUND", "contacts.unblock") => {
            "you have not blocked that agent; nothing is left to be done"
        }
        ("NOT_FOUND", "mutes.unmute_agent" | "mutes.unmute_conversation") => {
            "that is not muted; nothing is left to be done"
        }
        _ => return None,
    };
    Some(sentence.to_owned())
}

fn by_code(data: &ApiErrorData, told: &str) -> Option<String> {
    let sentence = match data.code.as_deref()? {
        "AGENT_NOT_FOUND" => {
            "there is no such agent; check the handle with `agentchatctl search`".to_owned()
        }
        "GROUP_NOT_FOUND" => {
            "there is no such group, or you are not in it; `agentchatctl groups list` shows yours"
                .to_owned()
        }
        "CONVERSATION_NOT_FOUND" => {
            "there is no such conversation; `agentchatctl conversations` shows yours".to_owned()
        }
        "MESSAGE_NOT_FOUND" => {
            "there is no such message for you; look with `agentchatctl history`".to_owned()
        }
        "INVITE_NOT_FOUND" => {
            "there is no such invite any more; `agentchatctl groups invites` shows those that are \
             open"
                .to_owned()
        }
        "ATTACHMENT_NOT_FOUND" | "ATTACHMENT_WRONG_SCOPE" => {
            "the attachment was not uploaded for this recipient; send it with `agentchatctl send \
             --file`"
                .to_owned()
        }
        "NOT_MEMBER" => {
            "that agent is no member of the group, or an admin already; `agentchatctl groups show` \
             lists its members"
                .to_owned()
        }
        "LAST_ADMIN" => {
            "the group would have no admin left; promote another member first".to_owned()
        }
        "NOT_ADMIN" => "that member is no admin; nothing is left to be done".to_owned(),
        "CONTENT_TOO_LARGE" | "PAYLOAD_TOO_LARGE" => {
            "that is too large for AgentChat; send it as a file, or in pieces of at most 32 KB"
                .to_owned()
        }
        "INBOX_RESTRICTED" => {
            "the recipient takes messages and invites from its contacts only; ask it to add you"
                .to_owned()
        }
        "AGENT_PAUSED_BY_OWNER" => {
            "your agent's owner has paused it; ask them to resume it on AgentChat's dashboard"
                .to_owned()
        }
        "ALREADY_REPORTED" => {
            "you have reported this agent before; nothing is left to be done".to_owned()
        }
        "SELF_MUTE" => "you cannot mute yourself; name another agent".to_owned(),
        "HANDLE_TAKEN" => "this handle is taken; choose another".to_owned(),
        "INVALID_HANDLE" => "this handle is reserved; choose another".to_owned(),
        "INVALID_CODE" => "the code is wrong; look at the newest mail and try again".to_owned(),
        "EXPIRED" => "the code has expired or was used; ask for a new one".to_owned(),
        "OTP_COOLDOWN" | "OTP_HOURLY_CAP" => {
            format!(
                "AgentChat sends no further code yet; {}",
                later(data.retry_after_ms)
            )
        }
        "OTP_ATTEMPTS_EXHAUSTED" => "too many wrong codes; ask for a new one".to_owned(),
        "EMAIL_TAKEN" | "EMAIL_IS_OWNER" => {
            format!("this address cannot be used ({told}); take another, or recover its agent")
        }
        _ => return None,
    };
    Some(sentence)
}

fn by_class(data: &ApiErrorData, told: &str) -> String {
    let who = data
        .recipient_handle
        .as_deref()
        .map_or_else(|| "the recipient".to_owned(), |handle| format!("@{handle}"));
    match data.class.as_str() {
        "ValidationError" => format!("AgentChat refuses the request: {told}; correct it"),
        "UnauthorizedError" => {
            "AgentChat refuses the daemon's API key; make a new one with `agentchatctl login`, or \
             give the daemon the right one"
                .to_owned()
        }
        "BlockedError" => {
            "one of you has blocked the other; `agentchatctl contacts unblock` lifts yours"
                .to_owned()
        }
        "SuspendedError" => {
            format!("AgentChat has suspended the account: {told}; write to AgentChat's support")
        }
        "RestrictedError" => {
            "AgentChat lets this account write to agents that it knows only; wait until the \
             restriction ends"
                .to_owned()
        }
        "ForbiddenError" => {
            format!("AgentChat does not let this agent do that: {told}; ask an admin or its owner")
        }
        "AwaitingReplyError" => {
            let since = data.waiting_since.as_deref();
            let since = since
                .map(|time| format!(" since {time}"))
                .unwrap_or_default();
            format!("{who} has not answered your first message{since}; wait for the answer")
        }
        "NotFoundError" => format!("AgentChat has no such thing: {told}; check the name or id"),
        "SystemAgentProtectedError" => {
            "that is AgentChat's own agent; leave it as it is".to_owned()
        }
        "GroupDeletedError" => {
            let by = data.deleted_by_handle.as_deref();
            let by = by
                .map(|handle| format!(" by @{handle}"))
                .unwrap_or_default();
            format!(
                "the group was deleted{by}; `agentchatctl groups list` shows those that are left"
            )
        }
        "RateLimitedError" => {
            format!(
                "AgentChat takes no more of this for now; {}",
                later(data.retry_after_ms)
            )
        }
        "RecipientBackloggedError" => {
            let count = data.undelivered_count;
            let count = count
                .map(|count| format!(" ({count} messages)"))
                .unwrap_or_default();
            format!("the inbox of {who} is full{count}; try again when it has read them")
        }
        "EmailLimitReachedError" | "EmailExhaustedError" => {
            format!(
                "this address has all the agents that it may have; take another{}",
                of(data.limit)
            )
        }
        "HandleRequiredError" => {
            let handles = data.handles.as_deref().unwrap_or_default();
            format!(
                "several agents have this address; say which with its handle: {}",
                handles.join(", ")
            )
        }
        "ServerError" => format!(
            "AgentChat has a fault (status {}): {told}; {}",
            data.status,
            later(data.retry_after_ms)
        ),
        _ => format!(
            "AgentChat refused it (status {}): {told}; look it up by that sentence",
            data.status
        ),
    }
}

fn of(limit: Option<u64>) -> String {
    limit
        .map(|limit| format!(" (the limit is {limit})"))
        .unwrap_or_default()
}

/// Whether only AgentChat's own people can tell more.
fn is_fault(data: &ApiErrorData) -> bool {
    !matches!(data.status, 1..500) || data.class == "AgentChatError"
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASSES: [&str; 17] = [
        "ValidationError",
        "UnauthorizedError",
        "BlockedError",
        "SuspendedError",
        "RestrictedError",
        "ForbiddenError",
        "AwaitingReplyError",
        "NotFoundError",
        "SystemAgentProtectedError",
        "GroupDeletedError",
        "RateLimitedError",
        "RecipientBackloggedError",
        "EmailLimitReachedError",
        "EmailExhaustedError",
        "HandleRequiredError",
        "ServerError",
        "AgentChatError",
    ];

    #[test]
    fn every_class_has_a_sentence_of_its_own() {
        let mut seen = std::collections::BTreeSet::new();
        for class in CLASSES {
            let data = ApiErrorData {
                class: class.into(),
                status: 400,
                ..ApiErrorData::default()
            };
            let sentence = sentence("a.method", &data, "words");
            assert!(sentence.contains(';'), "{class}: {sentence}");
            assert!(
                class.starts_with("Email") || seen.insert(sentence),
                "{class}"
            );
        }
    }

    #[test]
    fn a_code_says_more_than_its_class() {
        let data = ApiErrorData {
            code: Some("AGENT_NOT_FOUND".into()),
            class: "NotFoundError".into(),
            status: 404,
            ..ApiErrorData::default()
        };
        assert!(sentence("a.method", &data, "").contains("no such agent"));
    }

    #[test]
    fn what_was_looked_for_says_more_than_that_it_is_not_there() {
        let data = ApiErrorData {
            code: Some("NOT_FOUND".into()),
            class: "NotFoundError".into(),
            status: 404,
            ..ApiErrorData::default()
        };
        assert!(sentence("presence.get", &data, "").contains("contacts only"));
        assert!(sentence("contacts.unblock", &data, "").contains("not blocked"));
        assert!(sentence("a.method", &data, "x").contains("no such thing: x"));
    }

    #[test]
    fn typed_fields_stand_in_the_sentence() {
        let data = ApiErrorData {
            class: "RecipientBackloggedError".into(),
            recipient_handle: Some("bob".into()),
            undelivered_count: Some(10_000),
            outbox_id: Some("obx_1".into()),
            status: 429,
            ..ApiErrorData::default()
        };
        let sentence = sentence("a.method", &data, "");
        assert!(sentence.contains("@bob"), "{sentence}");
        assert!(sentence.contains("10000"), "{sentence}");
        assert!(sentence.contains("outbox get obx_1"), "{sentence}");
    }

    #[test]
    fn a_fault_names_the_request_for_those_who_can_look() {
        let data = ApiErrorData {
            class: "ServerError".into(),
            status: 500,
            request_id: Some("req-9".into()),
            ..ApiErrorData::default()
        };
        assert!(sentence("a.method", &data, "").contains("req-9"));
    }
}
