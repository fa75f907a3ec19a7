//! What the writer thread is asked, and the handle that asks it.

use agentchatd_engine::{Op, Token};
use tokio::sync::{mpsc, oneshot};

use super::{
    error::StoreError,
    retention::{FreePages, Step, Stepped},
    rows::ConsumerRow,
    snapshot::Loaded,
};

/// Work for the writer thread. What waits together is committed together.
#[derive(Debug)]
pub(super) enum Job {
    /// The engine's; answered by `Committed`.
    Commit(Token, Vec<Op>),
    /// Load everything anew; ends the refusal that follows a failed commit.
    Reload(oneshot::Sender<Result<Loaded, StoreError>>),
    Consumer(ConsumerChange, oneshot::Sender<Result<bool, StoreError>>),
    /// One step of retention, between two groups.
    Retain(Step, oneshot::Sender<Result<Stepped, StoreError>>),
    /// Give so many free pages back; 0 ends a run, with a checkpoint that makes the file shorter.
    Shrink(u32, oneshot::Sender<Result<FreePages, StoreError>>),
    /// Commit what waits, then checkpoint the WAL.
    Close(oneshot::Sender<Result<(), StoreError>>),
}

#[derive(Debug)]
pub(super) enum ConsumerChange {
    Put(ConsumerRow),
    Ack {
        name: String,
        acked: u64,
        given: u64,
    },
    Delete(String),
    Touch {
        name: String,
        at_us: i64,
    },
}

/// The handle to the writer thread.
#[derive(Debug, Clone)]
pub struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    pub(super) fn new(jobs: mpsc::Sender<Job>) -> Self {
        Self { jobs }
    }

    /// Hands in an engine commit; waits only while the queue is full. Commits reach the disk in
    /// the order in which they are handed in, and so do their reports.
    ///
    /// Not cancel-safe: a call that is dropped may or may not have handed the commit in.
    pub async fn commit(&self, token: Token, ops: Vec<Op>) -> Result<(), StoreError> {
        self.jobs
            .send(Job::Commit(token, ops))
            .await
            .map_err(|_| StoreError::Closed)
    }

    /// Reads the state anew, after a failed commit; until then every commit is refused.
    pub async fn reload(&self) -> Result<Loaded, StoreError> {
        self.ask(Job::Reload).await
    }

    /// Writes a consumer whole; returns after the commit.
    pub async fn put_consumer(&self, row: ConsumerRow) -> Result<(), StoreError> {
        self.consumer(ConsumerChange::Put(row)).await.map(|_| ())
    }

    /// Moves a consumer's offsets; returns after the commit.
    pub async fn ack_consumer(&self, name: &str, acked: u64, given: u64) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.consumer(ConsumerChange::Ack { name, acked, given })
            .await
            .map(|_| ())
    }

    /// Forgets a consumer; false where there was none.
    pub async fn delete_consumer(&self, name: &str) -> Result<bool, StoreError> {
        self.consumer(ConsumerChange::Delete(name.to_owned())).await
    }

    /// Notes when a consumer was last seen.
    pub async fn touch_consumer(&self, name: &str, at_us: i64) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.consumer(ConsumerChange::Touch { name, at_us })
            .await
            .map(|_| ())
    }

    /// Removes rows that need not be kept; returns after the commit.
    pub async fn retain(&self, step: Step) -> Result<Stepped, StoreError> {
        self.ask(|reply| Job::Retain(step, reply)).await
    }

    /// Gives free pages of the file back, so many at most; with 0 none, but the file takes its new
    /// length. How many are free afterwards.
    pub async fn shrink(&self, pages: u32) -> Result<FreePages, StoreError> {
        self.ask(|reply| Job::Shrink(pages, reply)).await
    }

    /// Commits what waits and folds the WAL into the database. Nothing may be asked afterwards.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.ask(Job::Close).await
    }

    async fn consumer(&self, change: ConsumerChange) -> Result<bool, StoreError> {
        self.ask(|reply| Job::Consumer(change, reply)).await
    }

    async fn ask<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Job,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.jobs
            .send(job(reply))
            .await
            .map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

/// Jobs that may wait; past it whoever asks waits.
pub(super) const JOB_QUEUE: usize = 4_096;
