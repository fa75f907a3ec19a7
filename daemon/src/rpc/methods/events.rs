//! `events.subscribe`, `events.ack`, `events.unsubscribe`.

use std::sync::Arc;

use agentchatd_client::api::{EventsAck, EventsSubscribe, EventsUnsubscribe};
use agentchatd_client::types::{Ack, AckMode as Mode, Acked, EventsSubscribeParams, Subscribed};
use agentchatd_client::{Method, RpcError};
use agentchatd_engine::consumer::AckMode;
use jsonrpsee::types::Params;
use jsonrpsee::{Extensions, ResponsePayload, RpcModule};
use serde_json::value::RawValue;

use crate::event::now_us;
use crate::feed::{self, Attach, Attached, Ending, Holder, Position, Track};
use crate::rpc::client::{Client, Entry};
use crate::rpc::errors;
use crate::rpc::methods::table::{Call, add, answer};
use crate::rpc::subscription::Subscription;

pub(super) fn register(module: &mut RpcModule<()>) {
    let added = module.register_async_method(EventsSubscribe::NAME, |params, _, extensions| {
        subscribe(params, extensions)
    });
    debug_assert!(added.is_ok(), "it is added once");
    add::<EventsAck, _, _, _>(module, ack);
    add::<EventsUnsubscribe, _, _, _>(module, unsubscribe);
}

async fn subscribe(
    params: Params<'static>,
    extensions: Extensions,
) -> ResponsePayload<'static, Box<RawValue>> {
    let opened = match Call::<EventsSubscribe>::new(&params, &extensions) {
        Ok(call) => open(&call).await.map(|opened| (opened, call.client)),
        Err(error) => Err(error),
    };
    let (opened, client) = match opened {
        Ok(opened) => opened,
        Err(error) => return ResponsePayload::error(errors::object(error)),
    };
    let Opened {
        subscription,
        told,
        position,
        new,
    } = opened;
    let tracks = client.find(&told.subscription).map(|entry| entry.track);
    match answer(Ok(told)) {
        Ok(json) => {
            // The task begins when the answer stands in the queue, so the answer comes first.
            let (payload, answered) = ResponsePayload::success(json).notify_on_completion();
            client.shared.tasks.spawn(subscription.run(answered));
            // On disk before it is answered: a consumer that was told of exists after a crash.
            if let Err(error) = position.save(&*client.shared.hub.backing).await {
                tracks.inspect(|track| track.end(Ending::Disconnected));
                if new {
                    client.shared.hub.feed.consumers().unmake(&position);
                }
                return ResponsePayload::error(errors::object(errors::storage(&error)));
            }
            payload
        }
        Err(error) => {
            tracks.inspect(|track| track.end(Ending::Disconnected));
            ResponsePayload::error(error)
        }
    }
}

/// A subscription that holds its place and has not begun yet.
#[derive(Debug)]
struct Opened {
    subscription: Subscription,
    told: Subscribed,
    position: Arc<Position>,
    // It was made for this subscription and is not on disk yet.
    new: bool,
}

/// Finds or makes the place to read from and holds it. Nothing is awaited after it is held, so a
/// connection that closes meanwhile leaves nothing behind.
async fn open(call: &Call<EventsSubscribe>) -> Result<Opened, RpcError> {
    let Call { params, client } = call;
    let hub = call.hub();
    if !client.streams {
        return Err(errors::no_stream());
    }
    if !client.has_room() {
        return Err(errors::overloaded("max_subscriptions", None));
    }
    let start_after = match &params.consumer {
        // A known consumer goes on where it stands, whatever `from` says.
        Some(name) if hub.feed.consumers().find(name.as_str()).is_some() => 0,
        _ => feed::start_after(&params.from, &*hub.backing, hub.feed.last_offset())
            .await
            .map_err(|error| errors::storage(&error))?,
    };
    let mode = match params.ack_mode() {
        Mode::Manual => AckMode::Manual {
            max_in_flight: params.max_in_flight.get() as usize,
        },
        Mode::Auto => AckMode::Auto,
    };
    let track: Arc<Track> = Arc::default();
    let Attached { position, new } = match &params.consumer {
        None => {
            let filter = params.filter.clone().unwrap_or_default();
            let position = Arc::new(Position::ephemeral(start_after, filter, mode));
            Attached {
                position,
                new: false,
            }
        }
        Some(name) => hold(params, name.as_str(), start_after, mode, &track, client).await?,
    };
    let next_offset = position.cursor() + 1;
    let entry = Entry {
        track: Arc::clone(&track),
        position: Arc::clone(&position),
    };
    let Some(id) = client.enter(entry.clone()) else {
        position.detach(&track, now_us());
        return Err(errors::overloaded("max_subscriptions", None));
    };
    let told = Subscribed {
        subscription: id.to_string(),
        consumer: params.consumer.clone(),
        next_offset,
        filter: (!position.filter().passes_all()).then(|| (*position.filter()).clone()),
    };
    let auto = mode == AckMode::Auto;
    let subscription = Subscription::new(id, Arc::clone(client), entry, auto);
    Ok(Opened {
        subscription,
        told,
        position,
        new,
    })
}

/// Holds a durable consumer, made where it is new.
async fn hold(
    params: &EventsSubscribeParams,
    name: &str,
    start_after: u64,
    mode: AckMode,
    track: &Arc<Track>,
    client: &Client,
) -> Result<Attached, RpcError> {
    let consumers = client.shared.hub.feed.consumers();
    let refused = |error| errors::attach(error, name);
    let want = Attach {
        name: name.into(),
        start_after,
        filter: params.filter.clone(),
        replace_filter: params.replace_filter,
    };
    let found = consumers.find_or_make(&want, now_us()).map_err(refused)?;
    let peer = client.caller.peer;
    let holder = Holder {
        track: Arc::clone(track),
        pid: peer.pid,
        uid: peer.uid,
    };
    consumers
        .attach(&found.position, holder, mode, params.takeover, now_us())
        .await
        .map_err(refused)?;
    consumers.adopt_filter(&found.position, params.filter.as_ref());
    Ok(found)
}

async fn ack(call: Call<EventsAck>) -> Result<Acked, RpcError> {
    let hub = call.hub();
    let position = match &call.params.of {
        Ack::Consumer(name) => hub
            .feed
            .consumers()
            .find(name.as_str())
            .ok_or_else(|| errors::not_found("consumer", name.as_str()))?,
        Ack::Subscription(id) => {
            call.client
                .find(id.as_str())
                .ok_or_else(|| errors::not_found("subscription", id.as_str()))?
                .position
        }
    };
    let acked_offset = position
        .ack(call.params.offset, now_us())
        .map_err(|error| errors::invalid_params("/offset", error.to_string()))?;
    position
        .save(&*hub.backing)
        .await
        .map_err(|error| errors::storage(&error))?;
    Ok(Acked { acked_offset })
}

async fn unsubscribe(call: Call<EventsUnsubscribe>) -> Result<bool, RpcError> {
    let id = call.params.subscription.as_str();
    // Out of the list and silent at once, so that the answer is the last word about it.
    let entry = call
        .client
        .leave(id)
        .ok_or_else(|| errors::not_found("subscription", id))?;
    entry.track.end(Ending::Unsubscribed);
    if entry.position.detach(&entry.track, now_us()) {
        let saved = entry.position.save(&*call.hub().backing).await;
        saved.map_err(|error| errors::storage(&error))?;
    }
    Ok(true)
}
