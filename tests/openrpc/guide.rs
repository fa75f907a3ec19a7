//! The protocol page against the document: where one of them is changed alone, this fails.

use crate::described::{Described, name};
use serde_json::Value;
use std::collections::BTreeSet;

const PAGE: &str = include_str!("../../docs/protocol.md");

/// What the page says of a method.
fn section(name: &str) -> &'static str {
    let heading = format!("\n### `{name}`\n");
    let (_, rest) = PAGE.split_once(&heading).expect("a heading");
    let rest = rest.split("\n### ").next().unwrap_or(rest);
    rest.split("\n## ").next().unwrap_or(rest)
}

/// The section without its examples.
fn words(name: &str) -> String {
    let parts = section(name).split("```").step_by(2);
    parts.collect::<Vec<_>>().join(" ").replace('\n', " ")
}

#[test]
fn the_page_names_the_same_errors_for_each_method() {
    let described = Described::new();
    // "Every method can answer" these.
    let every = [-32602, -32603, -32004, -32009];
    for method in described.methods() {
        let told: BTreeSet<i64> = words(name(method))
            .split("Errors: ")
            .nth(1)
            .unwrap_or_default()
            .split([' ', ',', '.'])
            .map_while(|word| {
                if word.is_empty() {
                    Some(None)
                } else {
                    Some(word.parse().ok())
                }
            })
            .flatten()
            .collect();
        let errors = method["errors"].as_array().expect("a list");
        let known: BTreeSet<i64> = errors
            .iter()
            .map(|error| described.resolve(error)["code"].as_i64().expect("a code"))
            .filter(|code| !every.contains(code))
            .collect();
        assert_eq!(told, known, "{}", name(method));
    }
}

#[test]
fn the_page_names_every_parameter_and_its_tables_no_others() {
    let described = Described::new();
    for method in described.methods() {
        let name = name(method);
        let words = words(name);
        let params: BTreeSet<_> = method["params"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|param| param["name"].as_str())
            .collect();
        for param in &params {
            assert!(words.contains(&format!("`{param}`")), "{name}: {param}");
        }
        let in_table: BTreeSet<_> = rows(name).flat_map(|row| quoted(row[0])).collect();
        let others: Vec<_> = in_table.difference(&params).collect();
        assert!(others.is_empty(), "{name}: the page knows {others:?}");
    }
}

#[test]
fn ranges_and_defaults_of_the_page_are_those_of_the_schemas() {
    let described = Described::new();
    let mut compared = 0;
    for method in described.methods() {
        for row in rows(name(method)) {
            let Some((min, max, default)) = range(row[1]) else {
                continue;
            };
            for param in quoted(row[0]) {
                let schema = &described.resolve(&method["x-params"])["properties"][param];
                let what = format!("{} {param}", name(method));
                // Of a text it is the length.
                let text = schema["type"].to_string().contains("string");
                let (least, most) = if text {
                    ("minLength", "maxLength")
                } else {
                    ("minimum", "maximum")
                };
                if schema.get("pattern").is_some() && schema.get(most).is_none() {
                    continue;
                }
                assert_eq!(schema[least], min, "{what}");
                assert_eq!(schema[most], max, "{what}");
                if let Some(default) = &default {
                    assert_eq!(schema["default"], *default, "{what}");
                }
                compared += 1;
            }
        }
    }
    assert!(
        compared >= 4,
        "the ranges of the page are found: {compared}"
    );
}

/// The rows of the table of parameters: name, type and default, meaning.
fn rows(name: &str) -> impl Iterator<Item = Vec<&'static str>> {
    let table = section(name)
        .split("| parameter | type, default | meaning |\n|---|---|---|\n")
        .nth(1)
        .unwrap_or_default();
    table
        .lines()
        .map_while(|line| line.strip_prefix("| "))
        .map(|line| line.split(" | ").collect())
}

/// The words in backquotes.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// `1 to 10,000; 256` as numbers.
fn range(cell: &str) -> Option<(u64, u64, Option<Value>)> {
    let (bounds, default) = cell.split_once(';').unwrap_or((cell, ""));
    let (min, max) = bounds.split_once(" to ")?;
    let max: String = max.split(' ').next()?.replace(',', "");
    let default = default.trim().replace(',', "").parse::<u64>().ok();
    Some((
        min.parse().ok()?,
        max.parse().ok()?,
        default.map(Value::from),
    ))
}
