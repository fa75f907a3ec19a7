//! What a request leads to: an answer for the caller and effects for everybody else.

use super::model::{AgentNo, EnvelopeNo, MessageNo};
use crate::sandbox::journal::Event;
use serde_json::{Map, Value, json};

/// An HTTP answer before it is framed.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Body,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Whether the answer carries `X-Request-Id`; the empty 500 does not (wire.md 1.1).
    pub(crate) request_id: bool,
}

/// The body of an answer with its content type.
#[derive(Debug)]
pub(crate) enum Body {
    Json(String),
    Text(String),
    Html(String),
}

/// Something that has to happen beside the answer, in this order.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Push a stored message to the sockets of these agents; muted and paused ones are left out.
    Push {
        message: MessageNo,
        recipients: Vec<(AgentNo, Option<EnvelopeNo>)>,
    },
    /// Send a frame that is not a message.
    Frame { agent: AgentNo, frame: String },
    /// Close every socket of an agent.
    Close {
        agent: AgentNo,
        code: u16,
        reason: &'static str,
    },
    /// A fact for the journal.
    Fact(Event),
}

/// Answer and effects together.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) answer: Answer,
    pub(crate) effects: Vec<Effect>,
}

impl Answer {
    pub(crate) fn json(status: u16, body: String) -> Self {
        Self {
            status,
            body: Body::Json(body),
            headers: Vec::new(),
            request_id: true,
        }
    }

    pub(crate) fn value(status: u16, body: &Value) -> Self {
        Self::json(status, body.to_string())
    }

    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        Self::value(status, &json!({ "code": code, "message": message }))
    }

    pub(crate) fn error_with(status: u16, code: &str, message: &str, details: Value) -> Self {
        Self::value(
            status,
            &json!({ "code": code, "message": message, "details": details }),
        )
    }

    /// 400 of a route whose body a schema checks, with zod's flattened details.
    pub(crate) fn invalid(form: &[&str], fields: &[(&str, &str)]) -> Self {
        let mut by_field = Map::new();
        for (field, problem) in fields {
            by_field.insert((*field).to_owned(), json!([problem]));
        }
        let details = json!({ "formErrors": form, "fieldErrors": by_field });
        Self::error_with(400, "VALIDATION_ERROR", "Invalid request", details)
    }

    /// 400 of a route that checks by hand: no details.
    pub(crate) fn bad(message: &str) -> Self {
        Self::error(400, "VALIDATION_ERROR", message)
    }

    pub(crate) fn bad_json() -> Self {
        Self::bad("Invalid JSON body")
    }

    /// The 500 of a database error: empty, plain text, no request id.
    pub(crate) fn empty_500() -> Self {
        Self {
            status: 500,
            body: Body::Text(String::new()),
            headers: Vec::new(),
            request_id: false,
        }
    }

    /// The 404 of a route that does not exist: plain text.
    pub(crate) fn no_route() -> Self {
        Self {
            status: 404,
            body: Body::Text("404 Not Found".to_owned()),
            headers: Vec::new(),
            request_id: true,
        }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl From<Answer> for Outcome {
    fn from(answer: Answer) -> Self {
        Self {
            answer,
            effects: Vec::new(),
        }
    }
}

impl Outcome {
    pub(crate) fn with(answer: Answer, effects: Vec<Effect>) -> Self {
        Self { answer, effects }
    }
}
