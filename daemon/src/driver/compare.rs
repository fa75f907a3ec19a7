//! Whether the platform's message is the one that was meant.
//!
//! Compared by meaning: what comes back has been through the server's JSON handling, with keys in
//! another order, `1.0` as `1`, integers past 2^53 rounded, unknown content keys gone
//! (`wire.md` 5.1, 11.59).

use serde_json::Value;

/// True where `row`, a message of the platform, says what `posted`, the body of a send, says.
/// The recipient of a direct message does not stand in its row and is not compared here.
pub fn means_the_same(posted: &str, row: &str) -> bool {
    let (Ok(posted), Ok(row)) = (
        serde_json::from_str::<Value>(posted),
        serde_json::from_str::<Value>(row),
    ) else {
        return false;
    };
    let text = Value::from("text");
    let same_kind = posted.get("type").unwrap_or(&text) == row.get("type").unwrap_or(&text);
    let same_place = posted
        .get("conversation_id")
        .is_none_or(|conversation| row.get("conversation_id") == Some(conversation));
    let same_content = ["text", "data", "attachment_id"].iter().all(|member| {
        let of = |message: &Value| {
            message
                .get("content")
                .and_then(|content| content.get(member))
                .cloned()
        };
        same(
            &of(&posted).unwrap_or_default(),
            &of(&row).unwrap_or_default(),
        )
    });
    let metadata = |message: &Value| match message.get("metadata") {
        None | Some(Value::Null) => Value::Object(serde_json::Map::default()),
        Some(metadata) => metadata.clone(),
    };
    same_kind && same_place && same_content && same(&metadata(&posted), &metadata(&row))
}

fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        // As JavaScript reads numbers.
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, left)| right.get(key).is_some_and(|right| same(left, right)))
        }
        _ => left == right,
    }
}

#[cfg(test)]
mod tests {
    use super::means_the_same;

    const POSTED: &str = r#"{"to":"bob","client_msg_id":"c","type":"text",
        "content":{"text":"hi","data":{"a":1.0,"b":9007199254740993,"c":[1,{"d":2}]},"x":1}}"#;

    #[test]
    fn pitfall_59_a_message_that_went_through_the_servers_json_is_still_the_same() {
        let row = r#"{"id":"m","conversation_id":"c1","type":"text","metadata":{},
            "content":{"data":{"c":[1,{"d":2}],"b":9007199254740992,"a":1},"text":"hi"}}"#;
        assert!(means_the_same(POSTED, row));
    }

    #[test]
    fn another_text_type_number_or_metadata_is_another_message() {
        for row in [
            r#"{"type":"text","content":{"text":"ho","data":{"a":1,"b":9007199254740992,"c":[1,{"d":2}]}}}"#,
            r#"{"type":"file","content":{"text":"hi","data":{"a":1,"b":9007199254740992,"c":[1,{"d":2}]}}}"#,
            r#"{"type":"text","content":{"text":"hi","data":{"a":2,"b":9007199254740992,"c":[1,{"d":2}]}}}"#,
            r#"{"type":"text","content":{"text":"hi"}}"#,
            r#"{"type":"text","metadata":{"k":1},"content":{"text":"hi","data":{"a":1,"b":9007199254740992,"c":[1,{"d":2}]}}}"#,
            "[]",
            "no json",
        ] {
            assert!(!means_the_same(POSTED, row), "{row}");
        }
    }

    #[test]
    fn another_group_is_another_message() {
        let posted = r#"{"conversation_id":"grp_1","content":{"text":"hi"}}"#;
        assert!(means_the_same(
            posted,
            r#"{"conversation_id":"grp_1","content":{"text":"hi"}}"#
        ));
        assert!(!means_the_same(
            posted,
            r#"{"conversation_id":"grp_2","content":{"text":"hi"}}"#
        ));
    }
}
