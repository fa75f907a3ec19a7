//! The one thread that writes, and its group commit.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use agentchatd_engine::{Report, Token};
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::{
    apply::Batch,
    damage::Damage,
    error::StoreError,
    jobs::{ConsumerChange, Job},
    retention::{self, FreePages, Step, Stepped},
    snapshot::load,
};
use crate::{event::LogEvent, failpoint};

/// What one transaction did, or that it failed.
#[derive(Debug)]
pub enum Committed {
    /// On disk.
    Done {
        /// What the engine wants to know, in token order.
        reports: Vec<(Token, Report)>,
        /// The events that entered the log, in offset order.
        events: Vec<Arc<LogEvent>>,
        /// What it cost.
        cost: Cost,
    },
    /// Nothing of it is on disk. Every later commit is refused until a reload.
    Failed(StoreError),
}

/// What a transaction cost, for those who measure.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// From its begin until it was on disk.
    pub took: Duration,
    /// Changes in it.
    pub rows: usize,
    /// Messages that stood in the log already.
    pub duplicates: u64,
}

/// The writer's side of the queue.
pub(super) struct WriterThread {
    connection: Connection,
    jobs: mpsc::Receiver<Job>,
    committed: mpsc::UnboundedSender<Committed>,
    /// Set by a failed commit: the engine is ahead of the disk until it has reloaded.
    refused: Option<StoreError>,
    damage: Damage,
}

impl WriterThread {
    pub(super) fn start(
        connection: Connection,
        jobs: mpsc::Receiver<Job>,
        committed: mpsc::UnboundedSender<Committed>,
        damage: Damage,
    ) -> Result<(), StoreError> {
        let thread = Self {
            connection,
            jobs,
            committed,
            refused: None,
            damage,
        };
        thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || thread.run())
            .map(|_| ())
            .map_err(|error| StoreError::Io(error.to_string()))
    }

    fn run(mut self) {
        while let Some(first) = self.jobs.blocking_recv() {
            let mut group = vec![first];
            while group.len() < GROUP_LIMIT
                && let Ok(job) = self.jobs.try_recv()
            {
                group.push(job);
            }
            self.commit(group);
        }
    }

    /// Carries a group out, a transaction for each run of jobs that can share one.
    fn commit(&mut self, group: Vec<Job>) {
        let mut commits = Vec::new();
        let mut changes = Vec::new();
        for job in group {
            match job {
                Job::Commit(token, ops) => commits.push((token, ops)),
                Job::Consumer(change, reply) => changes.push((change, reply)),
                Job::Reload(reply) => {
                    self.transact(std::mem::take(&mut commits), std::mem::take(&mut changes));
                    let loaded = self.probe().and_then(|()| load(&self.connection));
                    let loaded = loaded.map_err(|error| self.damage.note(error));
                    if loaded.is_ok() {
                        self.refused = None;
                    }
                    let _ = reply.send(loaded);
                }
                Job::Retain(step, reply) => {
                    self.transact(std::mem::take(&mut commits), std::mem::take(&mut changes));
                    let _ = reply.send(self.retain(&step));
                }
                Job::Shrink(pages, reply) => {
                    self.transact(std::mem::take(&mut commits), std::mem::take(&mut changes));
                    let _ = reply.send(self.shrink(pages));
                }
                Job::Close(reply) => {
                    self.transact(std::mem::take(&mut commits), std::mem::take(&mut changes));
                    let _ = reply.send(self.checkpoint());
                }
            }
        }
        self.transact(commits, changes);
    }

    fn transact(
        &mut self,
        commits: Vec<(Token, Vec<agentchatd_engine::Op>)>,
        changes: Vec<(ConsumerChange, oneshot::Sender<Result<bool, StoreError>>)>,
    ) {
        if commits.is_empty() && changes.is_empty() {
            return;
        }
        // While the engine is ahead of the disk its commits are dropped; consumers go on.
        let commits = if self.refused.is_some() {
            Vec::new()
        } else {
            commits
        };
        let had_commits = !commits.is_empty();
        let begun = Instant::now();
        match self.write(commits, &changes) {
            Ok((batch, answers)) => {
                if had_commits {
                    let Batch {
                        reports,
                        events,
                        rows,
                        duplicates,
                        ..
                    } = batch;
                    let took = begun.elapsed();
                    let cost = Cost {
                        took,
                        rows,
                        duplicates,
                    };
                    let done = Committed::Done {
                        reports,
                        events,
                        cost,
                    };
                    let _ = self.committed.send(done);
                }
                for ((_, reply), answer) in changes.into_iter().zip(answers) {
                    let _ = reply.send(Ok(answer));
                }
            }
            Err(error) => {
                let error = self.damage.note(error);
                // A consumer's write alone tells as much about the disk as the engine's do.
                if self.refused.is_none() {
                    self.refused = Some(error.clone());
                    let _ = self.committed.send(Committed::Failed(error.clone()));
                }
                for (_, reply) in changes {
                    let _ = reply.send(Err(error.clone()));
                }
            }
        }
    }

    fn write(
        &mut self,
        commits: Vec<(Token, Vec<agentchatd_engine::Op>)>,
        changes: &[(ConsumerChange, oneshot::Sender<Result<bool, StoreError>>)],
    ) -> Result<(Batch, Vec<bool>), StoreError> {
        self.damage.check()?;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut batch = Batch::begin(&transaction)?;
        for (token, ops) in commits {
            let report = batch.apply(&transaction, ops)?;
            batch.reports.push((token, report));
        }
        batch.finish(&transaction)?;
        let mut answers = Vec::with_capacity(changes.len());
        for (change, _) in changes {
            answers.push(change_consumer(&transaction, change)?);
        }
        failpoint::reach("committing");
        transaction.commit()?;
        failpoint::reach("committed");
        if changes
            .iter()
            .any(|(change, _)| matches!(change, ConsumerChange::Ack { .. }))
        {
            failpoint::reach("consumer-ack-stored");
        }
        Ok((batch, answers))
    }

    /// Nothing is removed while the database refuses: the disk may be what it is about.
    fn retain(&mut self, step: &Step) -> Result<Stepped, StoreError> {
        if let Some(error) = &self.refused {
            return Err(error.clone());
        }
        let (stepped, events) = retention::step(&mut self.connection, step)?;
        if !events.is_empty() {
            let took = Duration::from_micros(stepped.took_us);
            let rows = events.len();
            let cost = Cost {
                took,
                rows,
                duplicates: 0,
            };
            let done = Committed::Done {
                reports: Vec::new(),
                events,
                cost,
            };
            let _ = self.committed.send(done);
        }
        Ok(stepped)
    }

    fn shrink(&self, pages: u32) -> Result<FreePages, StoreError> {
        if pages == 0 {
            // Readers are not waited for; what they hold back, a later checkpoint does.
            let _busy = self
                .connection
                .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
                    row.get::<_, i64>(0)
                })?;
        }
        retention::shrink(&self.connection, pages)
    }

    /// A write that changes nothing but has to reach the disk like any other.
    fn probe(&self) -> Result<(), StoreError> {
        self.damage.look_again()?;
        self.connection.execute(
            "UPDATE checkpoint SET last_offset = last_offset WHERE id = 1",
            [],
        )?;
        Ok(())
    }

    fn checkpoint(&self) -> Result<(), StoreError> {
        Ok(self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }
}

fn change_consumer(connection: &Connection, change: &ConsumerChange) -> Result<bool, StoreError> {
    let changed = match change {
        ConsumerChange::Put(row) => connection
            .prepare_cached(
                "INSERT INTO consumers
                     (name, filter, acked, given, max_in_flight, created_us, last_seen_us)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (name) DO UPDATE SET
                     filter = excluded.filter, acked = excluded.acked, given = excluded.given,
                     max_in_flight = excluded.max_in_flight, last_seen_us = excluded.last_seen_us",
            )?
            .execute((
                &row.name,
                &row.filter,
                row.acked.cast_signed(),
                row.given.cast_signed(),
                row.max_in_flight,
                row.created_at_us,
                row.last_seen_at_us,
            ))?,
        ConsumerChange::Ack { name, acked, given } => connection
            .prepare_cached("UPDATE consumers SET acked = ?2, given = ?3 WHERE name = ?1")?
            .execute((name, acked.cast_signed(), given.cast_signed()))?,
        ConsumerChange::Delete(name) => connection
            .prepare_cached("DELETE FROM consumers WHERE name = ?1")?
            .execute([name])?,
        ConsumerChange::Touch { name, at_us } => connection
            .prepare_cached("UPDATE consumers SET last_seen_us = ?2 WHERE name = ?1")?
            .execute((name, at_us))?,
    };
    Ok(changed > 0)
}

/// Jobs in one transaction at most.
const GROUP_LIMIT: usize = 1_024;
