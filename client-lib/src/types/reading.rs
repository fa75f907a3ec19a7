//! `events.*` and `consumers.*`: subscribing, fetching, acknowledging.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::common::{is_false, null_default, ranged};
use super::events::Event;
use super::filter::{ConsumerName, Filter, Start};
use super::text::Text;
use super::time::Timestamp;
use crate::error::{At, at_most_one, only_one};

/// When the acked offset of a reader moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AckMode {
    /// With `events.ack`.
    Manual,
    /// Once the notification is written to the socket.
    Auto,
}

/// How many readers a consumer has at a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// One.
    #[default]
    Exclusive,
    /// Several, each event to one of them. Not part of this version: parameters refuse it.
    Shared,
}

/// Parameters of `events.subscribe`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EventsSubscribeParams {
    /// The durable consumer; without, the subscription is ephemeral.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer: Option<ConsumerName>,
    /// Where an ephemeral subscription or a new consumer starts.
    #[serde(default, deserialize_with = "null_default")]
    pub from: Start,
    /// Which events; a known consumer's kept filter where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// Whether a filter that differs from the kept one takes its place.
    #[serde(
        default,
        deserialize_with = "null_default",
        skip_serializing_if = "is_false"
    )]
    pub replace_filter: bool,
    /// When the acked offset moves; see [`EventsSubscribeParams::ack_mode`] for the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack: Option<AckMode>,
    /// How many events may be unacked, with manual acknowledgement.
    #[serde(default, deserialize_with = "null_default")]
    pub max_in_flight: MaxInFlight,
    /// One reader or several.
    #[serde(default, deserialize_with = "exclusive_only")]
    pub mode: Mode,
    /// Whether to end another subscription of the same consumer.
    #[serde(
        default,
        deserialize_with = "null_default",
        skip_serializing_if = "is_false"
    )]
    pub takeover: bool,
}

impl EventsSubscribeParams {
    /// The mode that holds: manual with a consumer and automatic without, where none was given.
    pub fn ack_mode(&self) -> AckMode {
        let default = if self.consumer.is_some() {
            AckMode::Manual
        } else {
            AckMode::Auto
        };
        self.ack.unwrap_or(default)
    }
}

ranged! {
    /// How many events a subscription may have unacked.
    MaxInFlight(u32), 1, 10_000, default 256
}

/// Result of `events.subscribe`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Subscribed {
    /// The subscription's name, which its notifications carry.
    pub subscription: String,
    /// The durable consumer, if it is one.
    pub consumer: Option<ConsumerName>,
    /// The offset from which it reads.
    pub next_offset: u64,
    /// The filter that holds, a known consumer's kept one included; `null` where all events pass,
    /// and then the offsets of the subscription have no holes.
    #[serde(default)]
    pub filter: Option<Filter>,
}

/// Whose events are acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ack {
    /// A durable consumer's.
    Consumer(ConsumerName),
    /// A subscription's.
    Subscription(Text),
}

/// Parameters of `events.ack`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "FlatAck", into = "FlatAck")]
pub struct EventsAckParams {
    /// Whose.
    pub of: Ack,
    /// All events up to here.
    pub offset: u64,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = crate::schema::exactly_one_of("consumer subscription")))]
#[serde(deny_unknown_fields)]
struct FlatAck {
    /// The durable consumer whose events they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    consumer: Option<ConsumerName>,
    /// The subscription whose events they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subscription: Option<Text>,
    /// All events up to here.
    offset: u64,
}

impl TryFrom<FlatAck> for EventsAckParams {
    type Error = At;

    fn try_from(flat: FlatAck) -> Result<Self, At> {
        let of = only_one([
            ("consumer", flat.consumer.map(Ack::Consumer)),
            ("subscription", flat.subscription.map(Ack::Subscription)),
        ])?;
        Ok(Self {
            of,
            offset: flat.offset,
        })
    }
}

impl From<EventsAckParams> for FlatAck {
    fn from(params: EventsAckParams) -> Self {
        let (consumer, subscription) = match params.of {
            Ack::Consumer(name) => (Some(name), None),
            Ack::Subscription(id) => (None, Some(id)),
        };
        Self {
            consumer,
            subscription,
            offset: params.offset,
        }
    }
}

/// Result of `events.ack` and `consumers.seek`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Acked {
    /// All events up to here are done with.
    pub acked_offset: u64,
}

/// Parameters of `events.fetch`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "FlatFetch", into = "FlatFetch")]
pub struct EventsFetchParams {
    /// The durable consumer after whose acked offset to read; made where it is new.
    pub consumer: Option<ConsumerName>,
    /// Where to start without a consumer, or with one that is new.
    pub from: Option<Start>,
    /// Start after this offset, whatever the consumer has acked; a `next_after` of an earlier page.
    pub after: Option<u64>,
    /// How many events at most.
    pub limit: FetchLimit,
    /// How long to wait for the first event.
    pub wait_ms: WaitMs,
    /// Which events; a known consumer's kept filter where it is left out.
    pub filter: Option<Filter>,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = crate::schema::not_both_without("from after", "consumer")))]
#[serde(deny_unknown_fields)]
struct FlatFetch {
    /// The durable consumer after whose acked offset to read; made where it is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    consumer: Option<ConsumerName>,
    /// Where to start without a consumer, or with one that is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Start>,
    /// Start after this offset, whatever the consumer has acked; a `next_after` of an earlier page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<u64>,
    /// How many events at most.
    #[serde(default, deserialize_with = "null_default")]
    limit: FetchLimit,
    /// How long to wait for the first event, in milliseconds.
    #[serde(default, deserialize_with = "null_default")]
    wait_ms: WaitMs,
    /// Which events; a known consumer's kept filter where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filter: Option<Filter>,
}

impl TryFrom<FlatFetch> for EventsFetchParams {
    type Error = At;

    fn try_from(flat: FlatFetch) -> Result<Self, At> {
        // With a consumer `from` is about its making and `after` about this page: both may stand.
        if flat.consumer.is_none() {
            let starts = [
                ("from", flat.from.as_ref().map(|_| ())),
                ("after", flat.after.map(|_| ())),
            ];
            at_most_one(starts)?;
        }
        let FlatFetch {
            consumer,
            from,
            after,
            limit,
            wait_ms,
            filter,
        } = flat;
        Ok(Self {
            consumer,
            from,
            after,
            limit,
            wait_ms,
            filter,
        })
    }
}

impl From<EventsFetchParams> for FlatFetch {
    fn from(params: EventsFetchParams) -> Self {
        let EventsFetchParams {
            consumer,
            from,
            after,
            limit,
            wait_ms,
            filter,
        } = params;
        Self {
            consumer,
            from,
            after,
            limit,
            wait_ms,
            filter,
        }
    }
}

ranged! {
    /// How many events a page holds.
    FetchLimit(u32), 1, 1_000, default 100
}

ranged! {
    /// How long a fetch waits for an event, in milliseconds.
    WaitMs(u64), 0, 60_000, default 0
}

/// Result of `events.fetch`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Fetched"))]
pub struct Fetched<E = Event> {
    /// The events, in order.
    pub events: Vec<E>,
    /// The `after` of the next page; moves past events that the filter left out.
    pub next_after: u64,
}

/// Parameters of `events.unsubscribe`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EventsUnsubscribeParams {
    /// Which subscription.
    pub subscription: Text,
}

/// Parameters of `consumers.delete`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NamedConsumer {
    /// Which consumer.
    pub name: ConsumerName,
}

/// Parameters of `consumers.seek`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SeekParams {
    /// Which consumer.
    pub name: ConsumerName,
    /// Where it goes on.
    pub to: Start,
}

/// One entry of `consumers.list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConsumerInfo {
    /// Its name.
    pub name: ConsumerName,
    /// One reader or several.
    pub mode: Mode,
    /// All events up to here are done with.
    pub acked_offset: u64,
    /// Events after it that pass the filter, counted to 100,000.
    pub lag: u64,
    /// Whether a subscription is there.
    pub attached: bool,
    /// The kept filter; `null` where it has none.
    pub filter: Option<Filter>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last subscribed, fetched or acked.
    pub last_seen_at: Option<Timestamp>,
}

fn exclusive_only<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Mode, D::Error> {
    match Option::deserialize(deserializer)? {
        None | Some(Mode::Exclusive) => Ok(Mode::Exclusive),
        Some(Mode::Shared) => Err(D::Error::custom(
            "shared consumers are not part of this version",
        )),
    }
}
