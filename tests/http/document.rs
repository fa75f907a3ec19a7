//! `docs/http.md`: each line of it that a shell can run does what the page says.

use crate::stage;
use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::sandbox::To;
use serde_json::{Value, json};
use std::process::Command;

const DOCUMENT: &str = include_str!("../../docs/http.md");

/// Fewer would mean that the blocks are no longer found.
const MIN_LINES: usize = 9;

#[test]
fn every_line_of_the_document_prints_what_the_document_says() {
    let mut stage = stage();
    stage.setup.key = stage.sandbox.agent("bob").key().to_owned();
    stage.sandbox.agent("alice");
    let daemon = stage.ready();
    stage
        .sandbox
        .send("alice", To::Handle("bob"), json!({"text": "hello"}));
    daemon
        .status_until(|status| status["log"]["last_offset"] == 1)
        .unwrap();
    let examples = examples(DOCUMENT);
    assert!(examples.len() >= MIN_LINES, "{}", examples.len());
    for example in examples {
        let printed = run(&daemon, &example.line);
        let wanted = &example.printed;
        match example.kind {
            "json" => {
                let parse = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
                let (wanted, got) = (parse(wanted), parse(&printed));
                assert!(fits(&wanted, &got), "{}\n{got:#}", example.line);
            }
            _ => {
                let (mut wanted, mut got) = (wanted.trim_end().lines(), printed.trim_end().lines());
                for wanted in wanted.by_ref() {
                    let got = got.next().unwrap_or_default();
                    assert!(matches(wanted, got), "{}\n{printed}", example.line);
                }
                assert_eq!(got.next(), None, "{}\n{printed}", example.line);
            }
        }
    }
}

/// A line to run, and what it prints.
struct Example {
    line: String,
    kind: &'static str,
    printed: String,
}

fn examples(document: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        let kind = match line {
            "```sh" => "sh",
            "```json" => "json",
            "```text" => "text",
            _ => continue,
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let text = block.join("\n");
        match (kind, examples.last_mut()) {
            ("sh", _) => examples.push(Example {
                line: text,
                kind: "",
                printed: String::new(),
            }),
            (_, Some(example)) => {
                example.kind = kind;
                example.printed = text;
            }
            (_, None) => panic!("an answer to nothing: {text}"),
        }
    }
    examples
}

fn run(daemon: &Daemon, line: &str) -> String {
    let output = Command::new("sh")
        .args(["-ec", line])
        .env("SOCK", daemon.socket())
        .output()
        .expect("there is a shell");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Whether a value has all that is wanted of it; `…` is anything.
fn fits(wanted: &Value, got: &Value) -> bool {
    match (wanted, got) {
        (Value::String(any), _) if any == "…" => true,
        (Value::Object(wanted), Value::Object(got)) => wanted
            .iter()
            .all(|(name, wanted)| got.get(name).is_some_and(|got| fits(wanted, got))),
        (Value::Array(wanted), Value::Array(got)) => {
            wanted.len() == got.len() && wanted.iter().zip(got).all(|(one, two)| fits(one, two))
        }
        _ => wanted == got,
    }
}

/// Whether a line has the parts that are wanted of it, in their order; `…` is anything between.
fn matches(wanted: &str, got: &str) -> bool {
    let Some((first, rest)) = wanted.split_once('…') else {
        return wanted == got;
    };
    let Some(mut got) = got.strip_prefix(first) else {
        return false;
    };
    let mut parts = rest.split('…').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return got.ends_with(part);
        }
        match got.find(part) {
            Some(place) => got = &got[place + part.len()..],
            None => return false,
        }
    }
    true
}

#[test]
fn what_does_not_fit_is_told_apart() {
    assert!(matches("a…c…e", "abcde") && matches("ab", "ab") && matches("a…", "a"));
    assert!(!matches("a…c…e", "abde") && !matches("ab", "abc") && !matches("a…c", "acd"));
    let wanted = json!({"a": ["…", 1]});
    assert!(fits(&wanted, &json!({"a": [{}, 1], "b": 2})));
    assert!(!fits(&wanted, &json!({"a": [{}, 2]})) && !fits(&wanted, &json!({"a": [1]})));
}
