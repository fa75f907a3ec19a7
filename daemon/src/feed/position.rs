//! Where one subscription stands; with a name, a durable consumer.
//!
//! The rules are [`agentchatd_engine::consumer::Consumer`]; this adds the lock around them, the
//! holder, and the saving. Saves of one consumer happen one after the other and each writes the
//! newest state, so acknowledgements that come while a commit is under way share the next one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use agentchatd_client::types::Filter;
use agentchatd_engine::consumer::{AckMode, Consumer, NeverGiven, Record};
use tokio::sync::{Semaphore, watch};

use crate::event::LogEvent;
use crate::feed::track::{Ending, Track};
use crate::hub::Backing;
use crate::store::{ConsumerRow, StoreError};

/// One subscription's place in the log.
#[derive(Debug)]
pub struct Position {
    // `None`: an ephemeral subscription, known to memory only.
    name: Option<String>,
    state: Mutex<State>,
    // Counts jumps, acknowledgements and detachments, to wake whoever waits for one.
    moved: watch::Sender<u64>,
    saving: Semaphore,
}

#[derive(Debug)]
struct State {
    rules: Consumer,
    filter: Arc<Filter>,
    created_at_us: i64,
    last_seen_at_us: i64,
    holder: Option<Holder>,
    changes: u64,
    saved: u64,
    // The change that needs the whole row written, not just the offsets.
    whole: u64,
    deleted: bool,
}

/// Who holds a consumer.
#[derive(Debug, Clone)]
pub struct Holder {
    /// Its subscription.
    pub track: Arc<Track>,
    /// Its process, where the system tells.
    pub pid: Option<i32>,
    /// Its user.
    pub uid: u32,
}

/// What became of an event that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// It goes out; `redelivered` where it was given before.
    Taken {
        /// It was given before.
        redelivered: bool,
    },
    /// It lies at or before the position.
    Past,
    /// The position jumped since the page was read: read anew.
    Jumped,
    /// The window is full.
    Full,
    /// The database must know of it first: save, then offer it again.
    Unsaved,
}

/// A durable consumer as `consumers.list` and `daemon.health` show it.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Its name.
    pub name: String,
    /// Everything up to here is done.
    pub acked: u64,
    /// What it wants to see.
    pub filter: Arc<Filter>,
    /// A subscription holds it.
    pub attached: bool,
    /// The lowest offset that is given and not acknowledged.
    pub oldest_in_flight: Option<u64>,
    /// When it was made.
    pub created_at_us: i64,
    /// When it was last attached, acknowledged or fetched from.
    pub last_seen_at_us: i64,
}

impl Position {
    /// A durable consumer that is not on disk yet.
    pub(super) fn create(name: String, acked: u64, filter: Filter, now_us: i64) -> Self {
        let mut state = State::new(Consumer::new(acked), filter, now_us);
        state.whole = state.change();
        Self::with(Some(name), state)
    }

    /// A durable consumer from disk.
    pub(super) fn load(row: ConsumerRow, filter: Filter, last_offset: u64) -> Self {
        let rules = Consumer::load(row.acked, row.given, last_offset);
        let mut state = State::new(rules, filter, row.created_at_us);
        state.last_seen_at_us = row.last_seen_at_us;
        Self::with(Some(row.name), state)
    }

    /// The place of an ephemeral subscription.
    pub fn ephemeral(after: u64, filter: Filter, mode: AckMode) -> Self {
        let mut rules = Consumer::new(after);
        // Nothing of it is kept, so nothing has to be committed before an event goes out.
        rules.recorded(Record {
            acked: after,
            bound: u64::MAX,
        });
        rules.begin(mode);
        Self::with(None, State::new(rules, filter, 0))
    }

    fn with(name: Option<String>, state: State) -> Self {
        let moved = watch::Sender::new(0);
        Self {
            name,
            state: Mutex::new(state),
            moved,
            saving: Semaphore::new(1),
        }
    }

    /// The consumer's name; `None` for an ephemeral subscription.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What it wants to see.
    pub fn filter(&self) -> Arc<Filter> {
        Arc::clone(&self.lock().filter)
    }

    /// Takes another filter from now on.
    pub(super) fn set_filter(&self, filter: Filter) {
        let mut state = self.lock();
        state.filter = Arc::new(filter);
        state.whole = state.change();
    }

    /// Everything up to here was looked at.
    pub fn cursor(&self) -> u64 {
        self.lock().rules.cursor()
    }

    /// Everything up to here is acknowledged.
    pub fn acked(&self) -> u64 {
        self.lock().rules.acked()
    }

    /// The highest offset that may have reached a client.
    pub fn given(&self) -> u64 {
        let mut state = self.lock();
        state.sync();
        state.rules.given()
    }

    /// Where to read on, what number that place has, and how many events fit.
    pub fn next(&self) -> (u64, u64, usize) {
        let state = self.lock();
        (
            state.rules.cursor(),
            state.rules.epoch(),
            state.rules.room(),
        )
    }

    /// Offers an event from a page that was read at `epoch`.
    pub fn offer(&self, event: &LogEvent, epoch: u64) -> Offer {
        let mut state = self.lock();
        if state.rules.epoch() != epoch {
            return Offer::Jumped;
        }
        if event.offset <= state.rules.cursor() {
            return Offer::Past;
        }
        if state.rules.room() == 0 {
            return Offer::Full;
        }
        if !state.rules.reserve(event.offset) {
            state.change();
            return Offer::Unsaved;
        }
        Offer::Taken {
            redelivered: state.rules.take(event.offset),
        }
    }

    /// The filter left out everything up to `offset`, in a page that was read at `epoch`.
    pub fn pass(&self, offset: u64, epoch: u64) {
        let mut state = self.lock();
        if state.rules.epoch() == epoch {
            state.rules.pass(offset);
        }
    }

    /// Events up to `offset` are handed out without a session, by a fetch. [`Self::save`] before
    /// they go out.
    pub fn hand_out(&self, offset: u64, now_us: i64) {
        let mut state = self.lock();
        state.last_seen_at_us = now_us;
        if offset > state.rules.given() {
            state.rules.gave(offset);
            state.change();
        }
    }

    /// Acknowledges everything up to `offset`; gives the acknowledged offset. [`Self::save`] makes
    /// it last.
    ///
    /// # Errors
    /// The offset was never given.
    pub fn ack(&self, offset: u64, now_us: i64) -> Result<u64, NeverGiven> {
        let mut state = self.lock();
        state.sync();
        let moved = state.rules.ack(offset)?;
        state.last_seen_at_us = now_us;
        if moved {
            state.change();
        }
        let acked = state.rules.acked();
        drop(state);
        self.wake();
        Ok(acked)
    }

    /// Acknowledges what was written to the holder, where that is how it acknowledges.
    /// [`Self::save`] makes it last.
    pub fn ack_written(&self) {
        self.lock().sync();
        self.wake();
    }

    /// Starts over after `offset`. [`Self::save`] makes it last.
    pub fn seek(&self, offset: u64) {
        let mut state = self.lock();
        state.sync();
        state.rules.seek(offset);
        state.change();
        drop(state);
        self.wake();
    }

    /// A receiver that changes with each acknowledgement, jump and detachment.
    pub fn moved(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }

    /// Begins a session. Where another subscription holds the consumer it is ended with
    /// `takeover`, else this fails.
    pub(super) fn attach(
        &self,
        holder: Holder,
        mode: AckMode,
        takeover: bool,
        now_us: i64,
    ) -> Result<(), Option<Holder>> {
        let mut state = self.lock();
        if state.deleted {
            return Err(None);
        }
        if let Some(other) = &state.holder {
            if !takeover {
                return Err(Some(other.clone()));
            }
            other.track.end(Ending::Takeover);
        }
        state.sync();
        state.rules.begin(mode);
        state.holder = Some(holder);
        state.last_seen_at_us = now_us;
        drop(state);
        self.wake();
        Ok(())
    }

    /// Ends the session that `track` belongs to, unless another one holds the consumer by now.
    /// [`Self::save`] writes the exact state.
    pub fn detach(&self, track: &Arc<Track>, now_us: i64) -> bool {
        let mut state = self.lock();
        if !state
            .holder
            .as_ref()
            .is_some_and(|holder| Arc::ptr_eq(&holder.track, track))
        {
            return false;
        }
        state.sync();
        state.rules.end();
        state.holder = None;
        state.last_seen_at_us = now_us;
        state.change();
        drop(state);
        self.wake();
        true
    }

    /// Who holds the consumer.
    pub fn holder(&self) -> Option<Holder> {
        self.lock().holder.clone()
    }

    /// What lists show of a durable consumer.
    pub fn snapshot(&self) -> Option<Snapshot> {
        let state = self.lock();
        Some(Snapshot {
            name: self.name.clone()?,
            acked: state.rules.acked(),
            filter: Arc::clone(&state.filter),
            attached: state.holder.is_some(),
            oldest_in_flight: state.rules.oldest_in_flight(),
            created_at_us: state.created_at_us,
            last_seen_at_us: state.last_seen_at_us,
        })
    }

    /// Returns once everything that changed before the call is committed. Nothing to do for an
    /// ephemeral subscription.
    ///
    /// # Errors
    /// The database refuses; the change stays in memory and the next save tries it again.
    pub async fn save(&self, backing: &dyn Backing) -> Result<(), StoreError> {
        let Some(name) = &self.name else {
            return Ok(());
        };
        let wanted = self.lock().changes;
        let _turn = self
            .saving
            .acquire()
            .await
            .expect("this semaphore is never closed");
        let (changes, record, row) = {
            let mut state = self.lock();
            if state.saved >= wanted || state.deleted {
                return Ok(());
            }
            let record = state.rules.record();
            let row = (state.whole > state.saved).then(|| state.row(name, record));
            (state.changes, record, row)
        };
        match row {
            Some(row) => backing.put_consumer(row).await?,
            None => {
                backing
                    .ack_consumer(name.clone(), record.acked, record.bound)
                    .await?
            }
        }
        let mut state = self.lock();
        state.rules.recorded(record);
        state.saved = state.saved.max(changes);
        Ok(())
    }

    /// Takes the consumer off the disk and ends its subscription; false where it was not there.
    pub(super) async fn delete(&self, backing: &dyn Backing) -> Result<bool, StoreError> {
        let Some(name) = &self.name else {
            return Ok(false);
        };
        let _turn = self
            .saving
            .acquire()
            .await
            .expect("this semaphore is never closed");
        let was_there = backing.delete_consumer(name.clone()).await?;
        let mut state = self.lock();
        state.deleted = true;
        if let Some(holder) = state.holder.take() {
            holder.track.end(Ending::Deleted);
        }
        Ok(was_there)
    }

    /// Nothing is written of it any more.
    pub(super) fn abandon(&self) {
        self.lock().deleted = true;
    }

    fn wake(&self) {
        self.moved.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new(rules: Consumer, filter: Filter, created_at_us: i64) -> Self {
        Self {
            rules,
            filter: Arc::new(filter),
            created_at_us,
            last_seen_at_us: created_at_us,
            holder: None,
            changes: 0,
            saved: 0,
            whole: 0,
            deleted: false,
        }
    }

    fn change(&mut self) -> u64 {
        self.changes += 1;
        self.changes
    }

    /// Takes over what the writer of the holder's connection told.
    fn sync(&mut self) {
        let Some(holder) = &self.holder else { return };
        self.rules.gave(holder.track.given());
        let written = holder.track.written();
        if self.rules.is_auto() && written.epoch == self.rules.epoch() {
            // What was written was taken before, so this cannot be refused.
            if self.rules.ack(written.offset) == Ok(true) {
                self.change();
            }
        }
    }

    fn row(&self, name: &str, record: Record) -> ConsumerRow {
        let filter = (!self.filter.passes_all())
            .then(|| serde_json::to_string(&*self.filter).ok())
            .flatten();
        ConsumerRow {
            name: name.to_owned(),
            filter,
            acked: record.acked,
            given: record.bound,
            max_in_flight: 0,
            created_at_us: self.created_at_us,
            last_seen_at_us: self.last_seen_at_us,
        }
    }
}
