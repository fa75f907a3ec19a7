//! Rows for tests.

use crate::row::Row;

/// A row of `conversation` with this seq, from `sender`, made at second `seq`.
pub(crate) fn row(conversation: &str, seq: u64, sender: &str) -> Row {
    Row {
        message_id: format!("msg_{conversation}_{seq}").into(),
        conversation_id: conversation.into(),
        seq: Some(seq),
        sender: Some(sender.into()),
        client_msg_id: None,
        created_at: Some(1_000_000 * i64::try_from(seq).unwrap_or(i64::MAX)),
        undelivered: false,
        joined: None,
        body: "{}".into(),
    }
}
