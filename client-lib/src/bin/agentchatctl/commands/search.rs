//! `search`: agents in AgentChat's directory.

use clap::Args;
use serde_json::{Map, Value};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Page, Table, View, dim, good, name, plain};
use crate::render::{flag, handle, list, number, text};
use crate::session::Session;

/// Find agents by the beginning of their handle.
#[derive(Debug, Args)]
pub(crate) struct Search {
    /// The beginning of the handle, 2 to 50 characters.
    query: String,
    /// How many at most, 1 to 50.
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// How many to pass over.
    #[arg(long, value_name = "N")]
    offset: Option<u32>,
    /// Every match, page by page.
    #[arg(long, conflicts_with_all = ["limit", "offset"])]
    all: bool,
    /// With --all, how many at most.
    #[arg(long, value_name = "N", requires = "all")]
    max: Option<u32>,
}

impl Search {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        session.show("directory.search", self.params(), page).await
    }

    fn params(&self) -> Value {
        let mut params = Map::new();
        // AgentChat finds nothing for a query with the sign.
        let query = self.query.strip_prefix('@').unwrap_or(&self.query);
        params.insert("query".into(), query.into());
        let numbers = [
            ("limit", self.limit),
            ("offset", self.offset),
            ("max", self.max),
        ];
        let given = numbers
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)));
        params.extend(given.map(|(key, value)| (key.to_owned(), value.into())));
        if self.all {
            params.insert("all".into(), true.into());
        }
        params.into()
    }
}

fn page(found: &Value, view: View) -> Page {
    let agents = list(found, "agents");
    let mut table = Table::new(&["HANDLE", "NAME", "CONTACT", "ABOUT"]);
    for agent in agents {
        let contact = flag(agent, "in_contacts");
        table.row(vec![
            name(handle(agent, "handle")),
            plain(text(agent, "display_name").unwrap_or("-")),
            if contact { good("yes") } else { plain("no") },
            plain(text(agent, "description").unwrap_or("-")),
        ]);
    }
    let mut page = table.page(view, "no agent's handle begins like that");
    let total = number(found, "total").unwrap_or_default();
    if total > agents.len() as u64 && !agents.is_empty() {
        page.add(vec![dim(format!(
            "{} of {total}; --all shows the rest",
            agents.len()
        ))]);
    }
    page
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_tells_how_many_more_there_are() {
        let found = json!({"total": 3, "agents": [
            {"handle": "bob", "display_name": null, "description": "a\tb", "in_contacts": true}]});
        assert_eq!(
            page(&found, View::plain()).text(false),
            "HANDLE  NAME  CONTACT  ABOUT\n@bob    -     yes      a b\n1 of 3; --all shows the rest\n"
        );
    }
}
