//! Calls of local programs that the platform answers, unchanged, and files on their way to its
//! storage and from it.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use serde_json::json;
use tokio::time::Instant;

use super::failure::call_failure;
use crate::{
    calls::Request,
    command::CallFailure,
    files::Source,
    hub::{Fetched, Later, Upstream},
    upstream::{Rest, Upload},
};

impl Upstream for Rest {
    fn call(
        &self,
        request: Request,
        timeout: Duration,
    ) -> Later<'_, Result<Arc<str>, CallFailure>> {
        Box::pin(async move {
            let answer = Self::call(self, request.timeout(timeout))
                .await
                .map_err(|failure| call_failure(&failure))?;
            if let Some(url) = &answer.location {
                return Ok(json!({ "url": url }).to_string().into());
            }
            match answer.json() {
                Ok(Some(json)) => Ok(Arc::from(json.get())),
                Ok(None) => Ok(Arc::from("null")),
                Err(failure) => Err(call_failure(&failure)),
            }
        })
    }

    fn put_file(
        &self,
        url: String,
        content_type: &'static str,
        file: Source,
        deadline: Option<Instant>,
    ) -> Later<'_, Result<(), CallFailure>> {
        Box::pin(async move {
            let bytes = || file.pieces();
            let upload = Upload {
                content_type,
                size: file.size(),
                bytes: &bytes,
            };
            Self::put_file(self, &url, &upload, deadline)
                .await
                .map_err(|failure| call_failure(&failure))
        })
    }

    fn get_file(
        &self,
        url: String,
        deadline: Option<Instant>,
    ) -> Later<'_, Result<Fetched, CallFailure>> {
        Box::pin(async move {
            let mut download = Self::get_file(self, &url, deadline)
                .await
                .map_err(|failure| call_failure(&failure))?;
            let (size, content_type) = (download.size, download.content_type.take());
            let bytes = stream::try_unfold(download, |mut download| async move {
                let piece = download.next().await;
                let piece = piece.map_err(|failure| call_failure(&failure))?;
                Ok(piece.map(|piece| (piece, download)))
            });
            Ok(Fetched {
                size,
                content_type,
                bytes: bytes.boxed(),
            })
        })
    }
}
