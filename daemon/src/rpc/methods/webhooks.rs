//! `webhooks.verify`.

use agentchatd_client::RpcError;
use agentchatd_client::api::WebhooksVerify;
use agentchatd_client::types::{Payload, VerifiedWebhook};
use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jsonrpsee::RpcModule;
use serde_json::value::RawValue;

use crate::event::now_us;
use crate::rpc::errors;
use crate::rpc::methods::table::{Call, add};
use crate::webhook::{self, Rejection};

pub(super) fn register(module: &mut RpcModule<()>) {
    add::<WebhooksVerify, _, _, _>(module, verify);
}

async fn verify(call: Call<WebhooksVerify>) -> Result<VerifiedWebhook, RpcError> {
    let params = &call.params;
    let (bytes, place) = match &params.payload {
        Payload::Text(text) => (text.as_bytes().to_vec(), "/payload"),
        Payload::Base64(text) => {
            let bytes = BASE64.decode(text);
            let refused = |_| errors::invalid_params("/payload_base64", "expected base64");
            (bytes.map_err(refused)?, "/payload_base64")
        }
    };
    let now = params.now.unwrap_or_else(|| seconds(now_us()));
    let verified = webhook::verify(
        &bytes,
        params.signature.as_deref(),
        params.secret.expose(),
        params.tolerance_seconds.get(),
        now,
    );
    let event = verified.map_err(|rejection| {
        let place = match rejection {
            Rejection::MalformedPayload => place,
            _ => "/signature",
        };
        errors::webhook(place, rejection.as_str(), &rejection.to_string())
    })?;
    Ok(VerifiedWebhook {
        event: one_line(event),
    })
}

/// The value without line breaks, which stand only between its tokens: an answer is one line.
fn one_line(json: &RawValue) -> Box<RawValue> {
    if !json.get().contains(['\n', '\r']) {
        return json.to_owned();
    }
    let text = json.get().replace(['\n', '\r'], " ");
    RawValue::from_string(text).expect("a blank may stand where a line break does")
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a microsecond of now is exact until 2255"
)]
fn seconds(us: i64) -> f64 {
    us as f64 / 1_000_000.0
}

/// The standard alphabet, with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
