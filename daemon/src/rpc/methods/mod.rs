//! The handlers, one file a namespace. Each method is declared in `agentchatd_client::api`; a file
//! here says what it does.

pub(in crate::rpc) mod ask;
mod attachments;
mod avatars;
mod consumers;
mod daemon;
mod discover;
mod draft;
pub(crate) mod events;
mod every_page;
mod fetch;
mod frames;
mod key_answer;
mod keys;
mod messages;
mod metrics;
mod outbox;
mod passthrough;
mod table;
#[cfg(test)]
mod vectors;
mod webhooks;

pub(crate) use metrics::metrics;
pub(crate) use table::table;
