//! One entry of the event log, and the JSON text in which local clients see it.
//!
//! The store writes and reads these, the driver hands the committed ones to the feed, the feed to
//! subscribers. The text is made at most once per entry and shared by all who send it; the
//! platform's own object stands in it byte for byte, so what this version does not understand
//! reaches the client all the same.

use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// Where an event came from.
pub mod source {
    /// Pushed over the platform's socket.
    pub const LIVE: &str = "live";
    /// Read from the platform's sync pages.
    pub const SYNC: &str = "sync";
    /// Fetched from history to close a hole.
    pub const GAP_FILL: &str = "gap_fill";
    /// Found by comparing the conversation list with the frontiers.
    pub const RECONCILE: &str = "reconcile";
    /// Made by the daemon itself.
    pub const LOCAL: &str = "local";
}

/// An entry of the log, or an ephemeral event that never enters it.
#[derive(Debug, Default)]
pub struct LogEvent {
    /// Position in the log, from 1; 0 stands for an ephemeral event and is shown as null.
    pub offset: u64,
    /// The event's type, `message.new` and so on.
    pub kind: Arc<str>,
    /// When the daemon got it, in microseconds since the Unix epoch.
    pub received_at_us: i64,
    /// The conversation that it belongs to.
    pub conversation_id: Option<Arc<str>>,
    /// The platform's id of the message.
    pub message_id: Option<Arc<str>>,
    /// Position in the conversation.
    pub seq: Option<u64>,
    /// One of the names in [`source`].
    pub source: &'static str,
    /// True where a higher `seq` of the conversation stands in the log already.
    pub late: bool,
    /// Bare lower-case handle of the sender, for filters; not shown.
    pub sender: Option<Arc<str>>,
    /// The platform's object, or the daemon's own: JSON text, byte for byte.
    pub payload: Arc<str>,
    /// The whole event as JSON text, made on first use. Leave it at its default.
    pub rendered: OnceLock<Arc<str>>,
}

impl LogEvent {
    /// The event object as JSON text, without `redelivered`.
    pub fn render(&self) -> Arc<str> {
        Arc::clone(self.rendered.get_or_init(|| self.to_json().into()))
    }

    /// What the event costs in memory, for queues that are bounded by bytes.
    pub fn weight(&self) -> usize {
        self.payload.len() + ENVELOPE_BYTES
    }

    fn to_json(&self) -> String {
        let mut out = String::with_capacity(self.payload.len() + ENVELOPE_BYTES);
        out.push_str("{\"offset\":");
        push_number(&mut out, (self.offset != 0).then_some(self.offset));
        out.push_str(",\"type\":");
        push_text(&mut out, &self.kind);
        let _ = write!(
            out,
            ",\"received_at\":\"{}\"",
            rfc3339_millis(self.received_at_us)
        );
        out.push_str(",\"conversation_id\":");
        push_optional(&mut out, self.conversation_id.as_deref());
        out.push_str(",\"message_id\":");
        push_optional(&mut out, self.message_id.as_deref());
        out.push_str(",\"seq\":");
        push_number(&mut out, self.seq);
        let _ = write!(
            out,
            ",\"source\":\"{}\",\"late\":{},\"payload\":",
            self.source, self.late
        );
        // A line break inside the platform's JSON can only be white space between its tokens; as
        // such it would split the line that this text travels in.
        if self.payload.contains(['\n', '\r']) {
            out.extend(
                self.payload
                    .chars()
                    .map(|c| if matches!(c, '\n' | '\r') { ' ' } else { c }),
            );
        } else if self.payload.is_empty() {
            out.push_str("null");
        } else {
            out.push_str(&self.payload);
        }
        out.push('}');
        out
    }
}

/// The text that takes the place of an event's closing brace where it was given before.
pub const REDELIVERED_TAIL: &str = ",\"redelivered\":true}";

/// The wall clock as events are stamped by it: microseconds since the Unix epoch. It may jump; all
/// waiting is measured by other clocks.
pub fn now_us() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// RFC 3339 in UTC with three decimals, as every time stamp of the local API.
pub fn rfc3339_millis(us: i64) -> String {
    let time = Timestamp::from_microsecond(us).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{time:.3}")
}

/// Appends `text` as a JSON string.
pub fn push_text(out: &mut String, text: &str) {
    match serde_json::to_string(text) {
        Ok(quoted) => out.push_str(&quoted),
        // A string always serializes; the arm keeps this function free of panics.
        Err(_) => out.push_str("\"\""),
    }
}

fn push_optional(out: &mut String, text: Option<&str>) {
    match text {
        Some(text) => push_text(out, text),
        None => out.push_str("null"),
    }
}

fn push_number(out: &mut String, number: Option<u64>) {
    match number {
        Some(number) => {
            let _ = write!(out, "{number}");
        }
        None => out.push_str("null"),
    }
}

/// What an event needs in memory besides its payload, roughly.
const ENVELOPE_BYTES: usize = 320;

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> LogEvent {
        LogEvent {
            offset: 42,
            kind: "message.new".into(),
            received_at_us: 1_795_435_200_123_999,
            conversation_id: Some("conv_\"1\"".into()),
            message_id: Some("msg_1".into()),
            seq: Some(7),
            source: source::LIVE,
            payload: r#"{"z":1,"big":12345678901234567890123,"a":null}"#.into(),
            ..LogEvent::default()
        }
    }

    #[test]
    fn the_payload_stands_in_the_text_byte_for_byte() {
        assert_eq!(
            &*event().render(),
            concat!(
                r#"{"offset":42,"type":"message.new","received_at":"2026-11-23T12:00:00.123Z","#,
                r#""conversation_id":"conv_\"1\"","message_id":"msg_1","seq":7,"source":"live","#,
                r#""late":false,"payload":{"z":1,"big":12345678901234567890123,"a":null}}"#
            )
        );
    }

    #[test]
    fn an_ephemeral_event_has_no_offset() {
        let event = LogEvent {
            offset: 0,
            kind: "typing.start".into(),
            ..LogEvent::default()
        };
        let value: serde_json::Value = serde_json::from_str(&event.render()).unwrap();
        assert!(value["offset"].is_null() && value["seq"].is_null() && value["payload"].is_null());
    }

    #[test]
    fn a_payload_over_several_lines_becomes_one_line_of_the_same_meaning() {
        let event = LogEvent {
            payload: "{\n \"a\":\r\n 1}".into(),
            ..event()
        };
        let text = event.render();
        assert!(!text.contains(['\n', '\r']));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["payload"]["a"], 1);
    }

    #[test]
    fn the_text_is_made_once() {
        let event = event();
        assert!(Arc::ptr_eq(&event.render(), &event.render()));
    }

    #[test]
    fn the_tail_marks_an_event_as_given_before() {
        let text = event().render();
        let marked = format!("{}{REDELIVERED_TAIL}", &text[..text.len() - 1]);
        let value: serde_json::Value = serde_json::from_str(&marked).unwrap();
        assert_eq!(value["redelivered"], true);
        assert_eq!(value["offset"], 42);
    }
}
