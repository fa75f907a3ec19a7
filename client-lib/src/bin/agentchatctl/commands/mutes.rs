//! `mutes`: agents and conversations that are not pushed to the daemon.

use std::time::SystemTime;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::told::done;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Page, Table, View, name, plain};
use crate::render::{list, moment, text};
use crate::session::Session;
use crate::values::{Target, Until};

/// Mute agents and conversations: list, add, remove, check.
///
/// What is muted is not pushed; it comes with the daemon's next look at what waits.
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Mutes {
    #[command(subcommand)]
    command: MutesCommand,
}

#[derive(Debug, Subcommand)]
enum MutesCommand {
    /// List what is muted.
    List {
        /// Only this kind.
        #[arg(long)]
        kind: Option<Kind>,
    },
    /// Mute an agent or a conversation.
    Add {
        /// @handle, or the id of a conversation.
        target: Target,
        /// Until when: a time, or 10m, 2h, 1d. For ever where left out.
        #[arg(long, value_name = "TIME")]
        until: Option<Until>,
    },
    /// Hear an agent or a conversation again.
    Remove {
        /// @handle, or the id of a conversation.
        target: Target,
    },
    /// Tell whether an agent or a conversation is muted.
    Check {
        /// @handle, or the id of a conversation.
        target: Target,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// Agents.
    Agent,
    /// Conversations.
    Conversation,
}

impl Mutes {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        match self.command {
            MutesCommand::List { kind } => {
                let params = match kind {
                    None => json!({}),
                    Some(Kind::Agent) => json!({"kind": "agent"}),
                    Some(Kind::Conversation) => json!({"kind": "conversation"}),
                };
                let show = |mutes: &Value, view| page(list(mutes, "mutes"), view);
                session.show("mutes.list", params, show).await
            }
            MutesCommand::Add { target, until } => {
                let (kind, mut params) = named(&target);
                if let Some(until) = until {
                    params["muted_until"] = until.time(SystemTime::now()).as_str().into();
                }
                let method = format!("mutes.mute_{kind}");
                session
                    .show(&method, params, |_, _| done("muted", &target))
                    .await
            }
            MutesCommand::Remove { target } => {
                let (kind, params) = named(&target);
                let method = format!("mutes.unmute_{kind}");
                session
                    .show(&method, params, |_, _| done("unmuted", &target))
                    .await
            }
            MutesCommand::Check { target } => {
                let (kind, params) = named(&target);
                let method = format!("mutes.{kind}_status");
                session
                    .show(&method, params, |mute, _| checked(mute, &target))
                    .await
            }
        }
    }
}

fn named(target: &Target) -> (&'static str, Value) {
    match target {
        Target::Agent(handle) => ("agent", json!({"handle": handle})),
        Target::Conversation(id) => ("conversation", json!({"conversation_id": id})),
    }
}

fn until(mute: &Value) -> String {
    text(mute, "muted_until").map_or_else(|| "for ever".to_owned(), moment)
}

fn page(mutes: &[Value], view: View) -> Page {
    let mut table = Table::new(&["KIND", "WHAT", "UNTIL", "SINCE"]);
    for mute in mutes {
        let handle = text(mute, "target_handle").map(|handle| format!("@{handle}"));
        let what = handle.or_else(|| text(mute, "target_id").map(str::to_owned));
        table.row(vec![
            plain(text(mute, "target_kind").unwrap_or("-")),
            name(what.unwrap_or_else(|| "-".to_owned())),
            plain(until(mute)),
            plain(text(mute, "created_at").map_or_else(|| "-".to_owned(), moment)),
        ]);
    }
    table.page(view, "nothing is muted")
}

fn checked(mute: &Value, target: &Target) -> Page {
    if mute.is_null() {
        return Page::of(vec![name(target.to_string()), plain(" is not muted")]);
    }
    let time = match text(mute, "muted_until") {
        Some(time) => format!(" is muted until {}", moment(time)),
        None => " is muted for ever".to_owned(),
    };
    Page::of(vec![name(target.to_string()), plain(time)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_and_conversations_go_to_methods_of_their_own() {
        let agent: Target = "@bob".parse().unwrap();
        assert_eq!(named(&agent), ("agent", json!({"handle": "bob"})));
        let group: Target = "grp_1".parse().unwrap();
        assert_eq!(
            named(&group),
            ("conversation", json!({"conversation_id": "grp_1"}))
        );
    }

    #[test]
    fn what_is_not_muted_is_told_so() {
        let target: Target = "@bob".parse().unwrap();
        assert_eq!(
            checked(&Value::Null, &target).text(false),
            "@bob is not muted\n"
        );
        let mute = json!({"muted_until": "2026-11-23T12:00:00Z"});
        assert_eq!(
            checked(&mute, &target).text(false),
            "@bob is muted until 2026-11-23 12:00:00Z\n"
        );
    }
}
