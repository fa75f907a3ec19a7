//! `typing.*` and `realtime.send`: frames of the agent's socket, best effort.

use serde::{Deserialize, Deserializer, Serialize};

use super::call::call_params;
use super::json::JsonObject;
use crate::error::At;

call_params! {
    /// Parameters of `realtime.send`.
    RealtimeSendParams {
        /// The frame, sent as it is.
        frame: ClientFrame,
    }
}

/// A frame of a client: an object with a text `type`. It is no `hello`, which would set the socket up
/// a second time, and no `ack`: the daemon alone acknowledges, and only what it has stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "schema",
    schemars(
        inline,
        extend(
            "required" = ["type"],
            "properties" = { "type": { "type": "string", "minLength": 1, "not": { "enum": ["hello", "ack"] } } }
        )
    )
)]
#[serde(transparent)]
pub struct ClientFrame(JsonObject);

impl ClientFrame {
    /// Takes the object if it may be sent.
    ///
    /// # Errors
    /// Points at what is wrong.
    pub fn new(object: JsonObject) -> Result<Self, At> {
        #[derive(Deserialize)]
        struct Typed {
            r#type: String,
        }
        let refused = |reason: &str| At {
            path: "/type".into(),
            reason: reason.into(),
        };
        // A second `type` is refused too: nobody knows which of them the platform would read.
        let typed: Typed = serde_json::from_str(object.as_str())
            .map_err(|_| refused("expected one text `type`"))?;
        match typed.r#type.as_str() {
            "" => Err(refused("must not be empty")),
            "hello" => Err(refused("the daemon alone sets the socket up")),
            "ack" => Err(refused("the daemon alone acknowledges messages")),
            _ => Ok(Self(object)),
        }
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl<'de> Deserialize<'de> for ClientFrame {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = JsonObject::deserialize(deserializer)?;
        Self::new(object).map_err(serde::de::Error::custom)
    }
}

/// Result of `typing.start`, `typing.stop` and `realtime.send`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FrameSent {
    /// Always true: the frame is on its way over the socket. Nobody says whether it arrived.
    pub sent: bool,
}
