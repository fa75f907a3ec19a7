//! Everything that can come of a request but a usable answer.
//!
//! One type carries both what a local caller is told and, through [`ApiFailure::engine`], what the
//! rules need. No variant ever holds the key or an address.

use agentchatd_engine::Failure;
use serde::Serialize;
use serde_json::value::RawValue;

use super::wire::{members, number, text};
use super::{Answer, ErrorClass};

/// Why a request gave no usable answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiFailure {
    /// The platform answered other than 2xx.
    #[error(transparent)]
    Api(Box<ApiError>),
    /// No HTTP answer at all.
    #[error(transparent)]
    Unavailable(Unavailable),
    /// A 2xx answer that cannot be what was asked for. What was asked may have been done.
    #[error("an answer of unexpected shape: {reason}")]
    Shape {
        /// What was expected and what came.
        reason: String,
        /// The answer's request id.
        request_id: Option<String>,
    },
    /// The request cannot be written down, so nothing was sent (an id of `..`, for instance).
    #[error("no such request can be made: {reason}")]
    Unsendable {
        /// What is wrong with it.
        reason: String,
    },
}

/// An error answer; serialised, it is the `data` of a local error -32001.
#[derive(Debug, Clone, Serialize, thiserror::Error)]
#[error("AgentChat answered {status}: {message}")]
pub struct ApiError {
    /// The server's code, never replaced; `None` where the body had none.
    pub code: Option<String>,
    /// The HTTP status.
    pub status: u16,
    /// The class, by code, else by status.
    pub class: ErrorClass,
    /// The server's message, or a plain sentence where it gave none.
    pub message: String,
    /// `X-Request-Id`.
    pub request_id: Option<String>,
    /// How long the server asks to wait, as it said it.
    pub retry_after_ms: Option<u64>,
    /// The server's `details` as they came; `{"body": …}` where the body was JSON of another form.
    pub details: Option<Box<RawValue>>,
    /// The typed members of the class.
    #[serde(flatten)]
    pub fields: TypedFields,
    /// How many attempts were made.
    #[serde(skip)]
    pub attempts: u32,
}

/// Members of `details` that a class promises; each is there only where its type is right.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the platform's")]
pub struct TypedFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient_handle: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undelivered_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_by_handle: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handles: Option<Vec<String>>,
}

/// No HTTP answer; serialised, it is the `data` of a local error -32002.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("AgentChat could not be reached: {reason}")]
pub struct Unavailable {
    /// What went wrong, without the address and without the key.
    pub reason: String,
    /// How many attempts were made.
    pub attempts: u32,
    /// When another attempt may make sense, where that is known.
    pub retry_after_ms: Option<u64>,
    /// True where no request can have reached the server: what was asked was not done.
    #[serde(skip)]
    pub unsent: bool,
}

impl ApiFailure {
    /// An error answer; its body may be JSON, a proxy's HTML, or nothing at all.
    pub(super) fn of_answer(answer: &Answer) -> Self {
        Self::Api(Box::new(ApiError::of_answer(answer)))
    }

    /// One attempt that ended without an answer.
    pub(super) fn network(reason: impl Into<String>, unsent: bool) -> Self {
        let reason = reason.into();
        Self::Unavailable(Unavailable {
            reason,
            attempts: 1,
            retry_after_ms: None,
            unsent,
        })
    }

    /// What the rules need to know of it.
    #[must_use]
    pub fn engine(&self) -> Failure {
        match self {
            Self::Api(error) => Failure::Status {
                status: error.status,
                code: error.code.as_deref().map(Into::into),
                retry_after_ms: error.retry_after_ms,
            },
            Self::Unavailable(away) => Failure::Network {
                reason: away.reason.as_str().into(),
                unsent: away.unsent,
            },
            Self::Shape { reason, .. } => Failure::Shape {
                reason: reason.as_str().into(),
            },
            // To the rules it is a request that the platform refuses, now and later.
            Self::Unsendable { .. } => Failure::Status {
                status: BAD_REQUEST,
                code: None,
                retry_after_ms: None,
            },
        }
    }

    /// The error answer, where there was one.
    #[must_use]
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => Some(error),
            Self::Unavailable(_) | Self::Shape { .. } | Self::Unsendable { .. } => None,
        }
    }

    /// True where the request cannot have had any effect upstream: it never got there, or the
    /// server refused it (4xx).
    #[must_use]
    pub fn surely_undone(&self) -> bool {
        match self {
            Self::Api(error) => error.status < FIRST_SERVER_ERROR,
            Self::Unavailable(away) => away.unsent,
            Self::Shape { .. } => false,
            Self::Unsendable { .. } => true,
        }
    }

    /// The same failure as the end of `attempts` attempts, of which an earlier one may have been
    /// the one that reached the server.
    pub(super) fn after(mut self, attempts: u32, all_unsent: bool) -> Self {
        match &mut self {
            Self::Api(error) => error.attempts = attempts,
            Self::Unavailable(away) => {
                away.attempts = attempts;
                away.unsent &= all_unsent;
            }
            Self::Shape { .. } | Self::Unsendable { .. } => {}
        }
        self
    }
}

impl ApiError {
    fn of_answer(answer: &Answer) -> Self {
        let json = answer.json().ok().flatten();
        let body = json
            .and_then(|raw| members(raw.get(), &BODY).ok())
            .unwrap_or_default();
        let [code, message, details, top_wait] = body;
        let code = code.and_then(text).map(String::from);
        let said = message.and_then(text).map(String::from);
        let details = details.filter(|raw| raw.get() != "null");
        let class = ErrorClass::of(code.as_deref(), answer.status);
        let header_wait = answer
            .retry_after_wait()
            .map(|wait| millis(wait.as_millis()));
        let body_wait = || details_wait(details).or_else(|| top_wait.and_then(number));
        let other_form = code.is_none() && said.is_none();
        Self {
            retry_after_ms: match class {
                ErrorClass::RateLimitedError => header_wait.or_else(body_wait),
                _ => header_wait,
            },
            message: said.unwrap_or_else(|| format!("status {} without a message", answer.status)),
            status: answer.status,
            request_id: answer.request_id.clone(),
            fields: details.map_or_else(
                || TypedFields::of(class, &serde_json::Value::Null),
                |raw| TypedFields::of(class, &serde_json::from_str(raw.get()).unwrap_or_default()),
            ),
            details: match (details, json) {
                (Some(details), _) => Some(details.to_owned()),
                (None, Some(json)) if other_form => wrapped(json),
                (None, _) => None,
            },
            code,
            class,
            attempts: 1,
        }
    }
}

impl TypedFields {
    fn of(class: ErrorClass, details: &serde_json::Value) -> Self {
        let text = |name: &str| details[name].as_str().map(str::to_owned);
        let count = |name: &str| details[name].as_u64();
        match class {
            ErrorClass::RecipientBackloggedError => Self {
                recipient_handle: text("recipient_handle"),
                undelivered_count: count("undelivered_count"),
                ..Self::default()
            },
            ErrorClass::AwaitingReplyError => Self {
                recipient_handle: text("recipient_handle"),
                waiting_since: text("waiting_since"),
                ..Self::default()
            },
            ErrorClass::GroupDeletedError => Self {
                group_id: text("group_id"),
                deleted_by_handle: text("deleted_by_handle"),
                deleted_at: text("deleted_at"),
                ..Self::default()
            },
            ErrorClass::EmailLimitReachedError | ErrorClass::EmailExhaustedError => Self {
                limit: count("limit"),
                ..Self::default()
            },
            ErrorClass::HandleRequiredError => {
                let listed = details["handles"]
                    .as_array()
                    .map(Vec::as_slice)
                    .unwrap_or_default();
                let handles = listed.iter().filter_map(|v| v.as_str().map(str::to_owned));
                Self {
                    handles: Some(handles.collect()),
                    ..Self::default()
                }
            }
            _ => Self::default(),
        }
    }
}

fn details_wait(details: Option<&RawValue>) -> Option<u64> {
    let [wait] = members(details?.get(), &["retry_after_ms"]).ok()?;
    number(wait?)
}

/// JSON that is no error body, kept where a caller will find it.
fn wrapped(json: &RawValue) -> Option<Box<RawValue>> {
    RawValue::from_string(format!("{{\"body\":{}}}", json.get())).ok()
}

fn millis(wait: u128) -> u64 {
    u64::try_from(wait).unwrap_or(u64::MAX)
}

const BODY: [&str; 4] = ["code", "message", "details", "retry_after_ms"];
const BAD_REQUEST: u16 = 400;
const FIRST_SERVER_ERROR: u16 = 500;

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;
