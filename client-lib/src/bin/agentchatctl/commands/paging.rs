//! Flags of lists that AgentChat gives page by page.

use clap::Args;
use serde_json::{Map, Value};

/// One page, or everything.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct Paging {
    /// How many at most.
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// How many to pass over.
    #[arg(long, value_name = "N")]
    offset: Option<u32>,
}

impl Paging {
    /// The members for the daemon.
    pub(super) fn params(self) -> Value {
        let mut params = Map::new();
        params.extend(self.limit.map(|limit| ("limit".to_owned(), limit.into())));
        params.extend(
            self.offset
                .map(|offset| ("offset".to_owned(), offset.into())),
        );
        if params.is_empty() {
            params.insert("all".into(), true.into());
        }
        params.into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_is_asked_for_where_no_page_is() {
        assert_eq!(Paging::default().params(), json!({"all": true}));
        let page = Paging {
            limit: Some(5),
            offset: None,
        };
        assert_eq!(page.params(), json!({"limit": 5}));
    }
}
