//! Every method and parameter with values that its schema refuses: -32602 that points at the place,
//! before anything goes upstream. And what a schema lets pass is not refused.
//!
//! The values are made from the document, so a new method is tested as soon as it is declared.

use crate::described::{Described, examples, name, params};
use crate::stage;
use agentchatd_client::{METHODS, api};
use agentchatd_tests::sandbox::Event;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// One call that is tried.
struct Case {
    params: Value,
    /// The member that was put in, left out or changed.
    member: String,
    /// Whether the schema lets it pass.
    passes: bool,
    /// Whether the member's own schema refuses it, not a rule over several.
    by_itself: bool,
}

/// Values of every kind; which of them are wrong is for the schemas to say.
fn values() -> Vec<Value> {
    let mut values = vec![
        json!(null),
        json!(true),
        json!(0),
        json!(1),
        json!(-1),
        json!(7),
        json!(1.5),
        json!(1e30),
        json!(""),
        json!("x"),
        json!("no such word"),
        json!(".."),
        json!("a\u{0}b"),
        json!("@@x y"),
        json!("2026-11-23T12:00:00Z"),
        json!([]),
        json!([7]),
        json!(["a\u{0}"]),
        json!(["a", null]),
        json!({}),
        json!({ "no such member": 1 }),
        json!({ "offset": -1 }),
        json!({ "types": "message.new" }),
    ];
    values.extend([129, 257, 40_000].map(|length| json!("x".repeat(length))));
    values.extend([101, 201, 501, 1001, 10_001, 60_001, 86_400_001].map(|number| json!(number)));
    values
}

/// The bounds of a number and what lies behind them.
fn around(schema: &Value) -> Vec<Value> {
    let bounds = [("minimum", -1), ("maximum", 1)];
    bounds
        .iter()
        .filter_map(|(bound, step)| {
            let bound = schema[*bound].as_i64()?;
            Some([json!(bound), json!(bound.checked_add(*step)?)])
        })
        .flatten()
        .collect()
}

fn cases(described: &Described, method: &Value) -> Vec<Case> {
    let whole = described.validator(&method["x-params"]);
    let base = good(method);
    assert!(
        whole.is_valid(&Value::Object(base.clone())),
        "{}",
        name(method)
    );
    let mut cases = vec![case(
        &whole,
        None,
        &base,
        "no_such_parameter",
        Some(json!(1)),
    )];
    for param in method["params"].as_array().expect("a list") {
        let member = param["name"].as_str().expect("a name");
        let own = described.validator(&param["schema"]);
        cases.push(case(&whole, None, &base, member, None));
        for value in values().into_iter().chain(around(&param["schema"])) {
            cases.push(case(&whole, Some(&own), &base, member, Some(value)));
        }
    }
    cases
}

fn case(
    whole: &Validator,
    own: Option<&Validator>,
    base: &Map<String, Value>,
    member: &str,
    value: Option<Value>,
) -> Case {
    let by_itself = match (own, &value) {
        (Some(own), Some(value)) => !own.is_valid(value),
        _ => true,
    };
    let mut params = base.clone();
    match value {
        Some(value) => params.insert(member.to_owned(), value),
        None => params.remove(member),
    };
    let params = Value::Object(params);
    Case {
        passes: whole.is_valid(&params),
        params,
        member: member.to_owned(),
        by_itself,
    }
}

/// Parameters that the method takes.
fn good(method: &Value) -> Map<String, Value> {
    let mut shown = examples(method).iter();
    let example = shown.find(|example| example["x-error"]["code"] != -32602);
    params(example.unwrap_or_else(|| panic!("{} has an example", name(method))))
}

#[test]
fn what_a_schema_refuses_is_refused_with_its_place_and_nothing_goes_upstream() {
    let described = Described::new();
    let mut stage = stage();
    stage.env("AGENTCHATD_REALTIME_SYNC_INTERVAL_S", "86400");
    stage.env("AGENTCHATD_REALTIME_RECONCILE_INTERVAL_S", "86400");
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    // The last of what a new connection asks by itself.
    stage.seen_from(
        0,
        |event| matches!(event, Event::Http { path, .. } if path == "/v1/conversations"),
    );
    let requests = || {
        let journal = stage.sandbox.journal();
        journal.count(|event| matches!(event, Event::Http { .. }))
    };
    let before = requests();
    let mut refused = 0;
    for method in described.methods() {
        let name = name(method);
        for case in cases(&described, method).iter().filter(|case| !case.passes) {
            let answer = raw.call(name, &case.params).expect("an answer");
            let said = format!("{name} {}: {answer}", short(&case.params));
            assert_eq!(answer["error"]["code"], -32602, "{said}");
            let path = answer["error"]["data"]["path"].as_str().unwrap_or("none");
            let first = path.split('/').nth(1).unwrap_or_default();
            if case.by_itself
                && method["params"]
                    .as_array()
                    .is_some_and(|all| lone(all, case))
            {
                assert_eq!(first, case.member, "{said}");
            } else {
                let all = method["params"].as_array().expect("a list");
                let known = all.iter().any(|param| param["name"] == first);
                assert!(known || first == case.member, "{said}");
            }
            refused += 1;
        }
        if let Some(member) = method["x-positional"].as_str() {
            let answer = raw
                .call(name, &json!([{ "no": member }]))
                .expect("an answer");
            assert_eq!(answer["error"]["code"], -32602, "{answer}");
            // A frame is an object itself: what is wrong stands inside of it.
            let path = answer["error"]["data"]["path"].as_str().unwrap_or("none");
            assert!(path == "/0" || path.starts_with("/0/"), "{answer}");
        }
    }
    assert!(
        refused > METHODS.len() * FEWEST,
        "{refused} calls were refused"
    );
    assert_eq!(requests(), before, "nothing went upstream");
    assert_eq!(raw.ok("consumers.list", json!({})), json!([]));
    assert_eq!(raw.ok("outbox.list", json!({}))["entries"], json!([]));
}

/// Whether the fault of a case can only be pointed at in its own member: it is there, so that no
/// rule over several members comes into it.
fn lone(params: &[Value], case: &Case) -> bool {
    let listed = params
        .iter()
        .any(|param| param["name"] == case.member.as_str());
    !listed || case.params.get(&case.member).is_some()
}

#[test]
fn what_a_schema_lets_pass_is_read() {
    let described = Described::new();
    let mut read = 0;
    for method in described.methods() {
        let name = name(method);
        for case in cases(&described, method).iter().filter(|case| case.passes) {
            let checked = api::check_params(name, Some(&case.params.to_string()));
            let checked = checked.expect("the method is known");
            assert!(
                checked.is_ok(),
                "{name} {}: {checked:?}",
                short(&case.params)
            );
            read += 1;
        }
    }
    assert!(read > METHODS.len(), "{read} calls were read");
}

fn short(params: &Value) -> String {
    params.to_string().chars().take(200).collect()
}

/// Refusals for a method on average; fewer would mean that the cases are no longer made.
const FEWEST: usize = 5;
