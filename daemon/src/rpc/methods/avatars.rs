//! `agents.set_avatar` and `groups.set_avatar`: a picture from a file or from the request, checked
//! before AgentChat sees it.

use std::time::Duration;

use agentchatd_client::RpcError;
use agentchatd_client::api::{AgentsSetAvatar, GroupsSetAvatar};
use agentchatd_client::types::{FileSource, ImageType};
use jsonrpsee::RpcModule;
use serde_json::value::RawValue;

use crate::calls::Picture;
use crate::rpc::client::Client;
use crate::rpc::errors;
use crate::rpc::methods::ask::Ask;
use crate::rpc::methods::table::{Call, add};
use crate::rpc::transfer;

pub(super) fn register(module: &mut RpcModule<()>) {
    add::<AgentsSetAvatar, _, _, _>(module, of_agent);
    add::<GroupsSetAvatar, _, _, _>(module, of_group);
}

async fn of_agent(call: Call<AgentsSetAvatar>) -> Result<Box<RawValue>, RpcError> {
    let params = &call.params;
    let ask = Ask::new(call.hub(), Duration::from_millis(params.timeout_ms.get()));
    let picture = picture(&call.client, &params.source, params.content_type).await?;
    let me = call.hub().feed.me();
    let request = match params.handle.as_ref().map(AsRef::as_ref).or(me.as_deref()) {
        Some(handle) => picture.of_agent(handle),
        None => picture.of_agent(ask.who_am_i().await.map_err(transfer::failed)?.as_str()),
    };
    ask.json(request).await.map_err(transfer::failed)
}

async fn of_group(call: Call<GroupsSetAvatar>) -> Result<Box<RawValue>, RpcError> {
    let params = &call.params;
    let ask = Ask::new(call.hub(), Duration::from_millis(params.timeout_ms.get()));
    let picture = picture(&call.client, &params.source, params.content_type).await?;
    let request = picture.of_group(params.group_id.as_str());
    ask.json(request).await.map_err(transfer::failed)
}

async fn picture(
    client: &Client,
    source: &FileSource,
    told: Option<ImageType>,
) -> Result<Picture, RpcError> {
    let place = match source {
        FileSource::Path(_) => "/path",
        FileSource::Base64(_) => "/data_base64",
    };
    let bytes = transfer::source(client, source, Picture::MAX_BYTES).await?;
    let bytes = bytes.whole().await;
    let bytes = bytes.map_err(|error| transfer::no_source(place, &error))?;
    Picture::new(bytes, told).map_err(|error| errors::invalid_params(place, error.to_string()))
}
