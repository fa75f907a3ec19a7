//! Pictures of agents and groups.

use serde::{Deserialize, Serialize};

use super::call::call_params;
use super::common::{TimeoutMs, null_default};
use super::files::{FilePath, FileSource};
use super::handle::PathHandle;
use super::media::ImageType;
use super::text::{Id, Text};
use crate::error::At;

/// Parameters of `agents.set_avatar`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "FlatAgent", into = "FlatAgent")]
pub struct AgentAvatarParams {
    /// The agent; the daemon's own by default.
    pub handle: Option<PathHandle>,
    /// The picture, up to 5 MiB.
    pub source: FileSource,
    /// What it is; told from its first bytes by default.
    pub content_type: Option<ImageType>,
    /// How long the call may take; 30 s by default.
    pub timeout_ms: TimeoutMs,
}

/// Parameters of `groups.set_avatar`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "FlatGroup", into = "FlatGroup")]
pub struct GroupAvatarParams {
    /// The group.
    pub group_id: Id,
    /// The picture, up to 5 MiB.
    pub source: FileSource,
    /// What it is; told from its first bytes by default.
    pub content_type: Option<ImageType>,
    /// How long the call may take; 30 s by default.
    pub timeout_ms: TimeoutMs,
}

call_params! {
    /// Parameters of `agents.remove_avatar`.
    RemoveAgentAvatarParams {
        /// The agent; the daemon's own by default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        handle: Option<PathHandle>,
    }
}

call_params! {
    /// Parameters of `groups.remove_avatar`.
    RemoveGroupAvatarParams {
        /// The group.
        group_id: Id,
    }
}

/// The members of `agents.set_avatar` as they stand on the wire.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = crate::schema::exactly_one_of("path data_base64")))]
#[serde(deny_unknown_fields)]
struct FlatAgent {
    /// The agent; the daemon's own by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    handle: Option<PathHandle>,
    /// A file that the daemon reads itself; only for callers of its own user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<FilePath>,
    /// The bytes, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data_base64: Option<Text>,
    /// What it is; told from its first bytes by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_type: Option<ImageType>,
    /// How long the call may take; 30 s by default.
    #[serde(default, deserialize_with = "null_default")]
    timeout_ms: TimeoutMs,
}

/// The members of `groups.set_avatar` as they stand on the wire.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = crate::schema::exactly_one_of("path data_base64")))]
#[serde(deny_unknown_fields)]
struct FlatGroup {
    /// The group.
    group_id: Id,
    /// A file that the daemon reads itself; only for callers of its own user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<FilePath>,
    /// The bytes, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data_base64: Option<Text>,
    /// What it is; told from its first bytes by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_type: Option<ImageType>,
    /// How long the call may take; 30 s by default.
    #[serde(default, deserialize_with = "null_default")]
    timeout_ms: TimeoutMs,
}

impl TryFrom<FlatAgent> for AgentAvatarParams {
    type Error = At;

    fn try_from(flat: FlatAgent) -> Result<Self, At> {
        Ok(Self {
            handle: flat.handle,
            source: FileSource::of(flat.path, flat.data_base64)?,
            content_type: flat.content_type,
            timeout_ms: flat.timeout_ms,
        })
    }
}

impl From<AgentAvatarParams> for FlatAgent {
    fn from(params: AgentAvatarParams) -> Self {
        let (path, data_base64) = params.source.members();
        Self {
            handle: params.handle,
            path,
            data_base64,
            content_type: params.content_type,
            timeout_ms: params.timeout_ms,
        }
    }
}

impl TryFrom<FlatGroup> for GroupAvatarParams {
    type Error = At;

    fn try_from(flat: FlatGroup) -> Result<Self, At> {
        Ok(Self {
            group_id: flat.group_id,
            source: FileSource::of(flat.path, flat.data_base64)?,
            content_type: flat.content_type,
            timeout_ms: flat.timeout_ms,
        })
    }
}

impl From<GroupAvatarParams> for FlatGroup {
    fn from(params: GroupAvatarParams) -> Self {
        let (path, data_base64) = params.source.members();
        Self {
            group_id: params.group_id,
            path,
            data_base64,
            content_type: params.content_type,
            timeout_ms: params.timeout_ms,
        }
    }
}
