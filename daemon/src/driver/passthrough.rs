//! Calls of local programs that the platform answers, unchanged.

use std::{sync::Arc, time::Duration};

use super::failure::call_failure;
use crate::{
    command::CallFailure,
    hub::{Later, Passthrough, Upstream},
    upstream::{Request, Rest},
};

impl Upstream for Rest {
    fn call(
        &self,
        request: Passthrough,
        timeout: Duration,
    ) -> Later<'_, Result<Arc<str>, CallFailure>> {
        Box::pin(async move {
            let request = http(request).timeout(timeout);
            let answer = Self::call(self, request)
                .await
                .map_err(|failure| call_failure(&failure))?;
            match answer.json() {
                Ok(Some(json)) => Ok(Arc::from(json.get())),
                Ok(None) => Ok(Arc::from("null")),
                Err(failure) => Err(call_failure(&failure)),
            }
        })
    }
}

fn http(call: Passthrough) -> Request {
    match call {
        Passthrough::Messages {
            conversation_id,
            query,
        } => with(
            Request::get(&["v1", "messages", &conversation_id]).retry(true),
            query,
        ),
        Passthrough::MarkRead {
            message_id,
            idempotency_key,
        } => Request::post(&["v1", "messages", &message_id, "read"])
            .idempotency_key(idempotency_key)
            .retry(true),
        Passthrough::Me => Request::get(&["v1", "agents", "me"]).retry(true),
        Passthrough::Conversations { query } => {
            with(Request::get(&["v1", "conversations"]).retry(true), query)
        }
        Passthrough::SyncPeek { query } => {
            with(Request::get(&["v1", "messages", "sync"]).retry(true), query)
        }
    }
}

fn with(request: Request, query: Vec<(&'static str, String)>) -> Request {
    query
        .into_iter()
        .fold(request, |request, (name, value)| request.query(name, value))
}
