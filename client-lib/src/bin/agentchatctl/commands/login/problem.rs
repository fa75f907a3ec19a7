//! Why a step of a login gave no result, and whether asking again can help.

use agentchatd_client::ClientError;
use agentchatd_client::error::{ApiErrorData, ErrorCode};

use super::ask::say;
use crate::failure::Failure;
use crate::sentences;

/// What went wrong.
#[derive(Debug)]
pub(super) struct Problem {
    /// AgentChat's code for it.
    code: Option<String>,
    /// Whether the daemon or AgentChat found the data themselves wrong.
    is_about_data: bool,
    /// What is said where it ends here.
    failure: Failure,
}

impl Problem {
    /// A call that failed.
    pub(super) fn of_call(method: &str, error: &ClientError) -> Self {
        let (mut code, mut is_about_data) = (None, false);
        if let ClientError::Rpc(error) = error {
            let data = error.data_as::<ApiErrorData>().ok();
            match error.kind() {
                Some(ErrorCode::ApiError) => {
                    is_about_data = data
                        .as_ref()
                        .is_some_and(|data| data.class == "ValidationError");
                    code = data.and_then(|data| data.code);
                }
                Some(ErrorCode::InvalidParams) => is_about_data = true,
                _ => {}
            }
        }
        Self {
            code,
            is_about_data,
            failure: sentences::of_call(method, error),
        }
    }

    /// AgentChat's code for it.
    pub(super) fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Whether other data may do.
    pub(super) fn is_about_data(&self) -> bool {
        self.is_about_data
    }

    /// Tells it to the one who is asked again.
    pub(super) fn say(&self) {
        if let Some(sentence) = &self.failure.sentence {
            say(sentence);
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self {
            code: None,
            is_about_data: false,
            failure,
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        problem.failure
    }
}

#[cfg(test)]
mod tests {
    use agentchatd_client::error::RpcError;
    use serde_json::json;

    use super::*;

    #[test]
    fn agentchats_code_tells_what_to_ask_again() {
        let data = json!({"class": "ConflictError", "code": "HANDLE_TAKEN", "status": 409,
                          "message": "taken"});
        let error = RpcError::new(ErrorCode::ApiError, "taken").with_data(&data);
        let problem = Problem::of_call("agents.register", &error.into());
        assert_eq!(problem.code(), Some("HANDLE_TAKEN"));
        assert!(!problem.is_about_data());
        let error = RpcError::new(ErrorCode::InvalidParams, "bad");
        let problem = Problem::of_call("agents.register", &error.into());
        assert!(problem.is_about_data());
        let problem = Problem::from(Failure::failed("x; y"));
        assert_eq!(problem.code(), None);
    }
}
