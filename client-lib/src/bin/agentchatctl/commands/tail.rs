//! `tail`: events as they come, and those from before.

use std::io;
use std::time::SystemTime;

use agentchatd_client::subscription::{Options, Subscription};
use agentchatd_client::types::{ConsumerName, Event, EventsSubscribeParams};
use clap::Args;
use futures_util::StreamExt as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::render;
use crate::sentences;
use crate::session::{Session, complain};
use crate::values::{FilterArgs, Since};

/// Follow the events: messages, invites, presence, and all else that reaches the agent.
///
/// It goes on by itself after a restart of the daemon, where it left off, and repeats nothing. Ctrl-C
/// ends it. With --consumer the daemon remembers how far it came: each event is acknowledged once it
/// was printed.
#[derive(Debug, Args)]
pub(crate) struct Tail {
    /// Where to begin: `earliest`, `now`, an offset (42), a time (2026-11-23T12:00:00Z), or so long ago
    /// (10m). A known consumer goes on where it was.
    #[arg(long, value_name = "PLACE", default_value = "now")]
    since: Since,
    /// Which events.
    #[command(flatten)]
    filter: FilterArgs,
    /// Read as this durable consumer.
    #[arg(long, value_name = "NAME")]
    consumer: Option<ConsumerName>,
    /// Let --filter take the place of the consumer's own.
    #[arg(long, requires = "consumer")]
    replace_filter: bool,
    /// End another reader of the same consumer.
    #[arg(long, requires = "consumer")]
    takeover: bool,
    /// End after this many events.
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// End after one event.
    #[arg(long, conflicts_with = "count")]
    once: bool,
}

impl Tail {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let options = self.options(session)?;
        // The one look-up that knows all the places where a daemon may be.
        let path = session.connect().await?.path().to_owned();
        let opened = Subscription::open(path, options).await;
        let mut events = opened.map_err(|error| sentences::of_subscription(&error))?;
        tokio::select! {
            followed = self.follow(session.output, &mut events) => followed?,
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        events.close().await;
        Ok(Exit::DONE)
    }

    /// Prints events until there are enough of them; may be given up at any time.
    async fn follow(&self, output: Output, events: &mut Subscription) -> Result<(), Failure> {
        let mut left = if self.once { Some(1) } else { self.count };
        let mut place = Place::default();
        while left != Some(0) {
            let event = match events.next().await {
                None => return Err(Failure::failed("the subscription ended; start again")),
                Some(Err(error)) if error.is_final() => {
                    return Err(sentences::of_subscription(&error));
                }
                Some(Err(error)) => {
                    if let Some(line) = sentences::of_subscription(&error).line() {
                        complain(&line);
                    }
                    continue;
                }
                Some(Ok(event)) => event,
            };
            let offset = event.offset;
            if place.is_new(&event) {
                print(output, event).await?;
                left = left.map(|left| left - 1);
            }
            if let Some(offset) = offset.filter(|_| self.consumer.is_some()) {
                let acked = events.ack(offset).await;
                acked.map_err(|error| sentences::of_subscription(&error))?;
            }
        }
        Ok(())
    }

    fn options(&self, session: &Session) -> Result<Options, Failure> {
        Ok(Options {
            params: EventsSubscribeParams {
                consumer: self.consumer.clone(),
                from: self.since.start(SystemTime::now()),
                filter: self.filter.filter()?,
                replace_filter: self.replace_filter,
                takeover: self.takeover,
                ..EventsSubscribeParams::default()
            },
            give_up_after: session.global.timeout.map(|time| time.0),
            ..Options::default()
        })
    }
}

/// How far this run has printed.
#[derive(Debug, Default)]
struct Place {
    last: u64,
}

impl Place {
    /// Whether an event is to be printed. What was printed and could not be acknowledged before the
    /// daemon went away comes once more; it is only acknowledged then.
    fn is_new(&mut self, event: &Event) -> bool {
        let Some(offset) = event.offset else {
            return true;
        };
        let repeated = event.redelivered && offset <= self.last;
        self.last = self.last.max(offset);
        !repeated
    }
}

/// Prints on a thread of its own: a reader that takes its time holds up the writing, not Ctrl-C.
async fn print(output: Output, event: Event) -> Result<(), Failure> {
    let printed = tokio::task::spawn_blocking(move || -> io::Result<()> {
        if output.json {
            return output.json_line(&serde_json::to_string(&event)?);
        }
        output.page(&render::event(&serde_json::to_value(&event)?))
    });
    Ok(printed.await.map_err(io::Error::other)??)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(offset: Option<u64>, redelivered: bool) -> Event {
        let event = json!({
            "offset": offset, "type": "message.new", "received_at": "2026-11-23T12:00:00Z",
            "conversation_id": null, "message_id": null, "seq": null, "source": "live",
            "payload": {}, "redelivered": redelivered,
        });
        serde_json::from_value(event).unwrap()
    }

    #[test]
    fn what_this_run_printed_is_not_printed_again() {
        let mut place = Place::default();
        // Given to another run before, new to this one.
        assert!(place.is_new(&event(Some(1), true)));
        assert!(place.is_new(&event(Some(2), false)));
        assert!(!place.is_new(&event(Some(1), true)));
        assert!(!place.is_new(&event(Some(2), true)));
        assert!(place.is_new(&event(Some(3), true)));
        // Live-only events have no place.
        assert!(place.is_new(&event(None, false)));
    }
}
