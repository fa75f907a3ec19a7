//! One request to one method: scope, parameters, handler, answer.
//!
//! jsonrpsee holds the methods and shapes the answers; ids of any size and form pass beside it, as
//! its own type for them knows 64-bit numbers only.

use std::sync::Arc;

use agentchatd_client::RpcError;
use agentchatd_client::api;

use jsonrpsee::types::{Id, Params};
use jsonrpsee::{
    ConnectionId, Extensions, MethodCallback, MethodResponse, MethodResponseNotifyTx, Methods,
};

use crate::rpc::audit;
use crate::rpc::client::Client;
use crate::rpc::errors;
use crate::rpc::request::{Refused, Request};
use crate::rpc::turn::Turn;

/// An answer on its way out.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The whole JSON object; `None` where nothing is answered.
    pub(crate) json: Option<String>,
    sent: Option<(MethodResponseNotifyTx, bool)>,
    /// Lasts until the answer is queued.
    pub(crate) turn: Turn,
}

impl Answer {
    /// An error in place of an answer.
    pub(crate) fn refusal(id: Option<&str>, error: &RpcError) -> Self {
        let error = serde_json::to_string(error).unwrap_or_else(|_| "null".into());
        let id = id.unwrap_or("null");
        let json = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"error\":{error}}}");
        Self {
            json: Some(json),
            sent: None,
            turn: Turn::default(),
        }
    }

    /// To a value that is no valid request.
    pub(crate) fn refused(refused: &Refused) -> Self {
        Self::refusal(
            refused.id.as_deref(),
            &errors::invalid_request(refused.reason),
        )
    }

    /// Tells the handler that its answer stands in the queue.
    pub(crate) fn tell_queued(self) {
        if let Some((sent, success)) = self.sent {
            sent.notify(success);
        }
    }

    fn from_response(id: Option<&str>, response: MethodResponse, turn: Turn) -> Self {
        let success = response.is_success();
        let (json, sent, _) = response.into_parts();
        let json = id.map(|id| with_id(json.get(), id));
        Self {
            json,
            sent: sent.map(|sent| (sent, success)),
            turn,
        }
    }
}

/// Calls the method. The first poll reaches the handler's first wait.
pub(crate) async fn call(methods: &Methods, client: Arc<Client>, request: Request) -> Answer {
    let Request { id, method, params } = request;
    let metrics = Arc::clone(&client.shared.hub.metrics);
    let (known, caller) = (api::method(&method), client.caller);
    let ended = |error: Option<i32>| {
        metrics.called(known.map(|info| info.name), error);
        if let Some(info) = known {
            audit::called(&caller, info, error.into());
        }
    };
    let refuse = |error: &RpcError| {
        ended(Some(error.code));
        match &id {
            Some(id) => Answer::refusal(Some(id), error),
            None => Answer {
                json: None,
                sent: None,
                turn: Turn::default(),
            },
        }
    };
    if client.shared.stopping.is_cancelled() {
        return refuse(&errors::shutting_down());
    }
    let found = known.zip(methods.method(&method));
    let Some((info, callback)) = found else {
        return refuse(&errors::no_such_method(&method));
    };
    if !client.caller.may(info.scope) {
        return refuse(&errors::permission_denied(&client.caller, info.scope));
    }
    let params = Params::new(params.as_deref()).into_owned();
    let mut extensions = Extensions::new();
    extensions.insert(client);
    let turn = Turn::default();
    extensions.insert(turn.clone());
    let response = match callback {
        MethodCallback::Sync(handler) => handler(OUR_ID, params, usize::MAX, extensions),
        MethodCallback::Async(handler) => {
            handler(OUR_ID, params, ConnectionId(0), usize::MAX, extensions).await
        }
        // Subscriptions of this API answer with an object of their own and are ordinary calls.
        MethodCallback::Subscription(_) | MethodCallback::Unsubscription(_) => {
            return refuse(&errors::no_such_method(&method));
        }
    };
    ended(response.as_error_code());
    Answer::from_response(id.as_deref(), response, turn)
}

/// Puts the client's id in the place of ours.
fn with_id(json: &str, id: &str) -> String {
    let rest = json.strip_prefix(OUR_HEAD);
    debug_assert!(
        rest.is_some(),
        "jsonrpsee writes the version and the id first"
    );
    match rest {
        Some(rest) => format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},{rest}"),
        None => {
            let error = errors::internal("the answer has an unexpected form");
            Answer::refusal(Some(id), &error).json.unwrap_or_default()
        }
    }
}

/// The id that jsonrpsee sees.
const OUR_ID: Id<'static> = Id::Number(0);

/// How each of its answers begins.
const OUR_HEAD: &str = "{\"jsonrpc\":\"2.0\",\"id\":0,";
