//! After a commit that failed: the engine is made anew from the disk, as after a crash.

use std::{sync::Arc, time::Duration};

use agentchatd_engine::{Engine, Input, Snapshot};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::run::{ANSWER_QUEUE, Driver};
use crate::{command::CallFailure, store::StoreError};

impl Driver {
    /// Drops everything that is ahead of the disk and starts over from what the disk holds.
    /// Until the disk can be read, callers are refused and nothing is acknowledged.
    pub(super) async fn rebuild(&mut self, error: &StoreError) {
        tracing::error!(%error, "a commit failed: nothing is acknowledged until the disk takes writes");
        self.drop_what_is_ahead(error);
        let Some(snapshot) = self.reload().await else {
            return;
        };
        // Reports of the old engine's commits mean nothing any more.
        while self.committed.try_recv().is_ok() {}
        self.effects.clear();
        self.unreported = 0;
        // What was written although nobody was told of it.
        for entry in &snapshot.outbox {
            self.callers.restore(entry.id);
        }
        self.engine = Engine::new(self.config.engine.clone(), snapshot, self.clock.now());
        self.feed_engine(if self.stopping {
            Input::Shutdown
        } else if self.key.is_some() {
            Input::Credential
        } else {
            Input::NoCredential(Arc::clone(&self.no_key))
        });
        self.resume_replacement();
    }

    fn drop_what_is_ahead(&mut self, error: &StoreError) {
        let reason = error.to_string();
        self.watched.refused(error);
        self.callers.refuse_arriving(&reason);
        self.wishes.refuse_all(&reason);
        self.effects.clear();
        self.unreported = 0;
        self.sender = None;
        self.receiver = None;
        self.dialing = None;
        for (_, reply) in std::mem::take(&mut self.drains) {
            let reason = reason.clone();
            let _ = reply.send(Err(CallFailure::Storage { reason }));
        }
        // Answers to the old engine's questions would confuse the new one.
        self.answers = mpsc::channel(ANSWER_QUEUE);
        if let Some(requests) = &mut self.requests {
            requests.inputs = self.answers.0.clone();
        }
    }

    /// What the disk holds, as soon as it takes a write again; `None` where the daemon is to stop first.
    async fn reload(&mut self) -> Option<Snapshot> {
        let mut pause = RETRY_MIN;
        let mut next = Instant::now() + pause;
        loop {
            tokio::select! {
                () = sleep_until(next) => match self.writer.reload().await {
                    Ok(loaded) => {
                        self.watched.stored();
                        return Some(loaded.engine);
                    }
                    Err(error) => {
                        tracing::error!(%error, "the database still refuses");
                        self.watched.refused(&error);
                        pause = (pause * 2).min(RETRY_MAX);
                        next = Instant::now() + pause;
                    }
                },
                // Sends are refused with the reason; status and health tell it.
                Some(command) = self.commands.recv() => self.on_command(command),
                Some(signal) = self.signals.recv() => self.on_signal(signal),
            }
            // The old engine is deaf: what it wants is not done.
            self.effects.clear();
            if self.stopping {
                return None;
            }
        }
    }
}

/// The first pause before a database that refused is tried again; it doubles.
const RETRY_MIN: Duration = Duration::from_secs(1);
/// The longest one.
const RETRY_MAX: Duration = Duration::from_secs(30);
