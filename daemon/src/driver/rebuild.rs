//! After a commit that failed: the engine is made anew from the disk, as after a crash.

use std::{sync::Arc, time::Duration};

use agentchatd_engine::{Engine, Input, Snapshot};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::run::{ANSWER_QUEUE, Driver};
use crate::{
    command::CallFailure,
    store::{Committed, StoreError},
};

impl Driver {
    /// Drops everything that is ahead of the disk and starts over from what the disk holds.
    /// Until the disk can be read, callers are refused and nothing is acknowledged.
    pub(super) async fn rebuild(&mut self, error: &StoreError) {
        tracing::error!(%error, "a commit failed: nothing is acknowledged until the disk takes writes");
        self.drop_what_is_ahead(error);
        let Some(snapshot) = self.reload().await else {
            return;
        };
        // Reports of the old engine's commits mean nothing any more; what they wrote is there.
        while let Ok(committed) = self.committed.try_recv() {
            if let Committed::Done { events, .. } = committed {
                self.feed.publish(events);
            }
        }
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
        let mut next = Instant::now() + self.patience.refused(Instant::now());
        loop {
            tokio::select! {
                () = sleep_until(next) => match self.writer.reload().await {
                    Ok(loaded) => {
                        self.watched.stored();
                        self.patience.took(Instant::now());
                        return Some(loaded.engine);
                    }
                    Err(error) => {
                        tracing::error!(%error, "the database still refuses");
                        self.watched.refused(&error);
                        next = Instant::now() + self.patience.refused(Instant::now());
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

/// How long a database that refused is left alone. The pauses grow over outages that follow each
/// other closely: a disk with room for the probe and for nothing else must not have the daemon
/// connect to the platform every second.
#[derive(Debug, Default)]
pub(super) struct Patience {
    pause: Option<Duration>,
    took_at: Option<Instant>,
}

impl Patience {
    /// It refused: how long to wait.
    fn refused(&mut self, now: Instant) -> Duration {
        let well = |at: Instant| now.saturating_duration_since(at) >= STABLE;
        let pause = match self.pause {
            Some(pause) if !self.took_at.is_some_and(well) => (pause * 2).min(RETRY_MAX),
            _ => RETRY_MIN,
        };
        self.took_at = None;
        self.pause = Some(pause);
        pause
    }

    /// It took a write.
    fn took(&mut self, now: Instant) {
        self.took_at = Some(now);
    }
}

/// The first pause before a database that refused is tried again; it doubles.
const RETRY_MIN: Duration = Duration::from_secs(1);
/// The longest one.
const RETRY_MAX: Duration = Duration::from_secs(30);
/// After so long without a refusal the pauses begin anew.
const STABLE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_over_outages_that_follow_each_other_and_begin_anew_after_a_good_minute() {
        let mut patience = Patience::default();
        let mut now = Instant::now();
        let mut pauses = Vec::new();
        for _ in 0..4 {
            // Two refusals, then a write that is taken; the next refusal comes at once.
            for _ in 0..2 {
                let pause = patience.refused(now);
                now += pause;
                pauses.push(pause.as_secs());
            }
            patience.took(now);
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30]);
        now += STABLE;
        assert_eq!(patience.refused(now), RETRY_MIN);
    }
}
