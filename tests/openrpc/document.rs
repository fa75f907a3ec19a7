//! The document by itself, and against the methods that are served.

use crate::described::{Described, examples, name, params};
use crate::stage;
use agentchatd_client::METHODS;
use jsonschema::Draft;
use serde_json::{Value, json};

#[test]
fn the_document_is_one_as_openrpc_defines_it() {
    // One of the references lacks the slash that the address of the other schema ends with.
    let meta = include_str!("../fixtures/openrpc/meta-schema.json")
        .replace("meta.json-schema.tools\"", "meta.json-schema.tools/\"");
    let mut meta: Value = serde_json::from_str(&meta).unwrap();
    let schemas: Value =
        serde_json::from_str(include_str!("../fixtures/openrpc/json-schema.json")).unwrap();
    // Both name each other by address; beside each other they need no network.
    meta["definitions"]["ofJsonSchema"] = schemas;
    meta.as_object_mut().unwrap().remove("$schema");
    let inner = meta["definitions"]["ofJsonSchema"].as_object_mut().unwrap();
    inner.remove("$schema");
    let validator = jsonschema::options()
        .with_draft(Draft::Draft7)
        .build(&meta)
        .expect("the fixtures are schemas");
    let described = Described::new();
    let errors: Vec<_> = validator
        .iter_errors(&described.document)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");

    let mut broken = described.document.clone();
    broken["methods"][0]["params"] = json!({});
    assert!(
        !validator.is_valid(&broken),
        "the meta-schema refuses something"
    );
    let mut broken = described.document;
    broken["components"]["schemas"]["Event"]["type"] = json!(7);
    assert!(!validator.is_valid(&broken), "schemas are looked at too");
}

#[test]
fn every_schema_is_valid_and_every_reference_leads_somewhere() {
    let described = Described::new();
    let components = described.document["components"]["schemas"].as_object();
    for (name, schema) in components.expect("schemas by name") {
        if let Err(error) = jsonschema::draft7::meta::validate(schema) {
            panic!("{name}: {error}");
        }
    }
    let mut references = Vec::new();
    collect(&described.document, &mut references);
    assert!(references.len() > MIN_REFERENCES);
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("inside of the document");
        let found = described.document.pointer(pointer);
        assert!(found.is_some(), "{reference} leads nowhere");
    }
}

#[test]
fn formats_are_those_of_json_schema() {
    let described = Described::new();
    let text = described.document["components"]["schemas"].to_string();
    let formats: Vec<_> = text.split("\"format\":").skip(1).collect();
    assert!(!formats.is_empty());
    for format in formats {
        assert!(format.starts_with("\"date-time\""), "{:.80}", format);
    }
}

#[test]
fn every_component_is_referred_to() {
    let described = Described::new();
    let mut references = Vec::new();
    collect(&described.document, &mut references);
    for (part, members) in described.document["components"].as_object().unwrap() {
        for name in members.as_object().unwrap().keys() {
            let reference = format!("#/components/{part}/{name}");
            // What any request may end with belongs to no method.
            let of_any = ["parse_error", "invalid_request", "method_not_found"];
            let known = references.contains(&reference)
                || of_any.contains(&name.as_str())
                || name.starts_with("Platform");
            assert!(known, "{reference} is of no use");
        }
    }
}

#[test]
fn the_document_has_the_methods_that_are_served_and_no_others() {
    let stage = stage();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    let described = Described::read(&raw.ok("rpc.discover", json!({})).to_string());
    let declared: Vec<_> = METHODS.iter().map(|method| method.name).collect();
    assert_eq!(described.names(), declared);
    for method in described.methods() {
        let answer = raw.call(name(method), &json!({ "no such parameter": 1 }));
        let answer = answer.expect("an answer");
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
    raw.refused(-32601, "rpc.discovered", json!({}));
}

#[test]
fn the_document_is_the_same_text_each_time_and_by_another_daemon() {
    let request = r#"{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}"#;
    let texts: Vec<String> = (0..2)
        .flat_map(|_| {
            let stage = stage();
            let daemon = stage.start();
            let mut raw = stage.connect(&daemon);
            [(); 2].map(|()| {
                raw.tell(request);
                raw.text_line().expect("a line").expect("an answer")
            })
        })
        .collect();
    assert!(texts.iter().all(|text| *text == texts[0]));
    assert!(texts[0].contains(r#""openrpc":"1.3.2""#));
}

#[test]
fn over_http_there_is_the_same_document() {
    let stage = stage();
    let daemon = stage.start();
    let over_socket = stage.connect(&daemon).ok("rpc.discover", json!({}));
    let mut http = daemon.http().expect("the daemon listens");
    let reply = http.fetch("/openrpc.json").expect("an answer");
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.head.header("content-type"), Some("application/json"));
    assert_eq!(reply.json(), over_socket);
}

#[test]
fn every_method_says_what_it_is_and_has_an_example() {
    let described = Described::new();
    for method in described.methods() {
        let name = name(method);
        for text in ["summary", "x-scope"] {
            let text = method[text].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{name}: {method}");
        }
        assert_ne!(method["description"], "", "{name}");
        assert!(!examples(method).is_empty(), "{name} has no example");
    }
}

#[test]
fn a_result_that_is_the_platforms_own_has_a_shape_too() {
    let described = Described::new();
    for method in described.methods() {
        let schema = &method["result"]["schema"];
        let empty = schema.as_object().is_some_and(serde_json::Map::is_empty);
        assert!(
            !empty && *schema != json!(true),
            "{}: its result is in no list of client-lib/src/openrpc/platform.json",
            name(method)
        );
    }
}

#[test]
fn the_examples_fit_the_schemas() {
    let described = Described::new();
    for method in described.methods() {
        for example in examples(method) {
            let what = example["name"].as_str().unwrap();
            match example.get("x-error") {
                Some(error) => {
                    described.fits(what, described.error_data(&error["code"]), &error["data"]);
                }
                None => {
                    let given = Value::Object(params(example));
                    described.fits(what, &method["x-params"], &given);
                    let result = &example["result"]["value"];
                    described.fits(what, &method["result"]["schema"], result);
                }
            }
        }
    }
    let notifications = described.document["x-notifications"].as_array().unwrap();
    for notification in notifications {
        for example in notification["examples"].as_array().into_iter().flatten() {
            described.fits("notification", &notification["schema"], example);
        }
    }
}

#[test]
fn parameters_one_by_one_are_those_of_the_whole() {
    let described = Described::new();
    for method in described.methods() {
        let whole = described.resolve(&method["x-params"]);
        assert_eq!(whole["additionalProperties"], false, "{}", name(method));
        let listed = method["params"].as_array().unwrap();
        let members = whole["properties"].as_object();
        assert_eq!(listed.len(), members.map_or(0, serde_json::Map::len));
        for param in listed {
            let of_whole = &whole["properties"][param["name"].as_str().unwrap()];
            assert_eq!(param["schema"], *of_whole);
        }
        if let Some(positional) = method["x-positional"].as_str() {
            assert!(members.is_some_and(|members| members.contains_key(positional)));
        }
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::String(text) if key == "$ref" => references.push(text.clone()),
                    other => collect(other, references),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}

/// Fewer would mean that the walk no longer finds them.
const MIN_REFERENCES: usize = 100;
