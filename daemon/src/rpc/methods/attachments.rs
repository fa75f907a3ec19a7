//! `attachments.upload` and `.download`: files of this machine, to AgentChat and from it. The other
//! two methods are passed on.

use std::path::Path;

use agentchatd_client::RpcError;
use agentchatd_client::api::{AttachmentsDownload, AttachmentsUpload};
use agentchatd_client::types::{DownloadedFile, FileName, FileSource, UploadedFile};
use futures_util::StreamExt;
use jsonrpsee::RpcModule;

use crate::files::{Target, TargetError};
use crate::rpc::errors;
use crate::rpc::methods::table::{Call, add};
use crate::rpc::transfer::{self, Announced, Patience};

pub(super) fn register(module: &mut RpcModule<()>) {
    add::<AttachmentsUpload, _, _, _>(module, upload);
    add::<AttachmentsDownload, _, _, _>(module, download);
}

async fn upload(call: Call<AttachmentsUpload>) -> Result<UploadedFile, RpcError> {
    let params = &call.params;
    let patience = Patience::of(params.timeout_ms);
    let filename = match (&params.filename, &params.source) {
        (Some(name), _) => name.clone(),
        (None, FileSource::Path(path)) => last_part(path.as_str())?,
        (None, FileSource::Base64(_)) => unnamed()?,
    };
    let content_type = params
        .content_type
        .or_else(|| transfer::type_of(filename.as_str()))
        .ok_or_else(|| transfer::no_type("/content_type", filename.as_str()))?;
    let source = transfer::source(&call.client, &params.source, transfer::MAX_BYTES).await?;
    let file = Announced {
        filename,
        content_type,
        address: params.address.clone(),
        idempotency_key: params.idempotency_key.clone(),
    };
    transfer::upload(call.shared(), file, &source, patience).await
}

async fn download(call: Call<AttachmentsDownload>) -> Result<DownloadedFile, RpcError> {
    call.client.may_name_files()?;
    let params = &call.params;
    let patience = Patience::of(params.timeout_ms);
    let path = params.path.as_str();
    let mut target = Target::begin(path).await.map_err(no_target)?;
    let known = call.shared().known.of(params.attachment_id.as_str());
    let mut file = transfer::open(call.shared(), &params.attachment_id, patience).await?;
    while let Some(piece) = file.bytes.next().await {
        let piece = piece.map_err(transfer::failed)?;
        target.add(piece).await.map_err(no_target)?;
    }
    let size = target.size();
    if let Some(known) = known.as_ref().filter(|known| known.size != size) {
        let reason = format!("{size} bytes came, not the {} that went up", known.size);
        return Err(errors::unavailable(&reason, 1, None, None));
    }
    let told = params.sha256.as_ref().map(ToString::to_string);
    let sha256 = told.or_else(|| known.map(|known| known.sha256));
    target.end(sha256).await.map_err(no_target)?;
    Ok(DownloadedFile {
        path: path.to_owned(),
        size,
        content_type: file.content_type,
    })
}

fn no_target(error: TargetError) -> RpcError {
    match error {
        TargetError::Exists | TargetError::NoPlace(_) => {
            errors::invalid_params("/path", error.to_string())
        }
        TargetError::Write(_) => errors::disk(&error.to_string()),
        TargetError::Differs(_) => errors::unavailable(&error.to_string(), 1, None, None),
    }
}

/// The name that a path ends with, cut to what AgentChat takes.
fn last_part(path: &str) -> Result<FileName, RpcError> {
    let name = Path::new(path).file_name().unwrap_or_default();
    let mut room = NAME_MAX_UNITS;
    let fits = |one: &char| {
        let left = room.checked_sub(one.len_utf16());
        room = left.unwrap_or(0);
        left.is_some()
    };
    let name: String = name.to_string_lossy().chars().take_while(fits).collect();
    FileName::new(name).map_err(|error| errors::invalid_params("/filename", error.to_string()))
}

fn unnamed() -> Result<FileName, RpcError> {
    FileName::new(transfer::UNNAMED).map_err(|_| errors::internal("no name could be made"))
}

/// How long a name may be for AgentChat, in units of UTF-16.
const NAME_MAX_UNITS: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_between_two_characters() {
        let cut = |name: &str| last_part(&format!("/tmp/{name}")).unwrap().to_string();
        assert_eq!(cut("a.txt"), "a.txt");
        assert_eq!(cut(&"é".repeat(300)), "é".repeat(255));
        assert_eq!(cut(&format!("{}a", "🦀".repeat(200))), "🦀".repeat(127));
        assert!(last_part("/").is_err());
    }
}
