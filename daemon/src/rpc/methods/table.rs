//! The table of methods, and what every handler gets.

use std::sync::Arc;

use agentchatd_client::params::parse_params;
use agentchatd_client::{Method, RpcError};
use jsonrpsee::types::{ErrorObjectOwned, Params};
use jsonrpsee::{Extensions, Methods, RpcModule};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::hub::Hub;
use crate::rpc::client::{Client, Shared};
use crate::rpc::errors;
use crate::rpc::methods::{
    attachments, avatars, consumers, daemon, discover, events, fetch, frames, keys, messages,
    outbox, passthrough, webhooks,
};
use crate::rpc::turn::Turn;

/// One call of a method, its parameters read.
#[derive(Debug)]
pub(super) struct Call<M: Method> {
    /// The parameters.
    pub(super) params: M::Params,
    /// The connection that it came on.
    pub(super) client: Arc<Client>,
    turn: Turn,
}

impl<M: Method> Call<M> {
    /// Reads the parameters.
    pub(super) fn new(params: &Params<'_>, extensions: &Extensions) -> Result<Self, RpcError> {
        let Some(client) = extensions.get::<Arc<Client>>() else {
            return Err(errors::internal("the call has no connection"));
        };
        let params = parse_params::<M>(params.as_str())?;
        Ok(Self {
            params,
            client: Arc::clone(client),
            turn: extensions.get::<Turn>().cloned().unwrap_or_default(),
        })
    }

    /// Waits until a large answer may be made, which is then on its way before another is.
    pub(super) async fn take_turn(&self) {
        self.turn.take(&self.client.turns).await;
    }

    /// There is nothing to answer yet.
    pub(super) fn end_turn(&self) {
        self.turn.end();
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.client.shared
    }

    pub(super) fn hub(&self) -> &Hub {
        &self.client.shared.hub
    }
}

/// All methods of this version.
pub(crate) fn table() -> Methods {
    let mut module = RpcModule::new(());
    events::register(&mut module);
    fetch::register(&mut module);
    consumers::register(&mut module);
    messages::register(&mut module);
    passthrough::register(&mut module);
    keys::register(&mut module);
    attachments::register(&mut module);
    avatars::register(&mut module);
    outbox::register(&mut module);
    frames::register(&mut module);
    webhooks::register(&mut module);
    daemon::register(&mut module);
    discover::register(&mut module);
    module.into()
}

/// Adds the handler of a method.
pub(super) fn add<M, R, F, Later>(module: &mut RpcModule<()>, handler: F)
where
    M: Method + 'static,
    M::Params: Send,
    R: Serialize,
    F: Fn(Call<M>) -> Later + Copy + Send + Sync + 'static,
    Later: Future<Output = Result<R, RpcError>> + Send + 'static,
{
    let added = module.register_async_method(M::NAME, move |params, _, extensions| async move {
        let call = Call::new(&params, &extensions).map_err(errors::object)?;
        drop((params, extensions));
        answer(handler(call).await)
    });
    debug_assert!(added.is_ok(), "{} is added once", M::NAME);
}

/// A handler's answer in the form in which jsonrpsee takes it.
pub(super) fn answer<R: Serialize>(
    result: Result<R, RpcError>,
) -> Result<Box<RawValue>, ErrorObjectOwned> {
    let result = result.map_err(errors::object)?;
    to_raw_value(&result)
        .map_err(|_| errors::object(errors::internal("the answer cannot be written")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_declared_method_has_a_handler_and_no_other_is_served() {
        let methods = table();
        let served: std::collections::BTreeSet<_> = methods.method_names().collect();
        let declared = agentchatd_client::METHODS
            .iter()
            .map(|method| method.name)
            .collect();
        assert_eq!(served, declared);
    }
}
