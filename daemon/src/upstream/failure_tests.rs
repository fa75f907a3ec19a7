use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::*;

const VECTORS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/fixtures/vectors/errors-1.1.1.json"
));

fn failed(status: u16, headers: &[(&str, &str)], body: &str) -> ApiError {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        map.insert(name, HeaderValue::from_str(value).unwrap());
    }
    let answer = Answer::new(status, &map, Bytes::from(body.to_owned()));
    let ApiFailure::Api(error) = ApiFailure::of_answer(&answer) else {
        panic!()
    };
    *error
}

#[test]
fn every_recorded_error_has_the_class_and_the_fields_of_the_official_client() {
    let rows: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    assert!(rows.len() > 40);
    for row in rows {
        let headers: Vec<(&str, &str)> = row["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
            .collect();
        let status = u16::try_from(row["status"].as_u64().unwrap()).unwrap();
        let error = failed(status, &headers, &row["body"].to_string());
        let data = serde_json::to_value(&error).unwrap();
        for member in ["class", "code", "message", "request_id"] {
            assert_eq!(data[member], row[member], "{member} of {row}");
        }
        let mut fields = serde_json::to_value(&error.fields).unwrap();
        if error.class == ErrorClass::RateLimitedError
            && let Some(wait) = error.retry_after_ms
        {
            fields["retry_after_ms"] = json!(wait);
        }
        assert_eq!(fields, row["fields"], "fields of {row}");
    }
}

#[test]
fn the_data_of_a_local_error_has_every_member_of_the_contract_and_details_as_they_came() {
    let body = r#"{"code":"GROUP_DELETED","message":"gone","details":{"group_id":"grp_1","big":12345678901234567890123,"z":1.0}}"#;
    let error = failed(410, &[("x-request-id", "r-1")], body);
    assert_eq!(
        serde_json::to_string(&error).unwrap(),
        r#"{"code":"GROUP_DELETED","status":410,"class":"GroupDeletedError","message":"gone","request_id":"r-1","retry_after_ms":null,"details":{"group_id":"grp_1","big":12345678901234567890123,"z":1.0},"group_id":"grp_1"}"#
    );
}

#[test]
fn pitfall_52_without_a_json_body_there_is_no_code_and_the_status_alone_decides() {
    let html = failed(502, &[], "<html><h1>Bad gateway</h1></html>");
    assert_eq!((html.code, html.class), (None, ErrorClass::ServerError));
    let empty = failed(500, &[], "");
    assert_eq!(
        (empty.code, empty.class, empty.details.is_none()),
        (None, ErrorClass::ServerError, true)
    );
    let unknown_route = failed(404, &[], "404 Not Found");
    assert_eq!(
        (unknown_route.code, unknown_route.class),
        (None, ErrorClass::NotFoundError)
    );
    let other_json = failed(400, &[], r#"{"error":"no"}"#);
    assert_eq!(
        other_json.details.unwrap().get(),
        r#"{"body":{"error":"no"}}"#
    );
    let odd_types = failed(429, &[], r#"{"code":7,"message":"m","details":[1]}"#);
    assert_eq!(
        (odd_types.code, odd_types.class),
        (None, ErrorClass::RateLimitedError)
    );
}

#[test]
fn a_rate_limit_takes_its_wait_from_the_header_then_details_then_the_top_level() {
    let wait = |headers: &[(&str, &str)], body: &str| failed(429, headers, body).retry_after_ms;
    let both = r#"{"code":"RATE_LIMITED","message":"m","details":{"retry_after_ms":1500},"retry_after_ms":9}"#;
    let top = r#"{"code":"RATE_LIMITED","message":"m","retry_after_ms":9}"#;
    assert_eq!(wait(&[("retry-after", "7")], both), Some(7000));
    assert_eq!(wait(&[], both), Some(1500));
    assert_eq!(wait(&[], top), Some(9));
    assert_eq!(
        wait(&[("retry-after", "soon")], r#"{"code":"RATE_LIMITED"}"#),
        None
    );
}

#[test]
fn the_rules_are_told_status_code_and_wait_and_whether_anything_was_sent() {
    let error = failed(
        503,
        &[("retry-after", "2")],
        r#"{"code":"STORAGE_UNAVAILABLE"}"#,
    );
    let failure = ApiFailure::Api(Box::new(error));
    assert_eq!(
        failure.engine(),
        Failure::Status {
            status: 503,
            code: Some("STORAGE_UNAVAILABLE".into()),
            retry_after_ms: Some(2000),
        }
    );
    assert!(!failure.surely_undone());
    let refused = ApiFailure::network("refused", true);
    assert_eq!(
        refused.engine(),
        Failure::Network {
            reason: "refused".into(),
            unsent: true
        }
    );
    assert!(refused.surely_undone() && !ApiFailure::network("cut", false).surely_undone());
    assert!(ApiFailure::Api(Box::new(failed(403, &[], ""))).surely_undone());
}
