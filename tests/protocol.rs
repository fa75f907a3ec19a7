//! `docs/protocol.md`, replayed against the real daemon: each example of it is true.

use std::collections::BTreeMap;

use agentchatd_tests::raw::Raw;
use agentchatd_tests::scene::Scene;
use serde_json::Value;

const DOCUMENT: &str = include_str!("../docs/protocol.md");

#[test]
fn every_example_of_the_protocol_document_is_answered_as_it_says() {
    let scene = Scene::of_page(env!("CARGO_BIN_EXE_agentchatd"));

    let mut replay = Replay {
        raw: scene.daemon.connect().expect("it listens"),
        kept: BTreeMap::new(),
        waiting: Vec::new(),
    };
    let blocks = blocks(DOCUMENT);
    assert!(
        blocks.len() > MIN_BLOCKS,
        "the document has examples: {}",
        blocks.len()
    );
    for block in &blocks {
        replay.play(block);
    }
}

/// A fenced block that the document marks.
struct Block {
    kind: &'static str,
    line: usize,
    text: String,
}

fn blocks(document: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for (number, line) in document.lines().enumerate() {
        let kind = ["request", "response", "notification"]
            .into_iter()
            .find(|kind| line == format!("```json {kind}"));
        match kind {
            Some(kind) => {
                blocks.push(Block {
                    kind,
                    line: number + 1,
                    text: String::new(),
                });
                inside = true;
            }
            None if line.starts_with("```") => inside = false,
            None if inside => {
                let text = &mut blocks.last_mut().expect("a block was opened").text;
                text.push_str(line);
                text.push(' ');
            }
            None => {}
        }
    }
    blocks
}

struct Replay {
    raw: Raw,
    kept: BTreeMap<String, Value>,
    /// Lines that came before they were asked for.
    waiting: Vec<Value>,
}

impl Replay {
    fn play(&mut self, block: &Block) {
        let at = format!("docs/protocol.md:{}", block.line);
        let parse = |text: &str| -> Value {
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{at}: {error}"))
        };
        match block.kind {
            "request" => {
                let request = self.filled(parse(&block.text));
                self.raw
                    .write(format!("{request}\n").as_bytes())
                    .expect("the daemon reads");
            }
            "response" => {
                let wanted = parse(&block.text);
                let got = self.line(&at, |line| line.get("method").is_none());
                self.compare(&wanted, &got, &at);
            }
            _ => {
                let wanted = parse(&block.text);
                let got = self.line(&at, |line| line["method"] == wanted["method"]);
                self.compare(&wanted, &got, &at);
            }
        }
    }

    fn line(&mut self, at: &str, fits: impl Fn(&Value) -> bool) -> Value {
        if let Some(place) = self.waiting.iter().position(&fits) {
            return self.waiting.remove(place);
        }
        loop {
            let line = self
                .raw
                .line()
                .unwrap_or_else(|error| panic!("{at}: {error}"));
            let line = line.unwrap_or_else(|| panic!("{at}: the daemon closed the connection"));
            if fits(&line) {
                return line;
            }
            self.waiting.push(line);
        }
    }

    fn filled(&self, value: Value) -> Value {
        match value {
            Value::String(text) => match name(&text) {
                Some(name) => self.kept.get(name).cloned().unwrap_or(Value::String(text)),
                None => Value::String(text),
            },
            Value::Array(items) => items.into_iter().map(|item| self.filled(item)).collect(),
            Value::Object(members) => members
                .into_iter()
                .map(|(key, value)| (key, self.filled(value)))
                .collect(),
            other => other,
        }
    }

    fn compare(&mut self, wanted: &Value, got: &Value, at: &str) {
        match (wanted, got) {
            (Value::String(text), _) if text == "…" => {}
            (Value::String(text), _) if name(text).is_some() => {
                let name = name(text).unwrap_or_default().to_owned();
                match self.kept.get(&name) {
                    Some(kept) => assert_eq!(kept, got, "{at}: {name} is another one now"),
                    None => {
                        self.kept.insert(name, got.clone());
                    }
                }
            }
            (Value::Object(members), Value::Object(others)) => {
                for (key, wanted) in members {
                    let got = others
                        .get(key)
                        .unwrap_or_else(|| panic!("{at}: no member {key} in {got}"));
                    self.compare(wanted, got, &format!("{at} {key}"));
                }
            }
            (Value::Array(wanted), Value::Array(got)) => {
                assert_eq!(wanted.len(), got.len(), "{at}: {got:?}");
                for (wanted, got) in wanted.iter().zip(got) {
                    self.compare(wanted, got, at);
                }
            }
            _ => assert_eq!(wanted, got, "{at}"),
        }
    }
}

fn name(text: &str) -> Option<&str> {
    text.strip_prefix('{')?.strip_suffix('}')
}

/// Fewer would mean that the document's marks are no longer found.
const MIN_BLOCKS: usize = 40;

#[test]
fn the_marks_of_the_document_are_found() {
    let blocks = blocks(
        "x\n```json request\n{\"a\":\n1}\n```\n```json\nno\n```\n```json response\n2\n```\n",
    );
    let kinds: Vec<_> = blocks
        .iter()
        .map(|block| (block.kind, block.text.as_str()))
        .collect();
    assert_eq!(kinds, [("request", "{\"a\": 1} "), ("response", "2 ")]);
}
