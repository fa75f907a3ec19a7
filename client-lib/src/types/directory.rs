//! `directory.search`.

use super::call::call_params;
use super::common::is_false;
use super::handle::Handle;
use super::paging::{MaxRows, PageLimit};

call_params! {
    /// Parameters of `directory.search`.
    DirectorySearchParams {
        /// How the handles begin that are looked for.
        query: Handle,
        /// How many rows a page has; AgentChat decides where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<PageLimit>,
        /// How many rows to pass over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        offset: Option<u32>,
        /// Whether to walk all pages and give them as one.
        #[serde(
            default,
            deserialize_with = "crate::types::common::null_default",
            skip_serializing_if = "is_false"
        )]
        all: bool,
        /// How many rows come at most; 1,000 by default with `all`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<MaxRows>,
    }
}
