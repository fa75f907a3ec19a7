//! Files between local programs and AgentChat's storage, for the methods and for the HTTP routes.
//!
//! Up: the hash first, then the announcement to AgentChat with the key, then the bytes to the address
//! in its answer without the key. Down: an address from AgentChat with the key, then the bytes from
//! there without it.

use std::time::Duration;

use agentchatd_client::RpcError;
use agentchatd_client::types::{
    Address, AttachmentSize, AttachmentType, CreateUploadParams, FileName, FileSource, Id,
    IdempotencyKey, Sha256, Text, TimeoutMs, UploadedFile,
};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use serde::Deserialize;
use tokio::time::Instant;

use crate::calls::{Request, slot};
use crate::command::CallFailure;
use crate::files::{Print, Source, SourceError};
use crate::hub::Fetched;
use crate::rpc::client::{Client, Shared};
use crate::rpc::errors;
use crate::rpc::methods::ask::Ask;

/// What a file is announced as.
#[derive(Debug)]
pub(super) struct Announced {
    pub(super) filename: FileName,
    pub(super) content_type: AttachmentType,
    pub(super) address: Address,
    pub(super) idempotency_key: Option<IdempotencyKey>,
}

/// The caller's time, if it gave any; without, each step has its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience(Option<Instant>);

impl Patience {
    pub(super) fn of(timeout_ms: Option<TimeoutMs>) -> Self {
        Self(timeout_ms.map(|ms| Instant::now() + Duration::from_millis(ms.get())))
    }

    /// The time of one request to AgentChat.
    fn step(self) -> Duration {
        let usual = Duration::from_millis(TimeoutMs::default().get());
        match self.0 {
            Some(deadline) => deadline
                .saturating_duration_since(Instant::now())
                .min(usual),
            None => usual,
        }
    }
}

pub(super) use crate::files::hex;

/// The name of bytes that come without one.
pub(super) const UNNAMED: &str = "attachment";

/// The most bytes that an attachment may have.
pub(super) const MAX_BYTES: u64 = AttachmentSize::MAX;

/// Announces a file and sends its bytes.
pub(super) async fn upload(
    shared: &Shared,
    file: Announced,
    source: &Source,
    patience: Patience,
) -> Result<UploadedFile, RpcError> {
    let unfit = |_| errors::internal("the file's size or hash cannot be told");
    let params = CreateUploadParams {
        filename: file.filename,
        content_type: file.content_type,
        size: AttachmentSize::new(source.size()).map_err(unfit)?,
        sha256: Sha256::new(source.sha256())
            .map_err(|_| errors::internal("the file's hash cannot be told"))?,
        address: file.address,
        timeout_ms: TimeoutMs::default(),
        idempotency_key: file.idempotency_key,
    };
    let request = slot(&params)
        .idempotency_key(params.idempotency_key.as_ref().map(ToString::to_string))
        .retry(true);
    let ask = Ask::new(&shared.hub, patience.step());
    let answer = ask.json(request).await.map_err(failed)?;
    let slot: Slot = serde_json::from_str(answer.get())
        .map_err(|_| errors::unavailable(NO_SLOT, 1, None, None))?;
    let kind = params.content_type.as_str();
    let sent = ask.upstream().map_err(failed)?;
    let sent = sent.put_file(slot.upload_url, kind, source.clone(), patience.0);
    if let Err(failure) = sent.await {
        source
            .unchanged()
            .map_err(|error| no_source("/path", &error))?;
        return Err(failed(failure));
    }
    let print = Print {
        size: source.size(),
        sha256: source.sha256().to_owned(),
    };
    shared.known.remember(&slot.attachment_id, print.clone());
    Ok(UploadedFile {
        attachment_id: slot.attachment_id,
        size: print.size,
        sha256: print.sha256,
    })
}

/// Opens an attachment.
pub(super) async fn open(
    shared: &Shared,
    attachment_id: &Id,
    patience: Patience,
) -> Result<Fetched, RpcError> {
    let request = Request::get(&["v1", "attachments", attachment_id.as_str()])
        .redirects()
        .retry(true);
    let ask = Ask::new(&shared.hub, patience.step());
    let answer = ask.json(request).await.map_err(failed)?;
    let place: Place = serde_json::from_str(answer.get())
        .map_err(|_| errors::unavailable(NO_PLACE, 1, None, None))?;
    let opened = ask.upstream().map_err(failed)?;
    let opened = opened.get_file(place.url, patience.0).await;
    opened.map_err(failed)
}

/// The file that a caller names or brings, with its hash.
pub(super) async fn source(
    client: &Client,
    source: &FileSource,
    limit: u64,
) -> Result<Source, RpcError> {
    match source {
        FileSource::Path(path) => {
            client.may_name_files()?;
            let source = Source::open(path.as_str(), limit).await;
            source.map_err(|error| no_source("/path", &error))
        }
        FileSource::Base64(data) => {
            let source = Source::of_bytes(decoded(data)?, limit).await;
            source.map_err(|error| no_source(DATA, &error))
        }
    }
}

/// Bytes in base64, with padding or without.
pub(super) fn decoded(data: &Text) -> Result<Bytes, RpcError> {
    let lenient =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&STANDARD, lenient)
        .decode(data.as_str())
        .map(Bytes::from)
        .map_err(|error| errors::invalid_params(DATA, format!("no base64: {error}")))
}

/// A call to AgentChat or its storage that failed.
pub(super) fn failed(failure: CallFailure) -> RpcError {
    errors::call_failure(failure, None)
}

/// The refusal of a file that cannot be sent.
pub(super) fn no_source(place: &str, error: &SourceError) -> RpcError {
    errors::invalid_params(place, error.to_string())
}

/// The type of a file by its name, where it is one that AgentChat takes.
pub(super) fn type_of(filename: &str) -> Option<AttachmentType> {
    let guesses = mime_guess::from_path(filename);
    guesses
        .iter()
        .find_map(|guess| AttachmentType::of(guess.essence_str()))
}

/// The refusal of a file whose type is not told and cannot be guessed.
pub(super) fn no_type(place: &str, filename: &str) -> RpcError {
    let allowed = AttachmentType::names();
    errors::invalid_params(
        place,
        format!("the name `{filename}` tells no allowed type; allowed are {allowed}"),
    )
}

/// The answer to an announcement.
#[derive(Deserialize)]
struct Slot {
    attachment_id: String,
    upload_url: String,
}

/// The answer to the question where a file is.
#[derive(Deserialize)]
struct Place {
    url: String,
}

const DATA: &str = "/data_base64";

const NO_SLOT: &str = "AgentChat's answer names no attachment_id and upload_url";

const NO_PLACE: &str = "AgentChat's answer names no address";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_tells_its_type() {
        for (name, kind) in [
            ("a.PNG", Some(AttachmentType::Png)),
            ("a.jpg", Some(AttachmentType::Jpeg)),
            ("a.md", Some(AttachmentType::Markdown)),
            ("a.csv", Some(AttachmentType::Csv)),
            ("a.wav", Some(AttachmentType::Wav)),
            ("a.mp3", Some(AttachmentType::Mp3)),
            ("a.ogg", Some(AttachmentType::Ogg)),
            ("a.webm", Some(AttachmentType::Webm)),
            ("a.mp4", Some(AttachmentType::Mp4)),
            ("a.json", Some(AttachmentType::Json)),
            ("a.tar.gz", None),
            ("sh", None),
        ] {
            assert_eq!(type_of(name), kind, "{name}");
        }
    }

    #[test]
    fn base64_may_have_its_padding_or_not_but_must_be_base64() {
        let text = |text: &str| Text::new(text).unwrap();
        assert_eq!(decoded(&text("eA==")).unwrap(), "x");
        assert_eq!(decoded(&text("eA")).unwrap(), "x");
        let refused = decoded(&text("e*")).unwrap_err();
        assert!(refused.data.unwrap().get().contains("/data_base64"));
    }
}
