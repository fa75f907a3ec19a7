//! One subscription: the task that takes events from the feed to the connection.

use std::collections::VecDeque;
use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use agentchatd_client::types::{Filter, SubscriptionClosed, SubscriptionLagged, notification};
use tokio::time::timeout;

use crate::event::now_us;
use crate::event::{LogEvent, push_text};
use crate::feed::{self, Ending, Ephemeral, Offer, PAGE_EVENTS, Position, Track, Written};
use crate::rpc::client::{Client, Entry};
use crate::rpc::outgoing::{EventFrame, Frame};

/// A subscription that is entered in its connection and holds its position.
#[derive(Debug)]
pub(crate) struct Subscription {
    id: Arc<str>,
    // What stands before the event in each notification.
    head: Arc<str>,
    client: Arc<Client>,
    position: Arc<Position>,
    track: Arc<Track>,
    ephemeral: Ephemeral,
    filter: Arc<Filter>,
    // Events count as done when they are written.
    auto: bool,
}

impl Subscription {
    /// A subscription of this connection; `entry` is in its list under `id`.
    pub(crate) fn new(id: Arc<str>, client: Arc<Client>, entry: Entry, auto: bool) -> Self {
        let filter = entry.position.filter();
        let ephemeral = client.shared.hub.feed.join_ephemeral((*filter).clone());
        let mut head = format!(
            "{{\"jsonrpc\":\"2.0\",\"method\":\"{}\",\"params\":{{\"subscription\":",
            notification::EVENT
        );
        push_text(&mut head, &id);
        head.push_str(",\"result\":");
        let Entry { track, position } = entry;
        Self {
            id,
            head: head.into(),
            client,
            position,
            track,
            ephemeral,
            filter,
            auto,
        }
    }

    /// Runs until the subscription ends, for whatever reason; begins when its answer is queued, or
    /// `answered` tells that it will not be.
    pub(crate) async fn run(self, answered: impl Future<Output = bool>) {
        // Also where it is over by now: a client that is told the end of what it does not know yet
        // would wait for events for ever.
        let ending = if answered.await {
            tokio::select! {
                biased;
                ending = self.track.ended() => ending,
                () = self.client.closing.cancelled() => Ending::Disconnected,
                ending = self.acknowledge() => ending,
                ending = self.deliver() => ending,
            }
        } else {
            Ending::Disconnected
        };
        self.finish(ending).await;
    }

    async fn finish(self, ending: Ending) {
        self.track.end(ending);
        self.client.leave(&self.id);
        if let Some(reason) = ending.told() {
            let subscription = self.id.to_string();
            let closed = SubscriptionClosed {
                subscription,
                reason: reason.into(),
            };
            self.client
                .outgoing
                .push_now(Frame::notice(notification::CLOSED, &closed));
        }
        let hub = &self.client.shared.hub;
        if self.position.detach(&self.track, now_us())
            && let (Err(error), Some(consumer)) = (
                self.position.save(&*hub.backing).await,
                self.position.name(),
            )
        {
            tracing::warn!(consumer, %error, "position of a consumer not saved");
        }
        self.note_seen().await;
    }

    /// Notes on disk when the consumer was here; of no weight for what it is given.
    async fn note_seen(&self) {
        let Some(consumer) = self.position.name() else {
            return;
        };
        let backing = &self.client.shared.hub.backing;
        if let Err(error) = backing.touch_consumer(consumer.to_owned(), now_us()).await {
            tracing::debug!(consumer, %error, "visit of a consumer not noted");
        }
    }

    /// Beside the delivery: moves the acknowledged offset after what is written, where that is how
    /// events are acknowledged.
    async fn acknowledge(&self) -> Ending {
        self.note_seen().await;
        if !self.auto || self.position.name().is_none() {
            return pending().await;
        }
        let mut seen = Written::default();
        loop {
            seen = self.track.written_past(seen).await;
            self.position.ack_written();
            if let Err(error) = self.position.save(&*self.client.shared.hub.backing).await {
                tracing::warn!(%error, "acknowledgement of a consumer not saved");
                return Ending::Storage;
            }
        }
    }

    /// Takes events to the connection for as long as it lasts.
    async fn deliver(&self) -> Ending {
        let hub = &self.client.shared.hub;
        let mut moved = self.position.moved();
        let mut page = Page::default();
        loop {
            moved.borrow_and_update();
            if let Err(ending) = self.send_ephemeral().await {
                return ending;
            }
            let (after, epoch, room) = self.position.next();
            if page.epoch != epoch {
                page = Page {
                    epoch,
                    events: VecDeque::new(),
                };
            }
            if room > 0 && page.events.is_empty() {
                match hub.feed.read(&*hub.backing, after, PAGE_EVENTS).await {
                    Ok(events) => page.events = events.into(),
                    Err(error) => {
                        tracing::warn!(%error, "log not readable for a subscription");
                        return Ending::Storage;
                    }
                }
            }
            let before = page.events.len();
            if let Err(ending) = self.give(&mut page).await {
                return ending;
            }
            if page.events.len() < before {
                continue;
            }
            tokio::select! {
                () = hub.feed.wait(after), if room > 0 && page.events.is_empty() => {}
                _ = moved.changed() => {}
                () = self.ephemeral.wait() => {}
            }
        }
    }

    /// Gives out what it can of the page; what does not fit stays in it.
    async fn give(&self, page: &mut Page) -> Result<(), Ending> {
        let hub = &self.client.shared.hub;
        let me = hub.feed.me();
        while let Some(event) = page.events.front() {
            if !feed::passes(&self.filter, event, me.as_deref()) {
                self.position.pass(event.offset, page.epoch);
                page.events.pop_front();
                continue;
            }
            match self.position.offer(event, page.epoch) {
                Offer::Taken { redelivered } => {
                    let at = Written {
                        epoch: page.epoch,
                        offset: event.offset,
                    };
                    let frame = self.frame(event, at, redelivered);
                    page.events.pop_front();
                    self.hand_over(frame, page).await?;
                }
                Offer::Past => {
                    page.events.pop_front();
                }
                Offer::Full => return Ok(()),
                Offer::Jumped => {
                    page.events.clear();
                    return Ok(());
                }
                Offer::Unsaved => {
                    self.position.save(&*hub.backing).await.map_err(|error| {
                        tracing::warn!(%error, "delivery to a consumer not noted");
                        Ending::Storage
                    })?;
                }
            }
        }
        Ok(())
    }

    /// Takes an event to the connection. Where the client does not read, the rest of the page goes:
    /// it is read again once there is room, from the tail that all share or from the log.
    async fn hand_over(&self, frame: Frame, page: &mut Page) -> Result<(), Ending> {
        let sending = self.client.outgoing.send(frame);
        tokio::pin!(sending);
        let sent = match timeout(PAGE_KEPT, &mut sending).await {
            Ok(sent) => sent,
            Err(_) => {
                page.events = VecDeque::new();
                sending.await
            }
        };
        sent.map_err(|_| Ending::Disconnected)
    }

    async fn send_ephemeral(&self) -> Result<(), Ending> {
        let (events, lagging) = self.ephemeral.take();
        let send = |frame| async {
            self.client
                .outgoing
                .send(frame)
                .await
                .map_err(|_| Ending::Disconnected)
        };
        if let Some(lagging) = lagging {
            let subscription = self.id.to_string();
            let lagged = SubscriptionLagged {
                subscription,
                dropped: lagging.0,
            };
            send(Frame::notice(notification::LAGGED, &lagged)).await?;
        }
        for event in events {
            send(self.frame(&event, Written::default(), false)).await?;
        }
        Ok(())
    }

    fn frame(&self, event: &LogEvent, at: Written, redelivered: bool) -> Frame {
        Frame::Event(EventFrame {
            head: Arc::clone(&self.head),
            event: event.render(),
            redelivered,
            at,
            track: Arc::clone(&self.track),
        })
    }
}

/// How long a client that does not read keeps a page in memory.
const PAGE_KEPT: Duration = Duration::from_millis(100);

/// Events that were read and not given out yet.
#[derive(Debug, Default)]
struct Page {
    epoch: u64,
    events: VecDeque<Arc<LogEvent>>,
}
