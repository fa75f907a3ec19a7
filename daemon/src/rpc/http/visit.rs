//! What every handler gets: who asks, and what it may be answered from.

use std::sync::{Arc, Mutex, PoisonError};

use agentchatd_client::{RpcError, Scope};
use hyper::upgrade::OnUpgrade;
use jsonrpsee::Methods;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::rpc::audit;
use crate::rpc::client::{Client, Shared};
use crate::rpc::errors;
use crate::rpc::http::answer::Answer;
use crate::rpc::http::wire::Flow;
use crate::rpc::outgoing;
use crate::rpc::peer::Caller;
use crate::rpc::request::Request;
use crate::rpc::service;

/// One HTTP connection, as its handlers see it.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    pub(super) shared: Arc<Shared>,
    pub(super) methods: Methods,
    pub(super) caller: Caller,
    pub(super) flow: Arc<Flow>,
    /// What the connection becomes after its last answer.
    pub(super) upgrade: Arc<Mutex<Option<OnUpgrade>>>,
}

impl Visit {
    /// The connection ends as HTTP and goes on as something else.
    pub(super) fn becomes(&self, upgrade: OnUpgrade) {
        *self.upgrade.lock().unwrap_or_else(PoisonError::into_inner) = Some(upgrade);
    }

    /// What [`Self::becomes`] was told.
    pub(super) fn became(&self) -> Option<OnUpgrade> {
        let mut upgrade = self.upgrade.lock().unwrap_or_else(PoisonError::into_inner);
        upgrade.take()
    }

    /// Calls a method as the caller would, for a route that shows its result.
    ///
    /// # Errors
    /// The method's, its scope included.
    pub(super) async fn call(
        &self,
        method: &str,
        params: Option<String>,
    ) -> Result<Box<RawValue>, RpcError> {
        let (outgoing, _queue) = outgoing::queue();
        let client = Client::of_one_answer(Arc::clone(&self.shared), self.caller, outgoing);
        let request = Request {
            id: Some("0".into()),
            method: method.to_owned(),
            params,
        };
        let answer = service::call(&self.methods, Arc::new(client), request).await;
        let json = answer.json.unwrap_or_default();
        match serde_json::from_str::<Parts>(&json) {
            Ok(Parts {
                result: Some(result),
                ..
            }) => Ok(result),
            Ok(Parts {
                error: Some(error), ..
            }) => Err(error),
            Ok(_) | Err(_) => Err(errors::internal("the answer has an unexpected form")),
        }
    }

    /// The answer of a route that calls no method, noted for the audit.
    pub(super) fn noted(&self, name: &str, needs: Scope, answer: Answer) -> Answer {
        let status = audit::Outcome::Status(answer.status().as_u16());
        audit::note(&self.caller, name, needs, status);
        answer
    }

    /// Refuses a caller whose scope is too small, for a route that calls no method.
    ///
    /// # Errors
    /// -32004.
    pub(super) fn needs(&self, scope: Scope) -> Result<(), RpcError> {
        if self.caller.may(scope) {
            Ok(())
        } else {
            Err(errors::permission_denied(&self.caller, scope))
        }
    }
}

/// An answer, read back.
#[derive(Deserialize)]
struct Parts {
    result: Option<Box<RawValue>>,
    error: Option<RpcError>,
}
