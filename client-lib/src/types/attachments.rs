//! `attachments.*`: announcing a file, sending its bytes, fetching them.

use serde::{Deserialize, Serialize};

use super::call::call_params;
use super::common::{TimeoutMs, null_default, ranged};
use super::files::{FileName, FilePath, FileSource, Sha256};
use super::handle::Handle;
use super::media::AttachmentType;
use super::messages::Address;
use super::text::{Id, IdempotencyKey, Text};
use crate::error::{At, only_one};

ranged! {
    /// The size of an attachment in bytes; up to 25 MiB.
    AttachmentSize(u64), 1, 26_214_400, default 1
}

/// Parameters of `attachments.create_upload`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "FlatSlot", into = "FlatSlot")]
pub struct CreateUploadParams {
    /// The name under which the file is shown.
    pub filename: FileName,
    /// What it is.
    pub content_type: AttachmentType,
    /// How many bytes will come.
    pub size: AttachmentSize,
    /// Their SHA-256.
    pub sha256: Sha256,
    /// Whom it is for; it can be sent to nobody else.
    pub address: Address,
    /// How long the call may take; 30 s by default.
    pub timeout_ms: TimeoutMs,
    /// Makes the call retryable: AgentChat runs it once for a key.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// Parameters of `attachments.upload`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "FlatUpload", into = "FlatUpload")]
pub struct UploadParams {
    /// The bytes.
    pub source: FileSource,
    /// The name under which the file is shown; the last part of the path by default.
    pub filename: Option<FileName>,
    /// What it is; told from the name by default.
    pub content_type: Option<AttachmentType>,
    /// Whom it is for; it can be sent to nobody else.
    pub address: Address,
    /// How long the whole call may take. By default each step has its own time: 30 s for an answer,
    /// and 30 s without a byte moving.
    pub timeout_ms: Option<TimeoutMs>,
    /// Makes the announcement retryable: AgentChat runs it once for a key.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// Result of `attachments.upload`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UploadedFile {
    /// What a message names it by.
    pub attachment_id: String,
    /// How many bytes went up.
    pub size: u64,
    /// Their SHA-256, in hexadecimal.
    pub sha256: String,
}

call_params! {
    /// Parameters of `attachments.download_url`.
    AttachmentParams {
        /// Which attachment.
        attachment_id: Id,
    }
}

/// Result of `attachments.download_url`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DownloadUrl {
    /// An address of the file storage that needs no key; good for one time and a few minutes.
    pub url: String,
}

/// Parameters of `attachments.download`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DownloadParams {
    /// Which attachment.
    pub attachment_id: Id,
    /// The file to write; there must be none yet.
    pub path: FilePath,
    /// What the bytes must hash to, where the caller knows; without, the hash of an upload that went
    /// through this daemon since its start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
    /// How long the whole call may take. By default each step has its own time: 30 s for an answer,
    /// and 30 s without a byte moving.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<TimeoutMs>,
}

/// Result of `attachments.download`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DownloadedFile {
    /// The file that was written.
    pub path: String,
    /// How many bytes it has.
    pub size: u64,
    /// What the storage says it is; `null` where it says nothing.
    pub content_type: Option<String>,
}

/// The members of `attachments.create_upload` as they stand on the wire.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = crate::schema::exactly_one_of("to conversation_id")))]
#[serde(deny_unknown_fields)]
struct FlatSlot {
    /// The name under which the file is shown.
    filename: FileName,
    /// What it is.
    content_type: AttachmentType,
    /// How many bytes will come.
    size: AttachmentSize,
    /// Their SHA-256.
    sha256: Sha256,
    /// The agent that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<Handle>,
    /// The group that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conversation_id: Option<Id>,
    /// How long the call may take; 30 s by default.
    #[serde(default, deserialize_with = "null_default")]
    timeout_ms: TimeoutMs,
    /// Makes the call retryable: AgentChat runs it once for a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<IdempotencyKey>,
}

/// The members of `attachments.upload` as they stand on the wire.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = crate::schema::exactly_one_of("path data_base64")))]
#[cfg_attr(feature = "schema", schemars(transform = crate::schema::exactly_one_of("to conversation_id")))]
#[serde(deny_unknown_fields)]
struct FlatUpload {
    /// A file that the daemon reads itself; only for callers of its own user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<FilePath>,
    /// The bytes, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data_base64: Option<Text>,
    /// The name under which the file is shown; the last part of the path by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filename: Option<FileName>,
    /// What it is; told from the name by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_type: Option<AttachmentType>,
    /// The agent that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<Handle>,
    /// The group that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conversation_id: Option<Id>,
    /// How long the whole call may take. By default each step has its own time: 30 s for an answer,
    /// and 30 s without a byte moving.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout_ms: Option<TimeoutMs>,
    /// Makes the announcement retryable: AgentChat runs it once for a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<IdempotencyKey>,
}

fn address(to: Option<Handle>, conversation_id: Option<Id>) -> Result<Address, At> {
    only_one([
        ("to", to.map(Address::To)),
        (
            "conversation_id",
            conversation_id.map(Address::Conversation),
        ),
    ])
}

fn members(address: Address) -> (Option<Handle>, Option<Id>) {
    match address {
        Address::To(handle) => (Some(handle), None),
        Address::Conversation(id) => (None, Some(id)),
    }
}

impl TryFrom<FlatSlot> for CreateUploadParams {
    type Error = At;

    fn try_from(flat: FlatSlot) -> Result<Self, At> {
        Ok(Self {
            filename: flat.filename,
            content_type: flat.content_type,
            size: flat.size,
            sha256: flat.sha256,
            address: address(flat.to, flat.conversation_id)?,
            timeout_ms: flat.timeout_ms,
            idempotency_key: flat.idempotency_key,
        })
    }
}

impl From<CreateUploadParams> for FlatSlot {
    fn from(params: CreateUploadParams) -> Self {
        let (to, conversation_id) = members(params.address);
        Self {
            filename: params.filename,
            content_type: params.content_type,
            size: params.size,
            sha256: params.sha256,
            to,
            conversation_id,
            timeout_ms: params.timeout_ms,
            idempotency_key: params.idempotency_key,
        }
    }
}

impl TryFrom<FlatUpload> for UploadParams {
    type Error = At;

    fn try_from(flat: FlatUpload) -> Result<Self, At> {
        Ok(Self {
            source: FileSource::of(flat.path, flat.data_base64)?,
            filename: flat.filename,
            content_type: flat.content_type,
            address: address(flat.to, flat.conversation_id)?,
            timeout_ms: flat.timeout_ms,
            idempotency_key: flat.idempotency_key,
        })
    }
}

impl From<UploadParams> for FlatUpload {
    fn from(params: UploadParams) -> Self {
        let (path, data_base64) = params.source.members();
        let (to, conversation_id) = members(params.address);
        Self {
            path,
            data_base64,
            filename: params.filename,
            content_type: params.content_type,
            to,
            conversation_id,
            timeout_ms: params.timeout_ms,
            idempotency_key: params.idempotency_key,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_an_upload_go_there_and_back() {
        for json in [
            r#"{"path":"/a/b.txt","to":"@Alice"}"#,
            r#"{"data_base64":"eA==","filename":"x","content_type":"text/csv","conversation_id":"grp_1"}"#,
        ] {
            let params: UploadParams = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&params).unwrap(), json);
        }
    }

    #[test]
    fn one_source_and_one_address_are_needed() {
        for json in [
            r#"{"to":"a"}"#,
            r#"{"to":"a","path":"/x","data_base64":""}"#,
            r#"{"path":"/x"}"#,
            r#"{"path":"/x","to":"a","conversation_id":"grp_1"}"#,
        ] {
            assert!(
                serde_json::from_str::<UploadParams>(json).is_err(),
                "{json}"
            );
        }
    }
}
