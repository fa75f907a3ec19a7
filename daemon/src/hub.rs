//! What the local API holds of the rest of the daemon.
//!
//! The local API reads the log and the outbox through queries, changes consumers through the
//! store's writer, and asks for everything else by a [`Command`] to the driver. It knows neither
//! SQL nor the platform's addresses: the parts stand behind the two traits [`Backing`] and
//! [`Upstream`].

use std::fmt;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::calls::Request;
use crate::command::{CallFailure, Command, ProcessRequest};
use crate::credentials::{Agent, ApiKey, Kept, Reserved};
use crate::event::LogEvent;
use crate::feed::Feed;
use crate::files::Source;
use crate::metrics::Metrics;
use crate::store::{ConsumerRow, OutboxName, OutboxRow, Reader, StoreError, Writer};

/// A future behind a trait object.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The handles that every handler of the local API shares.
#[derive(Clone)]
pub struct Hub {
    /// Requests to the driver; bounded by [`COMMAND_QUEUE`].
    pub commands: mpsc::Sender<Command>,
    /// Requests to the process; bounded by [`PROCESS_QUEUE`].
    pub process: mpsc::Sender<ProcessRequest>,
    /// The log, the consumers and the outbox on disk.
    pub backing: Arc<dyn Backing>,
    /// Committed events on their way to subscribers.
    pub feed: Arc<Feed>,
    /// Where bytes of requests may wait on disk.
    pub spool: Arc<Path>,
    /// The platform's REST interface; `None` while no API key is known.
    pub upstream: watch::Receiver<Option<Arc<dyn Upstream>>>,
    /// Where figures are counted.
    pub metrics: Arc<Metrics>,
    /// The same as nobody, for registration and recovery.
    pub anonymous: Arc<dyn Upstream>,
    /// Where new keys are kept.
    pub keys: Arc<dyn Keys>,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").finish_non_exhaustive()
    }
}

/// How many commands may wait for the driver.
pub const COMMAND_QUEUE: usize = 1024;

/// How many requests may wait for the process; people make them, one at a time.
pub const PROCESS_QUEUE: usize = 16;

/// The part of the store that the feed and the local API use.
pub trait Backing: Send + Sync {
    /// Events with an offset above `after`, rising; at most `limit`, and about `max_bytes`.
    fn events(
        &self,
        after: u64,
        limit: usize,
        max_bytes: usize,
    ) -> Later<'_, Result<Vec<Arc<LogEvent>>, StoreError>>;
    /// The first offset kept (0 where there is none) and the last one.
    fn bounds(&self) -> Later<'_, Result<(u64, u64), StoreError>>;
    /// The highest offset received before this time, 0 where there is none.
    fn offset_before(&self, time_us: i64) -> Later<'_, Result<u64, StoreError>>;
    /// All durable consumers.
    fn consumers(&self) -> Later<'_, Result<Vec<ConsumerRow>, StoreError>>;
    /// One durable consumer.
    fn consumer(&self, name: String) -> Later<'_, Result<Option<ConsumerRow>, StoreError>>;
    /// Outbox entries with an id above `after`, rising.
    fn outbox(
        &self,
        state: Option<String>,
        after: u64,
        limit: usize,
    ) -> Later<'_, Result<Vec<OutboxRow>, StoreError>>;
    /// How many outbox entries are in which state.
    fn outbox_states(&self) -> Later<'_, Result<Vec<(String, u64)>, StoreError>>;
    /// One outbox entry.
    fn outbox_entry(&self, name: OutboxName) -> Later<'_, Result<Option<OutboxRow>, StoreError>>;
    /// Writes a consumer whole; returns after the commit.
    fn put_consumer(&self, row: ConsumerRow) -> Later<'_, Result<(), StoreError>>;
    /// Moves a consumer's two offsets; returns after the commit.
    fn ack_consumer(
        &self,
        name: String,
        acked: u64,
        given_bound: u64,
    ) -> Later<'_, Result<(), StoreError>>;
    /// Forgets a consumer; false where there was none.
    fn delete_consumer(&self, name: String) -> Later<'_, Result<bool, StoreError>>;
    /// Notes when a consumer was last seen.
    fn touch_consumer(&self, name: String, at_us: i64) -> Later<'_, Result<(), StoreError>>;
}

/// The platform, as far as the local API reaches it without the driver.
pub trait Upstream: Send + Sync {
    /// The platform's JSON, unchanged, or `{"url": …}` where it redirects; given up after
    /// `timeout`.
    fn call(&self, request: Request, timeout: Duration)
    -> Later<'_, Result<Arc<str>, CallFailure>>;
    /// Sends a file to the address that the platform gave for it.
    fn put_file(
        &self,
        url: String,
        content_type: &'static str,
        file: Source,
        deadline: Option<Instant>,
    ) -> Later<'_, Result<(), CallFailure>>;
    /// Opens the file behind an address that the platform gave for it.
    fn get_file(
        &self,
        url: String,
        deadline: Option<Instant>,
    ) -> Later<'_, Result<Fetched, CallFailure>>;
}

/// A file on its way in.
pub struct Fetched {
    /// How many bytes will come, where the storage says so.
    pub size: Option<u64>,
    /// What it is, where the storage says so.
    pub content_type: Option<String>,
    /// The bytes; complete once the stream ends without an error.
    pub bytes: BoxStream<'static, Result<Bytes, CallFailure>>,
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetched")
            .field("size", &self.size)
            .field("content_type", &self.content_type)
            .finish_non_exhaustive()
    }
}

/// The keeper of the daemon's key.
pub trait Keys: Send + Sync {
    /// Whether a new key could be kept, as far as that can be told beforehand; `Err` says why not.
    /// Room for it is kept meanwhile.
    fn check(&self, agent: Agent) -> Later<'_, Result<Reserved, String>>;
    /// Keeps a new key, then has the driver use it; `Err` says why neither was done. The key is on
    /// disk before anybody uses it.
    fn adopt(
        &self,
        agent: Agent,
        key: ApiKey,
        room: Option<Reserved>,
    ) -> Later<'_, Result<Kept, String>>;
}

/// The store's two handles as one [`Backing`].
#[derive(Debug, Clone)]
pub struct StoreBacking {
    /// Queries.
    pub reader: Reader,
    /// Changes.
    pub writer: Writer,
}

impl Backing for StoreBacking {
    fn events(
        &self,
        after: u64,
        limit: usize,
        max_bytes: usize,
    ) -> Later<'_, Result<Vec<Arc<LogEvent>>, StoreError>> {
        Box::pin(self.reader.events(after, limit, max_bytes))
    }

    fn bounds(&self) -> Later<'_, Result<(u64, u64), StoreError>> {
        Box::pin(self.reader.bounds())
    }

    fn offset_before(&self, time_us: i64) -> Later<'_, Result<u64, StoreError>> {
        Box::pin(self.reader.offset_before(time_us))
    }

    fn consumers(&self) -> Later<'_, Result<Vec<ConsumerRow>, StoreError>> {
        Box::pin(self.reader.consumers())
    }

    fn consumer(&self, name: String) -> Later<'_, Result<Option<ConsumerRow>, StoreError>> {
        Box::pin(async move { self.reader.consumer(&name).await })
    }

    fn outbox(
        &self,
        state: Option<String>,
        after: u64,
        limit: usize,
    ) -> Later<'_, Result<Vec<OutboxRow>, StoreError>> {
        Box::pin(self.reader.outbox(state, after, limit))
    }

    fn outbox_states(&self) -> Later<'_, Result<Vec<(String, u64)>, StoreError>> {
        Box::pin(self.reader.outbox_states())
    }

    fn outbox_entry(&self, name: OutboxName) -> Later<'_, Result<Option<OutboxRow>, StoreError>> {
        Box::pin(self.reader.outbox_entry(name))
    }

    fn put_consumer(&self, row: ConsumerRow) -> Later<'_, Result<(), StoreError>> {
        Box::pin(self.writer.put_consumer(row))
    }

    fn ack_consumer(
        &self,
        name: String,
        acked: u64,
        given_bound: u64,
    ) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move { self.writer.ack_consumer(&name, acked, given_bound).await })
    }

    fn delete_consumer(&self, name: String) -> Later<'_, Result<bool, StoreError>> {
        Box::pin(async move { self.writer.delete_consumer(&name).await })
    }

    fn touch_consumer(&self, name: String, at_us: i64) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move { self.writer.touch_consumer(&name, at_us).await })
    }
}
