//! The durable consumers by name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use agentchatd_client::types::Filter;
use agentchatd_engine::consumer::AckMode;
use tokio::time::timeout;

use crate::feed::position::{Holder, Position};
use crate::hub::Backing;
use crate::store::{ConsumerRow, StoreError};

/// All durable consumers, on disk and in memory alike.
#[derive(Debug, Default)]
pub struct Consumers {
    by_name: Mutex<BTreeMap<String, Arc<Position>>>,
}

/// A request for a consumer.
#[derive(Debug, Clone)]
pub struct Attach {
    /// Its name.
    pub name: String,
    /// Where it starts if it is new.
    pub start_after: u64,
    /// The filter that the caller named, if any.
    pub filter: Option<Filter>,
    /// Another filter than the kept one takes its place.
    pub replace_filter: bool,
}

/// A consumer that was found or made.
#[derive(Debug, Clone)]
pub struct Attached {
    /// The consumer.
    pub position: Arc<Position>,
    /// It was made just now and is not on disk yet.
    pub new: bool,
}

/// Why a consumer cannot be had.
#[derive(Debug)]
pub enum AttachError {
    /// Another subscription holds it.
    Held(Holder),
    /// It is known with another filter.
    FilterDiffers(Option<Holder>),
    /// It was deleted a moment ago.
    Gone,
    /// There are too many consumers.
    TooMany,
}

impl Consumers {
    /// Takes in a consumer from disk.
    pub(super) fn load(&self, row: ConsumerRow, last_offset: u64) {
        let filter = match row.filter.as_deref().map(serde_json::from_str::<Filter>) {
            None => Filter::default(),
            Some(Ok(filter)) => filter,
            Some(Err(error)) => {
                tracing::warn!(consumer = row.name, %error, "kept filter not understood; unused");
                Filter::default()
            }
        };
        let name = row.name.clone();
        self.lock()
            .insert(name, Arc::new(Position::load(row, filter, last_offset)));
    }

    /// The consumer of this name.
    pub fn find(&self, name: &str) -> Option<Arc<Position>> {
        self.lock().get(name).cloned()
    }

    /// All consumers, by name.
    pub fn all(&self) -> Vec<Arc<Position>> {
        self.lock().values().cloned().collect()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// Finds the consumer or makes it in memory; its filter is judged, but not changed yet.
    ///
    /// # Errors
    /// It is known with another filter, or there are too many.
    pub fn find_or_make(&self, want: &Attach, now_us: i64) -> Result<Attached, AttachError> {
        let mut by_name = self.lock();
        if let Some(position) = by_name.get(&want.name) {
            let differs = want
                .filter
                .as_ref()
                .is_some_and(|filter| *filter != *position.filter());
            if differs && !want.replace_filter {
                return Err(AttachError::FilterDiffers(position.holder()));
            }
            return Ok(Attached {
                position: Arc::clone(position),
                new: false,
            });
        }
        if by_name.len() >= MAX_CONSUMERS {
            return Err(AttachError::TooMany);
        }
        let filter = want.filter.clone().unwrap_or_default();
        let fresh = Position::create(want.name.clone(), want.start_after, filter, now_us);
        let position = Arc::new(fresh);
        by_name.insert(want.name.clone(), Arc::clone(&position));
        Ok(Attached {
            position,
            new: true,
        })
    }

    /// Forgets a consumer that could not be written.
    pub fn unmake(&self, position: &Arc<Position>) {
        position.abandon();
        let Some(name) = position.name() else { return };
        let mut by_name = self.lock();
        if by_name
            .get(name)
            .is_some_and(|known| Arc::ptr_eq(known, position))
        {
            by_name.remove(name);
        }
    }

    /// Begins a session of the consumer. A holder whose client has just gone is given a moment to
    /// notice, so that a client that reconnects at once is not refused because of itself.
    ///
    /// # Errors
    /// It is held, or gone.
    pub async fn attach(
        &self,
        position: &Arc<Position>,
        holder: Holder,
        mode: AckMode,
        takeover: bool,
        now_us: i64,
    ) -> Result<(), AttachError> {
        let mut moved = position.moved();
        let held = |position: &Position| position.holder().is_some();
        if !takeover && held(position) {
            let freed = async { while held(position) && moved.changed().await.is_ok() {} };
            let _ = timeout(HANDOVER_GRACE, freed).await;
        }
        position
            .attach(holder, mode, takeover, now_us)
            .map_err(|other| match other {
                Some(other) => AttachError::Held(other),
                None => AttachError::Gone,
            })
    }

    /// Replaces the kept filter where the caller named another one. True where it did.
    pub fn adopt_filter(&self, position: &Position, filter: Option<&Filter>) -> bool {
        match filter {
            Some(filter) if *filter != *position.filter() => {
                position.set_filter(filter.clone());
                true
            }
            _ => false,
        }
    }

    /// Forgets the consumer of this name, on disk first; false where there is none.
    ///
    /// # Errors
    /// The database refuses; the consumer stays.
    pub async fn delete(&self, name: &str, backing: &dyn Backing) -> Result<bool, StoreError> {
        let Some(position) = self.find(name) else {
            return Ok(false);
        };
        position.delete(backing).await?;
        self.unmake(&position);
        Ok(true)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Position>>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many durable consumers there may be.
pub const MAX_CONSUMERS: usize = 10_000;

/// How long a holder that may be gone already is waited for.
const HANDOVER_GRACE: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::testing::{MemoryStore, event};
    use crate::feed::{Ending, Feed, Offer, Track, Written};

    const WINDOW: AckMode = AckMode::Manual { max_in_flight: 10 };

    fn want(name: &str) -> Attach {
        Attach {
            name: name.into(),
            start_after: 0,
            filter: None,
            replace_filter: false,
        }
    }

    fn holder(pid: i32) -> Holder {
        Holder {
            track: Arc::default(),
            pid: Some(pid),
            uid: 1000,
        }
    }

    async fn attach(feed: &Feed, name: &str, takeover: bool) -> Result<Arc<Track>, AttachError> {
        let consumers = feed.consumers();
        let position = consumers.find_or_make(&want(name), 1)?.position;
        let holder = holder(1);
        let track = Arc::clone(&holder.track);
        consumers
            .attach(&position, holder, WINDOW, takeover, 1)
            .await?;
        Ok(track)
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_subscription_is_refused_or_takes_over() {
        let feed = Feed::new(0);
        let first = attach(&feed, "a", false).await.unwrap();
        assert!(matches!(
            attach(&feed, "a", false).await,
            Err(AttachError::Held(_))
        ));
        assert_eq!(first.ending(), None);
        let second = attach(&feed, "a", true).await.unwrap();
        assert_eq!(first.ending(), Some(Ending::Takeover));
        assert_eq!(second.ending(), None);
        let position = feed.consumers().find("a").unwrap();
        assert!(
            !position.detach(&first, 2),
            "the first one has nothing to end any more"
        );
        assert!(position.detach(&second, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reconnects_at_once_is_not_refused_because_of_itself() {
        let feed = Feed::new(0);
        let first = attach(&feed, "a", false).await.unwrap();
        let position = feed.consumers().find("a").unwrap();
        let leave = async {
            tokio::time::sleep(HANDOVER_GRACE / 2).await;
            position.detach(&first, 2);
        };
        let (again, ()) = tokio::join!(attach(&feed, "a", false), leave);
        assert!(again.is_ok());
    }

    #[tokio::test]
    async fn what_the_first_session_was_given_is_marked_for_the_one_that_takes_over() {
        let feed = Feed::new(0);
        let store = MemoryStore::with_events(1..=3);
        let first = attach(&feed, "a", false).await.unwrap();
        let position = feed.consumers().find("a").unwrap();
        position.save(&*store).await.unwrap();
        let epoch = position.next().1;
        for offset in [1, 2] {
            assert_eq!(
                position.offer(&event(offset), epoch),
                Offer::Taken { redelivered: false }
            );
        }
        assert!(first.give(1), "only the first one got as far as the writer");
        attach(&feed, "a", true).await.unwrap();
        assert!(!first.give(2), "and from now on nothing goes out to it");
        let epoch = position.next().1;
        assert_eq!(
            position.offer(&event(1), epoch),
            Offer::Taken { redelivered: true }
        );
    }

    #[tokio::test]
    async fn redelivery_is_remembered_across_a_crash_without_a_commit_per_event() {
        let store = MemoryStore::with_events(1..=100);
        let feed = Feed::open(&*store).await.unwrap();
        let track = attach(&feed, "a", false).await.unwrap();
        let position = feed.consumers().find("a").unwrap();
        position.save(&*store).await.unwrap();
        let epoch = position.next().1;
        for offset in 1..=10 {
            if position.offer(&event(offset), epoch) == Offer::Unsaved {
                position.save(&*store).await.unwrap();
                position.offer(&event(offset), epoch);
            }
            track.give(offset);
        }
        assert!(
            store.commits() <= 2,
            "{} commits for ten events",
            store.commits()
        );
        // The crash: nothing is detached, a new feed reads what is on disk.
        let feed = Feed::open(&*store).await.unwrap();
        attach(&feed, "a", false).await.unwrap();
        let position = feed.consumers().find("a").unwrap();
        let (after, epoch, _) = position.next();
        assert_eq!(after, 0);
        for offset in 1..=10 {
            let offer = position.offer(&event(offset), epoch);
            assert_eq!(offer, Offer::Taken { redelivered: true }, "{offset}");
        }
    }

    #[tokio::test]
    async fn what_was_written_before_a_jump_back_is_not_acknowledged_after_it() {
        let feed = Feed::new(5);
        let made = feed.consumers().find_or_make(&want("a"), 1);
        let position = made.unwrap().position;
        let holder = holder(1);
        let track = Arc::clone(&holder.track);
        let attached = feed
            .consumers()
            .attach(&position, holder, AckMode::Auto, false, 1)
            .await;
        attached.unwrap();
        let epoch = position.next().1;
        track.give(5);
        position.pass(5, epoch);
        position.seek(0);
        track.wrote(Written { epoch, offset: 5 });
        position.ack_written();
        assert_eq!(position.acked(), 0);
    }

    #[tokio::test]
    async fn acknowledgements_that_wait_for_the_same_commit_share_it() {
        let store = MemoryStore::with_events(1..=100);
        let feed = Feed::open(&*store).await.unwrap();
        attach(&feed, "a", false).await.unwrap();
        let position = feed.consumers().find("a").unwrap();
        position.save(&*store).await.unwrap();
        position.pass(50, position.next().1);
        let before = store.commits();
        let acks = (1..=50).map(|offset| {
            let (position, store) = (Arc::clone(&position), Arc::clone(&store));
            async move {
                position.ack(offset, 1).unwrap();
                position.save(&*store).await.unwrap();
                assert!(
                    store.row("a").unwrap().acked >= offset,
                    "saved means on disk"
                );
            }
        });
        futures_util::future::join_all(acks).await;
        assert_eq!(store.row("a").unwrap().acked, 50);
        assert!(
            store.commits() - before <= 2,
            "{}",
            store.commits() - before
        );
    }

    #[tokio::test]
    async fn another_filter_is_refused_until_it_is_to_replace_the_kept_one() {
        let feed = Feed::new(0);
        let consumers = feed.consumers();
        let filter: Filter = serde_json::from_str(r#"{"types":["message.new"]}"#).unwrap();
        let with = Attach {
            filter: Some(filter),
            ..want("a")
        };
        assert!(consumers.find_or_make(&with, 1).unwrap().new);
        assert!(
            !consumers.find_or_make(&want("a"), 1).unwrap().new,
            "left out: the kept one"
        );
        let other = Attach {
            filter: Some(Filter::default()),
            ..want("a")
        };
        let refused = consumers.find_or_make(&other, 1);
        assert!(matches!(refused, Err(AttachError::FilterDiffers(None))));
        let replace = Attach {
            replace_filter: true,
            ..other
        };
        let position = consumers.find_or_make(&replace, 1).unwrap().position;
        assert!(consumers.adopt_filter(&position, replace.filter.as_ref()));
        assert!(position.filter().passes_all());
    }

    #[tokio::test]
    async fn a_deleted_consumer_is_gone_from_disk_and_its_subscription_ends() {
        let store = MemoryStore::with_events(1..=3);
        let feed = Feed::open(&*store).await.unwrap();
        let track = attach(&feed, "a", false).await.unwrap();
        let position = feed.consumers().find("a").unwrap();
        position.save(&*store).await.unwrap();
        assert!(feed.consumers().delete("a", &*store).await.unwrap());
        assert_eq!(track.ending(), Some(Ending::Deleted));
        assert_eq!(store.row("a"), None);
        let other: Filter = serde_json::from_str(r#"{"types":["x"]}"#).unwrap();
        assert!(feed.consumers().adopt_filter(&position, Some(&other)));
        position.save(&*store).await.unwrap();
        assert_eq!(store.row("a"), None, "a late save does not bring it back");
        assert!(!feed.consumers().delete("a", &*store).await.unwrap());
    }
}
