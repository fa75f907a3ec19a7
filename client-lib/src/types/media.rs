//! Media types that AgentChat takes: of attachments and of pictures.

/// Declares an enum of media types with their names on the wire.
macro_rules! media_types {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum $name {$(
            #[doc = concat!("`", $text, "`.")]
            #[serde(rename = $text)]
            $variant,
        )*}

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The type of this name, whatever its case; parameters behind it do not count.
            pub fn of(text: &str) -> Option<Self> {
                let name = text.split(';').next().unwrap_or_default().trim();
                let is = |kind: &&Self| kind.as_str().eq_ignore_ascii_case(name);
                Self::ALL.iter().find(is).copied()
            }

            /// All names, for a sentence.
            pub fn names() -> String {
                Self::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ")
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

media_types! {
    /// What an attachment may be.
    AttachmentType {
        Png = "image/png",
        Jpeg = "image/jpeg",
        Gif = "image/gif",
        Webp = "image/webp",
        Pdf = "application/pdf",
        Json = "application/json",
        Text = "text/plain",
        Markdown = "text/markdown",
        Csv = "text/csv",
        Mp3 = "audio/mpeg",
        Wav = "audio/wav",
        Ogg = "audio/ogg",
        Mp4 = "video/mp4",
        Webm = "video/webm",
    }
}

media_types! {
    /// What the picture of an agent or a group may be.
    ImageType {
        Jpeg = "image/jpeg",
        Png = "image/png",
        Webp = "image/webp",
        Gif = "image/gif",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_known_in_any_case_and_with_parameters_behind_it() {
        assert_eq!(
            AttachmentType::of("Text/Plain; charset=utf-8"),
            Some(AttachmentType::Text)
        );
        assert_eq!(AttachmentType::of("application/x-sh"), None);
        assert_eq!(
            serde_json::to_string(&AttachmentType::Mp3).unwrap(),
            "\"audio/mpeg\""
        );
    }

    #[test]
    fn a_type_that_is_not_allowed_is_refused_with_the_list() {
        let refused = serde_json::from_str::<ImageType>("\"image/tiff\"").unwrap_err();
        for kind in ImageType::ALL {
            assert!(refused.to_string().contains(kind.as_str()), "{refused}");
        }
    }
}
