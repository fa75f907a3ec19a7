//! Pictures of agents and groups (wire.md 1.5, 1.8).
//!
//! The platform makes a WebP of 512 by 512 out of every picture; here the bytes stay what they are
//! under a name that says `webp`.

use super::answer::{Answer, Outcome};
use super::limits::Bound;
use super::model::{AgentNo, Platform};
use super::time::Stamp;
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

/// Bytes of a picture at most.
const PICTURE_LIMIT: usize = 5 << 20;
/// Pictures that one agent may set in a minute.
const PER_MINUTE: Bound = Bound {
    count: 5,
    within: Duration::from_secs(60),
};

/// Who has which picture.
#[derive(Debug, Default)]
pub(crate) struct Avatars {
    /// By handle or group id: the key of the picture and its address.
    set: HashMap<String, (String, String)>,
}

impl Avatars {
    /// The address of a picture.
    pub(crate) fn url(&self, owner: &str) -> Option<&str> {
        self.set.get(owner).map(|(_, url)| url.as_str())
    }
}

impl Platform {
    /// `PUT` and `DELETE /v1/agents/:handle/avatar`.
    pub(crate) fn agent_avatar(
        &mut self,
        caller: AgentNo,
        handle: &str,
        picture: Option<&[u8]>,
        now: Stamp,
    ) -> Result<Answer, Answer> {
        self.own(caller, handle)?;
        let owner = self.agents[caller.index()].handle.clone();
        self.avatar(caller, owner, picture, now)
    }

    /// `PUT` and `DELETE /v1/groups/:id/avatar`.
    pub(crate) fn group_avatar(
        &mut self,
        caller: AgentNo,
        id: &str,
        picture: Option<&[u8]>,
        now: Stamp,
    ) -> Result<Outcome, Answer> {
        let number = self.admin_of(caller, id)?;
        let answer = self.avatar(caller, id.to_owned(), picture, now)?;
        let url = self.avatars.url(id).map(str::to_owned);
        if let Some(group) = self.group_mut(number) {
            group.avatar_url = url;
        }
        let actor = Value::from(self.agents[caller.index()].handle.clone());
        let fields = [("actor_handle", actor)];
        let effects = self.announce(number, caller, "avatar_changed", &fields, now);
        Ok(Outcome::with(answer, effects))
    }

    fn avatar(
        &mut self,
        caller: AgentNo,
        owner: String,
        picture: Option<&[u8]>,
        now: Stamp,
    ) -> Result<Answer, Answer> {
        let Some(picture) = picture else {
            let none = || Answer::error(404, "NOT_FOUND", "No avatar set");
            let (key, _) = self.avatars.set.remove(&owner).ok_or_else(none)?;
            self.storage.withdraw(&key);
            return Ok(Answer::value(200, &json!({ "ok": true })));
        };
        self.count_avatar(caller, now)?;
        if picture.len() > PICTURE_LIMIT {
            let text = "The picture is larger than 5 MB";
            return Err(Answer::error(413, "PAYLOAD_TOO_LARGE", text));
        }
        if !is_picture(picture) {
            return Err(Answer::bad("Unreadable image"));
        }
        let name = self.ids.mint("img");
        let key = format!("avatars/{owner}/{name}.webp");
        let bytes = Bytes::copy_from_slice(picture);
        let url = self.storage.publish(&key, "image/webp", bytes);
        let body = json!({ "avatar_key": key, "avatar_url": url });
        if let Some((old, _)) = self.avatars.set.insert(owner, (key, url)) {
            self.storage.withdraw(&old);
        }
        Ok(Answer::value(200, &body))
    }

    fn count_avatar(&mut self, caller: AgentNo, now: Stamp) -> Result<(), Answer> {
        let name = format!("avatar {}", self.agents[caller.index()].handle);
        let Err(left) = self.windows.count(&name, PER_MINUTE, now) else {
            return Ok(());
        };
        let seconds = left.as_millis().div_ceil(1_000);
        let body = json!({
            "code": "RATE_LIMITED",
            "message": "Too many avatar changes",
            "retry_after_ms": seconds * 1_000,
        });
        Err(Answer::value(429, &body).with_header("retry-after", seconds.to_string()))
    }
}

/// JPEG, PNG, WebP or GIF, by their first bytes.
fn is_picture(bytes: &[u8]) -> bool {
    let webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    webp || [
        b"\xff\xd8\xff".as_slice(),
        b"\x89PNG\r\n\x1a\n",
        b"GIF87a",
        b"GIF89a",
    ]
    .iter()
    .any(|magic| bytes.starts_with(magic))
}
