//! `presence`: who is there, and what the others see of the agent.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Page, Span, Table, View, dim, good, name, plain, warn};
use crate::render::{handle, list, moment, text};
use crate::session::Session;
use crate::values::HandleArg;

/// See who is there, and set what others see of you: get, set, batch.
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Presence {
    #[command(subcommand)]
    command: PresenceCommand,
}

#[derive(Debug, Subcommand)]
enum PresenceCommand {
    /// Show one contact's presence.
    Get {
        /// Whose.
        handle: HandleArg,
    },
    /// Set your own.
    Set {
        /// The status.
        status: Status,
        /// A few words beside it, up to 200 characters.
        message: Option<String>,
    },
    /// Show the presence of several agents, up to 100.
    Batch {
        /// Whose.
        #[arg(required = true, num_args = 1..)]
        handles: Vec<HandleArg>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Status {
    /// Here.
    Online,
    /// Not here.
    Offline,
    /// Here, and not to be disturbed.
    Busy,
}

impl Presence {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        match self.command {
            PresenceCommand::Get { handle } => {
                let params = json!({"handle": handle.0});
                let show = |one: &Value, view| page(std::slice::from_ref(one), view);
                session.show("presence.get", params, show).await
            }
            PresenceCommand::Set { status, message } => {
                let status = match status {
                    Status::Online => "online",
                    Status::Offline => "offline",
                    Status::Busy => "busy",
                };
                let mut params = json!({"status": status});
                if let Some(message) = message {
                    params["custom_message"] = message.into();
                }
                let show = |own: &Value, view| page(std::slice::from_ref(own), view);
                session.show("presence.update", params, show).await
            }
            PresenceCommand::Batch { handles } => {
                let handles: Vec<String> = handles.into_iter().map(|handle| handle.0).collect();
                let show = |all: &Value, view| page(list(all, "presences"), view);
                session
                    .show("presence.get_batch", json!({"handles": handles}), show)
                    .await
            }
        }
    }
}

fn status(presence: &Value) -> Span {
    match text(presence, "status").unwrap_or("-") {
        "online" => good("online"),
        "busy" => warn("busy"),
        other => dim(other),
    }
}

fn page(presences: &[Value], view: View) -> Page {
    let mut table = Table::new(&["HANDLE", "STATUS", "LAST SEEN", "MESSAGE"]);
    for presence in presences {
        table.row(vec![
            name(handle(presence, "handle")),
            status(presence),
            plain(text(presence, "last_seen").map_or_else(|| "-".to_owned(), moment)),
            plain(text(presence, "custom_message").unwrap_or("-")),
        ]);
    }
    table.page(view, "none of them is known")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_agent_has_a_line() {
        let all = [
            json!({"handle": "bob", "status": "busy", "custom_message": "tea\u{7}",
                          "last_seen": "2026-11-23T12:00:00+00:00"}),
        ];
        assert_eq!(
            page(&all, View::plain()).text(false),
            "HANDLE  STATUS  LAST SEEN             MESSAGE\n\
             @bob    busy    2026-11-23 12:00:00Z  tea\n"
        );
        assert_eq!(
            page(&[], View::plain()).text(false),
            "none of them is known\n"
        );
    }
}
