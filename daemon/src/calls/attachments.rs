//! `attachments.*`, as far as AgentChat itself answers (wire.md 9). The bytes go to its storage by
//! another way, see the transfers of [`crate::upstream`].

use agentchatd_client::api::{AttachmentsCreateUpload, AttachmentsDownloadUrl};
use agentchatd_client::types::{Address, CreateUploadParams};

use super::call::calls;
use super::{Body, Request};

calls! {
    AttachmentsDownloadUrl(params) => Request::get(
        &["v1", "attachments", params.attachment_id.as_str()],
    ).redirects();
}

calls! {
    keyed
    AttachmentsCreateUpload(params) => slot(params);
}

/// The announcement of a file.
pub(crate) fn slot(params: &CreateUploadParams) -> Request {
    let body = Body::new()
        .with("filename", &params.filename)
        .with("content_type", &params.content_type)
        .with("size", &params.size)
        .with("sha256", &params.sha256);
    let body = match &params.address {
        Address::To(handle) => body.with("to", handle.as_written()),
        Address::Conversation(id) => body.with("conversation_id", id),
    };
    Request::post(&["v1", "uploads"]).json(body.text())
}
