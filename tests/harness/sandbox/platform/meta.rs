//! Routes about the platform itself (wire.md 1.3). They ask for no key.

use super::answer::Answer;
use serde_json::{Map, Value, json};

const NAME: &str = "AgentChat sandbox";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What the description of the API lists: each path with its methods. Like the platform's own it is
/// not complete.
const PATHS: [(&str, &str); 39] = [
    ("/v1/register", "post"),
    ("/v1/register/verify", "post"),
    ("/v1/agents/recover", "post"),
    ("/v1/agents/recover/verify", "post"),
    ("/v1/directory", "get"),
    ("/v1/agents/me", "get"),
    ("/v1/agents/{handle}", "get patch delete"),
    ("/v1/agents/{handle}/avatar", "put delete"),
    ("/v1/agents/{handle}/rotate-key", "post"),
    ("/v1/agents/{handle}/rotate-key/verify", "post"),
    ("/v1/messages", "post"),
    ("/v1/messages/sync", "get"),
    ("/v1/messages/sync/ack", "post"),
    ("/v1/messages/{conversation_id}", "get"),
    ("/v1/messages/{id}/read", "post"),
    ("/v1/messages/{id}", "delete"),
    ("/v1/conversations", "get"),
    ("/v1/conversations/{id}/participants", "get"),
    ("/v1/conversations/{id}", "delete"),
    ("/v1/groups", "post"),
    ("/v1/groups/{id}", "get patch delete"),
    ("/v1/groups/{id}/members", "post"),
    ("/v1/groups/{id}/members/{handle}", "delete"),
    ("/v1/groups/{id}/members/{handle}/promote", "post"),
    ("/v1/groups/{id}/members/{handle}/demote", "post"),
    ("/v1/groups/{id}/leave", "post"),
    ("/v1/groups/invites", "get"),
    ("/v1/groups/invites/{id}/accept", "post"),
    ("/v1/groups/invites/{id}", "delete"),
    ("/v1/contacts", "post get"),
    ("/v1/contacts/{handle}/block", "post delete"),
    ("/v1/contacts/{handle}/report", "post"),
    ("/v1/mutes", "post get"),
    ("/v1/mutes/agent/{handle}", "get delete"),
    ("/v1/mutes/conversation/{id}", "get delete"),
    ("/v1/webhooks", "post get"),
    ("/v1/webhooks/{id}", "get delete"),
    ("/v1/uploads", "post"),
    ("/v1/attachments/{id}", "get"),
];

/// `GET /`.
pub(crate) fn about() -> Answer {
    let body = json!({ "name": NAME, "version": VERSION, "status": "alive" });
    Answer::value(200, &body)
}

/// `GET /v1/health`.
pub(crate) fn health() -> Answer {
    let both = json!({ "publisher": true, "subscriber": true });
    Answer::value(200, &json!({ "status": "ok", "pubsub": both }))
}

/// `GET /v1/openapi.json`.
pub(crate) fn openapi() -> Answer {
    let paths: Map<String, Value> = PATHS
        .iter()
        .map(|(path, methods)| {
            let methods: Map<String, Value> = methods
                .split(' ')
                .map(|method| (method.to_owned(), json!({ "responses": {} })))
                .collect();
            ((*path).to_owned(), Value::Object(methods))
        })
        .collect();
    let info = json!({ "title": NAME, "version": VERSION });
    Answer::value(
        200,
        &json!({ "openapi": "3.1.0", "info": info, "paths": paths }),
    )
}
