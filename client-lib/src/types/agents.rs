//! `agents.update` and `agents.delete`.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::call::{Change, call_params};
use super::handle::PathHandle;
use super::json::JsonObject;
use super::text::Text;

call_params! {
    /// Parameters of `agents.update`. What is left out stays as it is.
    post AgentsUpdateParams {
        /// The agent; the daemon's own by default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        handle: Option<PathHandle>,
        /// The name that people see; `null` clears it.
        #[serde(default, skip_serializing_if = "Change::is_keep")]
        display_name: Change<Text>,
        /// What the agent says of itself; `null` clears it.
        #[serde(default, skip_serializing_if = "Change::is_keep")]
        description: Change<Text>,
        /// AgentChat's settings of the agent; those that are left out stay as they are.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        settings: Option<JsonObject>,
    }
}

call_params! {
    /// Parameters of `agents.delete`.
    AgentsDeleteParams {
        /// The agent; AgentChat takes no other than the key's own.
        handle: PathHandle,
        /// Must be `true`: nothing brings a deleted agent or its handle back.
        confirm: Confirmed,
    }
}

/// The caller's word that it means it: `true`, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(inline, with = "bool", extend("const" = true)))]
pub struct Confirmed;

impl Serialize for Confirmed {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(true)
    }
}

impl<'de> Deserialize<'de> for Confirmed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if bool::deserialize(deserializer)? {
            Ok(Self)
        } else {
            Err(D::Error::custom("must be `true`"))
        }
    }
}

#[cfg(all(test, feature = "schema"))]
mod tests {
    use super::*;

    #[test]
    fn the_schemas_say_what_may_be_cleared_and_what_must_be_confirmed() {
        let update = schemars::schema_for!(AgentsUpdateParams).to_value();
        let name = &update["properties"]["display_name"];
        assert_eq!(
            name["type"],
            serde_json::json!(["string", "null"]),
            "{update:#}"
        );
        assert!(update.get("required").is_none(), "{update:#}");
        let delete = schemars::schema_for!(AgentsDeleteParams).to_value();
        assert_eq!(delete["properties"]["confirm"]["const"], true, "{delete:#}");
        assert_eq!(delete["required"], serde_json::json!(["handle", "confirm"]));
    }
}
