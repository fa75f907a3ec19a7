//! From the parameters of `messages.send` to the exact body that goes upstream.

use std::fmt::Write as _;
use std::time::Duration;

use agentchatd_client::RpcError;
use agentchatd_client::types::{Address, ClientMsgId, Content, Delivery, MessagesSendParams};
use serde_json::Value;
use tokio::time::Instant;

use crate::command::Draft;
use crate::event::push_text;
use crate::rpc::errors;

/// An id for a message whose sender gave none.
pub(super) fn made_id() -> Result<ClientMsgId, RpcError> {
    ClientMsgId::new(uuid::Uuid::now_v7().to_string())
        .map_err(|_| errors::internal("no id could be made"))
}

/// The draft; checks what AgentChat would refuse for ever.
pub(super) fn draft(
    params: &MessagesSendParams,
    client_msg_id: &ClientMsgId,
    deadline: Instant,
) -> Result<Draft, RpcError> {
    let content = params.content.to_upstream();
    let place = place(&params.content);
    let content_value = value(content.get(), place)?;
    let metadata = params.metadata.as_ref();
    let metadata_value = metadata
        .map(|metadata| value(metadata.as_str(), "/metadata"))
        .transpose()?;
    let bytes = upstream_bytes(&content_value) + metadata_value.as_ref().map_or(0, upstream_bytes);
    if bytes > MAX_CONTENT_BYTES {
        let reason = format!(
            "content and metadata have {bytes} bytes of JSON; the limit is {MAX_CONTENT_BYTES}"
        );
        return Err(errors::invalid_params(place, reason));
    }
    let (to, conversation_id) = match &params.address {
        Address::To(handle) => (Some(handle.as_str().to_owned()), None),
        Address::Conversation(id) => (None, Some(id.as_str().to_owned())),
    };
    let kind = params.kind.as_ref().map(|kind| kind.as_str());
    let kind = kind.or_else(|| params.content.implied_type());
    // The body goes up as the caller wrote it; the fingerprint is one for all spellings of the
    // same message.
    let (name, written, bare) = match &params.address {
        Address::To(handle) => ("to", handle.as_written(), handle.as_str()),
        Address::Conversation(id) => ("conversation_id", id.as_str(), id.as_str()),
    };

    let mut body = String::with_capacity(content.get().len() + BODY_FRAME_BYTES);
    let mut fingerprint = String::with_capacity(content.get().len() + BODY_FRAME_BYTES);
    for (text, address) in [(&mut body, written), (&mut fingerprint, bare)] {
        let _ = write!(text, "{{\"{name}\":");
        push_text(text, address);
    }
    body.push_str(",\"client_msg_id\":");
    push_text(&mut body, client_msg_id.as_str());
    for (text, kind) in [
        (&mut body, kind),
        (&mut fingerprint, Some(kind.unwrap_or(DEFAULT_TYPE))),
    ] {
        if let Some(kind) = kind {
            text.push_str(",\"type\":");
            push_text(text, kind);
        }
        text.push_str(",\"content\":");
    }
    body.push_str(content.get());
    canonical(&mut fingerprint, &content_value);
    if let (Some(metadata), Some(metadata_value)) = (metadata, &metadata_value) {
        body.push_str(",\"metadata\":");
        body.push_str(metadata.as_str());
        fingerprint.push_str(",\"metadata\":");
        canonical(&mut fingerprint, metadata_value);
    }
    body.push('}');
    fingerprint.push('}');
    Ok(Draft {
        client_msg_id: client_msg_id.as_str().to_owned(),
        to,
        conversation_id,
        body,
        fingerprint,
        wait: params.delivery == Delivery::Wait,
        deadline,
        expires_in: params
            .expires_in_ms
            .map(|ms| Duration::from_millis(ms.get())),
    })
}

/// Where the content stands in the parameters.
fn place(content: &Content) -> &'static str {
    match content {
        Content::Text(_) => "/text",
        Content::Data(_) => "/data",
        Content::Attachment(_) => "/attachment_id",
        Content::Object(_) => "/content",
    }
}

fn value(json: &str, place: &str) -> Result<Value, RpcError> {
    // It is JSON already; what remains are numbers beyond a double, which AgentChat has no room for.
    serde_json::from_str(json)
        .map_err(|_| errors::invalid_params(place, "a number is out of range"))
}

/// The length by which AgentChat measures: as JavaScript writes the value again.
fn upstream_bytes(value: &Value) -> usize {
    let mut text = String::new();
    canonical(&mut text, value);
    text.len()
}

/// Writes the value so that what means the same reads the same: members sorted, numbers as
/// JavaScript understands them.
fn canonical(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => canonical_number(out, number),
        Value::String(text) => push_text(out, text),
        Value::Array(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                canonical(out, value);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (index, (name, value)) in members.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                push_text(out, name);
                out.push(':');
                canonical(out, value);
            }
            out.push('}');
        }
    }
}

fn canonical_number(out: &mut String, number: &serde_json::Number) {
    let double = number.as_f64().unwrap_or(f64::NAN);
    // Integers without a fraction, as JavaScript writes them; `-0` is 0 there as well.
    let _ = if double.fract() == 0.0 && double.abs() < WHOLE_BELOW {
        write!(out, "{}", if double == 0.0 { 0.0 } else { double })
    } else {
        write!(out, "{double:e}")
    };
}

/// AgentChat's type where nothing says another.
const DEFAULT_TYPE: &str = "text";

/// AgentChat's limit for content and metadata together (`wire.md` 1.6).
const MAX_CONTENT_BYTES: usize = 32_768;

/// What a body needs besides the content, roughly.
const BODY_FRAME_BYTES: usize = 256;

/// From here on JavaScript writes numbers with an exponent.
const WHOLE_BELOW: f64 = 1e21;

#[cfg(test)]
mod tests {
    use agentchatd_client::api::MessagesSend;
    use agentchatd_client::params::parse_params;

    use super::*;

    fn made(params: &str) -> Result<Draft, RpcError> {
        let params = parse_params::<MessagesSend>(Some(params))?;
        let Ok(id) = ClientMsgId::new("id-1") else {
            panic!("the id is valid")
        };
        draft(&params, &id, Instant::now())
    }

    fn fingerprint(content: &str) -> String {
        made(&format!(r#"{{"to":"bob","content":{content}}}"#))
            .unwrap()
            .fingerprint
    }

    #[test]
    fn the_body_is_what_the_platform_expects() {
        for (params, body) in [
            (
                r#"{"to":"@Bob","text":"a\"b"}"#,
                r#"{"to":"@Bob","client_msg_id":"id-1","type":"text","content":{"text":"a\"b"}}"#,
            ),
            (
                r#"{"conversation_id":"grp_1","data":{"b":1.0,"a":12345678901234567890123}}"#,
                concat!(
                    r#"{"conversation_id":"grp_1","client_msg_id":"id-1","type":"structured","#,
                    r#""content":{"data":{"b":1.0,"a":12345678901234567890123}}}"#
                ),
            ),
            (
                r#"{"to":"bob","attachment_id":"att_1","metadata":{"k":[]}}"#,
                concat!(
                    r#"{"to":"bob","client_msg_id":"id-1","type":"file","#,
                    r#""content":{"attachment_id":"att_1"},"metadata":{"k":[]}}"#
                ),
            ),
            (
                r#"{"to":"bob","content":{"text":"x","data":{}},"type":"structured"}"#,
                concat!(
                    r#"{"to":"bob","client_msg_id":"id-1","type":"structured","#,
                    r#""content":{"text":"x","data":{}}}"#
                ),
            ),
            (
                r#"{"to":"bob","content":{"text":"x"}}"#,
                r#"{"to":"bob","client_msg_id":"id-1","content":{"text":"x"}}"#,
            ),
            (
                r#"{"to":"bob","content":"plain"}"#,
                r#"{"to":"bob","client_msg_id":"id-1","type":"text","content":{"text":"plain"}}"#,
            ),
        ] {
            assert_eq!(made(params).unwrap().body, body);
        }
    }

    #[test]
    fn what_means_the_same_has_the_same_fingerprint() {
        let one = fingerprint(r#"{"text":"\u00e9","data":{"a":1,"b":[2.50,-0]}}"#);
        let two = fingerprint(r#"{ "data": {"b":[25e-1, 0.0],"a":1.0}, "text":"é" }"#);
        assert_eq!(one, two);
        assert_eq!(
            fingerprint(r#"{"data":{"n":9007199254740993}}"#),
            fingerprint(r#"{"data":{"n":9007199254740992}}"#),
            "past 2^53 integers are rounded upstream"
        );
        assert_eq!(
            fingerprint(r#"{"data":{"n":1e21}}"#),
            fingerprint(r#"{"data":{"n":1000000000000000000000}}"#)
        );
    }

    #[test]
    fn what_differs_has_another_fingerprint() {
        let base = made(r#"{"to":"bob","text":"x"}"#).unwrap().fingerprint;
        for params in [
            r#"{"to":"alice","text":"x"}"#,
            r#"{"conversation_id":"bob","text":"x"}"#,
            r#"{"to":"bob","text":"y"}"#,
            r#"{"to":"bob","text":"x","type":"structured"}"#,
            r#"{"to":"bob","text":"x","metadata":{}}"#,
            r#"{"to":"bob","data":{"text":"x"}}"#,
        ] {
            assert_ne!(made(params).unwrap().fingerprint, base, "{params}");
        }
        assert_eq!(
            made(r#"{"to":"@BOB","content":{"text":"x"},"type":"text"}"#)
                .unwrap()
                .fingerprint,
            base
        );
    }

    #[test]
    fn the_limit_counts_bytes_of_content_and_metadata_as_the_platform_does() {
        let frame = r#"{"text":""}"#.len();
        let exact = "x".repeat(MAX_CONTENT_BYTES - frame);
        assert!(made(&format!(r#"{{"to":"bob","text":"{exact}"}}"#)).is_ok());
        // An escape counts by what it stands for.
        let escaped = "\\u0078".repeat(MAX_CONTENT_BYTES - frame);
        assert!(made(&format!(r#"{{"to":"bob","text":"{escaped}"}}"#)).is_ok());
        let error = made(&format!(r#"{{"to":"bob","text":"{exact}x"}}"#)).unwrap_err();
        assert!(error.data.unwrap().get().contains("32768"));
        let with_metadata = format!(r#"{{"to":"bob","text":"{exact}","metadata":{{}}}}"#);
        assert!(
            made(&with_metadata).is_err(),
            "empty metadata counts two bytes"
        );
    }

    #[test]
    fn a_number_beyond_a_double_is_refused() {
        let error = made(r#"{"to":"bob","data":{"n":1e400}}"#).unwrap_err();
        assert!(error.data.unwrap().get().contains("/data"));
    }
}
