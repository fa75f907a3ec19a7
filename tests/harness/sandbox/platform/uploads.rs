//! Attachments as far as sends need them (wire.md 9): ids and whom they are for. No bytes are kept.

use super::answer::Answer;
use super::model::{AgentNo, Platform};
use super::validate::{Problems, SendBody, bare_handle, object};
use serde_json::json;

const EXPIRES_IN: u32 = 7_200;
const FILE_LIMIT: u64 = 26_214_400;

/// An announced file.
#[derive(Debug)]
pub(crate) struct Attachment {
    uploader: AgentNo,
    /// Recipient's handle or group id.
    scope: String,
}

impl Platform {
    /// `POST /v1/uploads`.
    pub(crate) fn post_upload(&mut self, caller: AgentNo, body: &[u8]) -> Result<Answer, Answer> {
        let map = object(body)?;
        let mut problems = Problems::default();
        let to = problems.optional_text(&map, "to", 1..=usize::MAX);
        let group = problems.optional_text(&map, "conversation_id", 1..=usize::MAX);
        problems.text(&map, "filename", 1..=255);
        problems.text(&map, "content_type", 1..=255);
        let hash = problems.text(&map, "sha256", 64..=64);
        let size = map
            .get("size")
            .and_then(serde_json::Value::as_u64)
            .unwrap_or(0);
        if !(1..=FILE_LIMIT).contains(&size) {
            problems.add("size", "Number must be between 1 and 26214400");
        }
        let hex = |hash: &str| hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
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
        self.attachments.insert(
            id.clone(),
            Attachment {
                uploader: caller,
                scope,
            },
        );
        let body = json!({
            "attachment_id": id,
            "upload_url": format!("http://127.0.0.1/no-storage/{id}"),
            "expires_in": EXPIRES_IN,
        });
        Ok(Answer::value(201, &body))
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
