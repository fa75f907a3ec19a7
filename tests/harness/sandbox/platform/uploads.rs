//! Attachments (wire.md 9): announcing a file, who may fetch it, and whom it may be sent to.

use super::answer::{Answer, Body};
use super::model::{AgentNo, Platform};
use super::time::Stamp;
use super::validate::{Problems, SendBody, bare_handle, object, type_name};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// How long an address takes an upload.
const UPLOAD_TIME: Duration = Duration::from_secs(7_200);
/// How long an address gives a download.
const DOWNLOAD_TIME: Duration = Duration::from_secs(300);
const FILE_LIMIT: u64 = 26_214_400;
const TYPES: [&str; 14] = [
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "application/pdf",
    "application/json",
    "text/plain",
    "text/markdown",
    "text/csv",
    "audio/mpeg",
    "audio/wav",
    "audio/ogg",
    "video/mp4",
    "video/webm",
];

/// An announced file.
#[derive(Debug)]
pub(crate) struct Attachment {
    uploader: AgentNo,
    /// Recipient's handle or group id.
    scope: String,
}

impl Platform {
    /// `POST /v1/uploads`.
    pub(crate) fn post_upload(
        &mut self,
        caller: AgentNo,
        body: &[u8],
        now: Stamp,
    ) -> Result<Answer, Answer> {
        let map = object(body)?;
        let mut problems = Problems::default();
        let to = problems.optional_text(&map, "to", 1..=usize::MAX);
        let group = problems.optional_text(&map, "conversation_id", 1..=usize::MAX);
        problems.text(&map, "filename", 1..=255);
        let content_type = content_type(&map, &mut problems);
        let size = size(&map, &mut problems);
        let hash = problems.text(&map, "sha256", 0..=usize::MAX);
        let hex = |hash: &str| {
            hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        if hash.as_deref().is_some_and(|hash| !hex(hash)) {
            problems.add("sha256", "Invalid");
        }
        problems.finish()?;
        let scope = match (to, group) {
            (Some(handle), None) => {
                let recipient = self.other(caller, &handle)?;
                self.agents[recipient.index()].handle.clone()
            }
            (None, Some(id)) => {
                self.writable_group(caller, &id)?;
                id
            }
            _ => {
                let text = "Exactly one of `to` or `conversation_id` must be provided";
                return Err(Answer::invalid(&[text], &[]));
            }
        };
        let id = self.ids.mint("att");
        let upload_url = self.storage.announce(
            &id,
            content_type,
            size,
            now.after(UPLOAD_TIME),
            &mut self.ids,
        );
        let uploader = caller;
        self.attachments
            .insert(id.clone(), Attachment { uploader, scope });
        let body = json!({
            "attachment_id": id,
            "upload_url": upload_url,
            "expires_in": UPLOAD_TIME.as_secs(),
        });
        Ok(Answer::value(201, &body))
    }

    /// `GET /v1/attachments/:id`: a redirect to an address that needs no key.
    pub(crate) fn attachment(&mut self, caller: AgentNo, id: &str, now: Stamp) -> Answer {
        let unknown = || Answer::error(404, "NOT_FOUND", "Attachment not found");
        let Some(file) = self.attachments.get(id) else {
            return unknown();
        };
        let scope = file.scope.clone();
        let uploader = file.uploader == caller;
        let recipient = self.agents[caller.index()].handle == scope;
        if !(uploader || recipient) || scope.starts_with("grp_") {
            match self.group_for(caller, &scope, true) {
                Ok(_) => {}
                Err(gone) if gone.status == 410 => return gone,
                Err(_) => return unknown(),
            }
        }
        match self
            .storage
            .offer(id, now.after(DOWNLOAD_TIME), &mut self.ids)
        {
            Some(url) => Answer {
                status: 302,
                body: Body::Text(String::new()),
                headers: vec![("location", url)],
                request_id: true,
            },
            None => Answer::error(503, "STORAGE_UNAVAILABLE", "The storage has no such file"),
        }
    }

    /// Step 12 of a send.
    pub(crate) fn check_attachment(
        &self,
        sender: AgentNo,
        body: &SendBody,
        scope: &str,
    ) -> Result<(), Answer> {
        let Some(id) = &body.attachment else {
            return Ok(());
        };
        let known = self
            .attachments
            .get(id)
            .filter(|file| file.uploader == sender);
        match known {
            None => Err(Answer::error(
                404,
                "ATTACHMENT_NOT_FOUND",
                "Attachment not found",
            )),
            Some(file) if file.scope == bare_handle(scope) || file.scope == scope => Ok(()),
            Some(_) => {
                let text = "This attachment was uploaded for somebody else";
                Err(Answer::error(400, "ATTACHMENT_WRONG_SCOPE", text))
            }
        }
    }
}

/// One of the allowed types; anything with a problem noted where it is none.
fn content_type(map: &Map<String, Value>, problems: &mut Problems) -> &'static str {
    let text = match map.get("content_type") {
        None => {
            problems.add("content_type", "Required");
            return TYPES[0];
        }
        Some(Value::String(text)) => text.as_str(),
        Some(other) => {
            let text = format!("Expected string, received {}", type_name(other));
            problems.add("content_type", text);
            return TYPES[0];
        }
    };
    TYPES
        .into_iter()
        .find(|allowed| *allowed == text)
        .unwrap_or_else(|| {
            let allowed = TYPES.map(|name| format!("'{name}'")).join(" | ");
            let text = format!("Invalid enum value. Expected {allowed}, received '{text}'");
            problems.add("content_type", text);
            TYPES[0]
        })
}

fn size(map: &Map<String, Value>, problems: &mut Problems) -> u64 {
    let problem = match map.get("size") {
        None => "Required".to_owned(),
        Some(Value::Number(number)) => match (number.as_u64(), number.as_f64()) {
            (Some(size @ 1..=FILE_LIMIT), _) => return size,
            (Some(0), _) => "Number must be greater than 0".to_owned(),
            (None, Some(number)) if number <= 0.0 => "Number must be greater than 0".to_owned(),
            (Some(_), _) => format!("Number must be less than or equal to {FILE_LIMIT}"),
            (None, _) => "Expected integer, received float".to_owned(),
        },
        Some(other) => format!("Expected number, received {}", type_name(other)),
    };
    problems.add("size", problem);
    0
}
