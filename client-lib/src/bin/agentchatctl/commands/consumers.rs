//! `consumers`: readers that the daemon remembers.

use std::time::SystemTime;

use agentchatd_client::types::ConsumerName;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::confirm::Confirm;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Page, Table, View, dim, good, name, plain, warn};
use crate::render::{flag, list, moment, number, text};
use crate::session::Session;
use crate::values::Since;

/// Look at the readers that the daemon remembers: list, delete, seek.
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Consumers {
    #[command(subcommand)]
    command: ConsumersCommand,
}

#[derive(Debug, Subcommand)]
enum ConsumersCommand {
    /// List them, and how far behind each is.
    List,
    /// Forget one; the next reader of this name begins anew.
    Delete {
        /// Which.
        name: ConsumerName,
        /// Without a question.
        #[command(flatten)]
        confirm: Confirm,
    },
    /// Move one to another place in the log.
    Seek {
        /// Which.
        name: ConsumerName,
        /// Where to: `earliest`, `now`, an offset, a time, or so long ago (10m).
        to: Since,
    },
}

impl Consumers {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        match self.command {
            ConsumersCommand::List => session.show("consumers.list", json!({}), page).await,
            ConsumersCommand::Delete { name, confirm } => {
                confirm.ask(&format!("Forget the consumer {name} and how far it came?"))?;
                let params = json!({"name": name});
                let told =
                    |_: &Value, _| Page::of(vec![good("deleted"), plain(format!(" {name}"))]);
                session.show("consumers.delete", params, told).await
            }
            ConsumersCommand::Seek { name, to } => {
                let params = json!({"name": name, "to": to.start(SystemTime::now())});
                session
                    .show("consumers.seek", params, |acked, _| moved(acked, &name))
                    .await
            }
        }
    }
}

fn moved(acked: &Value, consumer: &ConsumerName) -> Page {
    let next = number(acked, "acked_offset").unwrap_or_default() + 1;
    Page::of(vec![
        good("moved"),
        plain(format!(" {consumer} to offset {next}")),
    ])
}

fn page(consumers: &Value, view: View) -> Page {
    let mut table = Table::new(&["NAME", "ACKED", "BEHIND", "ATTACHED", "LAST SEEN", "FILTER"]);
    for consumer in list(consumers, "") {
        let behind = number(consumer, "lag").unwrap_or_default();
        let filter = consumer.get("filter").filter(|filter| filter.is_object());
        table.row(vec![
            name(text(consumer, "name").unwrap_or("-")),
            plain(
                number(consumer, "acked_offset")
                    .unwrap_or_default()
                    .to_string(),
            ),
            if behind == 0 {
                good("0")
            } else {
                warn(behind.to_string())
            },
            plain(if flag(consumer, "attached") {
                "yes"
            } else {
                "no"
            }),
            plain(text(consumer, "last_seen_at").map_or_else(|| "-".to_owned(), moment)),
            dim(filter.map_or_else(|| "-".to_owned(), Value::to_string)),
        ]);
    }
    table.page(view, "no consumers")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_consumer_tells_how_far_behind_it_is() {
        let consumers = json!([{"name": "bot", "acked_offset": 4, "lag": 2, "attached": true,
            "last_seen_at": "2026-11-23T12:00:00Z", "filter": {"types": ["message.new"]}}]);
        assert_eq!(
            page(&consumers, View::plain()).text(false),
            "NAME  ACKED  BEHIND  ATTACHED  LAST SEEN             FILTER\n\
             bot   4      2       yes       2026-11-23 12:00:00Z  {\"types\":[\"message.new\"]}\n"
        );
    }
}
