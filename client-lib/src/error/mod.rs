//! Errors of the local API: stable numbers, names and the data beside them.
//!
//! A number never changes its meaning. `message` is for people and may change; programs look at `code`
//! and `data`.

mod code;
mod data;
mod place;

pub use code::{ErrorCode, RpcError};
pub use data::{
    ApiErrorData, BadConfigData, BatchLimitData, ConflictData, ConsumerConflictData,
    ConsumerConflictReason, ExpiredData, InvalidParamsData, LimitData, NotConfiguredData,
    NotFoundData, OutboxStateData, OverloadedData, PermissionDeniedData, StorageErrorData,
    UpstreamUnavailableData,
};
pub use place::At;
pub(crate) use place::{at_most_one, only_one, push_pointer, without_position};
