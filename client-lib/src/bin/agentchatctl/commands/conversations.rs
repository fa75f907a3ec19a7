//! `conversations`: with whom the agent talks. The look-up of a conversation by what it is lives here,
//! too.

use std::collections::BTreeSet;

use clap::Args;
use serde_json::{Map, Value, json};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Page, Table, View, dim, name, plain, warn};
use crate::render::{flag, handle, list, moment, number, text};
use crate::session::{Hub, Session};

/// List the conversations, the latest first.
#[derive(Debug, Args)]
pub(crate) struct Conversations {
    /// How many at most.
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// How many to pass over.
    #[arg(long, value_name = "N")]
    offset: Option<u32>,
}

impl Conversations {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let mut params = Map::new();
        params.extend(self.limit.map(|limit| ("limit".to_owned(), limit.into())));
        params.extend(
            self.offset
                .map(|offset| ("offset".to_owned(), offset.into())),
        );
        session
            .show("conversations.list", params.into(), page)
            .await
    }
}

/// The conversations as a table.
pub(super) fn page(conversations: &Value, view: View) -> Page {
    let mut table = Table::new(&["ID", "WITH", "LAST", "UNREAD", "PREVIEW"]);
    for row in list(conversations, "") {
        let last = text(row, "last_message_at").or_else(|| text(row, "updated_at"));
        let mut preview = text(row, "last_message_preview")
            .unwrap_or_default()
            .to_owned();
        if flag(row, "last_message_is_own") && !preview.is_empty() {
            preview.insert_str(0, "you: ");
        }
        let unread = number(row, "unread_count").filter(|count| *count > 0);
        table.row(vec![
            dim(text(row, "id").unwrap_or("-")),
            name(with(row)),
            plain(last.map_or_else(|| "-".to_owned(), moment)),
            unread.map_or_else(|| plain("-"), |count| warn(count.to_string())),
            plain(preview),
        ]);
    }
    table.page(view, "no conversations")
}

fn with(row: &Value) -> String {
    let mut with = match text(row, "group_name") {
        Some(group) => match number(row, "group_member_count") {
            Some(count) => format!("{group} ({count})"),
            None => group.to_owned(),
        },
        None => {
            let others = list(row, "participants").iter();
            let others: Vec<_> = others.map(|agent| handle(agent, "handle")).collect();
            others.join(" ")
        }
    };
    if flag(row, "is_muted") {
        with.push_str(" [muted]");
    }
    with
}

/// The id of the direct conversation with an agent.
pub(super) async fn with_agent(hub: &Hub, handle: &str) -> Result<String, Failure> {
    let wanted = handle.to_ascii_lowercase();
    let found = find(hub, |row| {
        text(row, "type") == Some("direct")
            && list(row, "participants")
                .iter()
                .any(|agent| text(agent, "handle") == Some(&wanted))
    });
    let row = found.await?;
    row.as_ref().and_then(|row| text(row, "id")).map(str::to_owned).ok_or_else(|| {
        Failure::failed(format!(
            "there is no conversation with @{wanted}; begin one with `agentchatctl send @{wanted}`"
        ))
    })
}

/// The one other agent of a direct conversation; none where it is a group's or not known.
pub(super) async fn agent_of(hub: &Hub, id: &str) -> Result<Option<String>, Failure> {
    let row = find(hub, |row| text(row, "id") == Some(id)).await?;
    let direct = row.filter(|row| text(row, "type") == Some("direct"));
    Ok(direct.and_then(|row| match list(&row, "participants") {
        [only] => text(only, "handle").map(str::to_owned),
        _ => None,
    }))
}

/// Looks through the conversations, page by page. A server that knows no pages gives the same rows
/// again; that ends it, too.
async fn find(hub: &Hub, fits: impl Fn(&Value) -> bool) -> Result<Option<Value>, Failure> {
    let mut seen = BTreeSet::new();
    for _ in 0..MAX_PAGES {
        let params = json!({"limit": PAGE, "offset": seen.len()});
        let page = hub.value("conversations.list", &params).await?;
        let rows = list(&page, "");
        if let Some(row) = rows.iter().find(|row| fits(row)) {
            return Ok(Some(row.clone()));
        }
        let before = seen.len();
        let ids = rows.iter().filter_map(|row| text(row, "id"));
        seen.extend(ids.map(str::to_owned));
        if seen.len() == before {
            break;
        }
    }
    Ok(None)
}

/// Conversations that are asked for at once.
const PAGE: usize = 100;
/// Where a look-up gives up.
const MAX_PAGES: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn direct_ones_and_groups_stand_in_one_table() {
        let rows = json!([
            {"id": "conv_1", "type": "direct", "participants": [{"handle": "bob"}],
             "last_message_at": "2026-11-23T12:00:00Z", "last_message_preview": "hi",
             "last_message_is_own": true, "unread_count": 0},
            {"id": "grp_1", "type": "group", "participants": [], "group_name": "Crew\u{202e}",
             "group_member_count": 3, "updated_at": "2026-11-23T11:00:00Z", "is_muted": true,
             "unread_count": 2},
        ]);
        assert_eq!(
            page(&rows, View::plain()).text(false),
            "ID      WITH              LAST                  UNREAD  PREVIEW\n\
             conv_1  @bob              2026-11-23 12:00:00Z  -       you: hi\n\
             grp_1   Crew (3) [muted]  2026-11-23 11:00:00Z  2\n"
        );
        assert_eq!(
            page(&json!([]), View::plain()).text(false),
            "no conversations\n"
        );
    }
}
