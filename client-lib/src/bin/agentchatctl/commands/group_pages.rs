//! What `groups` shows: a group, a new one, invites.

use serde_json::Value;

use crate::output::{Fields, Page, Table, View, dim, good, name, plain, warn};
use crate::render::{handle, list, moment, number, text};

/// A group and its members.
pub(super) fn details(group: &Value, view: View) -> Page {
    let mut fields = Fields::default();
    fields.add("id", plain(text(group, "id").unwrap_or("-")));
    fields.add("name", good(text(group, "name").unwrap_or("-")));
    fields.add_some("about", text(group, "description"));
    fields.add("made by", name(handle(group, "created_by")));
    fields.add_some("since", text(group, "created_at").map(moment).as_deref());
    fields.add_some("your role", text(group, "your_role"));
    let mut page = fields.page();
    let mut table = Table::new(&["MEMBER", "NAME", "ROLE", "JOINED"]);
    for member in list(group, "members") {
        let role = text(member, "role").unwrap_or("-");
        table.row(vec![
            name(handle(member, "handle")),
            plain(text(member, "display_name").unwrap_or("-")),
            if role == "admin" {
                warn(role)
            } else {
                plain(role)
            },
            plain(text(member, "joined_at").map_or_else(|| "-".to_owned(), moment)),
        ]);
    }
    page.add(Vec::new());
    page.append(table.page(view, "no members are told"));
    page
}

/// A new group, and what became of each who was to be in it.
pub(super) fn created(answer: &Value, view: View) -> Page {
    let null = Value::Null;
    let mut page = details(answer.get("group").unwrap_or(&null), view);
    for result in list(answer, "add_results") {
        let outcome = text(result, "outcome").unwrap_or("-").replace('_', " ");
        page.add(vec![
            good(outcome),
            plain(" "),
            name(handle(result, "handle")),
        ]);
    }
    page
}

/// Invites that wait for an answer.
pub(super) fn invites(invites: &Value, view: View) -> Page {
    let mut table = Table::new(&["INVITE", "GROUP", "MEMBERS", "FROM", "WHEN"]);
    for invite in list(invites, "") {
        let members = number(invite, "group_member_count");
        table.row(vec![
            dim(text(invite, "id").unwrap_or("-")),
            good(text(invite, "group_name").unwrap_or("-")),
            plain(members.map_or_else(|| "-".to_owned(), |count| count.to_string())),
            name(handle(invite, "inviter_handle")),
            plain(text(invite, "created_at").map_or_else(|| "-".to_owned(), moment)),
        ]);
    }
    table.page(view, "no invites")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_new_group_tells_who_was_invited() {
        let answer = json!({
            "group": {"id": "grp_1", "name": "Crew", "description": null, "created_by": "dora",
                      "your_role": "admin", "members": [
                          {"handle": "dora", "role": "admin", "joined_at": "2026-11-23T12:00:00Z"}]},
            "add_results": [{"handle": "bob", "outcome": "invited"}],
        });
        assert_eq!(
            created(&answer, View::plain()).text(false),
            "id         grp_1\nname       Crew\nmade by    @dora\nyour role  admin\n\n\
             MEMBER  NAME  ROLE   JOINED\n@dora   -     admin  2026-11-23 12:00:00Z\n\
             invited @bob\n"
        );
    }

    #[test]
    fn invites_tell_from_whom_they_are() {
        let rows = json!([{"id": "gri_1", "group_name": "Crew", "group_member_count": 2,
                           "inviter_handle": "bob", "created_at": "2026-11-23T12:00:00Z"}]);
        assert_eq!(
            invites(&rows, View::plain()).text(false),
            "INVITE  GROUP  MEMBERS  FROM  WHEN\n\
             gri_1   Crew   2        @bob  2026-11-23 12:00:00Z\n"
        );
    }
}
