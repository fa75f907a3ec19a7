//! `docs/protocol.md` names every method and every code, and its requests are ones that a daemon takes.

use agentchatd_client::{ErrorCode, METHODS, api};
use serde_json::Value;

/// The text between a fence of this kind and its end, for each such block.
fn blocks(kind: &str) -> Vec<Value> {
    let fence = format!("```json {kind}\n");
    let parts = page().split(&fence).skip(1);
    parts
        .map(|rest| {
            let json = rest.split("```").next().expect("a split has a first part");
            serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
        })
        .collect()
}

fn page() -> &'static str {
    include_str!("../../docs/protocol.md")
}

#[test]
fn every_method_has_a_heading_and_every_heading_a_method() {
    let mut headings: Vec<_> = page()
        .lines()
        .filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'))
        .collect();
    let mut names: Vec<_> = METHODS.iter().map(|method| method.name).collect();
    headings.sort_unstable();
    names.sort_unstable();
    assert_eq!(headings, names);
}

#[test]
fn every_method_says_its_scope_and_has_an_example() {
    for method in METHODS {
        let heading = format!("### `{}`\n", method.name);
        let (_, rest) = page().split_once(&heading).expect("the heading is there");
        // Up to the next heading, of this rank or the one above.
        let end = ["\n### ", "\n## "].map(|next| rest.find(next).unwrap_or(rest.len()));
        let section = &rest[..end[0].min(end[1])];
        let scope = format!("\nScope `{}`.", method.scope.as_str());
        assert!(section.starts_with(&scope), "{}", method.name);
        assert!(section.contains("```json request\n"), "{}", method.name);
        assert_eq!(
            section.contains("`timeout_ms`"),
            method.upstream,
            "{}",
            method.name
        );
    }
}

#[test]
fn the_examples_are_taken_but_for_the_one_that_shows_a_refusal() {
    let mut refused = Vec::new();
    for mut request in blocks("request") {
        fill(&mut request);
        let params = request.get("params").map(Value::to_string);
        let name = request["method"].as_str().expect("a method is named");
        let checked = api::check_params(name, params.as_deref()).expect("the method is known");
        if let Err(error) = checked {
            refused.push((request["id"].as_u64(), error.path));
        }
    }
    assert_eq!(refused, [(Some(1), "/limit".to_owned())]);
}

#[test]
fn every_request_is_followed_by_its_response() {
    let requests = blocks("request");
    let responses = blocks("response");
    assert_eq!(requests.len(), responses.len());
    for (request, response) in requests.iter().zip(&responses) {
        assert_eq!(request["id"], response["id"], "{request}");
        assert_ne!(
            response.get("result").is_some(),
            response.get("error").is_some()
        );
    }
}

#[test]
fn the_table_of_errors_is_whole() {
    for code in ErrorCode::ALL {
        let row = format!("| {} | `{}` |", code.number(), code.name());
        assert!(page().contains(&row), "{row}");
    }
}

/// Puts something that fits in the place of what a replay would have kept.
fn fill(value: &mut Value) {
    match value {
        Value::String(text) if text == "{offset}" => *value = 1.into(),
        Value::Array(items) => items.iter_mut().for_each(fill),
        Value::Object(members) => members.values_mut().for_each(fill),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
