//! The table of codes and the error object.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

/// Declares the codes with their numbers and names.
macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal;)*) => {
        /// Every code that the daemon answers with.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])* $variant,)*
        }

        impl ErrorCode {
            /// All codes, in the order of the contract.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The number on the wire.
            pub const fn number(self) -> i32 {
                match self { $(Self::$variant => $number,)* }
            }

            /// The stable name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The code of a number.
            pub const fn from_number(number: i32) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

codes! {
    /// What came is not JSON.
    ParseError = -32700, "parse_error";
    /// It is JSON, but no request, or a request over the size limit ([`super::LimitData`]), or a
    /// batch of too many ([`super::BatchLimitData`]).
    InvalidRequest = -32600, "invalid_request";
    /// No method has this name.
    MethodNotFound = -32601, "method_not_found";
    /// The parameters are wrong: [`super::InvalidParamsData`].
    InvalidParams = -32602, "invalid_params";
    /// A fault of the daemon itself.
    InternalError = -32603, "internal_error";
    /// AgentChat answered other than 2xx: [`super::ApiErrorData`].
    ApiError = -32001, "api_error";
    /// AgentChat gave no answer at all: [`super::UpstreamUnavailableData`].
    UpstreamUnavailable = -32002, "upstream_unavailable";
    /// No API key is known to the daemon: [`super::NotConfiguredData`].
    NotConfigured = -32003, "not_configured";
    /// The peer's scope does not cover the method: [`super::PermissionDeniedData`].
    PermissionDenied = -32004, "permission_denied";
    /// The consumer is attached elsewhere, or known with another filter: [`super::ConsumerConflictData`].
    ConsumerConflict = -32005, "consumer_conflict";
    /// No such thing here: [`super::NotFoundData`].
    NotFound = -32006, "not_found";
    /// The disk is full, or the database refused; nothing was accepted: [`super::StorageErrorData`].
    StorageError = -32007, "storage_error";
    /// A local limit is hit: [`super::OverloadedData`].
    Overloaded = -32008, "overloaded";
    /// The daemon is stopping.
    ShuttingDown = -32009, "shutting_down";
    /// The id was used before with another content or address: [`super::ConflictData`].
    Conflict = -32010, "conflict";
    /// The message's time ran out before AgentChat took it: [`super::ExpiredData`].
    Expired = -32011, "expired";
}

/// An error as it stands in an answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RpcError {
    /// The number; [`RpcError::kind`] gives the known code of it.
    pub code: i32,
    /// For people.
    pub message: String,
    /// For programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<RawValue>>,
}

impl RpcError {
    /// An error without data.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code: code.number(),
            message: message.into(),
            data: None,
        }
    }

    /// The same error with this data.
    #[must_use]
    pub fn with_data(mut self, data: &impl Serialize) -> Self {
        // The data types of this crate always serialize; another one that does not is left out
        // rather than hiding the error that it belongs to.
        self.data = to_raw_value(data).ok();
        self
    }

    /// The known code of the number.
    pub fn kind(&self) -> Option<ErrorCode> {
        ErrorCode::from_number(self.code)
    }

    /// The data as one of the types of this module.
    ///
    /// # Errors
    /// Where there is none, or it has another shape.
    pub fn data_as<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.data.as_ref().map_or("null", |data| data.get()))
    }
}

impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            Some(code) => write!(f, "{} ({}, {})", self.message, self.code, code.name()),
            None => write!(f, "{} ({})", self.message, self.code),
        }
    }
}

impl std::error::Error for RpcError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_lead_back_to_one_code_each() {
        let mut seen = std::collections::BTreeSet::new();
        for &code in ErrorCode::ALL {
            assert_eq!(ErrorCode::from_number(code.number()), Some(code));
            assert!(seen.insert(code.name()));
        }
        assert_eq!(seen.len(), 16);
        assert_eq!(ErrorCode::from_number(0), None);
    }

    #[test]
    fn the_daemons_own_numbers_are_those_of_the_contract() {
        let table: Vec<_> = ErrorCode::ALL[5..]
            .iter()
            .map(|c| (c.number(), c.name()))
            .collect();
        assert_eq!(
            table,
            [
                (-32001, "api_error"),
                (-32002, "upstream_unavailable"),
                (-32003, "not_configured"),
                (-32004, "permission_denied"),
                (-32005, "consumer_conflict"),
                (-32006, "not_found"),
                (-32007, "storage_error"),
                (-32008, "overloaded"),
                (-32009, "shutting_down"),
                (-32010, "conflict"),
                (-32011, "expired"),
            ]
        );
    }
}
