//! A log and consumers in memory, for tests.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::event::LogEvent;
use crate::hub::{Backing, Later};
use crate::store::{ConsumerRow, OutboxName, OutboxRow, StoreError};

/// A store in memory. Its consumers survive a "restart": open a new feed on the same store.
#[derive(Debug, Default)]
pub(crate) struct MemoryStore {
    events: Mutex<Vec<Arc<LogEvent>>>,
    consumers: Mutex<BTreeMap<String, ConsumerRow>>,
    outbox: Mutex<Vec<OutboxRow>>,
    reads: AtomicUsize,
    commits: AtomicUsize,
    failing: AtomicBool,
}

/// A message event with this offset.
pub(crate) fn event(offset: u64) -> Arc<LogEvent> {
    Arc::new(LogEvent {
        offset,
        kind: "message.new".into(),
        received_at_us: i64::try_from(offset).unwrap() * 1_000_000,
        conversation_id: Some(format!("conv_{}", offset % 3).into()),
        message_id: Some(format!("msg_{offset}").into()),
        seq: Some(offset),
        source: "live",
        sender: Some("alice".into()),
        payload: format!(r#"{{"id":"msg_{offset}"}}"#).into(),
        ..LogEvent::default()
    })
}

impl MemoryStore {
    pub(crate) fn empty() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn with_events(offsets: RangeInclusive<u64>) -> Arc<Self> {
        let store = Self::default();
        store.append(offsets);
        Arc::new(store)
    }

    pub(crate) fn append(&self, offsets: RangeInclusive<u64>) -> Vec<Arc<LogEvent>> {
        let events: Vec<_> = offsets.map(event).collect();
        self.push(events.clone());
        events
    }

    pub(crate) fn push(&self, events: Vec<Arc<LogEvent>>) {
        self.events.lock().unwrap().extend(events);
    }

    pub(crate) fn push_outbox(&self, row: OutboxRow) {
        self.outbox.lock().unwrap().push(row);
    }

    pub(crate) fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    pub(crate) fn commits(&self) -> usize {
        self.commits.load(Ordering::SeqCst)
    }

    pub(crate) fn fail(&self, failing: bool) {
        self.failing.store(failing, Ordering::SeqCst);
    }

    pub(crate) fn row(&self, name: &str) -> Option<ConsumerRow> {
        self.consumers.lock().unwrap().get(name).cloned()
    }

    fn commit<T>(&self, change: impl FnOnce(&Self) -> T) -> Result<T, StoreError> {
        if self.failing.load(Ordering::SeqCst) {
            return Err(StoreError::Full);
        }
        self.commits.fetch_add(1, Ordering::SeqCst);
        Ok(change(self))
    }
}

impl Backing for MemoryStore {
    fn events(
        &self,
        after: u64,
        limit: usize,
        _: usize,
    ) -> Later<'_, Result<Vec<Arc<LogEvent>>, StoreError>> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let events = self.events.lock().unwrap();
        let first = events.partition_point(|event| event.offset <= after);
        let page = events[first..].iter().take(limit).cloned().collect();
        Box::pin(async move { Ok(page) })
    }

    fn bounds(&self) -> Later<'_, Result<(u64, u64), StoreError>> {
        let events = self.events.lock().unwrap();
        let first = events.first().map_or(0, |event| event.offset);
        let last = events.last().map_or(0, |event| event.offset);
        Box::pin(async move { Ok((first, last)) })
    }

    fn offset_before(&self, time_us: i64) -> Later<'_, Result<u64, StoreError>> {
        let events = self.events.lock().unwrap();
        let before = events
            .iter()
            .rev()
            .find(|event| event.received_at_us < time_us);
        let offset = before.map_or(0, |event| event.offset);
        Box::pin(async move { Ok(offset) })
    }

    fn consumers(&self) -> Later<'_, Result<Vec<ConsumerRow>, StoreError>> {
        let rows = self.consumers.lock().unwrap().values().cloned().collect();
        Box::pin(async move { Ok(rows) })
    }

    fn consumer(&self, name: String) -> Later<'_, Result<Option<ConsumerRow>, StoreError>> {
        let row = self.row(&name);
        Box::pin(async move { Ok(row) })
    }

    fn outbox(
        &self,
        state: Option<String>,
        after: u64,
        limit: usize,
    ) -> Later<'_, Result<Vec<OutboxRow>, StoreError>> {
        let rows = self.outbox.lock().unwrap();
        let wanted = |row: &&OutboxRow| {
            row.outbox_id > after && state.as_deref().is_none_or(|state| row.state == state)
        };
        let page = rows.iter().filter(wanted).take(limit).cloned().collect();
        Box::pin(async move { Ok(page) })
    }

    fn outbox_states(&self) -> Later<'_, Result<Vec<(String, u64)>, StoreError>> {
        let mut states = BTreeMap::<String, u64>::new();
        for row in self.outbox.lock().unwrap().iter() {
            *states.entry(row.state.clone()).or_default() += 1;
        }
        Box::pin(async move { Ok(states.into_iter().collect()) })
    }

    fn outbox_entry(&self, name: OutboxName) -> Later<'_, Result<Option<OutboxRow>, StoreError>> {
        let rows = self.outbox.lock().unwrap();
        let is_it = |row: &&OutboxRow| match &name {
            OutboxName::Id(id) => row.outbox_id == *id,
            OutboxName::ClientMsgId(id) => row.client_msg_id == *id,
        };
        let row = rows.iter().find(is_it).cloned();
        Box::pin(async move { Ok(row) })
    }

    fn put_consumer(&self, row: ConsumerRow) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.commit(|store| {
                store
                    .consumers
                    .lock()
                    .unwrap()
                    .insert(row.name.clone(), row);
            })
        })
    }

    fn ack_consumer(
        &self,
        name: String,
        acked: u64,
        given_bound: u64,
    ) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move {
            // A commit takes a while: others get their turn before it happens.
            tokio::task::yield_now().await;
            self.commit(|store| {
                if let Some(row) = store.consumers.lock().unwrap().get_mut(&name) {
                    row.acked = acked;
                    row.given = given_bound;
                }
            })
        })
    }

    fn delete_consumer(&self, name: String) -> Later<'_, Result<bool, StoreError>> {
        Box::pin(async move {
            self.commit(|store| store.consumers.lock().unwrap().remove(&name).is_some())
        })
    }

    fn touch_consumer(&self, name: String, at_us: i64) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.commit(|store| {
                if let Some(row) = store.consumers.lock().unwrap().get_mut(&name) {
                    row.last_seen_at_us = at_us;
                }
            })
        })
    }
}
