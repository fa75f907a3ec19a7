//! The daemon's own payloads, as JSON text.

use std::sync::Arc;

use agentchatd_engine::{GapReason, GapReport, SendEnd};
use serde_json::{json, value::RawValue};

/// The payload of `sequence.gap`.
pub(super) fn gap(report: &GapReport) -> Arc<str> {
    json!({
        "conversation_id": &*report.conversation_id,
        "expected_seq": report.expected_seq,
        "buffered_seq": report.buffered_seq,
        "missing": report.missing,
        "gap_ms": report.gap_ms,
        "recovered": report.missing.is_empty(),
        "reason": reason(report.reason),
    })
    .to_string()
    .into()
}

fn reason(reason: GapReason) -> &'static str {
    match reason {
        GapReason::GapFilled => "gap_filled",
        GapReason::AbsentUpstream => "absent_upstream",
        GapReason::GapFillFailed => "gap_fill_failed",
        GapReason::BufferOverflow => "buffer_overflow",
    }
}

/// The payload of `message.failed`; `error` is JSON text.
pub(super) fn failed(client_msg_id: &str, id: u64, end: SendEnd, error: &str) -> Arc<str> {
    let error: Option<&RawValue> = serde_json::from_str(error).ok();
    serde_json::to_string(&Failed {
        client_msg_id,
        outbox_id: id.to_string(),
        state: state(end),
        error,
    })
    .unwrap_or_else(|_| "{}".to_owned())
    .into()
}

/// The outbox state that an end leads to.
pub(super) fn state(end: SendEnd) -> &'static str {
    match end {
        SendEnd::Failed => "failed",
        SendEnd::Expired => "expired",
        SendEnd::Unknown => "unknown",
        SendEnd::Cancelled => "cancelled",
    }
}

#[derive(serde::Serialize)]
struct Failed<'a> {
    client_msg_id: &'a str,
    outbox_id: String,
    state: &'a str,
    error: Option<&'a RawValue>,
}
