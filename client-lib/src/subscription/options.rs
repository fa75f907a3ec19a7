//! How to subscribe.

use std::time::Duration;

use crate::types::{ConsumerName, EventsSubscribeParams, Filter, InvalidText, Start};

/// What to subscribe to, and what to do by itself.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What the daemon is asked for.
    pub params: EventsSubscribeParams,
    /// Acknowledges an event when the stream is polled again after it, which says that the reader is
    /// done with it. Not for readers that hand events on to others. (The daemon's own `ack: "auto"`
    /// is less: it acknowledges what it wrote to the socket.)
    pub auto_ack: bool,
    /// How long to try to get back to a daemon that is away; `None` for ever.
    pub give_up_after: Option<Duration>,
}

impl Options {
    /// A durable consumer, which is made where it is new.
    ///
    /// # Errors
    /// Where the name is not allowed.
    pub fn consumer(name: &str) -> Result<Self, InvalidText> {
        let params = EventsSubscribeParams {
            consumer: Some(ConsumerName::new(name)?),
            ..Default::default()
        };
        Ok(Self {
            params,
            ..Self::default()
        })
    }

    /// A reader that the daemon forgets when it is gone.
    pub fn ephemeral() -> Self {
        Self::default()
    }

    /// Where an ephemeral reader or a new consumer starts.
    #[must_use]
    pub fn from(mut self, start: Start) -> Self {
        self.params.from = start;
        self
    }

    /// Which events are wanted.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.params.filter = Some(filter);
        self
    }

    /// Turns [`Options::auto_ack`] on.
    #[must_use]
    pub fn auto_ack(mut self) -> Self {
        self.auto_ack = true;
        self
    }
}
