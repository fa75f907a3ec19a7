//! `rpc.discover`: the OpenRPC document, made once.

use std::sync::LazyLock;

use agentchatd_client::RpcError;
use agentchatd_client::api::RpcDiscover;
use agentchatd_client::openrpc;
use jsonrpsee::RpcModule;
use serde_json::value::RawValue;

use crate::rpc::methods::table::{Call, add};

pub(super) fn register(module: &mut RpcModule<()>) {
    add::<RpcDiscover, _, _, _>(module, discover);
}

async fn discover(_: Call<RpcDiscover>) -> Result<&'static RawValue, RpcError> {
    Ok(document())
}

/// The document of this build.
pub(crate) fn document() -> &'static RawValue {
    static DOCUMENT: LazyLock<Box<RawValue>> =
        LazyLock::new(|| openrpc::document(env!("CARGO_PKG_VERSION"), PROTOCOL));
    &DOCUMENT
}

/// The protocol page: its words and examples stand in the document too.
const PROTOCOL: &str = include_str!("../../../../docs/protocol.md");
