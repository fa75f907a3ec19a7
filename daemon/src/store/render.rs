//! The daemon's own payloads, as JSON text.

use std::sync::Arc;

use agentchatd_client::types::{self, LogTruncated, MessageFailed, OutboxState, SequenceGap};
use agentchatd_engine::{GapReason, GapReport, SendEnd};
use serde::Serialize;

/// The payload of `sequence.gap`.
pub(super) fn gap(report: &GapReport) -> Arc<str> {
    text(&SequenceGap {
        conversation_id: report.conversation_id.as_ref().into(),
        expected_seq: report.expected_seq,
        buffered_seq: report.buffered_seq,
        missing: report.missing.clone(),
        gap_ms: report.gap_ms,
        recovered: report.missing.is_empty(),
        reason: reason(report.reason),
    })
}

fn reason(reason: GapReason) -> types::GapReason {
    match reason {
        GapReason::GapFilled => types::GapReason::GapFilled,
        GapReason::AbsentUpstream => types::GapReason::AbsentUpstream,
        GapReason::GapFillFailed => types::GapReason::GapFillFailed,
        GapReason::BufferOverflow => types::GapReason::BufferOverflow,
    }
}

/// The payload of `log.truncated`.
pub(super) fn truncated(truncated: &LogTruncated) -> Arc<str> {
    text(truncated)
}

/// The payload of `message.failed`; `error` is JSON text.
pub(super) fn failed(client_msg_id: &str, id: u64, end: SendEnd, error: &str) -> Arc<str> {
    text(&MessageFailed {
        client_msg_id: client_msg_id.into(),
        outbox_id: id.to_string(),
        state: ended(end),
        error: serde_json::from_str(error).ok(),
    })
}

/// The outbox state that an end leads to.
pub(super) fn state(end: SendEnd) -> &'static str {
    ended(end).as_str()
}

fn ended(end: SendEnd) -> OutboxState {
    match end {
        SendEnd::Failed => OutboxState::Failed,
        SendEnd::Expired => OutboxState::Expired,
        SendEnd::Unknown => OutboxState::Unknown,
        SendEnd::Cancelled => OutboxState::Cancelled,
    }
}

fn text(payload: &impl Serialize) -> Arc<str> {
    serde_json::to_string(payload)
        .unwrap_or_else(|_| "{}".to_owned())
        .into()
}
