//! Sends: a lane per destination, order inside it, several lanes at once, one rate for all.
//!
//! An entry is on disk before its first attempt, and an attempt is on disk before it is made, so
//! that a crash leaves no send whose attempts nobody knows of. What may have landed is looked
//! for in history before it is called failed (`wire.md` 11.33).

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};

use crate::{
    effect::Effect,
    entry::{Entry, IfAbsent, Stage, Start, ended},
    op::{Lane, Op, SendEnd},
    rate::{Rate, Turn},
    row::Failure,
    time::{Jitter, Millis, Now},
    verdict::{SendVerdict, send_verdict},
    window,
};

/// Limits of the outbox.
#[derive(Debug, Clone, Copy)]
pub struct OutboxSettings {
    /// Destinations that may be sent to at once.
    pub concurrency: usize,
    /// Sends a second over all destinations.
    pub rate_per_second: u32,
    /// The wait before the second attempt; doubled for each further one.
    pub base_delay_ms: u64,
    /// The longest wait that we choose ourselves; the platform's own wish is not cut by it.
    pub max_delay_ms: u64,
}

/// An unfinished entry as the store gives it back at start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRecord {
    /// The entry.
    pub id: u64,
    /// Its destination.
    pub lane: Lane,
    /// Attempts made.
    pub attempts: u32,
    /// Plain 500 answers so far.
    pub poison: u32,
    /// True where an attempt may have landed; also one that was under way when the daemon died.
    pub ambiguous: bool,
    /// When the next attempt is due, microseconds since the epoch.
    pub next_attempt_us: i64,
    /// True where the platform told that time.
    pub told: bool,
    /// When it was accepted, microseconds since the epoch: no attempt was made before.
    pub accepted_us: i64,
    /// When it expires, microseconds since the epoch.
    pub expires_us: i64,
}

#[derive(Debug)]
pub(crate) struct Outbox {
    settings: OutboxSettings,
    pub(crate) entries: BTreeMap<u64, Entry>,
    lanes: BTreeMap<Lane, VecDeque<u64>>,
    /// Inserts on their way to disk, by lane.
    inserting: BTreeMap<Lane, Inserting>,
    /// Heads of lanes that wait, and when they may start: each entry's own `at`.
    pub(crate) due: BTreeSet<(Millis, u64)>,
    pub(crate) active: usize,
    pub(crate) rate: Rate,
    /// The group that was refused last, and when.
    pub(crate) refused_group: Option<(Lane, Millis)>,
    /// True while it is not known whose key there is: nothing is sent, nothing searched.
    held: bool,
    /// When held entries are looked at again, for those whose time runs out.
    look_at: Millis,
}

/// Inserts of a lane on their way to disk.
#[derive(Debug, Default)]
struct Inserting {
    count: u32,
    /// Of the first one, where it is attempted at once.
    turn: Option<Turn>,
}

/// What an answer leads to.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Record this; the entry waits.
    Wait { op: Op, effect: Option<Effect> },
    /// Nothing now: history is to be searched first.
    Search,
    /// Record this; the entry is over.
    End(Op),
    /// Not ours, or not awaited.
    Ignore,
}

impl Outbox {
    pub(crate) fn new(settings: OutboxSettings) -> Self {
        Self {
            settings,
            entries: BTreeMap::new(),
            lanes: BTreeMap::new(),
            inserting: BTreeMap::new(),
            due: BTreeSet::new(),
            active: 0,
            rate: Rate::new(settings.rate_per_second),
            refused_group: None,
            held: false,
            look_at: Millis(0),
        }
    }

    /// Holds everything up, or lets it go on.
    pub(crate) fn hold(&mut self, held: bool) {
        self.held = held;
    }

    pub(crate) fn restore(&mut self, record: OutboxRecord, now: Now) {
        let wait_us = record.next_attempt_us.saturating_sub(now.wall_us).max(0);
        // A wall clock that went back must not hold a send up for longer than a wait can be.
        let wait_ms = u64::try_from(wait_us / 1_000)
            .unwrap_or(0)
            .min(LONGEST_WAIT_MS);
        let id = record.id;
        let entry = Entry {
            lane: record.lane.clone(),
            attempts: record.attempts,
            poison: record.poison,
            ambiguous: record.ambiguous,
            accepted_us: record.accepted_us,
            expires_at: now.when(record.expires_us),
            at: now.mono + wait_ms,
            told: record.told,
            turn: None,
            stage: Stage::Waiting,
            searches: 0,
            search: None,
            failure: None,
        };
        self.enqueue(id, entry);
    }

    fn enqueue(&mut self, id: u64, entry: Entry) {
        let lane = self.lanes.entry(entry.lane.clone()).or_default();
        lane.push_back(id);
        if lane.len() == 1 && entry.stage == Stage::Waiting {
            self.due.insert((entry.at, id));
        }
        self.entries.insert(id, entry);
    }

    /// A send is about to be written; true where its first attempt may follow at once.
    pub(crate) fn reserve(&mut self, lane: &Lane, now: Millis) -> bool {
        let inserting = self.inserting.entry(lane.clone()).or_default();
        inserting.count += 1;
        let is_free = !self.held && inserting.count == 1 && !self.lanes.contains_key(lane);
        if is_free && self.active < self.settings.concurrency {
            inserting.turn = self.rate.take(now);
        }
        let sending = is_free && inserting.turn.is_some();
        if sending {
            self.active += 1;
        }
        sending
    }

    /// The turn of the insert, where it is the one that is attempted at once.
    fn unreserve(&mut self, lane: &Lane, sending: bool) -> Option<Turn> {
        let inserting = self.inserting.get_mut(lane)?;
        let turn = if sending { inserting.turn.take() } else { None };
        inserting.count -= 1;
        if inserting.count == 0 {
            self.inserting.remove(lane);
        }
        turn
    }

    /// The send is on disk as a new entry; true where it is to be attempted now.
    pub(crate) fn accepted(
        &mut self,
        id: u64,
        lane: Lane,
        sending: bool,
        expires_at: Millis,
        now: Now,
    ) {
        let turn = self.unreserve(&lane, sending);
        let entry = Entry {
            lane,
            attempts: u32::from(sending),
            poison: 0,
            ambiguous: false,
            accepted_us: now.wall_us,
            expires_at,
            at: now.mono,
            told: false,
            turn,
            stage: if sending { Stage::Busy } else { Stage::Waiting },
            searches: 0,
            search: None,
            failure: None,
        };
        self.enqueue(id, entry);
    }

    /// The send was known before; nothing was taken in.
    pub(crate) fn declined(&mut self, lane: &Lane, sending: bool) {
        self.unreserve(lane, sending);
        if sending {
            self.active -= 1;
        }
    }

    /// Entries to attempt now, each to be recorded first; entries that ran out of time.
    pub(crate) fn start(&mut self, now: Now) -> Vec<Start> {
        let mut starts = Vec::new();
        if self.held {
            if now.mono < self.look_at {
                return starts;
            }
            self.look_at = now.mono + HELD_LOOK_MS;
        }
        let mut next = self.due.first().copied();
        while let Some(key) = next.filter(|&(at, _)| at <= now.mono)
            && self.active < self.settings.concurrency
        {
            next = self.due.range((Excluded(key), Unbounded)).next().copied();
            let (_, id) = key;
            let Some(entry) = self.entries.get_mut(&id) else {
                self.due.remove(&key);
                continue;
            };
            let is_over = entry.search.is_none() && entry.expires_at <= now.mono;
            if is_over && entry.ambiguous {
                entry.search = Some(IfAbsent::End(SendEnd::Expired));
            } else if entry.ambiguous && window::is_past(entry.accepted_us, now.wall_us) {
                entry.search = entry.search.or(Some(IfAbsent::Attempt));
            }
            let start = match entry.search {
                None if is_over => entry.expire(id),
                _ if self.held => continue,
                Some(if_absent) => entry.find(id, if_absent),
                None => match self.rate.take(now.mono) {
                    Some(turn) => entry.attempt(id, turn),
                    None => break,
                },
            };
            self.due.remove(&key);
            self.active += 1;
            starts.push(start);
        }
        starts
    }

    /// When [`Self::start`] has something to do.
    pub(crate) fn next_due(&self) -> Option<Millis> {
        if self.active >= self.settings.concurrency {
            return None;
        }
        let not_before = if self.held {
            self.look_at
        } else {
            self.rate.ready_at()
        };
        self.due.first().map(|&(at, _)| at.max(not_before))
    }

    pub(crate) fn lane(&self, id: u64) -> Option<&Lane> {
        self.entries.get(&id).map(|entry| &entry.lane)
    }

    /// An attempt failed.
    pub(crate) fn failed(
        &mut self,
        id: u64,
        failure: Failure,
        error: Arc<str>,
        now: Now,
        jitter: &mut Jitter,
    ) -> Outcome {
        let settings = self.settings;
        let Some(entry) = self
            .entries
            .get_mut(&id)
            .filter(|entry| entry.stage == Stage::Busy)
        else {
            return Outcome::Ignore;
        };
        let verdict = send_verdict(&failure);
        entry.failure = Some((failure.clone(), Arc::clone(&error)));
        let after_ms = match verdict {
            SendVerdict::Refused if entry.attempts > 1 || entry.ambiguous => {
                return self.search(id, IfAbsent::End(SendEnd::Failed), now.mono);
            }
            SendVerdict::Refused => return Outcome::End(ended(id, SendEnd::Failed, error)),
            SendVerdict::Identity => Some(IDENTITY_WAIT_MS),
            SendVerdict::Retry {
                after_ms,
                landed_possible,
                poison_possible,
            } => {
                entry.ambiguous |= landed_possible;
                entry.poison += u32::from(poison_possible);
                if entry.poison >= POISON_LIMIT {
                    return self.search(id, IfAbsent::End(SendEnd::Failed), now.mono);
                }
                after_ms.or_else(|| is_limit(&failure).then(|| growing_wait(entry.attempts)))
            }
        };
        let told = matches!(
            failure,
            Failure::Status {
                retry_after_ms: Some(_),
                ..
            }
        );
        let own_wait = settings
            .base_delay_ms
            .saturating_mul(1 << entry.attempts.saturating_sub(1).min(20))
            .min(settings.max_delay_ms);
        let wait = after_ms.map_or(own_wait, |asked| asked.max(1));
        let wait = if after_ms.is_some() {
            wait + jitter.between(0, wait / 4)
        } else {
            jitter.between(wait - wait / 4, wait + wait / 4)
        };
        let wait_ms = wait.min(entry.expires_at.since(now.mono));
        entry.told = told;
        let wait_us = i64::try_from(wait_ms.saturating_mul(1_000)).unwrap_or(i64::MAX);
        let op = Op::OutboxQueued {
            id,
            ambiguous: entry.ambiguous,
            poison: entry.poison,
            next_attempt_us: now.wall_us.saturating_add(wait_us),
            told,
            error: Arc::clone(&error),
        };
        self.wait(id, now.mono + wait_ms);
        Outcome::Wait {
            op,
            effect: Some(Effect::Delayed {
                id,
                wait_ms: wait,
                failure,
                error,
            }),
        }
    }

    /// History was searched without a find, or could not be searched.
    pub(crate) fn searched(&mut self, id: u64, answer: Result<(), Failure>, now: Now) -> Outcome {
        let Some(entry) = self.entries.get_mut(&id) else {
            return Outcome::Ignore;
        };
        let Stage::Searching(if_absent) = entry.stage else {
            return Outcome::Ignore;
        };
        entry.stage = Stage::Busy;
        let error = entry
            .failure
            .as_ref()
            .map_or_else(|| Arc::from("null"), |(_, error)| Arc::clone(error));
        match (answer, if_absent) {
            (Ok(()), IfAbsent::End(end)) => Outcome::End(ended(id, end, error)),
            (Ok(()), IfAbsent::Attempt) => {
                entry.ambiguous = false;
                entry.searches = 0;
                let op = Op::OutboxQueued {
                    id,
                    ambiguous: false,
                    poison: entry.poison,
                    next_attempt_us: now.wall_us,
                    told: false,
                    error,
                };
                self.wait(id, now.mono);
                Outcome::Wait { op, effect: None }
            }
            (Err(_), _) if entry.searches < SEARCHES => {
                let wait = SEARCH_WAIT_MS << entry.searches.min(SEARCHES);
                self.search(id, if_absent, now.mono + wait)
            }
            (Err(_), _) => Outcome::End(ended(id, SendEnd::Unknown, error)),
        }
    }

    /// The search that failed is not counted: it was refused with a key that was replaced.
    pub(crate) fn forgive(&mut self, id: u64) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.searches = entry.searches.saturating_sub(1);
        }
    }

    /// Puts a search of history in line; what follows where it finds nothing is told.
    fn search(&mut self, id: u64, if_absent: IfAbsent, at: Millis) -> Outcome {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.search = Some(if_absent);
        }
        self.wait(id, at);
        Outcome::Search
    }

    /// The next step of an entry that was busy is due then.
    fn wait(&mut self, id: u64, at: Millis) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.stage = Stage::Waiting;
            entry.at = at;
            self.due.insert((at, id));
            self.active -= 1;
        }
    }

    /// True where an answer for this entry is awaited.
    pub(crate) fn is_busy(&self, id: u64) -> bool {
        self.entries
            .get(&id)
            .is_some_and(|entry| entry.stage != Stage::Waiting)
    }

    /// The end of the entry is on disk: the next of its lane may start.
    pub(crate) fn settled(&mut self, id: u64, now: Millis) {
        let Some(entry) = self.entries.remove(&id) else {
            return;
        };
        self.active -= 1;
        let Some(lane) = self.lanes.get_mut(&entry.lane) else {
            return;
        };
        let was_head = lane.front() == Some(&id);
        lane.retain(|&other| other != id);
        match lane.front() {
            None => {
                self.lanes.remove(&entry.lane);
            }
            Some(&head) if was_head => {
                if let Some(next) = self.entries.get_mut(&head)
                    && next.stage == Stage::Waiting
                {
                    next.at = next.at.max(now);
                    self.due.insert((next.at, head));
                }
            }
            // Only a cancelled entry goes from the middle of its lane.
            Some(_) => {}
        }
    }
}

/// A limit whose length the platform did not tell: cold outreach, daily caps (`wire.md` 1.6).
fn is_limit(failure: &Failure) -> bool {
    matches!(failure, Failure::Status { status: 429, .. })
}

fn growing_wait(attempts: u32) -> u64 {
    (1_000_u64 << attempts.saturating_sub(1).min(12)).min(LONGEST_LIMIT_WAIT_MS)
}

/// Plain 500 answers after which a send is set aside (`wire.md` 11.51).
const POISON_LIMIT: u32 = 12;
/// Searches of history before an entry's fate counts as unknown.
const SEARCHES: u32 = 6;
/// The wait after a search that failed; doubled for each further one.
const SEARCH_WAIT_MS: u64 = 1_000;
/// Between two looks at entries that are held up.
const HELD_LOOK_MS: u64 = 10_000;
/// The wait after a refusal of the key or the account.
const IDENTITY_WAIT_MS: u64 = 60_000;
/// The longest wait at a limit that names no time.
const LONGEST_LIMIT_WAIT_MS: u64 = 3_600_000;
/// The longest wait that a restart believes its records.
const LONGEST_WAIT_MS: u64 = 24 * 3_600_000;

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
