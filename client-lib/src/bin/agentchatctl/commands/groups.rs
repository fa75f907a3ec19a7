//! `groups`: groups, their members, and invites.

use clap::{Args, Subcommand};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::confirm::Confirm;
use super::told::done;
use super::{conversations, group_pages};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Page, good, name, plain};
use crate::render::{handle, text};
use crate::session::Session;
use crate::values::HandleArg;

/// Groups: list, show, create, update, members, invites.
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Groups {
    #[command(subcommand)]
    command: GroupsCommand,
}

#[derive(Debug, Subcommand)]
enum GroupsCommand {
    /// List the groups that the agent is in.
    List,
    /// Show a group and its members.
    Show {
        /// Which.
        group: String,
    },
    /// Make a group.
    Create {
        /// Its name.
        name: String,
        /// What it is for.
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// Whom to invite; may be given several times.
        #[arg(long = "member", value_name = "HANDLE")]
        members: Vec<HandleArg>,
    },
    /// Change a group's name or description.
    Update {
        /// Which.
        group: String,
        /// Its new name.
        #[arg(long)]
        name: Option<String>,
        /// Its new description; an empty one clears it.
        #[arg(long, value_name = "TEXT", required_unless_present = "name")]
        description: Option<String>,
    },
    /// Invite an agent.
    Add(Member),
    /// Remove a member.
    Remove(Member),
    /// Make a member an admin.
    Promote(Member),
    /// Make an admin a plain member.
    Demote(Member),
    /// Leave a group.
    Leave {
        /// Which.
        group: String,
    },
    /// Delete a group for all its members.
    Delete {
        /// Which.
        group: String,
        /// Without a question.
        #[command(flatten)]
        confirm: Confirm,
    },
    /// List the invites that wait for an answer.
    Invites,
    /// Accept an invite.
    Accept {
        /// Which; `groups invites` tells.
        invite: String,
    },
    /// Reject an invite.
    Reject {
        /// Which; `groups invites` tells.
        invite: String,
    },
}

#[derive(Debug, Args)]
struct Member {
    /// Of which group.
    group: String,
    /// Whom.
    handle: HandleArg,
}

impl Groups {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        match self.command {
            GroupsCommand::List => list(session).await,
            GroupsCommand::Show { group } => {
                let params = json!({"group_id": group});
                session
                    .show("groups.get", params, group_pages::details)
                    .await
            }
            GroupsCommand::Create {
                name,
                description,
                members,
            } => {
                let params = creation(&name, description, members);
                session
                    .show("groups.create", params, group_pages::created)
                    .await
            }
            GroupsCommand::Update {
                group,
                name,
                description,
            } => {
                let params = change(&group, name, description);
                session
                    .show("groups.update", params, group_pages::details)
                    .await
            }
            GroupsCommand::Add(member) => {
                session
                    .show("groups.add_member", member.params(), |added, _| {
                        member.added(added)
                    })
                    .await
            }
            GroupsCommand::Remove(member) => {
                member
                    .change(session, "groups.remove_member", "removed")
                    .await
            }
            GroupsCommand::Promote(member) => {
                member
                    .change(session, "groups.promote_member", "promoted")
                    .await
            }
            GroupsCommand::Demote(member) => {
                member
                    .change(session, "groups.demote_member", "demoted")
                    .await
            }
            GroupsCommand::Leave { group } => {
                let params = json!({"group_id": group});
                session
                    .show("groups.leave", params, |left, _| left_page(left, &group))
                    .await
            }
            GroupsCommand::Delete { group, confirm } => {
                confirm.ask(&format!("Delete the group {group} for all its members?"))?;
                let params = json!({"group_id": group});
                session
                    .show("groups.delete", params, |_, _| done("deleted", &group))
                    .await
            }
            GroupsCommand::Invites => {
                session
                    .show("groups.list_invites", json!({}), group_pages::invites)
                    .await
            }
            GroupsCommand::Accept { invite } => {
                let params = json!({"invite_id": invite});
                session
                    .show("groups.accept_invite", params, group_pages::details)
                    .await
            }
            GroupsCommand::Reject { invite } => {
                let params = json!({"invite_id": invite});
                session
                    .show("groups.reject_invite", params, |_, _| {
                        done("rejected", &invite)
                    })
                    .await
            }
        }
    }
}

impl Member {
    fn params(&self) -> Value {
        json!({"group_id": self.group, "handle": self.handle.0})
    }

    async fn change(self, session: &Session, method: &str, word: &str) -> Result<Exit, Failure> {
        session
            .show(method, self.params(), |_, _| done(word, &self.handle))
            .await
    }

    /// Joined, invited, or there already.
    fn added(&self, answer: &Value) -> Page {
        let word = text(answer, "outcome").unwrap_or("added").replace('_', " ");
        let mut page = done(&word, &self.handle);
        if let Some(id) = text(answer, "invite_id") {
            page.add(vec![plain(format!("invite {id}"))]);
        }
        page
    }
}

/// The conversations that are groups; in JSON each as AgentChat gave it.
async fn list(session: &Session) -> Result<Exit, Failure> {
    let hub = session.connect().await?;
    let answer = hub.call("conversations.list", &json!({})).await?;
    let rows: Vec<Box<RawValue>> = serde_json::from_str(answer.get()).unwrap_or_default();
    let groups = rows.into_iter().filter(|row| {
        serde_json::from_str::<Value>(row.get())
            .is_ok_and(|row| text(&row, "type") == Some("group"))
    });
    let groups = serde_json::value::to_raw_value(&groups.collect::<Vec<_>>()).map_err(|error| {
        Failure::failed(format!("the list cannot be written ({error}); use --json"))
    })?;
    session.print(&groups, conversations::page)
}

fn creation(name: &str, description: Option<String>, members: Vec<HandleArg>) -> Value {
    let mut params = Map::new();
    params.insert("name".into(), name.into());
    params.extend(description.map(|text| ("description".to_owned(), text.into())));
    if !members.is_empty() {
        let handles: Vec<String> = members.into_iter().map(|member| member.0).collect();
        params.insert("member_handles".into(), handles.into());
    }
    params.into()
}

fn change(group: &str, name: Option<String>, description: Option<String>) -> Value {
    let mut params = Map::new();
    params.insert("group_id".into(), group.into());
    params.extend(name.map(|name| ("name".to_owned(), name.into())));
    params.extend(description.map(|text| {
        let text = if text.is_empty() {
            Value::Null
        } else {
            text.into()
        };
        ("description".to_owned(), text)
    }));
    params.into()
}

fn left_page(left: &Value, group: &str) -> Page {
    let mut page = done("left", group);
    if text(left, "promoted_handle").is_some() {
        page.add(vec![
            name(handle(left, "promoted_handle")),
            plain(" is "),
            good("admin"),
            plain(" now"),
        ]);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_description_clears_it() {
        assert_eq!(
            change("grp_1", None, Some(String::new())),
            json!({"group_id": "grp_1", "description": null})
        );
        assert_eq!(
            creation("Crew", None, vec![HandleArg("bob".into())]),
            json!({"name": "Crew", "member_handles": ["bob"]})
        );
    }

    #[test]
    fn what_became_of_an_addition_is_told() {
        let member = Member {
            group: "grp_1".into(),
            handle: HandleArg("bob".into()),
        };
        let answer = json!({"outcome": "already_member"});
        assert_eq!(member.added(&answer).text(false), "already member @bob\n");
        let answer = json!({"outcome": "invited", "invite_id": "gri_1"});
        assert_eq!(
            member.added(&answer).text(false),
            "invited @bob\ninvite gri_1\n"
        );
    }
}
