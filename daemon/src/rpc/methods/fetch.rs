//! `events.fetch`: a page of events, with a long poll.

use std::sync::Arc;
use std::time::Duration;

use agentchatd_client::RpcError;
use agentchatd_client::api::EventsFetch;
use agentchatd_client::types::{EventsFetchParams, Fetched, Filter};
use jsonrpsee::RpcModule;
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout_at};

use crate::event::now_us;
use crate::event::{LogEvent, REDELIVERED_TAIL};
use crate::feed::{self, Attach, PAGE_EVENTS, Position};
use crate::hub::Hub;
use crate::rpc::errors;
use crate::rpc::methods::table::{Call, add};

pub(super) fn register(module: &mut RpcModule<()>) {
    add::<EventsFetch, _, _, _>(module, fetch);
}

async fn fetch(call: Call<EventsFetch>) -> Result<Fetched<Box<RawValue>>, RpcError> {
    let (params, hub) = (&call.params, call.hub());
    let position = match &params.consumer {
        Some(name) => Some(consumer(params, name.as_str(), hub).await?),
        None => None,
    };
    let after = match (&position, params.after, &params.from) {
        (Some(position), after, _) => position.acked().max(after.unwrap_or(0)),
        (None, Some(after), _) => after,
        (None, None, Some(from)) => start_after(from, hub).await?,
        (None, None, None) => 0,
    };
    let filter = match (&position, &params.filter) {
        (Some(position), _) => position.filter(),
        (None, Some(filter)) => Arc::new(filter.clone()),
        (None, None) => Arc::default(),
    };
    let limit = params.limit.get() as usize;
    let deadline = Instant::now() + Duration::from_millis(params.wait_ms.get());
    let mut page = Page {
        after,
        events: Vec::new(),
        bytes: 0,
    };
    loop {
        call.take_turn().await;
        page.fill(hub, &filter, limit).await?;
        if !page.events.is_empty() || params.wait_ms.get() == 0 {
            break;
        }
        call.end_turn();
        // A daemon that stops, or a client that is gone, waits for nothing.
        let more = tokio::select! {
            more = timeout_at(deadline, hub.feed.wait(page.after)) => more.is_ok(),
            () = call.shared().stopping.cancelled() => false,
            () = call.client.closing.cancelled() => false,
        };
        if !more {
            break;
        }
    }
    let given = position.as_ref().map_or(0, |position| position.given());
    if let Some(position) = &position {
        position.hand_out(page.after, now_us());
        position
            .save(&*hub.backing)
            .await
            .map_err(|error| errors::storage(&error))?;
    }
    let events = page
        .events
        .iter()
        .map(|event| shown(event, event.offset <= given))
        .collect();
    Ok(Fetched {
        events,
        next_after: page.after,
    })
}

/// The consumer of this name, made where it is new.
async fn consumer(
    params: &EventsFetchParams,
    name: &str,
    hub: &Hub,
) -> Result<Arc<Position>, RpcError> {
    let consumers = hub.feed.consumers();
    let start_after = match consumers.find(name) {
        Some(_) => 0,
        None => start_after(&params.from.clone().unwrap_or_default(), hub).await?,
    };
    let want = Attach {
        name: name.into(),
        start_after,
        filter: params.filter.clone(),
        replace_filter: false,
    };
    let found = consumers
        .find_or_make(&want, now_us())
        .map_err(|error| errors::attach(error, name))?;
    if found.new
        && let Err(error) = found.position.save(&*hub.backing).await
    {
        consumers.unmake(&found.position);
        return Err(errors::storage(&error));
    }
    Ok(found.position)
}

async fn start_after(from: &agentchatd_client::types::Start, hub: &Hub) -> Result<u64, RpcError> {
    feed::start_after(from, &*hub.backing, hub.feed.last_offset())
        .await
        .map_err(|error| errors::storage(&error))
}

/// A page as it fills.
#[derive(Debug)]
struct Page {
    // Everything up to here was looked at.
    after: u64,
    events: Vec<Arc<LogEvent>>,
    bytes: usize,
}

impl Page {
    /// Reads on to the end of the log, or until the page is full.
    async fn fill(&mut self, hub: &Hub, filter: &Filter, limit: usize) -> Result<(), RpcError> {
        let me = hub.feed.me();
        loop {
            let events = hub
                .feed
                .read(&*hub.backing, self.after, PAGE_EVENTS)
                .await
                .map_err(|error| errors::storage(&error))?;
            if events.is_empty() {
                return Ok(());
            }
            for event in events {
                let passes = feed::passes(filter, &event, me.as_deref());
                if passes && (self.events.len() == limit || self.bytes >= MAX_PAGE_BYTES) {
                    return Ok(());
                }
                self.after = event.offset;
                if passes {
                    self.bytes += event.weight();
                    self.events.push(event);
                }
            }
            // A long scan over what the filter leaves out is not to hold up the others.
            tokio::task::yield_now().await;
        }
    }
}

/// The event as the consumer sees it.
fn shown(event: &LogEvent, redelivered: bool) -> Box<RawValue> {
    let text = event.render();
    let text = if redelivered {
        format!(
            "{}{REDELIVERED_TAIL}",
            &text[..text.len().saturating_sub(1)]
        )
    } else {
        text.as_ref().to_owned()
    };
    // The platform's payload was parsed when it arrived, so the text around it is JSON as well.
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// A page that is longer than this ends early.
const MAX_PAGE_BYTES: usize = 4 << 20;
