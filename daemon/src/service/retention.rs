//! Keeps the log within its bounds while the daemon runs.
//!
//! Now and then the store is asked for one small step after the other until nothing more is to be
//! removed, with pauses that leave the writer most of its time. The rule is the engine's, the rows
//! are the store's; here is when.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use agentchatd_engine::{Pace, RetentionBounds, age_clock};
use tokio::{sync::mpsc, time::sleep};

use crate::{
    config::Settings,
    driver::Signal,
    event::now_us,
    metrics::Metrics,
    store::{Step, StoreError, Writer},
    upstream::Platform,
};

/// What keeps the log within its bounds.
#[derive(Debug)]
pub(super) struct Retention {
    bounds: RetentionBounds,
    writer: Writer,
    platform: Platform,
    to_driver: mpsc::Sender<Signal>,
    metrics: Arc<Metrics>,
    started: (i64, Instant),
    pace: Pace,
}

impl Retention {
    pub(super) fn new(
        settings: &Settings,
        writer: Writer,
        platform: Platform,
        to_driver: mpsc::Sender<Signal>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let storage = &settings.config.storage;
        Self {
            bounds: RetentionBounds {
                max_age_us: i64::from(storage.retention_days).saturating_mul(DAY_US),
                max_bytes: storage.retention_bytes,
            },
            writer,
            platform,
            to_driver,
            metrics,
            started: (now_us(), Instant::now()),
            pace: Pace::default(),
        }
    }

    /// Runs until it is dropped. A step that was asked for is done all the same.
    pub(super) async fn run(mut self) {
        loop {
            let pause = match self.turn().await {
                Ok(()) => CHECK_INTERVAL,
                Err(StoreError::Closed) => return,
                // The driver tells of a database that refuses; here is nothing to add.
                Err(error) => {
                    tracing::debug!(%error, "retention waits");
                    REFUSED_INTERVAL
                }
            };
            sleep(pause).await;
        }
    }

    /// Removes all that need not be kept, and gives the room back.
    async fn turn(&mut self) -> Result<(), StoreError> {
        let mut removed = 0;
        loop {
            let step = Step {
                bounds: self.bounds,
                now_us: self.now_us(),
                rows: self.pace.rows(),
            };
            let stepped = self.writer.retain(step).await?;
            if !stepped.robbed.is_empty() {
                self.warn(&stepped.robbed).await;
            }
            if stepped.removed == 0 {
                break;
            }
            removed += stepped.removed;
            let took = Duration::from_micros(stepped.took_us);
            self.metrics.retained(took, stepped.removed);
            self.pace.took(stepped.took_us);
            rest(stepped.took_us).await;
        }
        if removed > 0 {
            tracing::info!(removed, "what was past its retention is removed");
        }
        self.shrink().await
    }

    /// Some room stays in the file for what comes next; what goes beyond it is given back.
    async fn shrink(&self) -> Result<(), StoreError> {
        let mut given_back = false;
        let mut pages = self.writer.shrink(0).await?;
        while pages.free > ROOM_PAGES && pages.free > pages.all / ROOM_SHARE {
            let begun = Instant::now();
            let before = pages.free;
            pages = self.writer.shrink(SHRINK_PAGES).await?;
            let took = begun.elapsed();
            self.metrics.retained(took, 0);
            given_back = true;
            if pages.free >= before {
                break;
            }
            rest(u64::try_from(took.as_micros()).unwrap_or(u64::MAX)).await;
        }
        if given_back {
            self.writer.shrink(0).await?;
        }
        Ok(())
    }

    fn now_us(&self) -> i64 {
        let wall_us = now_us();
        let (started_us, started) = self.started;
        let ran_us = i64::try_from(started.elapsed().as_micros()).unwrap_or(i64::MAX);
        let ahead_us = |ms: i64| ms.saturating_mul(1_000);
        let platform_us = self.platform.clock_offset_ms();
        age_clock(
            wall_us,
            platform_us.map(|offset| wall_us.saturating_add(ahead_us(offset))),
            started_us.saturating_add(ran_us),
        )
    }

    async fn warn(&self, consumers: &[String]) {
        let text = format!(
            "retention removed events that these consumers had not acknowledged: {}; let them come \
             back, or delete them (consumers.delete)",
            consumers.join(", ")
        );
        tracing::warn!("{text}");
        // The driver is gone only when the daemon stops.
        let _ = self.to_driver.send(Signal::Warning(text)).await;
    }
}

/// The writer has four times as long for others as a step took.
async fn rest(took_us: u64) {
    sleep(Duration::from_micros(took_us.saturating_mul(4)).clamp(REST_LEAST, REST_MOST)).await;
}

const DAY_US: i64 = 24 * 3_600 * 1_000_000;
/// How often it is looked whether something has to go.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// The same where the database refused.
const REFUSED_INTERVAL: Duration = Duration::from_secs(30);
const REST_LEAST: Duration = Duration::from_millis(2);
const REST_MOST: Duration = Duration::from_secs(1);
/// Pages that are given back in one step; a page is 4 KiB.
const SHRINK_PAGES: u32 = 128;
/// Free pages that stay in any case.
const ROOM_PAGES: u64 = 256;
/// Of a larger file, one page of so many stays free.
const ROOM_SHARE: u64 = 8;
