//! Parameters of the calls that are one request to AgentChat: their common form, and those that many
//! methods share.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::handle::PathHandle;
use super::text::Id;

/// Declares the parameters of such a call: its own members, then `timeout_ms`, and with `post` in front
/// (a POST or PATCH upstream) `idempotency_key`.
macro_rules! call_params {
    (
        $(#[$doc:meta])*
        $name:ident {$(
            $(#[$attr:meta])*
            $member:ident: $type:ty,
        )*}
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$attr])* pub $member: $type,)*
            /// How long the call may take; 30 s by default.
            #[serde(default, deserialize_with = "crate::types::common::null_default")]
            pub timeout_ms: crate::types::TimeoutMs,
        }
    };
    (
        $(#[$doc:meta])*
        post $name:ident {$(
            $(#[$attr:meta])*
            $member:ident: $type:ty,
        )*}
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$attr])* pub $member: $type,)*
            /// How long the call may take; 30 s by default.
            #[serde(default, deserialize_with = "crate::types::common::null_default")]
            pub timeout_ms: crate::types::TimeoutMs,
            /// Makes the call retryable: AgentChat runs it once for a key.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub idempotency_key: Option<crate::types::IdempotencyKey>,
        }
    };
}
pub(crate) use call_params;

call_params! {
    /// Parameters of a call about one agent.
    HandleParams {
        /// Which agent.
        handle: PathHandle,
    }
}

call_params! {
    /// Parameters of a call that does something about one agent.
    post HandlePostParams {
        /// Which agent.
        handle: PathHandle,
    }
}

call_params! {
    /// Parameters of a call about one message.
    MessageParams {
        /// Which message.
        message_id: Id,
    }
}

call_params! {
    /// Parameters of a call about one conversation.
    ConversationParams {
        /// Which conversation.
        conversation_id: Id,
    }
}

/// A member of an update: left as it is, cleared, or set to a value. On the wire it is left out,
/// `null`, or the value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(inline, with = "Option<T>"))]
pub enum Change<T> {
    /// Stays as it is.
    #[default]
    Keep,
    /// There is none any more.
    Clear,
    /// Becomes this.
    Set(T),
}

impl<T> Change<T> {
    /// Whether nothing changes; then the member is left out.
    pub fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }
}

impl<T> From<Option<T>> for Change<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Clear, Self::Set)
    }
}

impl<T: Serialize> Serialize for Change<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Keep | Self::Clear => serializer.serialize_none(),
            Self::Set(value) => value.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Update {
        #[serde(default, skip_serializing_if = "Change::is_keep")]
        name: Change<String>,
    }

    #[test]
    fn left_out_null_and_a_value_are_three_things() {
        for (json, name) in [
            ("{}", Change::Keep),
            (r#"{"name":null}"#, Change::Clear),
            (r#"{"name":"x"}"#, Change::Set("x".to_owned())),
        ] {
            let update: Update = serde_json::from_str(json).unwrap();
            assert_eq!(update, Update { name });
            assert_eq!(serde_json::to_string(&update).unwrap(), json);
        }
    }
}
