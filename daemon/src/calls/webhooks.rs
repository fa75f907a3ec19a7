//! `webhooks.*` but for `webhooks.verify`, which asks nobody (wire.md 8).

use agentchatd_client::api::{WebhooksCreate, WebhooksDelete, WebhooksGet, WebhooksList};
use agentchatd_client::types::WebhooksCreateParams;

use super::call::calls;
use super::{Body, Request};

calls! {
    WebhooksList(_params) => Request::get(&["v1", "webhooks"]);
    WebhooksGet(params) => Request::get(&["v1", "webhooks", params.webhook_id.as_str()]);
    WebhooksDelete(params) => Request::delete(&["v1", "webhooks", params.webhook_id.as_str()]);
}

calls! {
    keyed
    WebhooksCreate(params) => Request::post(&["v1", "webhooks"]).json(create(params).text());
}

fn create(params: &WebhooksCreateParams) -> Body {
    Body::new()
        .with("url", &params.url)
        .with("events", &params.events)
}
