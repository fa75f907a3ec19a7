//! Each error of the platform that was recorded, as a local program sees it.

use crate::stage;
use agentchatd_tests::raw::Raw;
use agentchatd_tests::sandbox::{HttpFault, HttpRule};
use agentchatd_tests::stage::Stage;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

const NEW: &str = include_str!("../fixtures/vectors/errors-1.1.1.json");
const OLD: &str = include_str!("../fixtures/vectors/errors-1.0.3.json");
const WAITS: [&str; 2] = [
    include_str!("../fixtures/vectors/retry_after-1.1.1.json"),
    include_str!("../fixtures/vectors/retry_after-1.0.3.json"),
];

fn rows(text: &str) -> Vec<Value> {
    serde_json::from_str(text).expect("a list of cases")
}

/// What the platform said, told apart from what a client makes of it.
fn said(row: &Value) -> String {
    json!([row["status"], row["headers"], row["body"]]).to_string()
}

/// The `error.data` of a call that meets this answer. A POST without an idempotency key is not
/// tried again, whatever the answer.
fn told(
    stage: &Stage,
    raw: &mut Raw,
    status: u16,
    headers: BTreeMap<String, String>,
    body: &Value,
) -> Value {
    let what = HttpFault::Exactly {
        status,
        headers,
        body: body.to_string(),
    };
    stage.sandbox.faults(|faults| {
        faults
            .http
            .push(HttpRule::next("POST /v1/messages/*", what))
    });
    raw.refused(-32001, "messages.mark_read", json!({"message_id": "msg_1"}))["data"].clone()
}

#[test]
fn every_recorded_error_comes_out_with_class_code_request_id_and_typed_fields() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let new = rows(NEW);
    let known: BTreeSet<String> = new.iter().map(said).collect();
    // Where the two clients differ the newer one holds.
    let old = rows(OLD)
        .into_iter()
        .filter(|row| !known.contains(&said(row)));
    let all: Vec<Value> = new.iter().cloned().chain(old).collect();
    assert!(all.len() > 50);
    for row in &all {
        let headers = serde_json::from_value(row["headers"].clone()).expect("texts");
        let status = u16::try_from(row["status"].as_u64().expect("a status")).expect("small");
        let data = told(&stage, &mut raw, status, headers, &row["body"]);
        for member in ["status", "class", "code", "message", "request_id"] {
            assert_eq!(data[member], row[member], "{member} of {row}");
        }
        let fields = row["fields"].as_object().expect("an object");
        let given = data.as_object().expect("an object").iter();
        let typed: Map<String, Value> = given
            .filter(|(name, _)| !COMMON.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let mut wanted = fields.clone();
        if let Some(wait) = wanted.remove("retry_after_ms") {
            assert_eq!(data["retry_after_ms"], wait, "{row}");
        }
        assert_eq!(typed, wanted, "{row}");
        let details = row["body"].get("details").cloned().unwrap_or_default();
        if details.is_object() {
            assert_eq!(data["details"], details, "{row}");
        }
    }
}

/// The members of each error's data.
const COMMON: &[&str] = &[
    "code",
    "status",
    "class",
    "message",
    "request_id",
    "retry_after_ms",
    "details",
];

#[test]
fn every_recorded_retry_after_is_told_in_milliseconds() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let mut dates = 0;
    for row in WAITS.iter().flat_map(|text| rows(text)) {
        let value = row["raw"].as_str().expect("a text");
        if !value.is_ascii() {
            // No header can carry it; the parser's own test has it.
            continue;
        }
        let headers = BTreeMap::from([("retry-after".to_owned(), value.to_owned())]);
        let body = json!({"code": "RATE_LIMITED", "message": "m"});
        let data = told(&stage, &mut raw, 429, headers, &body);
        let wait = &data["retry_after_ms"];
        if let Some(at) = row["at_unix_ms"].as_u64() {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .expect("after 1970");
            // Both cut off their fractions of a millisecond.
            let left = u128::from(at) - now.as_millis() - 1;
            let told = u128::from(wait.as_u64().expect("a wait"));
            assert!((left..left + 60_000).contains(&told), "{row}: {data}");
            dates += 1;
        } else if row["ms"].is_null() && row["note"].is_string() {
            // RFC 850 with two digits of a year: 1999, which has passed.
            assert_eq!(*wait, 0, "{row}");
            dates += 1;
        } else {
            assert_eq!(*wait, row["ms"], "{row}");
        }
    }
    assert_eq!(dates, 6, "all three forms, from both lists");
}
