//! `webhooks.verify` over the socket.

use crate::stage;
use base64::Engine as _;
use serde_json::{Value, json};

const VECTORS: &str = include_str!("../fixtures/vectors/webhook_verify-1.0.3.json");

#[test]
fn every_recorded_webhook_ends_as_with_the_official_library() {
    let stage = stage();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    let rows: Vec<Value> = serde_json::from_str(VECTORS).expect("a list of cases");
    for row in &rows {
        let as_bytes = base64::engine::general_purpose::STANDARD
            .encode(row["payload"].as_str().expect("a payload"));
        for (member, payload) in [
            ("payload", row["payload"].clone()),
            ("payload_base64", as_bytes.into()),
        ] {
            let mut params = json!({
                "signature": row["signature"], "secret": row["secret"],
                "tolerance_seconds": row["tolerance_seconds"], "now": row["now"],
            });
            params[member] = payload;
            match row["reason"].as_str() {
                None => assert_eq!(raw.ok("webhooks.verify", params)["event"], row["event"]),
                Some(reason) => {
                    let data = raw.refused(-32602, "webhooks.verify", params)["data"].clone();
                    assert_eq!(data["reason"], reason, "{row}");
                    let at = match reason {
                        "malformed_payload" => format!("/{member}"),
                        _ => "/signature".to_owned(),
                    };
                    assert_eq!(data["path"], at, "{row}");
                }
            }
        }
    }
    assert!(rows.len() > 25);
    assert_eq!(stage.requests("POST", "/v1/webhooks"), 0);
}

#[test]
fn the_event_comes_on_one_line_and_as_it_was_signed() {
    let stage = stage();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    let params = json!({
        "payload": "{\n \"b\": 12345678901234567890123,\r\n \"a\": 1.0}",
        "signature": "8cc63167e8097e0a397a124d7e26ae07880c98a775c5c565d7e85a8b6603acd1",
        "secret": "whsec_test",
    });
    raw.start("webhooks.verify", &params)
        .expect("the daemon reads");
    let line = raw.text_line().expect("an answer").expect("a line");
    assert!(
        line.contains(r#""b": 12345678901234567890123,   "a": 1.0}"#),
        "{line}"
    );
}

#[test]
fn without_a_time_of_the_callers_the_clock_counts() {
    let stage = stage();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    let rows: Vec<Value> = serde_json::from_str(VECTORS).expect("a list of cases");
    let old = json!({"payload": rows[0]["payload"], "signature": rows[0]["signature"], "secret": rows[0]["secret"]});
    let data = raw.refused(-32602, "webhooks.verify", old)["data"].clone();
    assert_eq!(data["reason"], "timestamp_skew", "its time is long ago");
}
