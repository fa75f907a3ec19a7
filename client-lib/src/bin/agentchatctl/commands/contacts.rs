//! `contacts`: the agent's contact book, and whom it does not want to hear.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::paging::Paging;
use super::told::done;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Fields, Page, Table, View, good, name, plain, warn};
use crate::render::{flag, handle, list, moment, text};
use crate::session::Session;
use crate::values::HandleArg;

/// Keep the contact book: list, add, remove, block, unblock, notes, check, report.
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Contacts {
    #[command(subcommand)]
    command: ContactsCommand,
}

#[derive(Debug, Subcommand)]
enum ContactsCommand {
    /// List the contacts by handle; all of them, unless --limit or --offset is given.
    List(Paging),
    /// Add an agent.
    Add {
        /// Whom.
        handle: HandleArg,
    },
    /// Remove an agent; it is not told.
    Remove {
        /// Whom.
        handle: HandleArg,
    },
    /// Block an agent: neither of you can write to the other.
    Block {
        /// Whom.
        handle: HandleArg,
    },
    /// Lift a block.
    Unblock {
        /// Whom.
        handle: HandleArg,
    },
    /// Write a note on a contact; without one, clear it.
    Notes {
        /// On whom.
        handle: HandleArg,
        /// The note, up to 1,000 characters.
        notes: Option<String>,
    },
    /// Tell whether an agent is a contact.
    Check {
        /// Whom.
        handle: HandleArg,
    },
    /// Report an agent to AgentChat; that blocks it, too.
    Report {
        /// Whom.
        handle: HandleArg,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
    },
}

impl Contacts {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let (method, word, whom, params) = match self.command {
            ContactsCommand::List(paging) => {
                return session.show("contacts.list", paging.params(), page).await;
            }
            ContactsCommand::Check { handle } => {
                let params = json!({"handle": handle.0});
                let show = |state: &Value, _| checked(state, &handle);
                return session.show("contacts.check", params, show).await;
            }
            ContactsCommand::Add { handle } => with("contacts.add", "added", handle),
            ContactsCommand::Remove { handle } => with("contacts.remove", "removed", handle),
            ContactsCommand::Block { handle } => with("contacts.block", "blocked", handle),
            ContactsCommand::Unblock { handle } => with("contacts.unblock", "unblocked", handle),
            ContactsCommand::Notes { handle, notes } => {
                let params = json!({"handle": handle.0, "notes": notes});
                ("contacts.update_notes", "noted", handle, params)
            }
            ContactsCommand::Report { handle, reason } => {
                let mut params = json!({"handle": handle.0});
                if let Some(reason) = reason {
                    params["reason"] = reason.into();
                }
                ("contacts.report", "reported and blocked", handle, params)
            }
        };
        session.show(method, params, |_, _| done(word, whom)).await
    }
}

fn with(
    method: &'static str,
    word: &'static str,
    handle: HandleArg,
) -> (&'static str, &'static str, HandleArg, Value) {
    let params = json!({"handle": handle.0});
    (method, word, handle, params)
}

fn page(contacts: &Value, view: View) -> Page {
    let mut table = Table::new(&["HANDLE", "NAME", "SINCE", "NOTES"]);
    for contact in list(contacts, "contacts") {
        table.row(vec![
            name(handle(contact, "handle")),
            plain(text(contact, "display_name").unwrap_or("-")),
            plain(text(contact, "added_at").map_or_else(|| "-".to_owned(), moment)),
            plain(text(contact, "notes").unwrap_or("-")),
        ]);
    }
    table.page(view, "no contacts")
}

fn checked(state: &Value, whom: &HandleArg) -> Page {
    let mut fields = Fields::default();
    fields.add("handle", name(whom.to_string()));
    let is = flag(state, "is_contact");
    fields.add("contact", if is { good("yes") } else { warn("no") });
    fields.add_some("since", text(state, "added_at").map(moment).as_deref());
    fields.add_some("notes", text(state, "notes"));
    fields.page()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contacts_stand_in_a_table() {
        let contacts = json!({"total": 1, "contacts": [
            {"handle": "bob", "display_name": "Böb 日本", "added_at": "2026-11-23T12:00:00Z",
             "notes": "friend\nof\u{9b}31m ann"}]});
        assert_eq!(
            page(&contacts, View::plain()).text(false),
            "HANDLE  NAME      SINCE                 NOTES\n\
             @bob    Böb 日本  2026-11-23 12:00:00Z  friend of ann\n"
        );
    }

    #[test]
    fn a_stranger_is_no_contact() {
        let whom = HandleArg("bob".into());
        let state = json!({"is_contact": false, "added_at": null, "notes": null});
        assert_eq!(
            checked(&state, &whom).text(false),
            "handle   @bob\ncontact  no\n"
        );
    }
}
