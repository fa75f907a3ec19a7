//! What a socket gets when it connects: its waiting rows in batches (wire.md 2.7).

use super::faults::PushFault;
use super::hub::Push;
use super::link::Link;
use super::options::DrainRepeat;
use super::shared::Shared;
use std::sync::Arc;
use tokio_tungstenite::tungstenite::Utf8Bytes;

impl Shared {
    /// Hands the waiting rows of an agent to one of its sockets, batch by batch.
    pub(crate) async fn drain(self: Arc<Self>, link: Arc<Link>) {
        let mut behind = None;
        let mut before: Vec<Push> = Vec::new();
        for _ in 0..self.options.drain_batches {
            let Some(batch) = self.drain_batch(&link, &mut behind, &before) else {
                return;
            };
            let full = batch.len() == self.options.drain_batch;
            if !full {
                return;
            }
            before = batch;
            tokio::time::sleep(self.options.drain_pause).await;
        }
    }

    /// One batch, with its repeats of the one before; `None` when nothing waits.
    fn drain_batch(
        &self,
        link: &Link,
        behind: &mut Option<(super::platform::Stamp, u32)>,
        before: &[Push],
    ) -> Option<Vec<Push>> {
        let mut state = self.lock();
        let rows = state
            .platform
            .drain_batch(link.agent, *behind, self.options.drain_batch);
        if rows.is_empty() {
            return None;
        }
        let connected = state.hub.of(link.agent);
        if !connected.iter().any(|known| known.socket == link.socket) && !link.ack {
            // A server that marks as it sends does not notice that nobody is there any more.
            link.make_void();
        } else if link.is_given_up() {
            return None;
        }
        let last = rows.last().map(|row| row.envelope);
        *behind = last.map(|number| state.platform.envelopes[number.index()].position);
        let repeats = match self.options.drain_repeat {
            DrainRepeat::Never => 0,
            DrainRepeat::Rows(rows) => rows.min(before.len()),
            DrainRepeat::Batch => before.len(),
        };
        let batch: Vec<Push> = rows
            .into_iter()
            .map(|row| Push {
                agent: link.agent,
                message: row.message,
                envelope: Some(row.envelope),
                frame: Utf8Bytes::from(row.frame),
            })
            .collect();
        for push in before[before.len() - repeats..].iter().chain(&batch) {
            let state = &mut *state;
            let dice = &mut state.hub.dice;
            let fault = state
                .faults
                .chaos
                .as_ref()
                .and_then(|chaos| dice.drain(chaos));
            let (times, half) = match fault {
                Some(PushFault::Drop) => (0, false),
                Some(PushFault::Repeat(more)) => (more + 1, false),
                Some(PushFault::CutInside) => (1, true),
                _ => (1, false),
            };
            self.hand_to(state, link, push, times, half, true);
        }
        Some(batch)
    }
}
