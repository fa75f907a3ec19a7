//! `inbox`: what is new for one reader, once; made for hooks and scripts.
//!
//! The order is the point of it: print, flush, and only then acknowledge. Whatever goes wrong before
//! the end, the events come again.

use std::time::{Duration, Instant, SystemTime};

use agentchatd_client::types::Ack;
use agentchatd_client::types::{
    ConsumerName, EventsAckParams, EventsFetchParams, FetchLimit, Fetched, WaitMs,
};
use clap::Args;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Page;
use crate::render;
use crate::session::{Hub, Session, complain, millis, value};
use crate::values::{FilterArgs, Since, Time};

/// Print what is new for a consumer, and end.
///
/// Made for hooks and scripts. The daemon remembers for each consumer how far it came. With --ack the
/// events count as done once they were written and flushed; if that fails, or without --ack, they come
/// again the next time.
///
/// Exit status: 0 there was something, 3 there was nothing, 1 it failed (nothing was acknowledged).
#[derive(Debug, Args)]
pub(crate) struct Inbox {
    /// The name under which the daemon remembers how far you came; made where it is new.
    #[arg(long, value_name = "NAME", default_value = "inbox")]
    consumer: ConsumerName,
    /// Wait this long for the first event: 30, 5m.
    #[arg(long, value_name = "TIME")]
    wait: Option<Time>,
    /// Acknowledge what was printed.
    #[arg(long)]
    ack: bool,
    /// How many events at most, 1 to 1000.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Where a new consumer begins: `earliest`, `now`, an offset, a time, or so long ago (10m).
    #[arg(long, value_name = "PLACE", default_value = "earliest")]
    since: Since,
    /// Which events.
    #[command(flatten)]
    filter: FilterArgs,
}

impl Inbox {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let hub = session.connect().await?;
        let fetched = self.fetch(&hub).await?;
        if fetched.events.is_empty() {
            return Ok(Exit::NOTHING);
        }
        if let Err(error) = print(session, &fetched.events) {
            let kind = error.kind();
            return Err(Failure {
                exit: Exit::FAILED,
                ..Failure::failed(format!(
                    "the output was not taken ({kind}), so nothing was acknowledged; run it again"
                ))
            });
        }
        if self.ack {
            self.acknowledge(&hub, fetched.next_after).await?;
        }
        Ok(Exit::DONE)
    }

    /// Asks until there is something or the time is over; one question waits for a bounded time.
    async fn fetch(&self, hub: &Hub) -> Result<Fetched<Box<RawValue>>, Failure> {
        let wait = self.wait.map_or(Duration::ZERO, |time| time.0);
        let deadline = Instant::now() + wait;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let params = EventsFetchParams {
                consumer: Some(self.consumer.clone()),
                from: Some(self.since.start(SystemTime::now())),
                limit: FetchLimit::new(self.limit).unwrap_or_default(),
                wait_ms: WaitMs::new(millis(left).min(WaitMs::MAX)).unwrap_or_default(),
                filter: self.filter.filter()?,
                ..EventsFetchParams::default()
            };
            let answer = hub.call_raw("events.fetch", raw(&params)?).await?;
            let fetched: Fetched<Box<RawValue>> =
                serde_json::from_str(answer.get()).map_err(|error| {
                    Failure::failed(format!(
                        "the daemon's answer cannot be read ({error}); update agentchatctl"
                    ))
                })?;
            if !fetched.events.is_empty() || deadline <= Instant::now() {
                return Ok(fetched);
            }
        }
    }

    async fn acknowledge(&self, hub: &Hub, offset: u64) -> Result<(), Failure> {
        let params = EventsAckParams {
            of: Ack::Consumer(self.consumer.clone()),
            offset,
        };
        let acked = hub.call_raw("events.ack", raw(&params)?).await;
        acked.map(drop).inspect_err(|_| {
            complain(
                "agentchatctl: these events were printed and not acknowledged, they come again\n",
            );
        })
    }
}

fn print(session: &Session, events: &[Box<RawValue>]) -> std::io::Result<()> {
    if session.output.json {
        return events
            .iter()
            .try_for_each(|event| session.output.json_line(event.get()));
    }
    let mut page = Page::default();
    for event in events {
        match value(event) {
            Ok(event) => page.append(render::event(&event)),
            Err(_) => page.add_text(Vec::new(), event.get()),
        }
    }
    session.output.page(&page)
}

fn raw(params: &impl Serialize) -> Result<Box<RawValue>, Failure> {
    to_raw_value(params).map_err(|error| {
        Failure::failed(format!(
            "the call cannot be written ({error}); correct its arguments"
        ))
    })
}
