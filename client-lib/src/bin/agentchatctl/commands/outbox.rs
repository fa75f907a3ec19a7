//! `outbox`: what waits to be sent, and what became of it.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Fields, Page, Span, Table, View, bad, dim, good, name, plain, warn};
use crate::render::{body, list, moment, number, text};
use crate::session::Session;

/// Look at messages on their way out: list, get, retry, cancel.
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Outbox {
    #[command(subcommand)]
    command: OutboxCommand,
}

#[derive(Debug, Subcommand)]
enum OutboxCommand {
    /// List messages that were given to the daemon, the oldest first.
    List {
        /// Only these: queued, sending, sent, failed, expired, unknown or cancelled.
        #[arg(long)]
        state: Option<String>,
        /// How many at most, 1 to 1000.
        #[arg(long, value_name = "N")]
        limit: Option<u32>,
        /// Go on after this place; a page that is not the last tells it.
        #[arg(long, value_name = "N")]
        after: Option<u64>,
    },
    /// Show one message and what became of it.
    Get(Entry),
    /// Try one again that failed, expired, or of which nobody can tell.
    Retry(Entry),
    /// Take one back that was not sent yet.
    Cancel(Entry),
}

#[derive(Debug, Args)]
struct Entry {
    /// The daemon's id of it, which `send --queue` and `outbox list` tell.
    #[arg(value_name = "ID", required_unless_present = "client_msg_id")]
    id: Option<String>,
    /// Name it by your own id instead.
    #[arg(long, value_name = "ID", conflicts_with = "id")]
    client_msg_id: Option<String>,
}

impl Outbox {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        match self.command {
            OutboxCommand::List {
                state,
                limit,
                after,
            } => {
                let mut params = Map::new();
                params.extend(state.map(|state| ("state".to_owned(), state.into())));
                params.extend(limit.map(|limit| ("limit".to_owned(), limit.into())));
                params.extend(after.map(|after| ("after".to_owned(), after.into())));
                session.show("outbox.list", params.into(), page).await
            }
            OutboxCommand::Get(entry) => {
                session
                    .show("outbox.get", entry.params(), |entry, _| details(entry))
                    .await
            }
            OutboxCommand::Retry(entry) => {
                session
                    .show("outbox.retry", entry.params(), |entry, _| {
                        told("tried again", entry)
                    })
                    .await
            }
            OutboxCommand::Cancel(entry) => {
                session
                    .show("outbox.cancel", entry.params(), |entry, _| {
                        told("cancelled", entry)
                    })
                    .await
            }
        }
    }
}

impl Entry {
    fn params(&self) -> Value {
        match &self.client_msg_id {
            Some(id) => json!({"client_msg_id": id}),
            None => json!({"outbox_id": self.id}),
        }
    }
}

fn state(entry: &Value) -> Span {
    match text(entry, "state").unwrap_or("unknown") {
        state @ "sent" => good(state),
        state @ ("failed" | "expired" | "unknown") => bad(state),
        state => warn(state),
    }
}

fn to(entry: &Value) -> String {
    match text(entry, "to") {
        Some(handle) => format!("@{handle}"),
        None => text(entry, "conversation_id").unwrap_or("-").to_owned(),
    }
}

fn error(entry: &Value) -> Option<&str> {
    text(entry.get("last_error")?, "message")
}

fn page(outbox: &Value, view: View) -> Page {
    let mut table = Table::new(&["ID", "TO", "STATE", "TRIES", "ACCEPTED", "LAST ERROR"]);
    for entry in list(outbox, "entries") {
        table.row(vec![
            dim(text(entry, "outbox_id").unwrap_or("-")),
            name(to(entry)),
            state(entry),
            plain(number(entry, "attempts").unwrap_or_default().to_string()),
            plain(text(entry, "created_at").map_or_else(|| "-".to_owned(), moment)),
            plain(error(entry).unwrap_or("-")),
        ]);
    }
    let mut page = table.page(view, "the outbox is empty");
    if let Some(next) = number(outbox, "next_after") {
        page.add(vec![dim(format!(
            "more: agentchatctl outbox list --after {next}"
        ))]);
    }
    page
}

fn details(entry: &Value) -> Page {
    let mut fields = Fields::default();
    let time = |member: &str| text(entry, member).map(moment);
    fields.add_some("id", text(entry, "outbox_id"));
    fields.add_some("client id", text(entry, "client_msg_id"));
    fields.add("to", name(to(entry)));
    fields.add("state", state(entry));
    fields.add(
        "tries",
        plain(number(entry, "attempts").unwrap_or_default().to_string()),
    );
    fields.add_some("accepted", time("created_at").as_deref());
    fields.add_some("next try", time("next_attempt_at").as_deref());
    fields.add_some("expires", time("expires_at").as_deref());
    fields.add_some("last error", error(entry));
    if let Some(message) = entry.get("message").filter(|message| message.is_object()) {
        fields.add_some("message", text(message, "id"));
        fields.add("text", plain(body(message)));
    }
    fields.page()
}

fn told(word: &str, entry: &Value) -> Page {
    let id = text(entry, "outbox_id").unwrap_or_default();
    Page::of(vec![good(word), plain(format!(" {id}"))])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Value {
        json!({"outbox_id": "obx_1", "client_msg_id": "c", "state": "failed", "to": "bob",
               "attempts": 2, "created_at": "2026-11-23T12:00:00Z", "next_attempt_at": null,
               "last_error": {"code": -32001, "message": "blocked\u{1b}[0m"}, "message": null})
    }

    #[test]
    fn entries_tell_where_they_stand_and_where_the_list_goes_on() {
        let outbox = json!({"entries": [entry()], "next_after": 7});
        assert_eq!(
            page(&outbox, View::plain()).text(false),
            "ID     TO    STATE   TRIES  ACCEPTED              LAST ERROR\n\
             obx_1  @bob  failed  2      2026-11-23 12:00:00Z  blocked\n\
             more: agentchatctl outbox list --after 7\n"
        );
    }

    #[test]
    fn one_entry_is_shown_field_by_field() {
        assert_eq!(
            details(&entry()).text(false),
            "id          obx_1\nclient id   c\nto          @bob\nstate       failed\n\
             tries       2\naccepted    2026-11-23 12:00:00Z\nlast error  blocked\n"
        );
    }
}
