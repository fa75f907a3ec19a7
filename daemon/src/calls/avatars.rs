//! Pictures of agents and groups (wire.md 1.5, 1.8).

use agentchatd_client::api::{AgentsRemoveAvatar, GroupsRemoveAvatar};
use agentchatd_client::types::{ImageType, RemoveAgentAvatarParams, TimeoutMs};
use bytes::Bytes;

use super::call::calls;
use super::{PlatformCall, Request};

calls! {
    GroupsRemoveAvatar(params) => Request::delete(
        &["v1", "groups", params.group_id.as_str(), "avatar"],
    );
}

impl PlatformCall for AgentsRemoveAvatar {
    fn request(params: &RemoveAgentAvatarParams, me: Option<&str>) -> Option<Request> {
        let handle = params.handle.as_ref().map(AsRef::as_ref).or(me)?;
        Some(Request::delete(&["v1", "agents", handle, "avatar"]).retry(true))
    }

    fn timeout_ms(params: &RemoveAgentAvatarParams) -> TimeoutMs {
        params.timeout_ms
    }
}

/// A picture that AgentChat may take.
#[derive(Debug, Clone)]
pub(crate) struct Picture {
    kind: ImageType,
    bytes: Bytes,
}

/// Why it would not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadPicture {
    /// There is nothing of it.
    #[error("the picture is empty")]
    Empty,
    /// It is larger than AgentChat takes.
    #[error("the picture has {0} bytes; the limit is {max}", max = Picture::MAX_BYTES)]
    TooLarge(u64),
    /// Its first bytes are of no allowed type.
    #[error("the bytes are none of {}", ImageType::names())]
    Unknown,
}

impl Picture {
    /// The most bytes that AgentChat takes.
    pub(crate) const MAX_BYTES: u64 = 5 << 20;

    /// Takes the bytes. Their type is what the caller says, else what they begin with.
    pub(crate) fn new(bytes: Bytes, told: Option<ImageType>) -> Result<Self, BadPicture> {
        let size = bytes.len() as u64;
        if size == 0 {
            return Err(BadPicture::Empty);
        }
        if size > Self::MAX_BYTES {
            return Err(BadPicture::TooLarge(size));
        }
        let found = kind_of(&bytes).ok_or(BadPicture::Unknown)?;
        let kind = told.unwrap_or(found);
        Ok(Self { kind, bytes })
    }

    /// Makes it the picture of an agent.
    pub(crate) fn of_agent(self, handle: &str) -> Request {
        self.put(&["v1", "agents", handle, "avatar"])
    }

    /// Makes it the picture of a group.
    pub(crate) fn of_group(self, group_id: &str) -> Request {
        self.put(&["v1", "groups", group_id, "avatar"])
    }

    fn put(self, segments: &[&str]) -> Request {
        Request::put(segments)
            .bytes(self.kind.as_str(), self.bytes)
            .retry(true)
    }
}

/// The type of a picture by its first bytes, as AgentChat tells it.
fn kind_of(bytes: &[u8]) -> Option<ImageType> {
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Some(ImageType::Webp);
    }
    [
        (b"\x89PNG\r\n\x1a\n".as_slice(), ImageType::Png),
        (b"\xff\xd8\xff", ImageType::Jpeg),
        (b"GIF87a", ImageType::Gif),
        (b"GIF89a", ImageType::Gif),
    ]
    .into_iter()
    .find_map(|(magic, kind)| bytes.starts_with(magic).then_some(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(bytes: &'static [u8]) -> Result<ImageType, BadPicture> {
        Picture::new(Bytes::from_static(bytes), None).map(|picture| picture.kind)
    }

    #[test]
    fn a_picture_is_what_it_begins_with() {
        assert_eq!(picture(b"\x89PNG\r\n\x1a\nx"), Ok(ImageType::Png));
        assert_eq!(picture(b"\xff\xd8\xff\xe0"), Ok(ImageType::Jpeg));
        assert_eq!(picture(b"GIF89a"), Ok(ImageType::Gif));
        assert_eq!(picture(b"RIFF1234WEBPVP8 "), Ok(ImageType::Webp));
        assert_eq!(picture(b"RIFF1234WAVE"), Err(BadPicture::Unknown));
        assert_eq!(picture(b""), Err(BadPicture::Empty));
    }

    #[test]
    fn a_picture_that_is_too_large_is_refused_before_it_is_looked_at() {
        let size = Picture::MAX_BYTES + 1;
        let bytes = Bytes::from(vec![0; usize::try_from(size).unwrap()]);
        let refused = Picture::new(bytes, None).unwrap_err();
        assert_eq!(refused, BadPicture::TooLarge(size));
    }
}
