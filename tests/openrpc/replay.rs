//! Each example of the document, sent to a running daemon: it is answered, with what the document says.

use crate::described::{Described, examples, name, params};
use agentchatd_client::openrpc;
use agentchatd_tests::scene::Scene;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

#[test]
fn every_example_of_the_document_is_answered_as_it_says() {
    let scene = Scene::of_page(env!("CARGO_BIN_EXE_agentchatd"));
    let mut raw = scene.daemon.connect().expect("it listens");
    let described = Described::read(&raw.ok("rpc.discover", json!({})).to_string());

    let mut all: Vec<_> = described
        .methods()
        .iter()
        .flat_map(|method| {
            examples(method)
                .iter()
                .map(move |example| (method, example))
        })
        .collect();
    // The number at the end of a name is the place on the page: one builds on another.
    all.sort_by_key(|(_, example)| number(example));
    let mut samples = Samples::of_page();
    for (method, example) in all {
        let what = example["name"].as_str().expect("a name");
        let given = samples.live(&Value::Object(params(example)));
        let answer = raw.call(name(method), &given).expect("an answer");
        match example.get("x-error") {
            Some(shown) => {
                let error = &answer["error"];
                assert_eq!(error["code"], shown["code"], "{what}: {answer}");
                let schema = described.error_data(&error["code"]);
                described.fits(what, schema, &error["data"]);
            }
            None => {
                let result = answer.get("result");
                let result = result.unwrap_or_else(|| panic!("{what} {given}: {answer}"));
                described.fits(what, &method["result"]["schema"], result);
                samples.learn(&example["result"]["value"], result);
            }
        }
        for notification in std::mem::take(&mut raw.notifications) {
            let described_as = described.document["x-notifications"].as_array();
            let mut kinds = described_as.expect("a list").iter();
            let kind = kinds.find(|kind| kind["name"] == notification["method"]);
            let kind = kind.unwrap_or_else(|| panic!("{notification} is not described"));
            described.fits(what, &kind["schema"], &notification["params"]);
            for shown in kind["examples"].as_array().into_iter().flatten() {
                samples.learn(shown, &notification["params"]);
            }
        }
    }
}

/// The texts that stand for something that only a running daemon knows, and what they are there.
struct Samples {
    live: BTreeMap<String, Option<Value>>,
}

impl Samples {
    /// Those for the names that the page uses.
    fn of_page() -> Self {
        let page = include_str!("../../docs/protocol.md");
        let names = page
            .split("\"{")
            .skip(1)
            .filter_map(|rest| rest.split_once("}\""));
        Self {
            live: names
                .map(|(name, _)| (openrpc::text_of(name), None))
                .collect(),
        }
    }

    /// Keeps what stands in an answer where an example has one of the texts.
    fn learn(&mut self, shown: &Value, got: &Value) {
        match (shown, got) {
            (Value::String(text), got) => {
                if let Some(live) = self.live.get_mut(text) {
                    live.get_or_insert_with(|| got.clone());
                }
            }
            (Value::Object(shown), Value::Object(got)) => {
                for (name, shown) in shown {
                    if let Some(got) = got.get(name) {
                        self.learn(shown, got);
                    }
                }
            }
            (Value::Array(shown), Value::Array(got)) => {
                for (shown, got) in shown.iter().zip(got) {
                    self.learn(shown, got);
                }
            }
            _ => {}
        }
    }

    /// The same value with what is known of this daemon.
    fn live(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => match self.live.get(text) {
                Some(live) => live
                    .clone()
                    .unwrap_or_else(|| panic!("{text} came nowhere")),
                None => value.clone(),
            },
            Value::Array(items) => items.iter().map(|item| self.live(item)).collect(),
            Value::Object(members) => {
                let members: Map<_, _> = members
                    .iter()
                    .map(|(name, value)| (name.clone(), self.live(value)))
                    .collect();
                Value::Object(members)
            }
            other => other.clone(),
        }
    }
}

fn number(example: &Value) -> u64 {
    let name = example["name"].as_str().unwrap_or_default();
    let number = name.rsplit(' ').next().unwrap_or_default();
    number.parse().expect("a name ends with a number")
}
