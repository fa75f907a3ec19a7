//! `contacts.*`.

use super::call::call_params;
use super::common::is_false;
use super::handle::{Handle, PathHandle};
use super::paging::PageLimit;
use super::text::Text;

call_params! {
    /// Parameters of `contacts.add`.
    post ContactsAddParams {
        /// Which agent.
        handle: Handle,
    }
}

call_params! {
    /// Parameters of `contacts.list`.
    ContactsListParams {
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
    }
}

call_params! {
    /// Parameters of `contacts.update_notes`.
    post ContactsUpdateNotesParams {
        /// Which contact.
        handle: PathHandle,
        /// What the agent notes of it; `null` clears it.
        #[serde(deserialize_with = "serde::Deserialize::deserialize")]
        #[cfg_attr(feature = "schema", schemars(required, schema_with = "text_or_null"))]
        notes: Option<Text>,
    }
}

/// The schema of a member that must be there and may be `null`.
#[cfg(feature = "schema")]
fn text_or_null(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    generator.subschema_for::<Option<Text>>()
}

call_params! {
    /// Parameters of `contacts.report`.
    post ContactsReportParams {
        /// Which agent.
        handle: PathHandle,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Text>,
    }
}

#[cfg(all(test, feature = "schema"))]
mod tests {
    use super::*;

    #[test]
    fn the_schema_says_that_notes_must_be_there_and_may_be_null() {
        let schema = schemars::schema_for!(ContactsUpdateNotesParams).to_value();
        assert_eq!(schema["required"], serde_json::json!(["handle", "notes"]));
        assert_eq!(
            schema["properties"]["notes"]["type"],
            serde_json::json!(["string", "null"]),
            "{schema:#}"
        );
    }
}
