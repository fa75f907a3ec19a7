//! The protocol page: what it says of each method, and its examples.

use std::collections::BTreeMap;

use serde_json::Value;

/// What the page holds, in its order.
#[derive(Debug, Default)]
pub(super) struct Guide {
    /// What each method does, in the page's words.
    pub(super) about: BTreeMap<String, String>,
    /// When an error comes, by its code.
    pub(super) errors: BTreeMap<i32, String>,
    /// A request and its answer.
    pub(super) examples: Vec<Exchange>,
    /// What came without being asked for.
    pub(super) notifications: Vec<Value>,
}

/// A request of the page and the answer to it.
#[derive(Debug)]
pub(super) struct Exchange {
    /// Its place among the requests of the page, from 1 on.
    pub(super) place: usize,
    /// Which method.
    pub(super) method: String,
    /// Its parameters, `null` where there are none.
    pub(super) params: Value,
    /// `result` or `error`.
    pub(super) answer: Answer,
}

/// How a request ends.
#[derive(Debug)]
pub(super) enum Answer {
    Result(Value),
    Error(Value),
}

impl Guide {
    /// Reads the page; what it does not understand it passes over.
    pub(super) fn read(page: &str) -> Self {
        let mut guide = Self::default();
        for (name, section) in sections(page) {
            let about = about(section);
            if !about.is_empty() {
                guide.about.insert(name.to_owned(), about);
            }
        }
        guide.errors = page.lines().filter_map(error).collect();
        let mut asked = None;
        for (kind, text) in blocks(page) {
            let Ok(value) = serde_json::from_str::<Value>(text) else {
                continue;
            };
            match kind {
                "request" => asked = Some(value),
                "response" => {
                    let place = guide.examples.len() + 1;
                    let request = asked.take();
                    guide
                        .examples
                        .extend(request.and_then(|request| exchange(place, request, value)));
                }
                _ => guide.notifications.push(value),
            }
        }
        guide
    }
}

fn exchange(place: usize, mut request: Value, mut response: Value) -> Option<Exchange> {
    let answer = match (response["result"].take(), response["error"].take()) {
        (result, Value::Null) => Answer::Result(result),
        (_, error) => Answer::Error(error),
    };
    Some(Exchange {
        place,
        method: request["method"].as_str()?.to_owned(),
        params: request["params"].take(),
        answer,
    })
}

/// A row of the table of errors: code, name, when, data.
fn error(line: &str) -> Option<(i32, String)> {
    let mut cells = line.strip_prefix("| -32")?.split(" | ");
    let code = format!("-32{}", cells.next()?).parse().ok()?;
    let when = cells.nth(1)?;
    Some((code, when.trim().to_owned()))
}

/// Each section under a heading that is a name in backquotes.
fn sections(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.split("\n### `").skip(1).filter_map(|section| {
        let section = section.split("\n## ").next()?;
        section.split_once("`\n")
    })
}

/// The first paragraph of a section, without the scope that begins it and without what the document
/// has in members of its own.
fn about(section: &str) -> String {
    let paragraph = section
        .trim_start()
        .split("\n\n")
        .next()
        .unwrap_or_default();
    let text = match paragraph.strip_prefix("Scope `") {
        Some(rest) => rest.split_once("`. ").map_or("", |(_, text)| text),
        None => paragraph,
    };
    let text = text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let told_elsewhere = ["Parameter", "No parameters", "Result", "Errors:"];
    let end = told_elsewhere
        .iter()
        .filter_map(|word| text.find(word))
        .min();
    let text = match end {
        Some(end) => &text[..end],
        None => &text,
    };
    text.trim_end().to_owned()
}

/// The marked blocks of JSON: their kind and their text.
fn blocks(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.split("\n```json ").skip(1).filter_map(|rest| {
        let (kind, rest) = rest.split_once('\n')?;
        Some((kind, rest.split("\n```").next()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_gives_its_words_and_the_blocks_their_examples() {
        let page = "# A\n\n### `a.b`\n\nScope `read`. Does\nit. Result: `x`.\n\nMore.\n\n```json request\n\
                    {\"id\":1,\"method\":\"a.b\"}\n```\n```json response\n{\"id\":1,\"result\":7}\n\
                    ```\n\n## B\n\n```json notification\n{\"method\":\"n\"}\n```\n";
        let guide = Guide::read(page);
        assert_eq!(guide.about["a.b"], "Does it.");
        assert_eq!(guide.notifications.len(), 1);
        let [example] = guide.examples.as_slice() else {
            panic!("{guide:?}");
        };
        assert_eq!((example.place, example.method.as_str()), (1, "a.b"));
        assert!(matches!(&example.answer, Answer::Result(result) if *result == 7));
    }
}
