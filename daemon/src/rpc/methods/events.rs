//! `events.subscribe`, `events.ack`, `events.unsubscribe`.

use std::future::Future;
use std::sync::Arc;

use agentchatd_client::api::{EventsAck, EventsSubscribe, EventsUnsubscribe};
use agentchatd_client::types::{Ack, AckMode as Mode, Acked, EventsSubscribeParams, Subscribed};
use agentchatd_client::{Method, RpcError};
use agentchatd_engine::consumer::AckMode;
use jsonrpsee::types::{ErrorObjectOwned, Params};
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
    match answered(&params, &extensions).await {
        Ok(payload) => payload,
        Err(error) => ResponsePayload::error(error),
    }
}

async fn answered(
    params: &Params<'static>,
    extensions: &Extensions,
) -> Result<ResponsePayload<'static, Box<RawValue>>, ErrorObjectOwned> {
    let Call { params, client, .. } =
        Call::<EventsSubscribe>::new(params, extensions).map_err(errors::object)?;
    let opened = open(&params, &client).await.map_err(errors::object)?;
    let json = answer(Ok(&opened.told)).inspect_err(|_| opened.track.end(Ending::Disconnected))?;
    // The events begin when the answer stands in the queue, so the answer comes first.
    let (payload, queued) = ResponsePayload::success(json).notify_on_completion();
    let queued = async { queued.await.is_ok() };
    opened.begin(queued).await.map_err(errors::object)?;
    Ok(payload)
}

/// A subscription that holds its place and has not begun yet.
#[derive(Debug)]
pub(crate) struct Opened {
    subscription: Subscription,
    pub(crate) told: Subscribed,
    pub(crate) position: Arc<Position>,
    pub(crate) track: Arc<Track>,
    client: Arc<Client>,
    // It was made for this subscription and is not on disk yet.
    new: bool,
}

impl Opened {
    /// Runs it from now on; its first event comes after `answered`. When this returns the consumer
    /// is on disk: one that was told of exists after a crash.
    ///
    /// # Errors
    /// The database refuses; the subscription is over.
    pub(crate) async fn begin(
        self,
        answered: impl Future<Output = bool> + Send + 'static,
    ) -> Result<(), RpcError> {
        let shared = &self.client.shared;
        shared.tasks.spawn(self.subscription.run(answered));
        let saved = self.position.save(&*shared.hub.backing).await;
        saved.map_err(|error| {
            self.track.end(Ending::Disconnected);
            if self.new {
                shared.hub.feed.consumers().unmake(&self.position);
            }
            errors::storage(&error)
        })
    }
}

/// Finds or makes the place to read from and holds it. Nothing is awaited after it is held, so a
/// connection that closes meanwhile leaves nothing behind.
///
/// # Errors
/// The consumer cannot be had, or the connection can have no subscription more.
pub(crate) async fn open(
    params: &EventsSubscribeParams,
    client: &Arc<Client>,
) -> Result<Opened, RpcError> {
    let hub = &client.shared.hub;
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
        track,
        client: Arc::clone(client),
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
