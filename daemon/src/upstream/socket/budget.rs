//! A channel that is bounded by bytes, not by count.
//!
//! A thousand pings and one frame of 8 MiB are different loads. Each item holds its share of the
//! budget until the receiver lets go of it.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// An item's share of the budget, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    /// Held for its drop; `None` for what was let through past the budget.
    _permit: Option<OwnedSemaphorePermit>,
}

impl Share {
    /// No share: for what has to pass whether there is room or not.
    pub(super) fn none() -> Self {
        Self { _permit: None }
    }
}

/// Why an item did not go in.
#[derive(Debug)]
pub(super) enum Refused<T> {
    /// The budget is used up; the item comes back.
    Full(T),
    /// The other side is gone.
    Gone,
}

/// A channel with room for `bytes`.
pub(super) fn channel<T>(bytes: usize) -> (Sender<T>, Receiver<T>) {
    let limit = bytes.min(u32::MAX as usize);
    let budget = Arc::new(Semaphore::new(limit));
    let (tx, rx) = mpsc::unbounded_channel();
    (Sender { tx, budget, limit }, Receiver { rx })
}

/// The side that puts in.
#[derive(Debug)]
pub(super) struct Sender<T> {
    tx: mpsc::UnboundedSender<(T, Share)>,
    budget: Arc<Semaphore>,
    limit: usize,
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self {
            tx: self.tx.clone(),
            budget: Arc::clone(&self.budget),
            limit: self.limit,
        }
    }
}

impl<T> Sender<T> {
    /// Puts an item in where there is room for `bytes` now.
    pub(super) fn try_send(&self, item: T, bytes: usize) -> Result<(), Refused<T>> {
        let Ok(permit) = Arc::clone(&self.budget).try_acquire_many_owned(self.share(bytes)) else {
            return Err(Refused::Full(item));
        };
        self.send_with(
            item,
            Share {
                _permit: Some(permit),
            },
        )
    }

    /// Waits until there is room for `bytes`.
    pub(super) async fn reserve(&self, bytes: usize) -> Share {
        let permit = Arc::clone(&self.budget)
            .acquire_many_owned(self.share(bytes))
            .await;
        Share {
            _permit: Some(permit.expect("the budget is never closed")),
        }
    }

    /// Puts an item in with a share that was reserved for it.
    pub(super) fn send_with(&self, item: T, share: Share) -> Result<(), Refused<T>> {
        self.tx.send((item, share)).map_err(|_| Refused::Gone)
    }

    /// Puts the last item in, room or not.
    pub(super) fn send_last(self, item: T) {
        // A receiver that is gone wants no last word.
        let _ = self.tx.send((item, Share::none()));
    }

    /// Ends when the receiver is gone.
    pub(super) async fn closed(&self) {
        self.tx.closed().await;
    }

    /// What an item may take at most, so that one larger than the whole budget still gets through.
    fn share(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.min(self.limit)).expect("the limit fits 32 bits")
    }
}

/// The side that takes out.
#[derive(Debug)]
pub(super) struct Receiver<T> {
    rx: mpsc::UnboundedReceiver<(T, Share)>,
}

impl<T> Receiver<T> {
    /// The next item; `None` when every sender is gone and nothing is left.
    pub(super) async fn recv(&mut self) -> Option<(T, Share)> {
        self.rx.recv().await
    }

    /// The next item, where one is there.
    pub(super) fn try_recv(&mut self) -> Option<(T, Share)> {
        self.rx.try_recv().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn room_comes_back_when_an_item_is_let_go() {
        let (tx, mut rx) = channel(10);
        tx.try_send("a", 6).unwrap();
        assert!(matches!(tx.try_send("b", 6), Err(Refused::Full("b"))));
        let (item, share) = rx.recv().await.unwrap();
        assert_eq!(item, "a");
        assert!(
            matches!(tx.try_send("b", 6), Err(Refused::Full("b"))),
            "still held"
        );
        drop(share);
        tx.try_send("b", 6).unwrap();
    }

    #[tokio::test]
    async fn an_item_larger_than_the_budget_passes_alone_and_the_last_passes_always() {
        let (tx, mut rx) = channel(10);
        tx.try_send("huge", 1000).unwrap();
        assert!(matches!(tx.try_send("small", 1), Err(Refused::Full(_))));
        tx.send_last("end");
        assert_eq!(rx.recv().await.unwrap().0, "huge");
        assert_eq!(rx.recv().await.unwrap().0, "end");
        assert!(rx.recv().await.is_none());
    }
}
