//! `webhooks.verify`: whether a webhook that somebody received is AgentChat's.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::common::{null_default, ranged};
use crate::error::{At, only_one};

/// Parameters of `webhooks.verify`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "FlatVerify", into = "FlatVerify")]
pub struct WebhooksVerifyParams {
    /// The body that was received, to the byte.
    pub payload: Payload,
    /// The value of the signature header; without one nothing is signed.
    pub signature: Option<String>,
    /// The webhook's secret.
    pub secret: WebhookSecret,
    /// How far the signature's time may be from ours; 0 takes any.
    pub tolerance_seconds: ToleranceSeconds,
    /// The time that counts as now, in seconds since the epoch; the daemon's own without it.
    pub now: Option<f64>,
}

/// The body of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// As text.
    Text(String),
    /// As bytes, in base64.
    Base64(String),
}

/// The secret of a webhook; it is shown nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(inline, extend("minLength" = 1)))]
#[serde(try_from = "String", into = "String")]
pub struct WebhookSecret(String);

impl WebhookSecret {
    /// The secret.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for WebhookSecret {
    type Error = EmptySecret;

    fn try_from(secret: String) -> Result<Self, EmptySecret> {
        if secret.is_empty() {
            return Err(EmptySecret);
        }
        Ok(Self(secret))
    }
}

impl From<WebhookSecret> for String {
    fn from(secret: WebhookSecret) -> Self {
        secret.0
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(..)")
    }
}

/// An empty secret: whatever was signed with it proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmptySecret;

impl fmt::Display for EmptySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must not be empty")
    }
}

impl std::error::Error for EmptySecret {}

ranged! {
    /// How far apart two clocks may be, in seconds.
    ToleranceSeconds(u32), 0, 31_536_000, default 300
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = crate::schema::exactly_one_of("payload payload_base64")))]
#[serde(deny_unknown_fields)]
struct FlatVerify {
    /// The body that was received, where it is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload: Option<String>,
    /// The body that was received, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload_base64: Option<String>,
    /// The value of `Agentchat-Signature` or `X-AgentChat-Signature`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
    /// The webhook's secret.
    secret: WebhookSecret,
    /// How far the signature's time may be from ours; 0 takes any.
    #[serde(default, deserialize_with = "null_default")]
    tolerance_seconds: ToleranceSeconds,
    /// The time that counts as now, in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    now: Option<f64>,
}

impl TryFrom<FlatVerify> for WebhooksVerifyParams {
    type Error = At;

    fn try_from(flat: FlatVerify) -> Result<Self, At> {
        let payload = only_one([
            ("payload", flat.payload.map(Payload::Text)),
            ("payload_base64", flat.payload_base64.map(Payload::Base64)),
        ])?;
        Ok(Self {
            payload,
            signature: flat.signature,
            secret: flat.secret,
            tolerance_seconds: flat.tolerance_seconds,
            now: flat.now,
        })
    }
}

impl From<WebhooksVerifyParams> for FlatVerify {
    fn from(params: WebhooksVerifyParams) -> Self {
        let (payload, payload_base64) = match params.payload {
            Payload::Text(text) => (Some(text), None),
            Payload::Base64(text) => (None, Some(text)),
        };
        Self {
            payload,
            payload_base64,
            signature: params.signature,
            secret: params.secret,
            tolerance_seconds: params.tolerance_seconds,
            now: params.now,
        }
    }
}

/// Result of `webhooks.verify`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VerifiedWebhook {
    /// The payload: `{event, timestamp, data}`, unchanged.
    pub event: Box<RawValue>,
}
