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
        // The one lookup that knows all the places where a daemon may be.
        let path = session.connect().await?.path().to_owned();
        let opened = Subscription::open(path, options).await;
        let mut events = opened.map_err(|error| sentences::of_subscription(&error))?;
        let mut left = if self.once { Some(1) } else { self.count };
        let mut last = 0;
        while left != Some(0) {
            let next = tokio::select! {
                next = events.next() => next,
                _ = interrupt.recv() => break,
                _ = terminate.recv() => break,
            };
            let event = match next {
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
            // What was printed and could not be acknowledged before the daemon went away comes once
            // more; it is acknowledged now.
            let repeated = event.redelivered && event.offset.is_some_and(|offset| offset <= last);
            if !repeated {
                print(session.output, &event)?;
                left = left.map(|left| left - 1);
            }
            if let Some(offset) = event.offset {
                last = last.max(offset);
                if self.consumer.is_some() {
                    let acked = events.ack(offset).await;
                    acked.map_err(|error| sentences::of_subscription(&error))?;
                }
            }
        }
        events.close().await;
        Ok(Exit::DONE)
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

fn print(output: Output, event: &Event) -> io::Result<()> {
    if output.json {
        return output.json_line(&serde_json::to_string(event)?);
    }
    output.page(&render::event(&serde_json::to_value(event)?))
}
